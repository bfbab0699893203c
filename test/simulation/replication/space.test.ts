/**
 * Disks that get full, the smaller one on either side: what the secondary has no room for is refused before anything of it is done (docs/replication.md, "Space"). A secondary that is up to date and
 * leaves is an error of this world, and at every quiet instant both copies are compared.
 */
import { describe, expect, it } from 'vitest';
import { randomOf } from './application.ts';
import { mutantsOfRoom } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import { giveRoles, goAlone, run, settle } from './run.ts';
import { World } from './world.ts';

const count = Number(process.env['HOLDFAST_SEEDS'] ?? '12');
const first = Number(process.env['HOLDFAST_SEED'] ?? '1');
const mutantSeedsMax = 150;

/** The second machine's disk is small, sometimes the first one's too; both are in sync. */
function makeSmall(seed: number, mutant: Mutant | null): World {
  const world = new World(randomOf(seed), mutant);
  const { random } = world;
  world.makesLinks = seed % 2 === 0;
  world.leavesStale = true;
  const [n1, n2] = world.machines;
  n2.disk.capacityBytes = 400_000 + random(800_000);
  if (seed % 3 === 0) n1.disk.capacityBytes = n2.disk.capacityBytes + random(400_000);
  return world;
}

/** The application writes until there is no more room, and goes on: it removes what it can and writes again. */
function work(world: World, until: () => boolean): void {
  const { random } = world;
  const [n1] = world.machines;
  world.servePrimary(n1);
  goAlone(world, n1);
  run(world, 40_000, () => n1.primary?.mode === 'in-sync');
  expect(n1.primary?.mode).toBe('in-sync');
  for (let n = 0; n < 250 && !until(); n++) {
    giveRoles(world);
    if (n1.requests.length < 4) {
      if (random(8) === 0) n1.requests.push({ kind: 'append', log: `log${random(2)}` });
      else n1.requests.push({ kind: 'random', seed: random(1 << 30) });
    }
    for (let burst = random(40); burst >= 0; burst--) world.step();
  }
}

function runFull(seed: number, mutant: Mutant | null = null): World {
  const world = makeSmall(seed, mutant);
  work(world, () => false);
  // What a resync was about, after a change that could not be told, may not fit at all.
  for (const { disk } of world.machines) disk.capacityBytes = Infinity;
  settle(world);
  return world;
}

describe('disks that get full', () => {
  it('refuse on both sides or on none, and nobody leaves', { timeout: 300_000 }, () => {
    let refused = 0;
    for (let seed = first; seed < first + count; seed++) {
      try {
        refused += runFull(seed).refused;
      } catch (error) {
        throw new Error(`seed ${seed}: HOLDFAST_SEEDS=1 HOLDFAST_SEED=${seed}`, { cause: error });
      }
    }
    expect(refused).toBeGreaterThan(count > 5 ? 10 : 0);
  });

  it('are let go as before by a source that knows nothing of room', () => {
    const world = makeSmall(1, null);
    world.sourceMinor = 1;
    world.leaves = true;
    const [, n2] = world.machines;
    work(world, () => n2.left > 0);
    expect([world.refused, n2.left]).toEqual([0, 1]);
  });

  it.each(mutantsOfRoom)('are noticed by the judge when %s', { timeout: 300_000 }, (mutant) => {
    const caught = Array.from({ length: mutantSeedsMax }, (_, index) => index + 1).some((seed) => {
      try {
        runFull(seed, mutant);
        return false;
      } catch {
        return true;
      }
    });
    expect(caught).toBe(true);
  });
});
