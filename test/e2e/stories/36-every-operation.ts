/**
 * A server dies before each operation of its replicator, as primary and as secondary: killed, without power (alone, or both servers), or frozen for
 * longer than anybody waits. Transactions run all the time; what was acknowledged is there after each.
 */
import {
  assertCopiesEqual,
  assertNothingLost,
  Cluster,
  installPostgres,
  nowMs,
  otherNode,
  placesOnServers,
  postgresLayer,
  preparePostgres,
  startWorkload,
} from '../harness/index.ts';
import type { PlaceOnServer } from '../harness/index.ts';
import { until, type Host } from '../../lab/index.ts';
import { story } from '../story.ts';

const deaths = ['killed', 'without power', 'frozen', 'both without power'] as const;

/** What no server comes by here, and where it is tried. */
const elsewhere = new Set([
  // A lease that ends: the stories of frozen hosts.
  'wait for permission',
  // A disk that fails: the simulation has one.
  'persist record of a failed sync',
]);

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
  'syncfs',
  'begin syncfs',
]);
const timesOf = (operation: string, round: number): number => (seldom.has(operation) ? 1 : 1 + ((round * 37) % 60));

/** Only those whose "lane: operation" contains one of these words, parted by commas: a place is looked at again in minutes. */
const chosen = (process.env['HOLDFAST_PLACES'] ?? '').split(',').filter((word) => word !== '');
const isChosen = ({ lane, operation }: PlaceOnServer): boolean =>
  chosen.length === 0 || chosen.some((word) => `${lane}: ${operation}`.includes(word));

const dropIn = '/run/systemd/system/holdfast-replicator.service.d';
const unit = 'holdfast-replicator.service';
/** SIGSTOP halts every thread of it. */
const isHalted = async (host: Host): Promise<boolean> =>
  (await host.exec(`grep -q '^State:.*T' /proc/$(systemctl show -P MainPID ${unit})/status`)).code === 0;

async function haltAt(host: Host, { lane, operation }: PlaceOnServer, times: number): Promise<void> {
  await host.must(`mkdir -p ${dropIn}`);
  await host.writeFile(
    `${dropIn}/halt.conf`,
    `[Service]\nEnvironment="HOLDFAST_HALT_AT=${lane},${operation},${String(times)}"\n`,
  );
  await host.must(`systemctl daemon-reload && systemctl restart ${unit}`);
}

async function letGo(host: Host): Promise<void> {
  await host.must(`rm -rf ${dropIn} && systemctl daemon-reload`);
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
    const places = placesOnServers().filter((place) => !elsewhere.has(place.operation) && isChosen(place));
    if (places.length === 0) throw new Error(`no place is called like ${chosen.join(', ')}`);
    const never: string[] = [];
    let round = 0;
    for (const place of places) {
      const death = deaths[round % deaths.length]!;
      round += 1;
      const { lane, operation } = place;
      await cluster.waitUntilProtected(120_000);
      const victim = otherNode(await cluster.primary());
      const host = t.host(victim);
      await haltAt(host, place, timesOf(operation, round));
      if (lane !== 'secondary') {
        await cluster.waitUntilProtected(120_000);
        await cluster.must('swap', 'db', '--yes', '--cluster', cluster.file);
      }
      const halts = (timeoutMs: number): Promise<boolean> =>
        until(`${victim} halts`, timeoutMs, () => isHalted(host), 50).then(
          () => true,
          () => false,
        );
      let reached = await halts(15_000);
      if (!reached && lane !== 'secondary') {
        // What belongs to the end of a role.
        const what = `${victim} halts, or the cluster is protected`;
        await until(what, 120_000, async () => (await isHalted(host)) || (await cluster.module()).protected, 200);
        reached = await isHalted(host);
        if (!reached) await cluster.must('swap', 'db', '--yes', '--cluster', cluster.file);
        reached ||= await halts(15_000);
      }
      t.step(
        `${String(round)}: ${victim} ${death} before ${lane} lane: ${operation}${reached ? '' : ' (not reached)'}`,
      );
      if (!reached) never.push(`${lane} lane: ${operation}`);
      await letGo(host);
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
