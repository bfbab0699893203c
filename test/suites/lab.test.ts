/** The lab's faults are true: what these tests rely on, everything else in `e2e` relies on. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { unifiedPath } from '../lab/cgroups.ts';
import { loopDevicesBelow, mountPointsBelow } from '../lab/disks.ts';
import { Lab, labHome, labObstacle, pointerHome, recordOf, run, until } from '../lab/index.ts';
import { nodeCommand, start } from '../lab/process.ts';
import { letGoOfDisks } from '../lab/suite-disks.ts';

const obstacle = labObstacle();
const name = 'labtest';

/** Everything of a lab that could be left on the machine. */
function traces(lab: string): string[] {
  const named = (directory: string): string[] =>
    (existsSync(directory) ? readdirSync(directory) : [])
      .filter((entry) => entry.startsWith(`holdfast-${lab}-`))
      .map((entry) => path.join(directory, entry));
  const dir = path.join(labHome(), lab);
  return [
    ...named('/run/netns'),
    ...named(unifiedPath()),
    ...named('/sys/fs/cgroup/systemd'),
    ...mountPointsBelow(dir),
    ...loopDevicesBelow(dir).map((loop) => loop.device),
    ...[dir, path.join(pointerHome, lab)].filter((file) => existsSync(file)),
  ];
}

describe('lab', () => {
  let lab: Lab;
  beforeEach((context) => {
    if (obstacle !== undefined) context.skip(obstacle.reason);
  });
  beforeAll(async () => {
    if (obstacle !== undefined) return;
    lab = await Lab.up({ name, nodes: 2, witness: true, networks: 2 });
  });
  afterAll(async () => {
    if (obstacle !== undefined) return;
    await Lab.remove(name);
    expect(traces(name)).toEqual([]);
  });

  async function ping(from: string, to: string, network: 'lan' | 'sync' = 'lan'): Promise<boolean> {
    const address = lab.host(to).address(network);
    return (await lab.host(from).exec(['ping', '-c1', '-W0.4', address])).code === 0;
  }

  /** Address resolution tries again once a second only: what was cut a moment ago needs that long to be found. */
  async function reaches(from: string, to: string, network: 'lan' | 'sync' = 'lan'): Promise<true> {
    return until(`${from} reaches ${to} (${network})`, 10_000, async () => ping(from, to, network));
  }

  async function ssh(host: string, command: string, timeoutMs = 10_000): Promise<{ code: number; stdout: string }> {
    return run(['ssh', '-F', lab.sshConfigPath, host, command], { timeoutMs });
  }

  it('boots bare servers without a failed unit', async () => {
    for (const host of lab.hosts) {
      expect((await host.exec('systemctl is-system-running --wait')).stdout.trim()).toBe('running');
    }
    const lacking =
      'for p in python3 curl nc fusermount3 gcc; do command -v $p && exit 1; done; ! ls /usr/lib/*/libatomic*';
    expect((await lab.host('n1').exec(lacking)).code).toBe(0);
    const data = await lab.host('n1').must('findmnt -no FSTYPE /data');
    expect(data.trim()).toBe('ext4');
  });

  it('is reached with OpenSSH by name and by address, with sudo as on a real server', async () => {
    expect((await ssh('n1', 'hostname')).stdout.trim()).toBe('n1');
    expect((await ssh('root@10.77.0.12', 'hostname')).stdout.trim()).toBe('n2');
    expect((await ssh('admin@n1', 'sudo -n true')).code).not.toBe(0);
    expect((await ssh('admin@n1', 'echo secret | sudo -S id -u')).stdout.trim()).toBe('0');
    expect((await ssh('operator@n1', 'echo secret | sudo -S id -u')).code).not.toBe(0);
    const keys = await Promise.all(lab.hosts.map((host) => host.readFile('/etc/ssh/ssh_host_ed25519_key.pub')));
    const ids = await Promise.all(lab.hosts.map((host) => host.readFile('/etc/machine-id')));
    expect(new Set(keys).size).toBe(3);
    expect(new Set(ids).size).toBe(3);
  });

  it('passes input, output, exit status and user through exec', async () => {
    const result = await lab.host('n1').exec('cat; echo err >&2; exit 7', { stdin: 'in\u0000put' });
    expect(result).toEqual({ code: 7, stdout: 'in\u0000put', stderr: 'err\n' });
    expect((await lab.host('n1').must('id -un; echo $HOME', { user: 'admin' })).trim()).toBe('admin\n/home/admin');
    await lab.host('n1').writeFile('/root/a b/c', 'content', '0640');
    expect(await lab.host('n1').readFile('/root/a b/c')).toBe('content');
    expect((await lab.host('n1').must(['stat', '-c', '%a', '/root/a b/c'])).trim()).toBe('640');
    const late = lab.host('n1').exec('exec sleep 4711', { timeoutMs: 200 });
    expect((await late).code).toBe(137);
    await until('the timed-out command is gone', 5000, async () => {
      const left = await lab.host('n1').exec(['pgrep', '-fx', 'sleep 4711']);
      return left.code === 1;
    });
  });

  // Tried again, since anybody's `sync` on this machine in the same instant flushes the hosts' disks too.
  it('power-off loses what was not synced, on both disks, and keeps what was', { retry: 2 }, async () => {
    const host = lab.host('n1');
    const directories = ['/data/p', '/var/lib/p'];
    for (const directory of directories) {
      await host.must(
        `rm -rf ${directory}; mkdir ${directory} && cd ${directory} && echo kept >synced && echo name >old`,
      );
    }
    await host.must('sync');
    for (const directory of directories) {
      await host.must(`cd ${directory} && echo unsynced >lost && mv old new && echo more >>synced`);
    }
    await host.must('cd /data/p && dd if=/dev/zero of=big bs=1M count=8 status=none');
    await host.poweroff();
    expect(host.state()).toBe('off');
    await host.start();
    for (const directory of directories) {
      expect((await host.must(`ls ${directory}`)).trim().split('\n')).toEqual(['old', 'synced']);
      expect(await host.readFile(`${directory}/synced`)).toBe('kept\n');
    }
  });

  it('power-off keeps every fsync that returned, even the last one', async () => {
    const host = lab.host('n2');
    // Each number is printed after its fsync returned: the largest one printed must be on the disk.
    const writer = host.spawn(
      'i=0; mkdir -p /data/f; while :; do i=$((i+1)); echo $i >/data/f/t; sync /data/f/t; mv /data/f/t /data/f/n; sync /data/f; echo $i; done',
    );
    let printed = '';
    writer.stdout!.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const closed = once(writer, 'close');
    await until('a hundred numbers are written', 20_000, () => printed.split('\n').length > 100);
    await host.poweroff();
    await closed;
    await host.start();
    const last = Number(printed.slice(0, printed.lastIndexOf('\n')).split('\n').at(-1));
    const found = Number(await host.readFile('/data/f/n'));
    expect(found).toBeGreaterThanOrEqual(last);
    expect(found).toBeLessThanOrEqual(last + 1);
  });

  it('starts again in about a second', async () => {
    await lab.host('n1').poweroff();
    expect(await ping('n2', 'n1')).toBe(false);
    const begun = performance.now();
    await lab.host('n1').start();
    expect(performance.now() - begun).toBeLessThan(5000);
    expect((await ssh('n1', 'echo ready')).stdout.trim()).toBe('ready');
  });

  it('a reboot inside the host starts with an empty network stack', async () => {
    const host = lab.host('n1');
    await host.must('ip addr add 10.77.0.50/24 dev eth0; echo stays >/root/stays');
    const before = recordOf(host.leader()!)!;
    void host.exec('reboot');
    await until('the host is another one', 20_000, () => {
      const leader = host.leader();
      return leader !== undefined && recordOf(leader)?.startTime !== before.startTime && host.isReady();
    });
    expect(await host.must('ip -o -4 addr show dev eth0')).not.toContain('10.77.0.50');
    expect(await host.readFile('/root/stays')).toBe('stays\n');
  });

  it('frozen, a host answers ping but not ssh; thawed, it goes on', async () => {
    const host = lab.host('n1');
    await host.freeze();
    expect(host.state()).toBe('frozen');
    await reaches('n2', 'n1');
    expect((await ssh('n1', 'true', 1500)).code).toBe(137);
    await host.thaw();
    expect((await ssh('n1', 'echo awake')).stdout.trim()).toBe('awake');
  });

  it('can be switched off while frozen', async () => {
    await lab.host('n1').freeze();
    await lab.host('n1').poweroff();
    await lab.host('n1').start();
    expect((await lab.host('n1').must('uname')).trim()).toBe('Linux');
  });

  it('cuts and heals one host, one network, or two hosts from each other', async () => {
    await lab.host('n1').cut();
    expect(await ping('n2', 'n1')).toBe(false);
    await reaches('n2', 'w');
    await lab.host('n1').heal();
    await reaches('n2', 'n1');

    await lab.host('n1').cut('sync');
    await reaches('n2', 'n1');
    expect(await ping('n2', 'n1', 'sync')).toBe(false);
    await lab.host('n1').heal('sync');
    await reaches('n2', 'n1', 'sync');

    await lab.cut('n1', 'n2');
    expect([await ping('n1', 'n2'), await ping('n2', 'n1')]).toEqual([false, false]);
    await reaches('n1', 'w');
    await reaches('n2', 'w');
    await lab.heal('n1', 'n2');
    await reaches('n1', 'n2');
  });

  it('a pulled cable stays pulled over a power cut', async () => {
    const host = lab.host('n1');
    await host.cut();
    await host.poweroff();
    await host.start();
    expect(await ping('n2', 'n1')).toBe(false);
    await host.heal();
    await reaches('n2', 'n1');
  });

  it('a one-way cut is one-way', async () => {
    const [n1, n2] = [lab.host('n1'), lab.host('n2')];
    // Fixed neighbours: address resolution needs both directions and would hide which one is cut.
    for (const [host, other] of [[n1, n2] as const, [n2, n1] as const]) {
      const mac = (await other.must('cat /sys/class/net/eth0/address')).trim();
      await host.must(`ip neigh replace ${other.address()} lladdr ${mac} dev eth0 nud permanent`);
      const rule = `ip saddr ${other.address()} icmp type echo-request counter`;
      await host.must(`nft 'add table ip seen; add chain ip seen c { type filter hook input priority 0; }'`);
      await host.must(['nft', `add rule ip seen c ${rule}`]);
    }
    const seen = async (host: typeof n1): Promise<number> =>
      Number(/counter packets (\d+)/.exec(await host.must('nft list table ip seen'))?.[1]);
    await lab.cut('n1', 'n2', { oneWay: true });
    const before = [await seen(n1), await seen(n2)];
    expect([await ping('n1', 'n2'), await ping('n2', 'n1')]).toEqual([false, false]);
    expect([await seen(n1), await seen(n2)]).toEqual([before[0]! + 1, before[1]!]);
    await n1.heal();
    await reaches('n1', 'n2');
    await reaches('n2', 'n1');
  });

  it('limits bandwidth and loses packets', async () => {
    const transferMs = async (): Promise<number> => {
      const begun = performance.now();
      expect((await ssh('n1', 'head -c 1500000 /dev/zero')).stdout.length).toBe(1_500_000);
      return performance.now() - begun;
    };
    await lab.host('n1').bandwidth('4mbit');
    const limitedMs = await transferMs();
    expect(limitedMs).toBeGreaterThan(2500);
    await lab.host('n1').bandwidth(undefined);
    // A busy machine makes one of them slow, a limit all of them.
    const unlimited = [await transferMs(), await transferMs(), await transferMs()];
    expect(Math.min(...unlimited)).toBeLessThan(limitedMs / 2);

    await lab.host('n1').loss(30);
    const report = await lab.host('n2').exec('ping -c40 -i0.02 -W1 10.77.0.11');
    await lab.host('n1').loss(0);
    const received = Number(/(\d+) received/.exec(report.stdout)?.[1]);
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(40);
  });

  it('clients are inside the lab’s network, not in the machine’s', async () => {
    const script = `const s = require('node:net').connect(22, '10.77.0.11', () => { console.log(s.localAddress); s.end(); });`;
    const result = await lab.client.exec([process.execPath, '-e', script]);
    expect(result.stdout.trim()).toBe('10.77.0.100');
  });

  it('a host that switched itself off can be started', async () => {
    const host = lab.host('n1');
    await host.must('echo clean >/data/clean');
    void host.exec('systemctl poweroff');
    await until('the host is off', 20_000, () => host.state() === 'off');
    await host.start();
    expect(await host.readFile('/data/clean')).toBe('clean\n');
  });

  it('goes on with a copy of the disk while somebody else holds the old file system', async () => {
    const host = lab.host('n1');
    const holder = start(['unshare', '-m', '--propagation', 'private', 'sh', '-c', `${letGoOfDisks()}; exec cat`], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    // `cat` answers once it runs, which is after its mount namespace was made.
    holder.stdin!.write('here');
    await once(holder.stdout!, 'data');
    try {
      await host.must('echo kept >/data/held && sync /data/held && sync && echo lost >/data/unheld');
      await host.poweroff();
      await host.start();
      expect(await host.readFile('/data/held')).toBe('kept\n');
      expect((await host.exec('test -e /data/unheld')).code).toBe(1);
    } finally {
      const closed = once(holder, 'close');
      holder.stdin!.end();
      await closed;
    }
  });

  it('an `up` that was killed at any moment leaves nothing the next cannot clean', async () => {
    const other = 'labkilled';
    for (const afterMs of [150, 350, 600, 1000]) {
      const child = start(nodeCommand('main.ts', 'up', '--name', other), { stdio: 'ignore' });
      const closed = once(child, 'close');
      const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
      await closed;
      clearTimeout(timer);
    }
    const again = await Lab.up({ name: other, nodes: 1 });
    expect((await again.host('n1').must('hostname')).trim()).toBe('n1');
    await again.down();
    expect(traces(other)).toEqual([]);
    await Lab.remove(other);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(`/${other}/`);
  });
});
