/** Stories (c), (d) and (e): cables, frozen servers and killed processes. Never two primaries, protected again afterwards. */
import {
  assertCopiesEqual,
  assertNothingLost,
  Cluster,
  activeNodes,
  nowMs,
  otherNode,
  postgresLayer,
  preparePostgres,
  installPostgres,
  startWorkload,
  type Workload,
} from '../harness/index.ts';
import { story, type StoryContext } from '../story.ts';

/** Both servers say what they are, for as long as the action lasts: more than one active node is the worst thing that can happen. */
async function neverTwoPrimaries(t: StoryContext, cluster: Cluster, action: () => Promise<void>): Promise<void> {
  const watched = new AbortController();
  const watch = (async (): Promise<number> => {
    let looks = 0;
    while (!watched.signal.aborted) {
      const holders: string[] = [];
      for (const name of ['n1', 'n2']) {
        // What clients would reach: the address is here, the kernel lets it answer, and the database listens.
        const { stdout } = await t
          .host(name)
          .exec(
            `ip -4 addr show | grep -q '10.77.0.50/' && nft list set inet holdfast leased 2>/dev/null | grep -q '10.77.0.50' && ss -Hltn 'sport = :5432' | grep -q LISTEN && echo serving`,
            { timeoutMs: 3000 },
          )
          .catch(() => ({ stdout: '' }));
        if (stdout.includes('serving')) holders.push(name);
      }
      if (holders.length > 1) {
        const active = activeNodes(await cluster.module());
        if (active.length > 1) throw new Error('two primaries: both servers serve the address');
      }
      looks += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return looks;
  })();
  watch.catch(() => undefined);
  try {
    await action();
  } finally {
    watched.abort();
  }
  t.step(`looked ${String(await watch)} times for two primaries`);
}

async function prepare(t: StoryContext, cluster: Cluster): Promise<Workload> {
  await preparePostgres(t.host('n1'));
  await installPostgres(t.host('n2'));
  await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
  return startWorkload(t.lab);
}

story(
  'the cable between the servers is cut, both ways and one way, then healed',
  { hosts: { nodes: 2, witness: true, layers: [postgresLayer] }, timeoutMs: 300_000 },
  async (t) => {
    await using cluster = new Cluster(t.lab);
    await using workload = await prepare(t, cluster);
    const cuts: readonly { what: string; from: 'primary' | 'secondary' | 'both' }[] = [
      { what: 'both ways', from: 'both' },
      { what: 'the primary is not heard any more', from: 'primary' },
      { what: 'the secondary is not heard any more', from: 'secondary' },
    ];
    for (const cut of cuts) {
      await cluster.waitUntilProtected();
      const primary = await cluster.primary();
      const secondary = otherNode(primary);
      await workload.firstCommitAfter(nowMs());
      await neverTwoPrimaries(t, cluster, async () => {
        t.step(`cut: ${cut.what}`);
        const instant = nowMs();
        if (cut.from === 'both') await t.lab.cut(primary, secondary);
        else
          await t.lab.cut(cut.from === 'primary' ? primary : secondary, cut.from === 'primary' ? secondary : primary, {
            oneWay: true,
          });
        await workload.firstCommitAfter(instant + 1);
        await new Promise((resolve) => setTimeout(resolve, 4000));
        t.measured('longest time without a COMMIT so far', (await workload.report()).longestGapMs);
        await t.lab.heal(primary, secondary);
        t.step('healed');
        await cluster.waitUntilProtected();
      });
    }
    await workload.firstCommitAfter(nowMs());
    await workload.stop();
    const verdict = await assertNothingLost(workload);
    t.step(`${String(verdict.acknowledged)} returned COMMITs, all there`);
    await assertCopiesEqual(t, cluster);
  },
);

story(
  'the primary is frozen and thawed; each unit is killed on each server',
  { hosts: { nodes: 2, witness: true, layers: [postgresLayer] }, timeoutMs: 360_000 },
  async (t) => {
    t.allowInJournals(/Main process exited, code=killed, status=9\/KILL/, /Failed with result 'signal'/, /\[fenced\]/);
    await using cluster = new Cluster(t.lab);
    await using workload = await prepare(t, cluster);
    await cluster.waitUntilProtected();
    await neverTwoPrimaries(t, cluster, async () => {
      const primary = await cluster.primary();
      t.step(`freeze ${primary} for 1 s: less than the detection time changes nothing`);
      await t.host(primary).freeze();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await t.host(primary).thaw();
      await workload.firstCommitAfter(nowMs());
      if ((await cluster.primary()) !== primary) throw new Error('a short pause moved the application');
      await cluster.waitUntilProtected();
      t.step(`freeze ${primary}`);
      const instant = nowMs();
      await t.host(primary).freeze();
      t.measured('from the freeze to the first SELECT', await workload.firstSelectAfter(instant));
      await t.host(primary).thaw();
      t.step(`thawed ${primary}`);
      await cluster.waitUntilProtected();
      if ((await cluster.primary()) !== otherNode(primary)) throw new Error('the thawed server should be secondary');
    });
    for (const unit of ['holdfastd', 'holdfast-replicator']) {
      for (const role of ['primary', 'secondary'] as const) {
        await cluster.waitUntilProtected();
        const primary = await cluster.primary();
        const victim = role === 'primary' ? primary : otherNode(primary);
        await neverTwoPrimaries(t, cluster, async () => {
          t.step(`kill -9 ${unit} on the ${role} (${victim})`);
          const instant = nowMs();
          await t.host(victim).must(`systemctl kill -s KILL ${unit}.service`);
          await workload.firstCommitAfter(instant + 1);
          await cluster.waitUntilProtected();
          t.measured('longest time without a COMMIT so far', (await workload.report()).longestGapMs);
        });
      }
    }
    await workload.firstCommitAfter(nowMs());
    await workload.stop();
    const verdict = await assertNothingLost(workload);
    t.step(`${String(verdict.acknowledged)} returned COMMITs, all there`);
    await assertCopiesEqual(t, cluster);
  },
);
