/** What a clueless administrator and the worst order of power cuts do: nothing diverges unnoticed, and no copy runs without being asked for. */
import {
  assertDirectoriesEqual,
  assertNothingLost,
  Cluster,
  installPostgres,
  nowMs,
  otherNode,
  postgresDirectory,
  postgresLayer,
  preparePostgres,
  startWorkload,
  stateOf,
} from '../harness/index.ts';
import { story } from '../story.ts';

story(
  'the cover is unmounted by hand; all processes are killed at once; only the stale server comes back, and is promoted',
  { hosts: { nodes: 2, witness: true, layers: [postgresLayer] }, timeoutMs: 240_000 },
  async (t) => {
    t.allowInJournals(
      /Main process exited, code=killed, status=9\/KILL/,
      /Failed with result 'signal'/,
      /was uncovered by somebody else/,
      /\[fenced\]/,
      /\[ordered-promote\]/,
      /\[forked\]/,
    );
    await preparePostgres(t.host('n1'));
    await installPostgres(t.host('n2'));
    await using cluster = new Cluster(t.lab);
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    await using workload = await startWorkload(t.lab);
    await workload.waitForCommits(50);

    const first = await cluster.primary();
    const victim = otherNode(first);
    t.step(`unmount the cover on ${victim} and write into its copy`);
    await t
      .host(victim)
      .must(
        `umount ${postgresDirectory} && echo evil >${postgresDirectory}/evil && until findmnt -rn ${postgresDirectory} >/dev/null; do sleep 0.1; done`,
      );
    await cluster.waitFor('a new comparison', (module) => !module.protected, 10_000).catch(() => undefined);
    await cluster.waitUntilProtected();
    t.step('stop: both copies are compared byte by byte');
    await cluster.must('stop', 'db', '--yes', '--wait', '--cluster', cluster.file);
    const [n1, n2] = [t.host('n1'), t.host('n2')];
    await assertDirectoriesEqual(n1, postgresDirectory, n2, postgresDirectory);
    await cluster.must('start', 'db', '--wait', '--cluster', cluster.file);
    await cluster.waitUntilProtected();

    t.step('kill -9 both planes on both servers at once');
    const killed = nowMs();
    const units = 'holdfastd.service holdfast-replicator.service';
    await Promise.all([n1, n2].map((host) => host.must(`systemctl kill -s KILL ${units}`)));
    await workload.firstCommitAfter(killed + 1);
    await cluster.waitUntilProtected();

    const last = await cluster.primary();
    const stale = otherNode(last);
    t.step(`plug of ${stale}, more transactions on ${last}, plug of ${last}, only ${stale} back`);
    await t.host(stale).poweroff();
    await workload.firstCommitAfter(nowMs());
    await workload.waitForCommits((await workload.report()).acknowledged + 20);
    await workload.stop();
    await assertNothingLost(workload);
    await t.host(last).poweroff();
    await t.host(stale).start();
    const waiting = await cluster.waitFor('a reason to wait', (module) =>
      module.nodes.some((one) => one.name === stale && JSON.stringify(one).includes('newer data')),
    );
    t.step(JSON.stringify(waiting.nodes.find((one) => one.name === stale)));
    t.step(`promote ${stale}`);
    await cluster.must('promote', 'db', '--node', stale, '--accept-data-loss', '--yes', '--cluster', cluster.file);
    await cluster.waitFor('the promoted copy to run', (module) => stateOf(module, stale) === 'alone', 30_000);
    t.step(`${last} comes back with what the other one lacks: kept, and told`);
    await t.host(last).start();
    const forked = await cluster.waitFor(
      'the fork to be told',
      (module) => JSON.stringify(module).includes('fork'),
      30_000,
    );
    t.step(JSON.stringify(forked.nodes));
    if (stateOf(forked, stale) !== 'alone') throw new Error(`${stale} should run on: ${JSON.stringify(forked)}`);
  },
);
