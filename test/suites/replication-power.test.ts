/** Power cuts of the primary on real disks that lose what was not synced: what is compared when it returns, and that both copies are equal then. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBackingDirectory } from '../../agent/fuse/index.ts';
import { close } from '../../agent/sys/linux.ts';
import { LoopDisk, missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, nextGeneration, startPair, until, volume } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();
const mib = 1024 * 1024;
const fileBytes = 64 * mib;

/** 4 KiB each, at places that follow from `seed`. */
function scatter(file: string, count: number, seed: number, within: readonly [number, number]): void {
  const fd = openSync(file, 'r+');
  const page = Buffer.alloc(4096);
  for (let index = 0; index < count; index++) {
    page.fill(`${seed}.${index} `);
    const places = (within[1] - within[0]) / 4096;
    writeSync(fd, page, 0, 4096, within[0] + ((index * 7919 + seed * 104_729) % places) * 4096);
    if (index === count >> 1) fsyncSync(fd);
  }
  closeSync(fd);
}

function fill(path: string): void {
  writeFileSync(join(path, 'data'), Buffer.alloc(fileBytes, 'as it was at the beginning '));
  for (const directory of ['still', 'busy']) {
    mkdirSync(join(path, directory));
    for (let file = 0; file < 20; file++) writeFileSync(join(path, directory, `f${file}`), `${directory} ${file}`);
  }
}

/** Something of everything, most of it not synced. */
function change(path: string, seed: number): void {
  scatter(join(path, 'data'), 40, seed, [16 * mib, 18 * mib]);
  for (let file = 0; file < 60; file++) writeFileSync(join(path, 'busy', `n${seed}.${file}`), `new ${seed} ${file}`);
  renameSync(join(path, 'busy', `f${seed}`), join(path, 'busy', `moved${seed}`));
  rmSync(join(path, 'busy', `f${seed + 10}`));
  mkdirSync(join(path, `made${seed}`));
  writeFileSync(join(path, `made${seed}`, 'inside'), `inside ${seed}`);
  writeFileSync(join(path, 'busy', 'moved0'), `again ${seed}`);
}

async function checkpointed(primary: ReplicatorNode): Promise<void> {
  await until('both disks have a checkpoint', async () => (await primary.status()).record?.hot?.checkpoint ?? false);
}

async function returns(primary: ReplicatorNode, secondary: ReplicatorNode): Promise<number> {
  let comparedBytes = 0;
  const off = primary.client!.on(
    'volume',
    ({ resync }) => (comparedBytes = Math.max(comparedBytes, resync?.doneBytes ?? 0)),
  );
  await secondary.call('serveSecondary', { volume });
  await primary.mode('in-sync');
  off();
  return comparedBytes;
}

describe('a disk whose power was cut', () => {
  it('is not mounted again while a mount namespace of somebody else holds what was cut off', async (context) => {
    if (missing !== '') context.skip(missing);
    const disk = new LoopDisk(`replication-held-${process.pid}`, 'ext4', 32);
    const holder = spawn('unshare', ['-m', '--propagation', 'private', 'sh', '-c', 'echo held; exec sleep 600'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      await new Promise((resolve) => holder.stdout.once('data', resolve));
      const fd = openSync(join(disk.directory('data'), 'file'), 'w');
      writeSync(fd, 'synced');
      fsyncSync(fd);
      closeSync(fd);
      disk.cutPower();
      expect(() => disk.mountAgain()).toThrow('is held by somebody');
      holder.kill('SIGKILL');
      await until('the disk is free', () => {
        try {
          disk.mountAgain();
          return true;
        } catch {
          return false;
        }
      });
      expect(readFileSync(join(disk.root, 'data', 'file'), 'utf8')).toBe('synced');
    } finally {
      holder.kill('SIGKILL');
      disk.dispose();
    }
  }, 60_000);
});

describe('a power cut of the primary', () => {
  let n1: ReplicatorNode;
  let n2: ReplicatorNode;

  beforeEach(async (context) => {
    if (missing !== '') context.skip(missing);
    [n1, n2] = await makePair('power', { diskMb: [256, 256], acknowledgeTimeoutMs: 10_000 });
    fill(n1.path);
    await startPair(n1, n2);
    await n1.mode('in-sync');
    await checkpointed(n1);
  }, 60_000);
  afterEach(async () => {
    if (missing !== '') return;
    await n1.dispose();
    await n2.dispose();
  });

  async function boot(node: ReplicatorNode): Promise<void> {
    await node.start();
    await node.configure();
  }

  it('leaves to be compared what it had changed since the last checkpoint, and what the other one has changed', async () => {
    change(n1.path, 0);
    await n1.losePower();
    await n2.servePrimary(nextGeneration());
    change(n2.path, 1);
    await boot(n1);
    const comparedBytes = await returns(n2, n1);
    expect(n1.tree({ times: true })).toEqual(n2.tree({ times: true }));
    expect(comparedBytes).toBeGreaterThan(0);
    expect(comparedBytes).toBeLessThan(8 * mib);
  }, 120_000);

  it('while it was alone leaves the same, and again when it is cut off while the other one comes back', async () => {
    await n2.kill();
    await n1.mode('undecided');
    await n1.call('goAlone', { volume, generation: nextGeneration() });
    change(n1.path, 0);
    await n1.losePower();
    await boot(n1);
    await n1.servePrimary(nextGeneration());
    change(n1.path, 1);
    await n1.losePower();
    await boot(n1);
    await n1.servePrimary(nextGeneration());
    await boot(n2);
    const comparedBytes = await returns(n1, n2);
    expect(n2.tree({ times: true })).toEqual(n1.tree({ times: true }));
    expect(comparedBytes).toBeGreaterThan(0);
    expect(comparedBytes).toBeLessThan(8 * mib);
  }, 120_000);
});

describe('a disk with little room', () => {
  let pair: readonly ReplicatorNode[] = [];
  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });
  afterEach(async () => {
    for (const node of pair) await node.dispose();
    pair = [];
  });

  it('holds no hot log: the room is the application’s, and a crash has everything compared', async () => {
    const [n1, n2] = await makePair('room', { diskMb: [48, 48], acknowledgeTimeoutMs: 10_000 });
    pair = [n1, n2];
    for (let file = 0; file < 20; file++) writeFileSync(join(n1.path, `f${file}`), Buffer.alloc(128 * 1024, file));
    await startPair(n1, n2);
    await n1.mode('in-sync');
    const before = statfsSync(n1.disk.root);
    expect(before.bavail * before.bsize).toBeGreaterThan(24 * mib);
    expect((await n1.status()).record?.hot ?? null).toBeNull();
    // More than a log would have left.
    writeFileSync(join(n1.path, 'large'), Buffer.alloc(20 * mib, 'large '));
    writeFileSync(join(n1.path, 'f3'), 'changed');
    const below = openBackingDirectory(n1.path);
    expect(readdirSync(`/proc/self/fd/${below}/.holdfast`)).not.toContain('hot.log');
    close(below);
    await n1.losePower();
    await n2.servePrimary(nextGeneration());
    await n1.start();
    await n1.configure();
    const comparedBytes = await returns(n2, n1);
    expect(n1.tree({ times: true })).toEqual(n2.tree({ times: true }));
    expect(comparedBytes).toBeGreaterThan(20 * mib);
  }, 120_000);
});
