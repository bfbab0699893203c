/** What an integrator does on the first day: install, look, swap, stop, start, uninstall. */
import {
  assertNothingLost,
  Cluster,
  installPostgres,
  listeningPorts,
  nowMs,
  otherNode,
  postgresLayer,
  preparePostgres,
  residentBytes,
  startWorkload,
  stateOf,
} from '../harness/index.ts';
import { story } from '../story.ts';

story(
  'two bare servers become a cluster; swap, stop, start, maintenance, uninstall',
  { hosts: { nodes: 2, witness: true, layers: [postgresLayer] }, timeoutMs: 300_000 },
  async (t) => {
    await preparePostgres(t.host('n1'));
    await installPostgres(t.host('n2'));
    await using cluster = new Cluster(t.lab);
    const plan = await cluster.must('apply', cluster.file, '--plan');
    if ((await t.host('n1').exec('test -e /opt/holdfast')).code === 0)
      throw new Error(`--plan changed the server:\n${plan}`);
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    t.step(await cluster.must('status', '--cluster', cluster.file));
    for (const name of ['n1', 'n2']) {
      const ports = (await listeningPorts(t.host(name))).filter((port) =>
        /holdfast|node|ld-linux/.test(JSON.stringify(port)),
      );
      t.step(`${name} listens on ${ports.map((port) => JSON.stringify(port)).join(' ')}`);
      for (const unit of ['holdfastd.service', 'holdfast-replicator.service']) {
        const bytes = await residentBytes(t.host(name), unit);
        t.step(`${name} ${unit}: ${String(Math.round(bytes / 1e6))} MB resident`);
        if (unit === 'holdfastd.service' && bytes > 150e6) throw new Error('the control plane is over 150 MB');
      }
    }
    t.step('apply the same file again: nothing to do');
    await cluster.must('apply', cluster.file, '--yes', '--wait');
    await using workload = await startWorkload(t.lab);
    await workload.waitForCommits(100);
    const primary = await cluster.primary();
    t.step(`swap from ${primary}`);
    const instant = nowMs();
    await cluster.must('swap', 'db', '--yes', '--wait', '--timeout', '60s', '--cluster', cluster.file);
    t.measured('the order to swap until it is done', nowMs() - instant);
    await workload.firstCommitAfter(nowMs());
    t.measured('longest time without a COMMIT', (await workload.report()).longestGapMs);
    if ((await cluster.primary()) !== otherNode(primary)) throw new Error('the swap did not move the application');
    await cluster.waitUntilProtected();
    await cluster.must('restart', 'db', '--yes', '--wait', '--cluster', cluster.file);
    await cluster.waitUntilProtected();
    await workload.firstCommitAfter(nowMs());
    await cluster.must('maintenance', 'on', 'db', '--yes', '--cluster', cluster.file);
    if ((await cluster.module()).protected) throw new Error('protected in maintenance');
    await cluster.must('maintenance', 'off', 'db', '--yes', '--cluster', cluster.file);
    await cluster.waitUntilProtected();
    await workload.stop();
    await assertNothingLost(workload);
    t.step('stop and start on both servers');
    await cluster.must('stop', 'db', '--yes', '--wait', '--cluster', cluster.file);
    const stopped = await cluster.module();
    if (stateOf(stopped, 'n1') !== 'stopped' || stateOf(stopped, 'n2') !== 'stopped')
      throw new Error(JSON.stringify(stopped));
    await cluster.must('start', 'db', '--wait', '--cluster', cluster.file);
    await cluster.waitUntilProtected();
    t.step(await cluster.must('events', '--cluster', cluster.file));
    t.step('uninstall');
    await cluster.must('uninstall', '--yes', '--cluster', cluster.file);
    for (const name of ['n1', 'n2', 'w']) {
      const { stdout } = await t
        .host(name)
        .exec(
          'ls -d /opt/holdfast /etc/holdfast /var/lib/holdfast /run/holdfast /usr/local/bin/holdfast /data/db/.holdfast 2>/dev/null; findmnt -rn -o FSTYPE,TARGET | grep -E "^fuse|/data/"; nft list tables | grep holdfast; systemctl list-unit-files | grep holdfast; true',
        );
      if (stdout.trim() !== '') throw new Error(`left on ${name}:\n${stdout}`);
    }
    const { code } = await t.host('n1').exec('test -f /data/db/PG_VERSION');
    if (code !== 0) throw new Error('the data is gone');
  },
);
