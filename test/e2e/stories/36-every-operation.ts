/**
 * A server dies before each operation of its replicator, as primary and as secondary: killed, without power (alone, or both servers), or frozen for
 * longer than anybody waits. Transactions run all the time; what was acknowledged is there after each.
 */
import {
  assertCopiesEqual,
  assertNothingLost,
  Cluster,
  haltAt,
  installPostgres,
  isHalted,
  letGo,
  nowMs,
  otherNode,
  placesOnServers,
  postgresLayer,
  preparePostgres,
  provocationOf,
  startWorkload,
} from '../harness/index.ts';
import type { PlaceOnServer, Workload } from '../harness/index.ts';
import { until, type Host } from '../../lab/index.ts';
import { story, type StoryContext } from '../story.ts';

const deaths = ['killed', 'without power', 'frozen', 'both without power'] as const;
type Death = (typeof deaths)[number];

/** A disk that has failed is one again after a power cut, and not before. */
const deathAt = ({ operation }: PlaceOnServer, round: number): Death =>
  operation === 'persist record of a failed sync' ? 'without power' : deaths[round % deaths.length]!;

/** Before the nth time: some are done once in a role, others all the time. */
const seldom = new Set([
  'answer parked',
  'welcome',
  'await begin',
  'ready',
  'open link',
  'begin',
  'pause',
  'persist record',
  'persist record of a failed sync',
  'reply again',
  'syncfs',
  'begin syncfs',
  'wait for permission',
]);
const timesOf = (operation: string, round: number): number => (seldom.has(operation) ? 1 : 1 + ((round * 37) % 60));

/** A checkpoint is asked for twice a minute. */
const patienceMs = ({ operation }: PlaceOnServer): number => (operation === 'begin syncfs' ? 60_000 : 15_000);

/** Only one level has it; these places come last, so that the level is changed once. */
const levelOf = ({ operation }: PlaceOnServer): 'durable' | 'write-through' =>
  operation === 'sync touched' ? 'write-through' : 'durable';

/** Only those whose "lane: operation" contains one of these words, parted by commas: a place is looked at again in minutes. */
const chosen = (process.env['HOLDFAST_PLACES'] ?? '').split(',').filter((word) => word !== '');
const isChosen = ({ lane, operation }: PlaceOnServer): boolean =>
  chosen.length === 0 || chosen.some((word) => `${lane}: ${operation}`.includes(word));

function chosenPlaces(): PlaceOnServer[] {
  const places = placesOnServers().filter(isChosen);
  if (places.length === 0) throw new Error(`no place is called like ${chosen.join(', ')}`);
  const isLast = (place: PlaceOnServer): boolean => levelOf(place) !== 'durable';
  return [...places.filter((place) => !isLast(place)), ...places.filter(isLast)];
}

interface Scene {
  readonly t: StoryContext;
  readonly cluster: Cluster;
  readonly workload: Workload;
}

const unit = 'holdfast-replicator.service';

async function halts(host: Host, timeoutMs: number): Promise<boolean> {
  return until(`${host.name} halts`, timeoutMs, () => isHalted(host), 50).then(
    () => true,
    () => false,
  );
}

/** False: the place was not reached. `victim` is the secondary, and becomes primary where the lane is one of a primary. */
async function reach({ t, cluster }: Scene, victim: string, place: PlaceOnServer, round: number): Promise<boolean> {
  const host = t.host(victim);
  await haltAt(host, place, timesOf(place.operation, round));
  if (place.lane === 'secondary') return halts(host, patienceMs(place));
  await cluster.waitUntilProtected(120_000);
  await cluster.must('swap', 'db', '--yes', '--cluster', cluster.file);
  const provoke = provocationOf(place);
  if (provoke === null && (await halts(host, patienceMs(place)))) return true;
  const what = `${victim} halts, or the cluster is protected`;
  await until(what, 120_000, async () => (await isHalted(host)) || (await cluster.module()).protected, 200);
  if (await isHalted(host)) return true;
  if (provoke === null) {
    // What belongs to the end of a role.
    await cluster.must('swap', 'db', '--yes', '--cluster', cluster.file);
    return halts(host, patienceMs(place));
  }
  const end = await provoke(host, t.host(otherNode(victim)), place);
  const reached = await halts(host, 60_000);
  await end();
  return reached;
}

async function die({ t, workload }: Scene, host: Host, death: Death): Promise<void> {
  if (death === 'killed') await host.must(`systemctl kill -s KILL ${unit}`);
  if (death === 'without power') await host.poweroff();
  if (death === 'both without power') await Promise.all(['n1', 'n2'].map((name) => t.host(name).poweroff()));
  if (death === 'frozen') {
    const instant = nowMs();
    t.measured('until a transaction succeeds again', await workload.firstCommitAfter(instant, 100_000));
    await host.must(`systemctl kill -s CONT ${unit}`);
  }
  if (death === 'without power') await host.start();
  if (death === 'both without power') await Promise.all(['n1', 'n2'].map((name) => t.host(name).start()));
}

story(
  'a server dies before every operation of its replicator',
  { hosts: { nodes: 2, witness: true, layers: [postgresLayer] }, timeoutMs: 3_600_000, long: true },
  async (t) => {
    t.allowInJournals(/./);
    await preparePostgres(t.host('n1'));
    await installPostgres(t.host('n2'));
    await using cluster = new Cluster(t.lab);
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    await using workload = await startWorkload(t.lab);
    const scene = { t, cluster, workload };
    const never: string[] = [];
    let level = 'durable';
    let round = 0;
    for (const place of chosenPlaces()) {
      const { lane, operation } = place;
      await cluster.waitUntilProtected(120_000);
      if (level !== levelOf(place)) {
        level = levelOf(place);
        // Without a cache every write comes to the replicator by itself.
        cluster.configure({ extra: `    acknowledge: ${level}\n    cache: none\n` });
        await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
      }
      const death = deathAt(place, round);
      round += 1;
      const victim = otherNode(await cluster.primary());
      const reached = await reach(scene, victim, place, round);
      t.step(
        `${String(round)}: ${victim} ${death} before ${lane} lane: ${operation}${reached ? '' : ' (not reached)'}`,
      );
      if (!reached) never.push(`${lane} lane: ${operation}`);
      await letGo(t.host(victim));
      await die(scene, t.host(victim), death);
      await cluster.waitUntilProtected(120_000);
      await workload.firstCommitAfter(nowMs());
      await assertNothingLost(workload);
    }
    const report = await workload.stop();
    await assertNothingLost(workload);
    t.step(
      `${String(round)} deaths, ${String(report.acknowledged)} returned COMMITs, all there; not reached: ${never.join('; ') || 'none'}`,
    );
    await assertCopiesEqual(t, cluster);
    if (never.length > 0) throw new Error(`never reached: ${never.join('; ')}`);
  },
);
