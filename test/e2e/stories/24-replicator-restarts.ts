/** The data plane is killed, restarted and killed again under PostgreSQL: its clients wait for a moment, and nothing else happens. */
import {
  assertCopiesEqual,
  assertNothingLost,
  Cluster,
  installPostgres,
  nowMs,
  otherNode,
  postgresLayer,
  preparePostgres,
  startWorkload,
} from '../harness/index.ts';
import { until } from '../../lab/process.ts';
import { story, type StoryContext } from '../story.ts';

const unit = 'holdfast-replicator.service';
/** In sync, and on the way back to it: the next one comes before the copies are equal again. */
const orders = [
  { what: 'kill -9', command: `systemctl kill -s KILL ${unit}`, protectedBefore: true },
  { what: 'systemctl restart', command: `systemctl restart ${unit}`, protectedBefore: true },
  { what: 'kill -9', command: `systemctl kill -s KILL ${unit}`, protectedBefore: true },
  {
    what: 'kill -9 while the copies are made equal',
    command: `systemctl kill -s KILL ${unit}`,
    protectedBefore: false,
  },
  { what: 'systemctl restart', command: `systemctl restart ${unit}`, protectedBefore: true },
] as const;

/** Another number after each start of the server. */
async function postmaster(t: StoryContext, name: string): Promise<string> {
  return (await t.host(name).must('pgrep -o -x postgres')).trim();
}

story(
  'the replicator is killed and restarted under PostgreSQL: a pause, no error, no failover',
  { hosts: { nodes: 2, witness: true, layers: [postgresLayer] }, timeoutMs: 360_000, long: true },
  async (t) => {
    t.allowInJournals(/Main process exited, code=killed/, /Failed with result 'signal'/);
    await using cluster = new Cluster(t.lab);
    await preparePostgres(t.host('n1'));
    await installPostgres(t.host('n2'));
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    // Who connects meanwhile waits too, and is no error.
    await using workload = await startWorkload(t.lab, { connectTimeoutMs: 4000 });
    await cluster.waitUntilProtected();
    const primary = await cluster.primary();
    const server = await postmaster(t, primary);
    for (const { what, command, protectedBefore } of orders) {
      if (protectedBefore) await cluster.waitUntilProtected();
      // Served for a while, it may be killed again.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      t.step(`${what} on ${primary}`);
      const instant = nowMs();
      await t.host(primary).must(command);
      t.measured('until the next COMMIT', await workload.firstCommitAfter(instant + 1));
    }
    await cluster.waitUntilProtected();
    if ((await cluster.primary()) !== primary) throw new Error('the application has moved');
    if ((await postmaster(t, primary)) !== server) throw new Error('PostgreSQL was started anew');
    const { longestGapMs, undecided, lastError } = await workload.stop();
    t.measured('longest time without a COMMIT', longestGapMs);
    if (undecided > 0 || lastError !== '') throw new Error(`a client has seen an error: ${lastError}`);
    const verdict = await assertNothingLost(workload);
    t.step(`${String(verdict.acknowledged)} returned COMMITs, all there`);
    await assertCopiesEqual(t, cluster);
  },
);

/** What the application is left to wait is about 7 s (`timing.ts`); the service manager's watchdog would be 60 s. */
const silentMsMax = 30_000;

async function silencesTold(cluster: Cluster): Promise<number> {
  const text = await cluster.must('events', '--json', '--cluster', cluster.file);
  return text.split('\n').filter((line) => line.includes('"replicator-silent"')).length;
}

story(
  'the replicator is stopped, not dead, under PostgreSQL and on the secondary: it is killed, and nothing moves',
  { hosts: { nodes: 2, witness: true, layers: [postgresLayer] }, timeoutMs: 360_000, long: true },
  async (t) => {
    t.allowInJournals(/Main process exited, code=killed/, /Failed with result 'signal'/);
    await using cluster = new Cluster(t.lab);
    await preparePostgres(t.host('n1'));
    await installPostgres(t.host('n2'));
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    await using workload = await startWorkload(t.lab, {
      connectTimeoutMs: silentMsMax,
      statementTimeoutMs: silentMsMax,
    });
    await cluster.waitUntilProtected();
    const primary = await cluster.primary();
    const server = await postmaster(t, primary);
    let told = 0;
    for (const name of [primary, otherNode(primary)]) {
      await cluster.waitUntilProtected();
      t.step(`SIGSTOP for the replicator of ${name}, ${name === primary ? 'under the application' : 'the secondary'}`);
      const instant = nowMs();
      await t.host(name).must(`systemctl kill -s STOP ${unit}`);
      const pauseMs = await workload.firstCommitAfter(instant + 500);
      t.measured('until the next COMMIT', pauseMs);
      if (pauseMs > silentMsMax) throw new Error('the application has waited for the watchdog');
      told += 1;
      await until('that it was killed is told', silentMsMax, async () => (await silencesTold(cluster)) >= told);
      await cluster.waitUntilProtected();
      t.measured('until protected again', nowMs() - instant);
    }
    if ((await cluster.primary()) !== primary) throw new Error('the application has moved');
    if ((await postmaster(t, primary)) !== server) throw new Error('PostgreSQL was started anew');
    const { longestGapMs, undecided, lastError } = await workload.stop();
    t.measured('longest time without a COMMIT', longestGapMs);
    if (undecided > 0 || lastError !== '') throw new Error(`a client has seen an error: ${lastError}`);
    const verdict = await assertNothingLost(workload);
    t.step(`${String(verdict.acknowledged)} returned COMMITs, all there`);
    await assertCopiesEqual(t, cluster);
  },
);
