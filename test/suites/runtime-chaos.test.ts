/** Faults at random on two whole runtimes; the cluster's judge looks after every instant. A failing seed replays alone: `-t "seed 17"`. */
import { test } from 'vitest';
import { replicatorSilenceMs } from '../../agent/core/index.ts';
import type { MemoryCluster } from './runtime/memory-cluster.ts';
import { addressOf, nodeNames, protectedCluster } from './runtime/memory-cluster.ts';

/** `CHAOS_SEEDS=5000` looks further. */
const seeds = Array.from({ length: Number(process.env['CHAOS_SEEDS'] ?? 40) }, (_, index) => index + 1);
const faultsPerStory = 12;

/** mulberry32: a small generator with one number as its whole state. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const places = Object.keys(addressOf) as (keyof typeof addressOf)[];

interface Faults {
  readonly frozen: Set<string>;
  witnessLives: boolean;
}

async function fault(cluster: MemoryCluster, faults: Faults, random: (below: number) => number): Promise<string> {
  const name = nodeNames[random(2)]!;
  const { life } = cluster.nodes[name];
  const kind = random(10);
  if (life === null) {
    await cluster.boot(name);
    return `boot ${name}`;
  }
  if (faults.frozen.has(name)) {
    faults.frozen.delete(name);
    cluster.thaw(name);
    return `thaw ${name}`;
  }
  switch (kind) {
    case 0:
      cluster.powerOff(name);
      return `power off ${name}`;
    case 1:
      faults.frozen.add(name);
      cluster.freeze(name);
      return `freeze ${name}`;
    case 2:
    case 3:
    case 4: {
      const from = places[random(3)]!;
      const to = places[random(3)]!;
      const cut = random(2) === 0;
      if (from !== to) cluster.cut(from, to, cut);
      return `${cut ? 'cut' : 'heal'} ${from} to ${to}`;
    }
    case 5:
      if (faults.witnessLives) cluster.stopWitness();
      else await cluster.startWitness();
      faults.witnessLives = !faults.witnessLives;
      return `witness ${faults.witnessLives ? 'starts' : 'stops'}`;
    case 6:
      await cluster.restartAgent(name);
      return `restart the agent of ${name}`;
    case 7:
      life.replicator.crash();
      await cluster.advance(300);
      life.replicator.comeBack();
      return `replicator of ${name} crashes`;
    case 8:
      life.replicator.hang();
      await cluster.advance(replicatorSilenceMs);
      life.replicator.fallSilent();
      return `replicator of ${name} hangs`;
    default:
      await life.runtime.command('db', { name: 'swap' }).catch(() => undefined);
      return `swap on ${name}`;
  }
}

async function heal(cluster: MemoryCluster, faults: Faults): Promise<void> {
  for (const name of nodeNames) {
    if (faults.frozen.has(name)) cluster.thaw(name);
    if (cluster.nodes[name].life === null) await cluster.boot(name);
  }
  for (const from of places) for (const to of places) cluster.cut(from, to, false);
  if (!faults.witnessLives) await cluster.startWitness();
}

test.each(seeds)('seed %i', async (seed) => {
  const random = generator(seed);
  const cluster = await protectedCluster();
  const faults: Faults = { frozen: new Set(), witnessLives: true };
  const story: string[] = [];
  try {
    for (let index = 0; index < faultsPerStory; index++) {
      story.push(`${cluster.time.nowMs} ${await fault(cluster, faults, random)}`);
      await cluster.advance(random(6000));
    }
    await heal(cluster, faults);
    const writers = () => nodeNames.filter((name) => cluster.writes(name)).length;
    await cluster.until('protected again', () => cluster.isProtected() && writers() === 1, 120_000);
  } catch (error) {
    throw new Error(`${story.join('\n')}\n${(error as Error).message}`, { cause: error });
  }
  for (const name of nodeNames) cluster.powerOff(name);
  cluster.stopWitness();
});
