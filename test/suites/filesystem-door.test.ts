/** The door to a directory: who holds it, the cover over it, and mounts that a crashed server has left. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../agent/contract/fault.ts';
import {
  coverDirectory,
  holdersOfDirectory,
  inspectDirectory,
  isCovered,
  mountDevice,
  openBackingDirectory,
  ourMounts,
  seenBesideCover,
  uncoverDirectory,
  unmountIfUnused,
  unmountNow,
} from '../../agent/fuse/index.ts';
import { copyByBinding } from '../../agent/fuse/door.ts';
import { close } from '../../agent/sys/linux.ts';
import { letGoOfDisks } from '../lab/suite-disks.ts';
import { hasProgram, LoopDisk, missingForFilesystemTests, ServedDirectory } from './filesystem/loop-disk.ts';

const missing = missingForFilesystemTests();

function faultOf(action: () => unknown): Fault | null {
  try {
    action();
    return null;
  } catch (error) {
    return error as Fault;
  }
}

/** A process that has said that it is ready. */
async function holder(command: string, ...args: string[]): Promise<ChildProcess> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await ended;
}

describe('the door', () => {
  let disk: LoopDisk;
  const alone = (): string => letGoOfDisks(disk.root);
  let path: string;
  let holders: ChildProcess[] = [];
  beforeAll(() => {
    if (missing === '') disk = new LoopDisk('door');
  });
  afterAll(() => {
    if (missing === '') disk.dispose();
  });
  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
    path = disk.directory('data');
    writeFileSync(join(path, 'file'), 'good data');
    mkdirSync(join(path, 'inside'));
  });
  afterEach(async () => {
    if (missing !== '') return;
    await Promise.all(holders.map(end));
    holders = [];
    await unmountNow(path);
    uncoverDirectory(path);
    rmSync(path, { recursive: true });
  });

  it('closes and opens again, and nothing can be read or written between', () => {
    expect(inspectDirectory(path)).toEqual([]);
    coverDirectory(path);
    coverDirectory(path);
    expect(isCovered(path)).toBe(true);
    expect(readdirSync(path)).toEqual([]);
    expect(faultOf(() => writeFileSync(join(path, 'new'), 'x'))).toMatchObject({ code: 'EROFS' });
    // Closed, it can still be looked at by us, and is no reason to refuse it.
    expect(inspectDirectory(path)).toEqual([]);
    const fd = openBackingDirectory(path);
    expect(readFileSync(`/proc/self/fd/${fd}/file`, 'utf8')).toBe('good data');
    close(fd);
    uncoverDirectory(path);
    uncoverDirectory(path);
    expect([isCovered(path), readdirSync(path)]).toEqual([false, ['file', 'inside']]);
  });

  const uses: readonly [kind: string, needs: string, command: string, args: (path: string) => string[]][] = [
    ['descriptor', 'sh', 'sh', (at) => ['-c', `exec 9<${at}/file; echo; exec sleep 60`]],
    ['descriptor', 'sh', 'sh', (at) => ['-c', `exec 9>${at}/gone; rm ${at}/gone; echo; exec sleep 60`]],
    ['working-directory', 'sh', 'sh', (at) => ['-c', `cd ${at}/inside; echo; exec sleep 60`]],
    ['program', 'sh', 'sh', (at) => ['-c', `cp /bin/sleep ${at}/program; echo; exec ${at}/program 60`]],
    [
      'map',
      'ldconfig',
      'sh',
      (at) => [
        '-c',
        `cp $(ldconfig -p | sed -n 's/.*libm.so.6 .*=> //p' | head -1) ${at}/lib.so; echo; LD_PRELOAD=${at}/lib.so exec sleep 60`,
      ],
    ],
    [
      'bind-mount',
      'unshare',
      'unshare',
      (at) => [
        '-m',
        '--propagation',
        'private',
        'sh',
        '-c',
        `${alone()}; mount --bind ${at}/inside /mnt; echo; exec sleep 60`,
      ],
    ],
    [
      // Inside a chroot the path of such a descriptor leads nowhere; the mount that it came through is found instead.
      'descriptor or bind-mount',
      'unshare',
      'unshare',
      (at) => [
        '-m',
        'sh',
        '-c',
        `${alone()}; mkdir -p /tmp; mount --bind ${at} /mnt; exec 9</mnt/file; umount /mnt; echo; exec sleep 60`,
      ],
    ],
  ];
  it.for(uses)('stays open while somebody has a %s', async ([kind, needs, command, args], context) => {
    if (!hasProgram(needs)) context.skip(`${needs} is not installed`);
    const child = await holder(command, ...args(path));
    holders.push(child);
    // The shell may still be replacing itself by the program that stays.
    await expect.poll(() => holdersOfDirectory(path).some((one) => kind.split(' or ').includes(one.kind))).toBe(true);
    const fault = faultOf(() => coverDirectory(path));
    expect(fault).toMatchObject({ code: 'directory-in-use' });
    expect(JSON.stringify(fault?.details)).toContain(String(child.pid));
    expect(isCovered(path)).toBe(false);
    await end(child);
    await expect.poll(() => holdersOfDirectory(path)).toEqual([]);
    coverDirectory(path);
    expect(isCovered(path)).toBe(true);
  });

  /** What a container or service has for itself: a copy of all mounts, and a place of its own for the directory. */
  const apart = (propagation: string, commands: string): Promise<ChildProcess> =>
    holder('unshare', '-m', '--propagation', propagation, 'sh', '-c', `${alone()}; ${commands}; echo; exec sleep 60`);
  const enter = (pid: number | undefined, command: string): number | null =>
    spawnSync('nsenter', ['-t', String(pid), '-m', 'sh', '-c', command]).status;

  it('stays open while a container could go on beside the cover', async (context) => {
    if (!hasProgram('unshare')) context.skip('unshare is not installed');
    const child = await apart('private', 'true');
    holders.push(child);
    expect(seenBesideCover(path).map(({ pid }) => pid)).toEqual([child.pid]);
    const fault = faultOf(() => coverDirectory(path));
    expect(fault).toMatchObject({ code: 'directory-seen-elsewhere' });
    expect(JSON.stringify(fault?.details)).toContain(String(child.pid));
    expect(isCovered(path)).toBe(false);
    await end(child);
    await expect.poll(() => seenBesideCover(path)).toEqual([]);
    coverDirectory(path);
  });

  it('closes while a container only looks, and over one that follows', async (context) => {
    if (!hasProgram('nsenter')) context.skip('nsenter is not installed');
    const looking = await apart('private', `mount -o remount,bind,ro ${disk.root}`);
    const following = await apart('slave', `mount --bind ${path} /mnt`);
    holders.push(looking, following);
    expect(enter(following.pid, 'cat /mnt/file')).toBe(0);
    coverDirectory(path);
    expect(seenBesideCover(path)).toEqual([]);
    expect(enter(looking.pid, `echo x > ${path}/new`)).not.toBe(0);
    expect(enter(following.pid, 'cat /mnt/file')).not.toBe(0);
    expect(enter(following.pid, 'echo x > /mnt/new')).not.toBe(0);
    // A part of the directory keeps what it shows: nothing is mounted there.
    uncoverDirectory(path);
    expect(enter(following.pid, `mount --bind ${path}/inside /opt`)).toBe(0);
    expect(faultOf(() => coverDirectory(path))).toMatchObject({ code: 'directory-in-use' });
  });

  it('names what cannot be replicated', () => {
    const code = (where: string): string | undefined => inspectDirectory(where)[0]?.code;
    expect(code(disk.root)).toBe('path-is-mount-point');
    expect(code(join(path, 'absent'))).toBe('directory-missing');
    expect(code(join(path, 'absent', 'deeper'))).toBe('directory-missing');
    expect(code(join(path, 'file'))).toBe('not-a-directory');
    expect(code('/proc/self')).toBe('filesystem-not-supported');
    spawnSync('mount', ['-t', 'tmpfs', 'x', join(path, 'inside')]);
    expect(code(path)).toBe('mount-below-path');
    spawnSync('umount', [join(path, 'inside')]);
  });

  it('reaches the data below a dead mount, and takes the mount away from processes that hang in it', async () => {
    coverDirectory(path);
    // Nobody serves this one: whoever touches it waits for ever.
    const below = openBackingDirectory(path);
    mountDevice({ path, directoryFd: below });
    close(below);
    const hanging = spawn('ls', [path], { stdio: 'ignore' });
    const ended = new Promise((resolve) => hanging.once('close', resolve));
    expect(ourMounts()).toContain(path);
    const fd = openBackingDirectory(path);
    expect(readFileSync(`/proc/self/fd/${fd}/file`, 'utf8')).toBe('good data');
    close(fd);
    await unmountNow(path);
    await ended;
    expect([ourMounts().includes(path), isCovered(path), readdirSync(path)]).toEqual([false, true, []]);
    expect(await unmountNow(path)).toEqual([]);
  });

  it('reaches it the old way too, where the kernel cannot clone a mount', () => {
    coverDirectory(path);
    const parent = copyByBinding(disk.root);
    expect(parent).toBeGreaterThan(0);
    expect(readFileSync(`/proc/self/fd/${parent}/data/file`, 'utf8')).toBe('good data');
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain('holdfast-copy-');
    close(parent);
  });

  it('kills who holds a mount that has to go, and tells who holds one that should', async () => {
    const served = await ServedDirectory.start(path, 'none', disk.directory('copy'));
    const child = await holder('sh', '-c', `cd ${path}; echo; exec sleep 60`);
    const ended = new Promise((resolve) => child.once('close', (_code, signal) => resolve(signal)));
    const told = unmountIfUnused(path);
    expect(told.map(({ pid }) => pid)).toEqual([child.pid]);
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('good data');
    expect(await unmountNow(path)).toEqual([child.pid]);
    expect(await ended).toBe('SIGKILL');
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('good data');
    await served.stop();
    rmSync(disk.directory('copy'), { recursive: true });
  });

  it('finds everything again after the server was killed in the middle', async () => {
    const copy = disk.directory('copy');
    const served = await ServedDirectory.start(path, 'none', copy);
    for (let index = 0; index < 50; index += 1) writeFileSync(join(path, `f${index}`), String(index));
    served.kill();
    await served.ended();
    expect(faultOf(() => readdirSync(path))).toMatchObject({ code: 'ENOTCONN' });
    expect(ourMounts()).toContain(path);
    await unmountNow(path);
    const again = await ServedDirectory.start(path, 'none', copy);
    expect(readdirSync(path)).toHaveLength(52);
    expect(readFileSync(join(path, 'f7'), 'utf8')).toBe('7');
    await again.stop();
    rmSync(copy, { recursive: true });
  });

  it('ends the connection also where another namespace has a copy of the mount', async (context) => {
    if (!hasProgram('unshare')) context.skip('unshare is not installed');
    const served = await ServedDirectory.start(path, 'none', disk.directory('copy'));
    const child = await holder(
      'unshare',
      '-m',
      '--propagation',
      'private',
      'sh',
      '-c',
      `${alone()}; echo; exec sleep 60`,
    );
    holders.push(child);
    expect(unmountIfUnused(path)).toEqual([]);
    await served.ended();
    rmSync(disk.directory('copy'), { recursive: true });
  });
});
