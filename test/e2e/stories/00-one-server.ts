/** The yardstick for all other stories: without any cluster, a database on one real disk loses no returned COMMIT. */
import { assertNothingLost, nowMs, postgresLayer, preparePostgres, startWorkload } from '../harness/index.ts';
import { story } from '../story.ts';

story(
  'one server without protection: power cuts lose no returned COMMIT, and the service',
  { hosts: { nodes: 1, layers: [postgresLayer] }, timeoutMs: 60_000 },
  async (t) => {
    const n1 = t.host('n1');
    await preparePostgres(n1);
    await n1.must('systemctl start app');
    await using workload = await startWorkload(t.lab, { address: n1.address() });
    for (const round of [1, 2]) {
      await workload.waitForCommits(round * 150);
      t.step('pull the plug, put it back');
      const instantMs = nowMs();
      await n1.poweroff();
      await n1.start();
      await n1.must('systemctl start app');
      t.measured('from power-off to the first SELECT', await workload.firstSelectAfter(instantMs));
    }
    await workload.firstCommitAfter(nowMs());
    const report = await workload.stop();
    const verdict = await assertNothingLost(workload);
    t.step(`${report.acknowledged} COMMITs returned, ${verdict.rows} rows, ${report.undecided} without an answer`);
  },
);
