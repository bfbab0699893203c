/** Both servers write without each other; a person chooses, nothing is lost, and a file of the other version comes back. */
import { Cluster } from '../harness/index.ts';
import { story } from '../story.ts';

const directory = '/data/db';

interface Nodes {
  readonly nodes: readonly { readonly name: string; readonly state: string; readonly reason?: string | undefined }[];
}
/** The other one is silent, and this node says so. */
function isWaiting({ nodes }: Nodes, name: string): boolean {
  return nodes.some((node) => node.name === name && (node.state === 'wait' || node.reason === 'peer-silent'));
}

story(
  'a fork: one version is kept, the other one is set aside, looked at and partly brought back',
  { hosts: { nodes: 2, witness: false }, timeoutMs: 180_000, long: true },
  async (t) => {
    // A fork is nothing but warnings: what the product tells of it by a code is expected.
    t.allowInJournals(/\[[a-z-]+\]/);
    for (const name of ['n1', 'n2']) await t.host(name).must(`mkdir -p ${directory} && sync`);
    await t.host('n1').must(`echo before > ${directory}/both; sync`);
    await using cluster = new Cluster(t.lab, { witness: false, prefer: 'n1', start: '/bin/true', stop: '/bin/true' });
    const own = ['--cluster', cluster.file] as const;
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    const alone =
      (name: string) => (one: { readonly nodes: readonly { readonly name: string; readonly state: string }[] }) =>
        one.nodes.some((node) => node.name === name && node.state === 'alone');
    for (const name of ['n2', 'n1'] as const) {
      const other = name === 'n1' ? 'n2' : 'n1';
      t.step(`${other} has no power, and a person lets ${name} run`);
      await t.host(other).poweroff();
      if (name === 'n1') await t.host(name).start();
      await cluster.waitFor(`${name} waits`, (one) => isWaiting(one, name) || alone(name)(one));
      await cluster.must('promote', 'db', '--node', name, '--accept-data-loss', '--yes', '--wait', ...own);
      await cluster.waitFor(`${name} alone`, alone(name));
      await t
        .host(name)
        .must(`cd ${directory} && echo ${name} > both && echo ${name} > only-${name} && sync both only-${name}`);
    }
    await t.host('n2').start();
    await cluster.waitFor('the fork is told', (one) => one.nodes.some((node) => node.data === 'forked'));
    t.step(await cluster.must('fork', 'keep', 'db', '--node', 'n1', '--yes', '--wait', ...own));
    const list = await cluster.must('fork', 'list', 'db', ...own);
    t.step(list);
    const id = /\b(db\.kept-\S+)/.exec(list)?.[1];
    if (id === undefined) throw new Error('nothing is kept');
    t.step(await cluster.must('fork', 'show', 'db', id, ...own));
    await cluster.must('swap', 'db', '--yes', '--wait', ...own);
    await cluster.must('fork', 'restore', 'db', id, 'only-n2', '--yes', ...own);
    const both = (await t.host('n2').must(`cat ${directory}/both ${directory}/only-n2`)).trim();
    if (both !== 'n1\nn2') throw new Error(`the data is ${both}`);
    await cluster.must('fork', 'discard', 'db', id, '--yes', ...own);
    if ((await cluster.must('fork', 'list', 'db', ...own)).includes(id)) throw new Error('it is still there');
  },
);
