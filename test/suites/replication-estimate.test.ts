/** Two real replicators: what is said beforehand of a resync holds when it comes, and asking for it neither scans nor waits for a quiet application. */
import { execFileSync, spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ResyncEstimate } from '../../agent/contract/index.ts';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, nextGeneration, startPair, until, volume } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();
const shell = (script: string): string => execFileSync('bash', ['--norc', '-ec', script], { encoding: 'utf8' });

let n1: ReplicatorNode;
let n2: ReplicatorNode;
beforeEach((context) => {
  if (missing !== '') context.skip(missing);
});
afterEach(async () => {
  if (missing !== '') return;
  await n1.dispose();
  await n2.dispose();
});

const estimate = (files = 100): Promise<ResyncEstimate> => n1.call('estimate', { volume, files });

async function leave(): Promise<void> {
  await n2.kill();
  await n1.mode('undecided');
  await n1.call('goAlone', { volume, generation: nextGeneration() });
}

/** Returns how much the resync has compared. */
async function comeBack(): Promise<number> {
  let comparedBytes = 0;
  const off = n1.client!.on('volume', ({ resync }) => {
    comparedBytes = Math.max(comparedBytes, resync?.doneBytes ?? 0);
  });
  await n2.start();
  await n2.configure();
  await n2.call('serveSecondary', { volume });
  await n1.mode('in-sync');
  off();
  return comparedBytes;
}

it(
  'says how much a returning peer is compared with, by marks and without, and is right',
  { timeout: 120_000 },
  async () => {
    [n1, n2] = await makePair('estimate');
    shell(
      `cd ${n1.path}; dd if=/dev/urandom of=big bs=1M count=32 status=none; mkdir many; for i in $(seq 300); do echo $i > many/$i; done; sync`,
    );
    await startPair(n1, n2);
    await n1.mode('in-sync');
    expect(await estimate()).toMatchObject({ scope: 'nothing', bytes: 0, files: [] });

    await leave();
    expect(await estimate()).toMatchObject({ scope: 'marks', why: null, bytes: 0 });
    shell(`cd ${n1.path}; for i in 0 7 19; do dd if=/dev/urandom of=big bs=4k seek=$((i * 256)) count=1 conv=notrunc status=none; done
    head -c 500000 /dev/urandom > new; mv many/1 many/one; chmod 600 many/2; rm many/3; mv big large`);
    const marked = await estimate();
    expect(marked).toMatchObject({ scope: 'marks', why: null, wholeDirectories: 0 });
    // Three chunks of 64 KiB and the new file.
    expect(marked.bytes).toBe(3 * 65_536 + 500_000);
    const kinds = Object.fromEntries(marked.files.map(({ path, kind }) => [path, kind]));
    expect(kinds).toMatchObject({
      large: 'content',
      new: 'new',
      'many/one': 'moved',
      'many/2': 'attributes',
      many: 'names',
    });
    expect(await estimate(2)).toMatchObject({ objects: marked.objects, files: { length: 2 } });
    const compared = await comeBack();
    expect(compared).toBeLessThanOrEqual(marked.bytes!);

    // Killed while alone: the log on its disk names what is compared.
    await until('a log is kept on the disk', async () => (await n1.status()).record?.hot ?? null);
    await leave();
    shell(`cd ${n1.path}; head -c 4096 /dev/urandom | dd of=large bs=4k seek=1000 conv=notrunc status=none; sync`);
    await n1.kill();
    await n1.start();
    await n1.configure();
    await n1.servePrimary(nextGeneration());
    const restarted = await estimate();
    expect(restarted).toMatchObject({ scope: 'marks', why: null });
    expect(restarted.files.map(({ path }) => path)).toContain('large');
    expect(restarted.bytes).toBeGreaterThanOrEqual(4096);
    expect(restarted.bytes).toBeLessThan(16 << 20);
    expect(await comeBack()).toBeLessThanOrEqual(restarted.bytes!);

    // The same where no log is kept: what the disk holds bounds it.
    await leave();
    await n1.kill();
    await n1.start({ HOLDFAST_HOT_LOG: '0' });
    await n1.configure();
    await n1.servePrimary(nextGeneration());
    const whole = await estimate();
    expect(whole).toMatchObject({ scope: 'everything', why: 'no-log', names: null, files: [] });
    expect(whole.bytes).toBeGreaterThan(32 * (1 << 20));
    expect(whole.objects).toBeGreaterThan(300);
  },
);

it('is answered beside an application that never lets go', { timeout: 120_000 }, async () => {
  [n1, n2] = await makePair('estimate-load');
  await startPair(n1, n2);
  await n1.mode('in-sync');
  await leave();
  shell(`cd ${n1.path}; mkdir many; for i in $(seq 400); do echo $i > many/$i; done`);
  const script = `cd ${n1.path}; while :; do dd if=/dev/zero of=busy bs=4k count=500 oflag=sync status=none; done`;
  const writers = [1, 2].map(() => spawn('bash', ['--norc', '-c', script], { stdio: 'ignore', detached: true }));
  try {
    for (let round = 0; round < 5; round++) {
      const told = await estimate(0);
      expect(told.scope).toBe('marks');
      expect(told.objects).toBeGreaterThan(400);
    }
  } finally {
    for (const writer of writers) {
      const ended = new Promise((resolve) => writer.once('close', resolve));
      process.kill(-writer.pid!, 'SIGKILL');
      await ended;
    }
  }
});
