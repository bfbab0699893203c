/** The primary's filesystem against the filesystem below it: the same calls on both must give the same answers, trees and contents. */
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  opendirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CacheMode } from '../../agent/fuse/index.ts';
import { hasProgram, LoopDisk, missingForFilesystemTests, ServedDirectory } from './filesystem/loop-disk.ts';
import { compareOperations, operationSequences } from './filesystem/random-operations.ts';
import { describeTree } from './filesystem/tree.ts';

const missing = missingForFilesystemTests();
const caches: readonly CacheMode[] = ['none', 'writeback'];
/** The seed of a failure is in its message: SEED=N runs it again, SEEDS=N tries more sequences. */
const search = {
  seed: Number(process.env['SEED'] ?? '1'),
  numRuns: Number(process.env['SEEDS'] ?? '3'),
  interruptAfterTimeLimit: 40_000,
};

/** Random sequences, each in directories of its own, on the mount and beside it; then what is on the disk, and what the sink was told. */
async function sameAnswers(disk: LoopDisk, cache: CacheMode, length: number): Promise<void> {
  const [plain, below, copy] = ['plain', 'served', 'copy'].map((name) => disk.directory(`${name}-${cache}`));
  const served = await ServedDirectory.start(below!, cache, copy!);
  let run = 0;
  try {
    fc.assert(
      fc.property(operationSequences(length), (sequence) => {
        run += 1;
        const [one, two] = [join(below!, `run-${run}`), join(plain!, `run-${run}`)];
        for (const directory of [one, two]) mkdirSync(directory);
        compareOperations(one, two, sequence, 250, () => {
          expect(describeTree(one)).toEqual(describeTree(two));
        });
      }),
      search,
    );
  } finally {
    await served.stop();
  }
  // What really is on the disk, without any cache of the mount; and what the sink was told makes an equal copy.
  expect(describeTree(below!, { holes: true })).toEqual(describeTree(plain!, { holes: true }));
  expect(describeTree(copy!, { times: true, holes: true })).toEqual(describeTree(below!, { times: true, holes: true }));
  expect(served.output).toBe('mounted\n');
}

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
    it('answers random operations as the filesystem below does', async () => {
      await sameAnswers(disk, cache, 3000);
    });
  });

  it.for(['xfs', 'btrfs'] as const)('answers random operations as %s does', async (type, context) => {
    if (!hasProgram(`mkfs.${type}`)) context.skip(`mkfs.${type} is not installed`);
    const other = new LoopDisk(`differential-${type}`, type);
    try {
      await sameAnswers(other, 'none', 2000);
    } finally {
      other.dispose();
    }
  });

  describe.each(caches)('alone, with cache: %s', (cache) => {
    let served: ServedDirectory;
    let below: string;
    beforeEach(async () => {
      if (missing !== '') return;
      below = disk.directory(`alone-${cache}`);
      mkdirSync(join(below, '.holdfast', 'limbo'), { recursive: true });
      writeFileSync(join(below, '.holdfast', 'volume.json'), '{}');
      served = await ServedDirectory.start(below, cache, disk.directory(`alone-copy-${cache}`));
    });
    afterEach(async () => {
      if (missing !== '') return;
      await served.stop();
      rmSync(below, { recursive: true });
      rmSync(disk.directory(`alone-copy-${cache}`), { recursive: true });
    });
    const codeOf = (action: () => unknown): string => {
      try {
        action();
        return 'done';
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? String(error);
      }
    };

    it('neither shows what is ours nor lets anybody reach it', () => {
      writeFileSync(join(below, 'file'), 'x');
      expect(readdirSync(below)).toEqual(['file']);
      expect(readdirSync(below, { withFileTypes: true }).map(({ name }) => name)).toEqual(['file']);
      expect(statSync(below).nlink).toBe(2);
      const hidden = join(below, '.holdfast');
      const file = join(below, 'file');
      expect(codeOf(() => statSync(hidden))).toBe('ENOENT');
      expect(codeOf(() => readdirSync(hidden))).toBe('ENOENT');
      expect(codeOf(() => readFileSync(join(hidden, 'volume.json')))).toBe('ENOENT');
      expect(codeOf(() => rmdirSync(hidden))).toBe('ENOENT');
      expect(codeOf(() => mkdirSync(hidden))).toBe('EACCES');
      expect(codeOf(() => writeFileSync(hidden, 'x'))).toBe('EACCES');
      expect(codeOf(() => symlinkSync('x', hidden))).toBe('EACCES');
      expect(codeOf(() => linkSync(file, hidden))).toBe('EACCES');
      expect(codeOf(() => renameSync(file, hidden))).toBe('EACCES');
      // Elsewhere it is a name like any other.
      mkdirSync(join(below, 'd', '.holdfast'), { recursive: true });
      expect(readdirSync(join(below, 'd'))).toEqual(['.holdfast']);
    });

    it('lists every name that stays exactly once while others come and go', () => {
      const directory = join(below, 'many');
      mkdirSync(directory);
      const stays = Array.from({ length: 1000 }, (_, index) => `stays-${index}`);
      for (const name of stays) writeFileSync(join(directory, name), '');
      for (let index = 0; index < 500; index += 1) writeFileSync(join(directory, `goes-${index}`), '');
      const seen: string[] = [];
      const stream = opendirSync(directory, { bufferSize: 16 });
      for (let count = 0; ; count += 1) {
        const entry = stream.readSync();
        if (!entry) break;
        seen.push(entry.name);
        if (count < 500) {
          rmSync(join(directory, `goes-${count}`), { force: true });
          writeFileSync(join(directory, `comes-${count}`), '');
        }
      }
      stream.closeSync();
      expect(new Set(seen).size).toBe(seen.length);
      expect(seen.filter((name) => name.startsWith('stays')).sort()).toEqual(stays.sort());
    });

    it('keeps a file descriptor useful after thousands of other files', () => {
      const fd = openSync(join(below, 'open'), 'w+');
      writeSync(fd, 'before');
      for (let index = 0; index < 2500; index += 1) writeFileSync(join(below, `f${index}`), String(index));
      writeSync(fd, ' after');
      expect(readFileSync(join(below, 'open'), 'utf8')).toBe('before after');
      expect(readFileSync(join(below, 'f7'), 'utf8')).toBe('7');
      renameSync(join(below, 'f7'), join(below, 'moved'));
      expect(readFileSync(join(below, 'moved'), 'utf8')).toBe('7');
      closeSync(fd);
    });
  });

  it('gives ENOSPC at fsync when the kernel has written back late, and goes on', async () => {
    const small = new LoopDisk('full-late', 'ext4', 40);
    try {
      const copyDisk = disk.directory('full-late-copy');
      const served = await ServedDirectory.start(small.directory('served'), 'writeback', copyDisk);
      try {
        const codes: (string | undefined)[] = [];
        const note = (action: () => unknown): void => {
          try {
            action();
          } catch (error) {
            codes.push((error as NodeJS.ErrnoException).code);
          }
        };
        const fd = openSync(join(served.path, 'large'), 'w');
        const block = Buffer.alloc(1 << 20, 7);
        for (let count = 0; count < 60 && codes.length === 0; count += 1) note(() => writeSync(fd, block));
        note(() => {
          fsyncSync(fd);
        });
        expect(new Set(codes)).toEqual(new Set(['ENOSPC']));
        note(() => {
          closeSync(fd);
        });
        rmSync(join(served.path, 'large'));
        writeFileSync(join(served.path, 'small'), 'fits again', { flush: true });
        expect(readFileSync(join(served.path, 'small'), 'utf8')).toBe('fits again');
      } finally {
        await served.stop();
      }
      const below = describeTree(small.directory('served'), { times: true });
      expect(describeTree(copyDisk, { times: true })).toEqual(below);
    } finally {
      small.dispose();
    }
  });

  it('says at fsync when there was room for a part only of what the kernel writes back', async () => {
    const small = new LoopDisk('full-part', 'ext4', 40);
    const content = Buffer.alloc(700 << 10, 7);
    const synced: string[] = [];
    try {
      const below = small.directory('served');
      const copyDisk = disk.directory('full-part-copy');
      const served = await ServedDirectory.start(below, 'writeback', copyDisk);
      const writesAndSyncs = (name: string): boolean => {
        try {
          writeFileSync(join(served.path, name), content, { flush: true });
          return true;
        } catch (error) {
          expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
          return false;
        }
      };
      try {
        while (writesAndSyncs(`part-${synced.length}`)) synced.push(`part-${synced.length}`);
      } finally {
        await served.stop();
      }
      expect(synced.length).toBeGreaterThan(10);
      expect(synced.filter((name) => !readFileSync(join(below, name)).equals(content))).toEqual([]);
      expect(describeTree(copyDisk, { times: true })).toEqual(describeTree(below, { times: true }));
    } finally {
      small.dispose();
    }
  });

  it('gives ENOSPC at write, leaves the reserve of the disk alone, and goes on', async () => {
    const small = new LoopDisk('full', 'ext4', 40);
    try {
      const below = small.directory('served');
      const copyDisk = disk.directory('full-copy');
      const served = await ServedDirectory.start(below, 'none', copyDisk);
      try {
        const reserve = (): number => {
          const { bfree, bavail } = statfsSync(below);
          return bfree - bavail;
        };
        const reserveBefore = reserve();
        expect(reserveBefore).toBeGreaterThan(0);
        const block = Buffer.alloc(1 << 20, 7);
        const fd = openSync(join(below, 'large'), 'w');
        let written = 0;
        let code = '';
        while (code === '') {
          try {
            written += writeSync(fd, block);
          } catch (error) {
            code = (error as NodeJS.ErrnoException).code ?? 'unknown';
          }
        }
        expect(code).toBe('ENOSPC');
        fsyncSync(fd);
        closeSync(fd);
        expect(statSync(join(below, 'large')).size).toBe(written);
        // Who eats the reserve brings what is free below it.
        expect(reserve()).toBe(reserveBefore);
        rmSync(join(below, 'large'));
        writeFileSync(join(below, 'small'), 'fits again');
        expect(readFileSync(join(below, 'small'), 'utf8')).toBe('fits again');
      } finally {
        await served.stop();
      }
      expect(describeTree(copyDisk, { times: true })).toEqual(describeTree(below, { times: true }));
    } finally {
      small.dispose();
    }
  });
});
