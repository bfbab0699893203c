/** Story (a) and (b): the plug of the primary is pulled in the middle of transactions, again and again; then both plugs at once. */
import {
  assertCopiesEqual,
  assertNothingLost,
  Cluster,
  nowMs,
  otherNode,
  postgresLayer,
  preparePostgres,
  installPostgres,
  startWorkload,
  stateOf,
} from '../harness/index.ts';
import { story } from '../story.ts';
import type { StoryContext } from '../story.ts';

/** Every second round goes the other way. */
async function pullPlugs(t: StoryContext, rounds: number): Promise<void> {
  await preparePostgres(t.host('n1'));
  await installPostgres(t.host('n2'));
  await using cluster = new Cluster(t.lab);
  t.step('apply the configuration file to two bare servers and a witness');
  const began = nowMs();
  await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
  t.measured('from two bare servers to "protected"', nowMs() - began);
  await using workload = await startWorkload(t.lab);
  let commits = 0;
  const longest: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const module = await cluster.waitUntilProtected();
    const primary = await cluster.primary();
    await workload.waitForCommits(
      (commits = (await workload.report()).acknowledged + 100 + Math.floor(Math.random() * 200)),
    );
    t.step(`round ${String(round)}: pull the plug of ${primary} (generation ${String(module.generation)})`);
    const instant = nowMs();
    await t.host(primary).poweroff();
    const selectMs = await workload.firstSelectAfter(instant);
    longest.push(selectMs);
    t.measured('from power-off to the first successful SELECT', selectMs);
    if (selectMs >= 10_000)
      throw new Error(`the first SELECT came after ${String(selectMs)} ms, the bound is 10000 ms`);
    await workload.firstCommitAfter(nowMs());
    await t.host(primary).start();
    const after = await cluster.waitUntilProtected();
    if (stateOf(after, otherNode(primary)) !== 'primary')
      throw new Error(`${otherNode(primary)} should have stayed primary`);
  }
  t.measured(`worst of ${String(rounds)}`, Math.max(...longest));
  await workload.waitForCommits(commits + 100);
  t.step('pull both plugs at once');
  const instant = nowMs();
  await Promise.all([t.host('n1').poweroff(), t.host('n2').poweroff()]);
  await Promise.all([t.host('n1').start(), t.host('n2').start()]);
  t.measured('from power-off of both to the first successful SELECT', await workload.firstSelectAfter(instant));
  await cluster.waitUntilProtected();
  await workload.firstCommitAfter(nowMs());
  const report = await workload.stop();
  const verdict = await assertNothingLost(workload);
  t.step(`${String(report.acknowledged)} returned COMMITs, all there; ${String(verdict.rows)} rows`);
  await assertCopiesEqual(t, cluster);
}

const hosts = { nodes: 2, witness: true, layers: [postgresLayer] } as const;
story(
  'power-off of the primary in the middle of transactions, in both directions; then of both servers at once',
  { hosts, timeoutMs: 240_000 },
  (t) => pullPlugs(t, 2),
);
story(
  'power-off of the primary in the middle of transactions, ten times; then of both servers at once',
  { hosts, timeoutMs: 600_000, long: true },
  (t) => pullPlugs(t, 10),
);
