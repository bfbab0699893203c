/** Installing on bare servers: what is refused, what interrupts, what comes back, and what stays behind. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import { buildAgent } from '../../resources/build-agent.mjs';
import { writeFile } from '../../src-main/install/host-steps.ts';
import type { Transport } from '../../src-main/ssh/index.ts';
import { readClusterStatusOf } from './install/status.ts';
import { Lab, labObstacle, repositoryRoot } from '../lab/index.ts';
import { ended, fileList, Site } from './install/site.ts';

const obstacle = labObstacle();

let lab: Lab;
let site: Site;
const before = new Map<string, string[]>();
const hostNames = ['n1', 'n2', 'w'] as const;
const otherVersion = '0.2.0';

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

async function agentDirectory(version?: string): Promise<string> {
  const given = process.env['HOLDFAST_TEST_AGENT'];
  if (given !== undefined) return version === undefined ? given : `${given}-${version}`;
  // Apart from what `apply` builds by itself: nothing may change the bundle while the suite runs.
  const out = path.join(repositoryRoot, 'dist', 'test', `agent-${version ?? 'own'}`);
  const built = await buildAgent({ out, ...(version === undefined ? {} : { version }) });
  return built.directory;
}

describe('installing', () => {
  beforeEach((context) => {
    if (obstacle !== undefined) context.skip(obstacle.reason);
  });
  beforeAll(async () => {
    if (obstacle !== undefined) return;
    const directory = await agentDirectory();
    lab = await Lab.up({ name: 'install', nodes: 2, witness: true });
    site = new Site(lab, directory);
    await Promise.all(['n1', 'n2'].map((name) => lab.host(name).must('mkdir -m 750 /data/db')));
    // Without a key: pat logs in with a password.
    await lab.host('n2').must('useradd -m -G sudo pat && echo pat:secret | chpasswd');
    for (const name of hostNames) before.set(name, await fileList(lab, name));
  });
  afterAll(async () => {
    if (obstacle !== undefined) return;
    site[Symbol.dispose]();
    await lab.down();
  });

  describe('is refused before anything is changed', () => {
    it.each([
      ['the same server twice', { n2: 'root@n1' }, 'same-server-twice'],
      ['no sudo', { n2: 'operator@10.77.0.12' }, 'no-sudo'],
      ['a VIP that answers', { vip: '10.77.0.100/24' }, 'vip-in-use'],
      ['a VIP of another network', { vip: '192.168.5.5/24' }, 'vip-network'],
      ['a directory that is missing', { path: '/data/none' }, 'directory-missing'],
      ['a directory on overlayfs', { path: '/srv' }, 'directory-filesystem'],
      ['a mount point', { path: '/data' }, 'directory-is-mount-point'],
    ] as const)('%s', async (_name, change, code) => {
      const fault = await faultOf(site.apply(site.text(change)));
      expect(fault.code).toBe(code);
      expect(fault.remedy).not.toBe('');
    });

    it('a wrong password, and no password', async () => {
      const text = site.text({ n2: 'pat@10.77.0.12' });
      const connect = site.connect({ HOLDFAST_SSH_PASSWORD: 'wrong' });
      const fault = await faultOf(site.apply(text, { connect }));
      expect(
        (await faultOf(site.apply(text, { connect: site.connect({ HOLDFAST_SSH_PASSWORD: undefined }) }))).code,
      ).toBe('login-refused');
      expect((await site.apply(text, { planOnly: true })).changed).toBe(false);
      expect(fault.code).toBe('login-refused');
      expect(JSON.stringify(fault.toRecord())).not.toContain('wrong');
    });

    it('a wrong password for sudo', async () => {
      const connect = site.connect({ HOLDFAST_SUDO_PASSWORD: 'wrong' });
      expect((await faultOf(site.apply(site.text(), { connect }))).code).toBe('sudo-password-wrong');
    });

    it('no FUSE', async () => {
      const host = lab.host('n2');
      await host.must('umount /dev/fuse 2>/dev/null || true; mv /dev/fuse /dev/fuse.away');
      try {
        const fault = await faultOf(site.apply());
        expect(fault.code).toBe('fuse');
        expect(fault.message).toContain('/dev/fuse');
      } finally {
        await host.must('mv /dev/fuse.away /dev/fuse');
      }
    });

    it('data on both servers, unless one is named', async () => {
      await Promise.all(['n1', 'n2'].map((name) => lab.host(name).must(`echo ${name} > /data/db/who`)));
      const fault = await faultOf(site.apply());
      expect(fault.code).toBe('both-copies-have-data');
      expect(fault.remedy).toContain('--good n1');
      expect((await site.apply(site.text(), { good: 'n2', planOnly: true })).changed).toBe(false);
      await lab.host('n1').must('rm /data/db/who');
    });

    it('and --plan shows the steps and leaves the servers as they are', async () => {
      const plan = await site.holdfast('apply', '--plan', '--json', site.file);
      expect(plan.code).toBe(0);
      const { steps } = JSON.parse(plan.stdout) as { steps: { id: string }[] };
      expect(steps.map((step) => step.id)).toContain('n2/initialise:db');
      await lab.host('n2').must('rm /data/db/who');
      for (const name of hostNames) expect(await fileList(lab, name)).toEqual(before.get(name));
    });
  });

  describe('is interrupted', () => {
    it('by a full disk: says so, leaves nothing, and goes on when there is room', async () => {
      const host = lab.host('n1');
      // Nearly full beforehand, and slow, so that the rest (root writes into the reserve as well) is filled while the upload runs.
      await host.must('fallocate -l $(( $(df -k --output=avail / | tail -n 1) - 300000 ))K /var/tmp/filler');
      await host.bandwidth('100mbit');
      const fillUp =
        'i=0; for size in 200M 50M 10M 2M 256K; do while fallocate -l $size /var/tmp/filler-$i 2>/dev/null; do i=$((i+1)); done; done';
      let filled: Promise<unknown> | undefined;
      const fault = await faultOf(
        site.apply(site.text(), {
          onEvent: (event) => {
            if (event.kind !== 'step-bytes' || event.step.id !== 'n1/upload-runtime') return;
            filled ??= host.must(fillUp);
          },
        }),
      );
      await filled;
      expect(fault.code).toBe('disk-full');
      expect((await host.exec('ls /opt/holdfast')).stdout.trim()).toBe('');
      await host.must('rm /var/tmp/filler*');
    });

    it('by a cut in the middle of an upload, and resumes where it was', async () => {
      const host = lab.host('n1');
      let cut: Promise<void> | undefined;
      const fault = await faultOf(
        site.apply(site.text(), {
          onEvent: (event) => {
            if (event.kind !== 'step-bytes' || event.step.id !== 'n1/upload-runtime') return;
            if (event.doneBytes > event.totalBytes / 2) cut ??= host.cut();
          },
        }),
      );
      await cut;
      expect(fault.code).toBe('connection-lost');
      await host.heal();
      await host.bandwidth(undefined);
      let resumedAtBytes: number | undefined;
      const controller = new AbortController();
      await site
        .apply(site.text(), {
          signal: controller.signal,
          onEvent: (event) => {
            if (event.kind !== 'step-bytes' || event.step.id !== 'n1/upload-runtime') return;
            resumedAtBytes ??= event.doneBytes;
            controller.abort(new Fault('aborted', { message: 'seen enough' }));
          },
        })
        .catch(() => undefined);
      expect(resumedAtBytes).toBeGreaterThan(1_000_000);
    });

    it('in the middle of a file, which then keeps its former content', async () => {
      const transport = await site.connect()({ name: 'n1', role: 'node', destination: 'root@10.77.0.11' });
      const file = '/root/file';
      try {
        await writeFile({ transport }, file, '0600', 'the former content\n');
        // What the server gets of the input when the laptop dies: a part, then its end.
        const dying: Transport = {
          ...transport,
          command: (script, options) => transport.command(script, { ...options, input: 'the new' }),
        };
        expect((await faultOf(writeFile({ transport: dying }, file, '0600', 'the new content\n'))).code).toBe(
          'command-failed',
        );
        expect((await transport.command('cat /root/file; ls /root')).stdout).toBe('the former content\nfile\n');
      } finally {
        await transport.command(`rm -f ${file}`);
        transport.close();
      }
    });

    it(
      'by killing it after each of its steps, again and again, until nothing is left to do',
      { timeout: 300_000 },
      async () => {
        await lab.host('n2').must('echo precious > /data/db/data');
        const done = new Set<string>();
        let runs = 0;
        for (;;) {
          const child = site.spawn('apply', site.file);
          let last = '';
          child.stderr!.on('data', (chunk: Buffer) => {
            for (const line of chunk.toString().split('\n')) {
              // A finished step: two spaces, then its title.
              if (!line.startsWith('  ') || done.has(line)) continue;
              done.add(line);
              last = line;
              child.kill('SIGKILL');
            }
          });
          const result = await ended(child);
          runs++;
          expect(runs).toBeLessThan(60);
          if (last !== '' && result.code === null) continue;
          expect(result, result.stderr).toMatchObject({ code: 0 });
          break;
        }
        expect(runs).toBeGreaterThan(15);
        const again = await site.apply();
        expect(again.steps).toEqual([]);
        expect(again.changed).toBe(false);
      },
    );

    it('and the data of the server that had it is the good copy', async () => {
      const { modules } = await readClusterStatusOf(site);
      expect(modules[0]!.nodes.map((node) => node.state)).not.toContain('stopped');
      const events = await site.holdfast('events', '--json');
      const chosen = events.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { code: string; node: string })
        .filter((event) => event.code === 'data-chosen');
      expect(chosen.map((event) => event.node)).toEqual(['n2']);
    });
  });

  describe('once done', () => {
    it('is found done by a second apply, which changes nothing and says so', async () => {
      const second = await site.holdfast('apply', site.file);
      expect(second).toMatchObject({ code: 0 });
      expect(second.stdout).toContain('Nothing to do');
    });

    it('shows the same status on the laptop and on the node', async () => {
      const laptop = await readClusterStatusOf(site);
      const onNode = JSON.parse((await lab.host('n1').exec('holdfast status --json')).stdout) as typeof laptop;
      expect(onNode.modules[0]!.nodes.map(({ name, state }) => ({ name, state }))).toEqual(
        laptop.modules[0]!.nodes.map(({ name, state }) => ({ name, state })),
      );
      expect(laptop.witness).toEqual({ kind: 'voting', reachable: true });
    });

    it('opens no port but peer link and heartbeat, on the cluster network alone', async () => {
      for (const name of ['n1', 'n2']) {
        const host = lab.host(name);
        const address = name === 'n1' ? '10.77.0.11' : '10.77.0.12';
        const sockets = (await host.must('ss -H -tlnup')).trim().split('\n');
        const open = sockets.map((line) => `${line.split(/\s+/)[0]!} ${line.split(/\s+/)[4]!}`);
        const ours = open.filter((socket) => !socket.endsWith(':22'));
        expect(new Set([...ours, `tcp ${address}:7411`, `udp ${address}:7412`])).toEqual(
          new Set([`tcp ${address}:7411`, `udp ${address}:7412`]),
        );
      }
    });

    it('keeps every secret readable by root alone', async () => {
      for (const name of hostNames) {
        const found = await lab
          .host(name)
          .must(
            "find /etc/holdfast /var/lib/holdfast /opt/holdfast \\( -name '*.secret' -o -name '*.key' -o -name 'intention.json' \\) -perm /077 -print",
          );
        expect(found).toBe('');
      }
      const keys = await Promise.all(['n1', 'n2'].map((name) => lab.host(name).must('cat /etc/holdfast/node.key')));
      expect(keys[0]).not.toBe(keys[1]);
      expect((await lab.host('w').exec('ls /etc/holdfast')).stdout.trim()).toBe('witness');
    });

    it('hands nothing of its own to what it starts', async () => {
      const environment = await lab
        .host('n1')
        .must("tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID holdfastd)/environ");
      expect(environment).not.toContain('LD_');
      expect(environment).not.toContain('NODE_');
    });

    it('refuses to make the servers another cluster', async () => {
      const fault = await faultOf(site.apply(site.text({ cluster: 'other' })));
      expect(fault.code).toBe('belongs-to-another-cluster');
    });

    it('asks before it uninstalls, and without a terminal that is wrong usage', async () => {
      expect((await site.holdfast('uninstall', '--cluster', site.file)).code).toBe(2);
    });
  });

  describe('with another version', () => {
    it('finds servers of different versions and brings both to its own', async () => {
      const first = site.agentDirectory;
      const before = await readClusterStatusOf(site);
      const old = before.nodes[0]!.agentVersion;
      site.agentDirectory = await agentDirectory(otherVersion);
      // Interrupted between the two nodes: one has the new version, one the old.
      const controller = new AbortController();
      await site
        .apply(site.text(), {
          signal: controller.signal,
          onEvent: (event) => {
            if (event.kind === 'step-done' && /^n\d\/start-units$/.test(event.step.id)) {
              controller.abort(new Fault('aborted', { message: 'interrupted' }));
            }
          },
        })
        .catch(() => undefined);
      const skewed = await readClusterStatusOf(site);
      expect(skewed.nodes.map((node) => node.agentVersion).sort()).toEqual([old, otherVersion]);

      const outcome = await site.apply();
      expect(outcome.changed).toBe(true);
      const mended = await readClusterStatusOf(site);
      expect(mended.nodes.map((node) => node.agentVersion)).toEqual([otherVersion, otherVersion]);
      const bundles = (await lab.host('n1').must('ls /opt/holdfast/agent')).trim().split('\n');
      expect(bundles).toHaveLength(1);
      expect(bundles[0]).toMatch(/^0\.2\.0-/);
      site.agentDirectory = first;
      expect(existsSync(first)).toBe(true);
    });
  });

  describe('and uninstalling', () => {
    it('leaves the data, and the files of the servers as they were', async () => {
      const removed = await site.holdfast('uninstall', '--yes', '--cluster', site.file);
      expect(removed, removed.stderr).toMatchObject({ code: 0 });
      expect(await lab.host('n2').must('cat /data/db/data')).toBe('precious\n');
      const data = (line: string): boolean => line.startsWith('/data/db/');
      for (const name of hostNames) {
        const after = (await fileList(lab, name)).filter((line) => !data(line));
        expect(after).toEqual(before.get(name)!.filter((line) => !data(line)));
      }
      expect((await lab.host('n2').must('ls -A /data/db')).trim()).toBe('data');
      expect((await lab.host('n1').must('systemctl --failed --no-legend')).trim()).toBe('');
      const again = await site.holdfast('uninstall', '--yes', '--cluster', site.file);
      expect(again).toMatchObject({ code: 0 });
      expect(again.stdout).toContain('on none of the servers');
    });

    it('and a directory that is in use is not taken', async () => {
      const host = lab.host('n2');
      await host.must('echo precious > /data/db/data');
      await host.must('systemd-run --quiet --unit=holder --working-directory=/data/db sleep 600');
      try {
        const fault = await faultOf(site.apply());
        expect(fault.code).toBe('directory-in-use');
        expect(fault.message).toContain('n2');
        expect(fault.message).toContain('sleep');
        expect((await host.must('cat /data/db/data')).trim()).toBe('precious');
      } finally {
        await host.exec('systemctl stop holder');
        await site.holdfast('uninstall', '--yes', '--cluster', site.file);
      }
    });
  });
});
