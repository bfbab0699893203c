/** The primary's filesystem against the filesystem below it: the same calls on both must give the same answers, trees and contents. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CacheMode } from '../../agent/fuse/index.ts';
import { LoopDisk, missingForFilesystemTests, ServedDirectory } from './filesystem/loop-disk.ts';
import { compareOperations } from './filesystem/random-operations.ts';
import { describeTree } from './filesystem/tree.ts';

const missing = missingForFilesystemTests();
const caches: readonly CacheMode[] = ['none', 'writeback'];
const firstSeed = Number(process.env['SEED'] ?? '1');
const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? '4') }, (_, index) => firstSeed + index);

describe('the mounted directory', () => {
  let disk: LoopDisk;
  beforeAll(() => {
    if (missing === '') disk = new LoopDisk('differential');
  });
  afterAll(() => {
    if (missing === '') disk.dispose();
  });
  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });

  describe.each(caches)('with cache: %s', (cache) => {
    it.each(seeds)('answers random operations as the filesystem below does, seed %i', async (seed) => {
      const plain = disk.directory(`plain-${cache}-${seed}`);
      const below = disk.directory(`served-${cache}-${seed}`);
      const copy = disk.directory(`copy-${cache}-${seed}`);
      const served = await ServedDirectory.start(below, cache, copy);
      try {
        compareOperations(below, plain, seed, 3000, 250, () => {
          expect(describeTree(below)).toEqual(describeTree(plain));
        });
      } finally {
        await served.stop();
      }
      // What really is on the disk, without any cache of the mount; and what the sink was told makes an equal copy.
      expect(describeTree(below)).toEqual(describeTree(plain));
      expect(describeTree(copy, { times: true })).toEqual(describeTree(below, { times: true }));
      expect(served.output).toBe('mounted\n');
    });
  });
});
