/** What an application says by itself, on connections that it has opened: it is over with the lease, whether the agent hangs or the whole server is frozen. */
import { timingFor } from '../../../agent/core/index.ts';
import { activeNodes, Cluster, Hearing, installSpeaker, nowMs, otherNode, stateOf } from '../harness/index.ts';
import { story } from '../story.ts';

const directory = '/data/db';
const { leaseMs } = timingFor(3000);
/** The promise is 0.1 s; what was said in time may arrive and be written down a little later on a busy machine. */
const toleranceMs = 500;

story(
  'the connections of the application itself end with the lease',
  { hosts: { nodes: 2, witness: true }, timeoutMs: 240_000, long: true },
  async (t) => {
    t.allowInJournals(/\[fenced\]/);
    for (const name of ['n1', 'n2']) await installSpeaker(t.host(name), directory);
    await using cluster = new Cluster(t.lab, { prefer: 'n1' });
    using hearing = new Hearing(t.lab);
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    await cluster.waitUntilProtected();
    const tookOver = async (other: string): Promise<void> => {
      await cluster.waitFor(`${other} runs it`, (module) => activeNodes(module).includes(other));
    };

    const first = await cluster.primary();
    await hearing.hears(first, nowMs());
    t.step(`the agent of ${first} hangs; its application goes on`);
    await t.host(first).must('systemctl kill -s STOP holdfastd.service');
    const hungMs = nowMs();
    await hearing.hears(otherNode(first), hungMs);
    const lastMs = hearing.lastMs(first) - hungMs;
    t.measured('last heard of it', lastMs);
    if (lastMs > leaseMs + toleranceMs) throw new Error('it was heard after its lease');
    await tookOver(otherNode(first));
    if (hearing.lastMs(first) - hungMs !== lastMs) throw new Error('it was heard again');
    await t.host(first).must('systemctl kill -s CONT holdfastd.service');
    await cluster.waitFor('it is fenced', (module) => stateOf(module, first) === 'secondary');
    await cluster.waitUntilProtected();

    const second = await cluster.primary();
    await hearing.hears(second, nowMs());
    t.step(`${second} is frozen, and goes on when the other one runs the application`);
    await t.host(second).freeze();
    await hearing.hears(otherNode(second), nowMs());
    await tookOver(otherNode(second));
    const thawedMs = nowMs();
    await t.host(second).thaw();
    await cluster.waitUntilProtected();
    if (hearing.lastMs(second) >= thawedMs) throw new Error('it was heard after it had been thawed');
    t.step('not a word of it after the thaw');
  },
);
