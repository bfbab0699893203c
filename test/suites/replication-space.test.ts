/** Two real replicators on small disks, the secondary's the smaller one: what is full is told to the application, as by one disk, and the pair stays a pair. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasProgram, missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, nextGeneration, startPair, until, volume } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();
const mib = 1 << 20;

/** What a program says and how it ends; this process answers nothing that it could wait for. */
async function run(script: string): Promise<{ readonly code: number | null; readonly said: string }> {
  const child = spawn('bash', ['--norc', '-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let said = '';
  const hear = (text: Buffer): void => void (said += text.toString());
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}

const availableMib = (path: string): number => {
  const { bavail, bsize } = statfsSync(path);
  return (bavail * bsize) / mib;
};

describe('a secondary with less room', () => {
  let n1: ReplicatorNode;
  let n2: ReplicatorNode;
  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });
  afterEach(async () => {
    for (const node of [n1, n2]) await node.dispose();
  });

  async function pair(name: string, cache: 'none' | 'writeback'): Promise<void> {
    [n1, n2] = await makePair(name, { diskMb: [128, 64], cache });
    await startPair(n1, n2);
    await n1.mode('in-sync');
  }

  /** The link of the beginning still stands: nobody has left. */
  async function isStillTogether(): Promise<void> {
    const [one, two] = [await n1.status(), await n2.status()];
    expect(one).toMatchObject({ mode: 'in-sync', fault: null, record: { peerStale: false } });
    expect(two).toMatchObject({ fault: null, record: { copy: 'up-to-date' } });
    expect(one.record?.generation?.number).toBe(two.record?.generation?.number);
    expect(n1.output + n2.output).not.toMatch(/disk-full|ENOSPC/);
  }

  async function equalTrees(): Promise<void> {
    await until('both copies are equal', () => n1.tree().join('\n') === n2.tree().join('\n'), 5000).catch(
      () => undefined,
    );
    expect(n2.tree()).toEqual(n1.tree());
  }

  it('gives the application ENOSPC, stays in sync, and goes on when there is room again', async () => {
    await pair('space', 'none');
    await until('the smaller side is told', () => availableMib(n1.path) < 64);
    const big = join(n1.path, 'big');
    writeFileSync(join(n1.path, 'kept'), Buffer.alloc(mib, 1), { flush: true });
    const full = await run(`dd if=/dev/urandom of=${big} bs=256K conv=fsync`);
    expect(full).toMatchObject({ code: 1, said: expect.stringContaining('No space left on device') as string });
    await isStillTogether();
    // Nearly all of it, and no more than there was.
    expect(statSync(big).size).toBeGreaterThan(30 * mib);
    const small = await run(`for n in $(seq 4000); do echo $n > ${n1.path}/small$n || exit 7; done`);
    expect(small).toMatchObject({ code: 7, said: expect.stringContaining('No space left on device') as string });
    expect(availableMib(n1.path)).toBeLessThan(0.1);
    // What is there can be overwritten, synced and read.
    const fd = openSync(join(n1.path, 'kept'), 'r+');
    expect(writeSync(fd, Buffer.alloc(mib, 2), 0, mib, 0)).toBe(mib);
    fdatasyncSync(fd);
    closeSync(fd);
    expect(readFileSync(join(n1.path, 'kept'))[mib - 1]).toBe(2);
    await isStillTogether();
    await equalTrees();
    rmSync(big);
    expect(await run(`dd if=/dev/urandom of=${n1.path}/next bs=1M count=20 conv=fsync`)).toMatchObject({ code: 0 });
    expect(await run(`rm ${n1.path}/small*`)).toMatchObject({ code: 0 });
    await isStillTogether();
    // Somebody else takes some of it.
    const others = join(n2.disk.root, 'others');
    rmSync(join(n1.path, 'next'));
    await equalTrees();
    expect(await run(`fallocate -l 40M ${others}`)).toMatchObject({ code: 0 });
    await until('it is told that somebody else took some', () => availableMib(n1.path) < 25);
    expect(await run(`dd if=/dev/zero of=${big} bs=1M count=40`)).toMatchObject({ code: 1 });
    rmSync(others);
    // No time is waited for: whoever asks for room is told what there is now.
    expect(await run(`dd if=/dev/zero of=${big} bs=1M count=40`)).toMatchObject({ code: 0 });
    await isStillTogether();
    await equalTrees();
  });

  it('gives it at fsync or close when the kernel has kept the data back', async () => {
    await pair('space-late', 'writeback');
    const full = await run(`dd if=/dev/urandom of=${n1.path}/big bs=1M count=100 conv=fsync`);
    expect(full).toMatchObject({ code: 1, said: expect.stringContaining('No space left on device') as string });
    await isStillTogether();
    rmSync(join(n1.path, 'big'));
    expect(await run(`dd if=/dev/urandom of=${n1.path}/next bs=1M count=20 conv=fsync`)).toMatchObject({ code: 0 });
    await isStillTogether();
    await equalTrees();
  });

  it('is what a full btrfs says too, where no record could be written in the room that is left', async (context) => {
    if (!hasProgram('mkfs.btrfs')) context.skip('mkfs.btrfs is not installed');
    [n1, n2] = await makePair('space-btrfs', { diskMb: [200, 400], diskType: 'btrfs' });
    await startPair(n1, n2);
    await n1.mode('in-sync');
    const full = await run(`dd if=/dev/urandom of=${n1.path}/big bs=256K conv=fsync`);
    expect(full).toMatchObject({ code: 1, said: expect.stringContaining('No space left on device') as string });
    // Somebody else takes the rest, and the room for names as well.
    const others = n1.disk.directory('others');
    await run(
      `dd if=/dev/urandom of=${others}/rest bs=4K; cd ${others}; for n in $(seq 200000); do : > $n || break; done`,
    );
    await isStillTogether();
    // Whatever it meets now needs a record: going alone, and each contact.
    await n2.kill();
    await n1.mode('undecided');
    await n1.call('goAlone', { volume, generation: nextGeneration() });
    await n1.mode('alone');
    const more = await run(`dd if=/dev/urandom of=${n1.path}/more bs=64K count=10 conv=fsync`);
    expect(more).toMatchObject({ code: 1, said: expect.stringContaining('No space left on device') as string });
    expect(await n1.status()).toMatchObject({ mode: 'alone', fault: null, record: { peerStale: true } });
    await run(`rm -r ${others}`);
    rmSync(join(n1.path, 'big'));
    await run(`sync -f ${n1.disk.root}`);
    expect(await run(`dd if=/dev/urandom of=${n1.path}/next bs=1M count=5 conv=fsync`)).toMatchObject({ code: 0 });
    expect(await n1.status()).toMatchObject({ mode: 'alone', fault: null });
  });
});
