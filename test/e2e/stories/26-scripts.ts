/** Commands as people write them: they fork, flood, forget what they have started, and hang. */
import type { TimelineEvent } from '../../../agent/contract/index.ts';
import { until, type Host } from '../../lab/index.ts';
import { Cluster } from '../harness/index.ts';
import { story } from '../story.ts';

const directory = '/data/db';
/** In a session of its own, twice forked: nobody's child any more. */
const start = `sh -c "(setsid sleep 98765 &) & yes flood | head -c 80000000; echo started"`;
const extra = `    transition: sh -c "echo $HOLDFAST_FROM $HOLDFAST_TO >>/root/transitions"\n`;

async function forgotten(host: Host): Promise<boolean> {
  return (
    (await host.exec(String.raw`cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -qx '9876[5]'`)).code === 0
  );
}

async function codesOf(cluster: Cluster): Promise<string[]> {
  const text = await cluster.must('events', '--json', '--cluster', cluster.file);
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => (JSON.parse(line) as TimelineEvent).code);
}

story(
  'commands that fork, flood, forget and hang',
  { hosts: { nodes: 2, witness: true }, timeoutMs: 240_000, long: true },
  async (t) => {
    for (const name of ['n1', 'n2']) await t.host(name).must(`mkdir -p ${directory} && sync`);
    await t.host('n1').must(`echo content > ${directory}/file && sync`);
    await using cluster = new Cluster(t.lab, { prefer: 'n1', start, stop: '/bin/true', extra });
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    if (!(await forgotten(t.host('n1')))) throw new Error('the start command has left nothing behind');
    const kept = Number(await t.host('n1').must('du -sb /var/lib/holdfast/runs/db | cut -f 1'));
    t.step(`${String(kept)} bytes are kept of 80 MB of output`);
    if (kept > 1.2e6) throw new Error('the output has no bound');
    await until(
      'the change is told',
      10_000,
      async () => (await t.host('n1').exec('grep -E "(alone|primary)$" /root/transitions')).code === 0,
    );

    t.step('stop: what the stop command forgot is ended');
    await cluster.must('stop', 'db', '--yes', '--wait', '--cluster', cluster.file);
    if (await forgotten(t.host('n1'))) throw new Error('what the start command left behind still runs');
    if (!(await codesOf(cluster)).includes('leftovers-killed')) throw new Error('nobody was told of it');

    t.step('a stop command that hangs');
    cluster.configure({ prefer: 'n1', start, stop: '{ command: sleep 600, timeout: 2s }', extra });
    await cluster.must('apply', cluster.file, '--yes');
    await cluster.must('start', 'db', '--wait', '--cluster', cluster.file);
    await cluster.waitUntilProtected();
    await cluster.must('stop', 'db', '--yes', '--wait', '--cluster', cluster.file);
    if (await forgotten(t.host('n1'))) throw new Error('what the start command left behind still runs');
    if (!(await codesOf(cluster)).includes('stop-escalated')) throw new Error('the hanging stop was not escalated');
    t.step(await cluster.must('events', '--cluster', cluster.file));
  },
);
