/** The copies are compared while the application writes; what somebody changed behind the door of the secondary is found and repaired. */
import { Cluster, otherNode } from '../harness/index.ts';
import { story } from '../story.ts';

const directory = '/data/db';
const start = `sh -c "(setsid sh -c 'while :; do date +%N >>${directory}/log; sync ${directory}/log; sleep 0.01; done' &)"`;

story(
  'copies are compared under load, a damaged one is not used, and repaired',
  { hosts: { nodes: 2, witness: true }, timeoutMs: 120_000, long: true },
  async (t) => {
    t.allowInJournals(
      /\[copies-differ\]/,
      /\[verify-different\]/,
      /\[verify-repairing\]/,
      /\[not-protected\]/,
      /\[alone\]/,
    );
    for (const name of ['n1', 'n2']) await t.host(name).must(`mkdir -p ${directory} && sync`);
    await t.host('n1').must(`cd ${directory}; for n in $(seq 50); do head -c 100000 /dev/urandom > f$n; done; sync`);
    await using cluster = new Cluster(t.lab, { prefer: 'n1', start, stop: '/bin/true' });
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    t.step(await cluster.must('verify', 'db', '--wait', '--cluster', cluster.file));
    const secondary = otherNode(await cluster.primary());
    t.step(`somebody changes a byte on ${secondary}, behind the door`);
    await t
      .host(secondary)
      .must(
        'mkdir -p /mnt/below && mount --bind /data /mnt/below && printf X | dd of=/mnt/below/db/f7 bs=1 seek=5000 conv=notrunc status=none && sync && umount /mnt/below',
      );
    const found = await cluster.command('verify', 'db', '--wait', '--cluster', cluster.file);
    t.step(found.stdout);
    if (found.code !== 1 || !/f7: .*content/.test(found.stdout)) throw new Error('the changed byte was not found');
    const module = await cluster.module();
    if (module.protected || module.nodes.find((one) => one.name === secondary)?.data !== 'stale')
      throw new Error(`the damaged copy may be used: ${JSON.stringify(module)}`);
    t.step(await cluster.must('verify', 'db', '--repair', '--yes', '--wait', '--cluster', cluster.file));
    await cluster.waitUntilProtected();
    t.step(await cluster.must('verify', 'db', '--wait', '--cluster', cluster.file));
    t.step(await cluster.must('events', '--cluster', cluster.file));
  },
);
