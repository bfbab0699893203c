/** The probe on this machine: what it says of a scanner, a container's mounts and a disk that is mounted with noexec. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ProbedMachine } from '../../src-main/install/check.ts';
import { probeScript } from '../../src-main/install/probe-script.ts';
import { parseProbe } from '../../src-main/install/probe.ts';
import { surroundingsChecks } from '../../src-main/install/surroundings-checks.ts';
import { hasProgram, LoopDisk, missingForFilesystemTests } from './filesystem/loop-disk.ts';

const missing = missingForFilesystemTests() || (hasProgram('unshare') ? '' : 'unshare is not installed');

describe('the surroundings of a directory', () => {
  let disk: LoopDisk;
  let path: string;
  const children: ChildProcess[] = [];
  beforeAll(() => {
    if (missing !== '') return;
    disk = new LoopDisk('surroundings', 'ext4', 64);
    path = disk.directory('data');
  });
  afterAll(async () => {
    if (missing !== '') return;
    for (const child of children) {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGKILL');
      await ended;
    }
    disk.dispose();
  });
  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });

  async function start(command: string, ...args: string[]): Promise<ChildProcess> {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    return child;
  }

  function look(): { codes: string[]; machine: ProbedMachine } {
    const script = probeScript({ directories: [path], vips: [], units: [] });
    const { stdout, stderr } = spawnSync('sh', { input: script, encoding: 'utf8', maxBuffer: 1 << 26 });
    expect(stderr).toBe('');
    const machine: ProbedMachine = { name: 'n1', role: 'node', probe: parseProbe('n1', stdout), clockDifferenceMs: 0 };
    // Of this machine itself we know nothing: only what is about the disk of this test counts.
    const codes = surroundingsChecks(machine)
      .map(({ code }) => code)
      .filter((code) => !['selinux', 'mount-noexec'].includes(code));
    return { codes, machine };
  }

  it('tells of a scanner and of a container that does not follow, each while it is there', async () => {
    const before = look();
    expect(before.codes).toEqual([]);
    expect(before.machine.probe.surroundings.ownMounts.length).toBeGreaterThan(1);
    const group = fileURLToPath(new URL('filesystem/fanotify-group.ts', import.meta.url));
    await start(process.execPath, '--disable-warning=ExperimentalWarning', group, disk.root);
    await start(
      'unshare',
      '-m',
      '--propagation',
      'private',
      'sh',
      '-c',
      `mount --bind ${path} /mnt; echo; exec sleep 60`,
    );
    const { codes, machine } = look();
    expect(codes).toEqual(['on-access-scanner', 'container-without-rslave']);
    const [scanner, container] = surroundingsChecks(machine).filter(({ code }) => codes.includes(code));
    expect(scanner?.facts['programs']).toEqual([expect.stringMatching(/node|MainThread/)]);
    expect(container?.what).toContain(path);
  });

  it('sees where programs may not run', () => {
    const options = (): string[] =>
      look().machine.probe.surroundings.mountOptions.flatMap((one) =>
        one.path === '/opt/holdfast' ? one.options : [],
      );
    expect(options()).not.toEqual([]);
    const found = spawnSync(
      'unshare',
      ['-m', '--propagation', 'private', 'sh', '-c', 'mount -t tmpfs -o noexec x /opt && sh'],
      {
        input: probeScript({ directories: [], vips: [], units: [] }),
        encoding: 'utf8',
      },
    );
    const machine: ProbedMachine = {
      name: 'n1',
      role: 'node',
      probe: parseProbe('n1', found.stdout),
      clockDifferenceMs: 0,
    };
    expect(surroundingsChecks(machine).filter(({ ok }) => !ok)).toMatchObject([
      { code: 'mount-noexec', facts: { path: '/opt/holdfast' } },
    ]);
  });
});
