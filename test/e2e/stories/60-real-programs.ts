/**
 * Programs that people trust with their data, each in the middle of its work when the plug of the primary is pulled. What it had told somebody outside
 * of that server is there on the other one, and its own checks find nothing wrong.
 */
import type { Host } from '../../lab/index.ts';
import { assertCopiesEqual, Cluster, virtualAddress } from '../harness/index.ts';
import { story, type StoryContext } from '../story.ts';

const directory = '/data/db';
const listener = '10.77.0.12';
const postgres = '/usr/lib/postgresql/15/bin';

/** Writers on the primary say over the network what they were told is safe: one line each, the last word is the number or name. */
interface Witnessed {
  readonly name: string;
  readonly port: number;
  /** Bash; `$1` speaks to whoever counts. */
  readonly write: string;
  /** Prints what is there, in the words of the writer; `$1` is the last one that was told. */
  readonly check: string;
}

const sqlite = (mode: string, port: number): Witnessed => ({
  name: `sqlite-${mode}`,
  port,
  write: `cd ${directory}/sqlite; db=${mode}.db; sqlite3 $db "pragma journal_mode=${mode}; create table t(n integer primary key)" >/dev/null
for n in $(seq 1 100000); do sqlite3 $db "pragma synchronous=full; insert into t values($n)" && echo $n; done`,
  check: `cd ${directory}/sqlite; [ "$(sqlite3 ${mode}.db 'pragma integrity_check')" = ok ] && [ "$(sqlite3 ${mode}.db 'select count(*) from t where n <= '$1)" = $1 ]`,
});

const writers: readonly Witnessed[] = [
  sqlite('wal', 9001),
  sqlite('delete', 9002),
  {
    name: 'git',
    port: 9003,
    write: `cd ${directory}/git/clone; git config core.fsync all; git config gc.auto 0
for n in $(seq 1 100000); do echo $n > n; git add n; git commit -qm $n && git rev-parse HEAD; [ $((n % 20)) != 0 ] || git gc -q; done`,
    check: `cd ${directory}/git/clone; git fsck --full >/dev/null 2>&1 && git merge-base --is-ancestor $1 HEAD`,
  },
  {
    name: 'mariadb',
    port: 9004,
    write: `for n in $(seq 1 100000); do mariadb -S /tmp/maria.sock -e "insert into test.t values($n)" && echo $n; done`,
    check: `mariadb-check -S /tmp/maria.sock test >/dev/null && [ "$(mariadb -S /tmp/maria.sock -N -e "select count(*) from test.t where n <= $1")" = $1 ]`,
  },
];

/** Its input stays open: who hears the end of it would take the line for cut. */
const listen = (port: number, name: string): string =>
  `setsid sh -c 'sleep 100000 | busybox nc -l -p ${port} > /root/${name}.told' > /dev/null 2>&1 < /dev/null & sleep 0.2`;

const startDatabases = `set -e
runuser -u postgres -- ${postgres}/pg_ctl -D ${directory}/postgres -l /tmp/postgres.log -w -t 60 start >/dev/null
runuser -u mysql -- mariadbd --datadir=${directory}/maria --socket=/tmp/maria.sock --skip-networking --innodb-flush-log-at-trx-commit=1 >/tmp/maria.log 2>&1 &
for i in $(seq 1 300); do mariadb-admin -S /tmp/maria.sock ping >/dev/null 2>&1 && exit 0; sleep 0.2; done; tail -n 20 /tmp/maria.log >&2; exit 1`;

const stopDatabases = `mariadb-admin -S /tmp/maria.sock shutdown; runuser -u postgres -- ${postgres}/pg_ctl -D ${directory}/postgres -m fast -w stop >/dev/null
while pgrep -x mariadbd >/dev/null; do sleep 0.1; done`;

/** Debian starts one at boot. Told to stop before it is ready it forgets that it was told, and systemd would wait for it for fifteen minutes. */
const disableMariadbOfTheHost =
  'systemctl start mariadb && systemctl disable -q --now mariadb.socket mariadb-extra.socket mariadb 2>/dev/null';

async function prepare(t: StoryContext, host: Host): Promise<void> {
  t.step('databases, a clone, a tree with everything that rsync -aHAX knows, and a file that fio has verified');
  await host.must(`set -e
cd ${directory}; install -d -o postgres -g postgres -m 700 postgres; install -d -o mysql -g mysql maria; mkdir -p sqlite git tree
runuser -u postgres -- ${postgres}/initdb -D ${directory}/postgres -E UTF8 --locale=C.UTF-8 --auth=trust --data-checksums --no-instructions >/dev/null
printf "listen_addresses='*'\\nunix_socket_directories='/tmp'\\n" >> postgres/postgresql.conf; echo 'host all all 10.77.0.0/24 trust' >> postgres/pg_hba.conf
mariadb-install-db --user=mysql --datadir=${directory}/maria --skip-test-db >/dev/null
git init -q --bare git/origin; git config --global user.email a@b; git config --global user.name a; git config --global --add safe.directory '*'
git clone -q git/origin git/clone 2>/dev/null
cp -a /usr/share/doc/git tree/doc; ln tree/doc/copyright tree/second; setfacl -m u:daemon:r tree/second; setfattr -n user.k -v v tree/doc; truncate -s 9M tree/sparse; mkfifo tree/fifo
rsync -aHAX tree/ again/; [ -z "$(rsync -aHAXnci --delete tree/ again/)" ]; tar --xattrs --acls -cf tree.tar tree; tar --xattrs --acls -df tree.tar`);
  await host.must(startDatabases, { timeoutMs: 120_000 });
  await host.must(
    `set -e
mariadb -S /tmp/maria.sock -e 'create database test; create table test.t(n int primary key) engine=innodb'
runuser -u postgres -- createdb -h /tmp bench; runuser -u postgres -- pgbench -h /tmp -q -i -s 3 bench 2>/dev/null
fio --name=v --filename=${directory}/fio --rw=randwrite --bs=8k --size=24M --verify=crc32c --do_verify=0 --end_fsync=1 --output=/dev/null`,
    {
      timeoutMs: 120_000,
    },
  );
}

/** Each writer on the primary; who counts is on the other server. */
async function writeUntilTold(primary: Host, counter: Host, count: number): Promise<void> {
  for (const { name, port, write } of writers) {
    await counter.must(listen(port, name));
    await primary.writeFile(
      `/root/${name}.sh`,
      `exec 9>/dev/tcp/${listener}/${port}; exec >&9 2>/dev/null\n${write}\n`,
    );
    await primary.must(`setsid bash /root/${name}.sh > /dev/null 2>&1 < /dev/null &`);
  }
  // One line of its log for each transaction whose COMMIT came back.
  await counter.must(
    `cd /root; rm -f bench.*; setsid pgbench -h ${virtualAddress} -U postgres -c 3 -T 300 -l --log-prefix=/root/bench bench > /root/pgbench.out 2>&1 < /dev/null &`,
  );
  const told = writers.map(({ name }) => `[ $(wc -l < /root/${name}.told) -ge ${count} ]`).join(' && ');
  await counter.must(
    `for i in $(seq 1 1200); do ${told} && [ $(cat bench.* 2>/dev/null | wc -l) -ge ${count} ] && exit 0; sleep 0.1; done; wc -l *.told; cat pgbench.out; exit 1`.replace(
      'for i',
      'cd /root; for i',
    ),
    {
      timeoutMs: 150_000,
    },
  );
}

async function check(t: StoryContext, host: Host): Promise<void> {
  for (const { name, check: command } of writers) {
    const last = (await host.must(`grep -E '^[0-9a-f]+$' /root/${name}.told | tail -n 1`)).trim();
    const count = (await host.must(`wc -l < /root/${name}.told`)).trim();
    await host.must(`set -- ${last}; ${command}`, { timeoutMs: 60_000 });
    t.step(`${name}: ${count} told, all there, nothing damaged`);
  }
  const commits = Number(await host.must('cat /root/bench.* | wc -l'));
  const rows = Number(
    await host.must(`runuser -u postgres -- psql -h /tmp -tAc 'select count(*) from pgbench_history' bench`),
  );
  if (rows < commits) throw new Error(`PostgreSQL acknowledged ${commits} transactions and has ${rows}`);
  await host.must(
    `runuser -u postgres -- psql -h /tmp -qc 'create extension if not exists amcheck' bench && runuser -u postgres -- ${postgres}/pg_amcheck -h /tmp --heapallindexed bench`,
    { timeoutMs: 120_000 },
  );
  t.step(`pgbench: ${commits} acknowledged, ${rows} there, pg_amcheck finds nothing`);
  await host.must(`set -e; cd ${directory}
fio --name=v --filename=${directory}/fio --rw=randwrite --bs=8k --size=24M --verify=crc32c --verify_only --verify_fatal=1 --output=/dev/null
[ -z "$(rsync -aHAXnci --delete tree/ again/)" ]; tar --xattrs --acls -df tree.tar`);
  t.step('fio, tar and rsync find what they had written');
}

story(
  'databases, git, rsync and fio on the mount, and the plug of the primary is pulled while they write',
  { hosts: { nodes: 2, witness: true, layers: ['programs'] }, timeoutMs: 600_000, long: true },
  async (t) => {
    for (const name of ['n1', 'n2']) await t.host(name).must(`mkdir -p ${directory}; ${disableMariadbOfTheHost}; sync`);
    await using cluster = new Cluster(t.lab, { prefer: 'n1', start: '/bin/true', stop: '/bin/true' });
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    await prepare(t, t.host('n1'));
    t.step('everybody writes');
    await writeUntilTold(t.host('n1'), t.host('n2'), 30);
    t.step('the plug of n1 is pulled');
    await t.host('n1').poweroff();
    await cluster.waitFor('n2 alone', (one) => one.nodes.some(({ name, state }) => name === 'n2' && state === 'alone'));
    await t.host('n2').must('pkill pgbench; pkill -x busybox; true');
    t.step('recovery on n2');
    await t.host('n2').must(`git config --global --add safe.directory '*'; ${startDatabases}`, { timeoutMs: 180_000 });
    await check(t, t.host('n2'));
    await t.host('n2').must(stopDatabases, { timeoutMs: 60_000 });
    await t.host('n1').start();
    await cluster.waitUntilProtected();
    await assertCopiesEqual(t, cluster);
  },
);

/** A guest that tells by its serial line which block it has flushed. */
const guestInit = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev; /bin/busybox mount -t proc proc /proc; /bin/busybox mount -t devtmpfs dev /dev
for m in virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do [ -e /$m.ko ] && /bin/busybox insmod /$m.ko; done
i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); printf '%-4096d' $i | /bin/busybox dd of=/dev/vda bs=4096 seek=$i conv=fsync,notrunc 2>/dev/null && echo "TOLD $i"; done
`;

const buildGuest = `set -e; mkdir -p /root/g/bin; cd /root/g; cp /bin/busybox bin/; cat > init; chmod 755 init
for m in virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk; do f=$(find /lib/modules -name "$m.ko" | head -n 1); [ -z "$f" ] || cp $f .; done
find . | cpio -o -H newc 2>/dev/null | gzip -1 > /root/initrd.gz; cp $(ls /boot/vmlinuz-* | head -n 1) /root/vmlinuz`;

story(
  'a virtual machine on the mount, and the plug of the primary is pulled while its guest writes',
  { hosts: { nodes: 2, witness: true, layers: ['machines'] }, timeoutMs: 600_000, long: true },
  async (t) => {
    for (const name of ['n1', 'n2']) {
      await t.host(name).must(`mkdir -p ${directory}; sync`);
      await t.host(name).must(buildGuest, { stdin: guestInit, timeoutMs: 60_000 });
    }
    await using cluster = new Cluster(t.lab, { prefer: 'n1', start: '/bin/true', stop: '/bin/true' });
    await cluster.must('apply', cluster.file, '--yes', '--wait', '--timeout', '120s');
    const image = `${directory}/vm.qcow2`;
    await t.host('n1').must(`qemu-img create -q -f qcow2 ${image} 600M && sync ${image}`);
    await t.host('n2').must(listen(9010, 'vm'));
    t.step('a guest without acceleration, its disk opened with O_DIRECT');
    await t
      .host('n1')
      .must(
        `setsid qemu-system-x86_64 -M pc -accel tcg -m 192 -nographic -nodefaults -no-reboot -kernel /root/vmlinuz -initrd /root/initrd.gz -append 'console=ttyS0 quiet panic=-1 rdinit=/init' -chardev socket,id=s,host=${listener},port=9010 -serial chardev:s -drive file=${image},format=qcow2,if=virtio,cache=none > /root/qemu.log 2>&1 < /dev/null &`,
      );
    await t
      .host('n2')
      .must(
        'for i in $(seq 1 2400); do [ $(grep -c TOLD /root/vm.told) -ge 100 ] && exit 0; sleep 0.1; done; tail -n 20 /root/vm.told; exit 1',
        { timeoutMs: 260_000 },
      );
    t.step('the plug of n1 is pulled');
    await t.host('n1').poweroff();
    await cluster.waitFor('n2 alone', (one) => one.nodes.some(({ name, state }) => name === 'n2' && state === 'alone'));
    const told = Number(
      (await t.host('n2').must("sed -n 's/.*TOLD \\([0-9]*\\).*/\\1/p' /root/vm.told | tail -n 1")).trim(),
    );
    await t.host('n2').must(
      `set -e; qemu-img check -q ${image} || [ $? = 3 ]; qemu-img convert -O raw ${image} /root/vm.raw
for i in $(seq 1 ${told}); do [ "$(dd if=/root/vm.raw bs=4096 skip=$i count=1 2>/dev/null | tr -d ' ')" = $i ] || { echo "block $i is not there"; exit 1; }; done`,
      {
        timeoutMs: 180_000,
      },
    );
    t.step(`${told} blocks told, all there; qemu-img check finds nothing but leaked clusters at most`);
    await t.host('n1').start();
    await cluster.waitUntilProtected();
    await assertCopiesEqual(t, cluster);
  },
);
