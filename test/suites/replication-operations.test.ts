/** Three ways: random operations on the mount answer as on a plain directory, and the peer's copy becomes what is below the mount. */
import { closeSync, mkdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CacheMode } from '../../agent/fuse/index.ts';
import { AT, currentDirectory, descriptorPath, linkAt, O, openPath } from '../../agent/sys/linux.ts';
import { features, runProgram } from './filesystem/features.ts';
import { hasProgram, missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { compareOperations, operationSequences, settle } from './filesystem/random-operations.ts';
import { describeTree } from './filesystem/tree.ts';
import { makePair, nextGeneration, startPair, until, volume } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

function linkOpenFile(fd: number, path: string): void {
  const open = Buffer.from(descriptorPath(fd));
  const status = linkAt(currentDirectory, open, currentDirectory, Buffer.from(path), AT.SYMLINK_FOLLOW);
  expect(status).toBe(0);
}

const missing = missingForFilesystemTests();
const search = {
  seed: Number(process.env['SEED'] ?? '1'),
  numRuns: Number(process.env['SEEDS'] ?? '2'),
  interruptAfterTimeLimit: 40_000,
};

describe('random operations on a replicated directory', () => {
  let n1: ReplicatorNode;
  let n2: ReplicatorNode;
  let runs = 0;

  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
    runs = 0;
  });
  afterEach(async () => {
    if (missing !== '') return;
    await n1.dispose();
    await n2.dispose();
  });

  /** Each sequence in new directories, on the mount and beside it. */
  async function operate(length: number, numRuns: number, equal: () => Promise<void>): Promise<void> {
    const plain = n1.disk.directory('plain');
    await fc.assert(
      fc.asyncProperty(operationSequences(length), async (sequence) => {
        runs += 1;
        const [one, two] = [join(n1.path, `run-${runs}`), join(plain, `run-${runs}`)];
        for (const directory of [one, two]) mkdirSync(directory);
        compareOperations(one, two, sequence, 200, () => {
          expect(describeTree(one)).toEqual(describeTree(two));
        });
        await equal();
      }),
      { ...search, numRuns },
    );
  }

  /** After everything was synced through the mount there is nothing left to wait for. */
  async function copiesAreEqual(): Promise<void> {
    settle(n1.path);
    expect(n2.tree({ times: true, holes: true })).toEqual(n1.tree({ times: true, holes: true }));
    await Promise.resolve();
  }

  it.each<CacheMode>(['none', 'writeback'])(
    'are equal in three places, cache: %s',
    { timeout: 240_000 },
    async (cache) => {
      [n1, n2] = await makePair(`operations-${cache}`, { cache });
      await startPair(n1, n2);
      await n1.mode('in-sync');
      await operate(1500, search.numRuns, copiesAreEqual);
      expect(n1.last?.fault).toBeNull();
      expect([n1.output, n2.output]).toEqual(['', '']);
    },
  );

  it('as every feature leaves them', { timeout: 120_000 }, async (context) => {
    if (!hasProgram('python3')) context.skip('python3 is not installed');
    // Large enough for blocks of 4 KiB: with smaller ones the longest symbolic link does not fit.
    [n1, n2] = await makePair('features', { diskMb: [600, 600] });
    await startPair(n1, n2);
    await n1.mode('in-sync');
    features.forEach(({ program }, index) => {
      const place = join(n1.path, String(index));
      mkdirSync(place);
      runProgram(program, place);
    });
    await copiesAreEqual();
    expect([n1.output, n2.output]).toEqual(['', '']);
  });

  it('bring a file without a name to a peer that came while it was open', async () => {
    [n1, n2] = await makePair('unnamed');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    const unnamed = (): number => openPath(n1.path, O.TMPFILE | O.RDWR, 0o640);
    const files = [unnamed(), unnamed(), unnamed()];
    for (const fd of files) writeSync(fd, Buffer.alloc(200_000, 1), 0, 200_000, 0);
    await n2.kill();
    await n1.mode('undecided');
    await n1.call('goAlone', { volume, generation: nextGeneration() });
    for (const fd of files) writeSync(fd, Buffer.alloc(100_000, 2), 0, 100_000, 300_000);
    linkOpenFile(files[0]!, join(n1.path, 'named alone'));
    await n2.start();
    await n2.configure();
    await n2.call('serveSecondary', { volume });
    linkOpenFile(files[1]!, join(n1.path, 'named meanwhile'));
    await n1.mode('in-sync');
    for (const fd of files) writeSync(fd, Buffer.alloc(5000, 3), 0, 5000, 100_000);
    linkOpenFile(files[2]!, join(n1.path, 'named afterwards'));
    for (const fd of files) closeSync(fd);
    settle(n1.path);
    expect(n2.tree()).toEqual(n1.tree());
    expect(n1.tree()).toHaveLength(4);
    expect(n1.last?.fault).toBeNull();
  });

  it('are equal after a resync of what happened without the peer, and beside it', { timeout: 240_000 }, async () => {
    [n1, n2] = await makePair('operations-resync');
    await startPair(n1, n2);
    await n1.mode('in-sync');
    for (let round = 0; round < 2; round += 1) {
      await n2.kill();
      await n1.mode('undecided');
      await n1.call('goAlone', { volume, generation: nextGeneration() });
      await operate(800, 1, () => Promise.resolve());
      await n2.start();
      await n2.configure();
      await n2.call('serveSecondary', { volume });
      await operate(800, 1, () => Promise.resolve());
      await n1.mode('in-sync', 60_000);
      settle(n1.path);
      await until('both copies are equal', () => n1.tree().join('\n') === n2.tree().join('\n'), 5000).catch(
        () => undefined,
      );
      expect(n2.tree()).toEqual(n1.tree());
    }
  });
});
