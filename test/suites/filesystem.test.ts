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
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CacheMode } from '../../agent/fuse/index.ts';
import { hasProgram, LoopDisk, missingForFilesystemTests, ServedDirectory } from './filesystem/loop-disk.ts';
import { compareOperations } from './filesystem/random-operations.ts';
import { describeTree } from './filesystem/tree.ts';

const missing = missingForFilesystemTests();
const caches: readonly CacheMode[] = ['none', 'writeback'];
const firstSeed = Number(process.env['SEED'] ?? '1');
const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? '2') }, (_, index) => firstSeed + index);

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

  it.for(['xfs', 'btrfs'] as const)('answers random operations as %s does', async (type, context) => {
    if (!hasProgram(`mkfs.${type}`)) context.skip(`mkfs.${type} is not installed`);
    const other = new LoopDisk(`differential-${type}`, type);
    try {
      const [plain, below, copy] = ['plain', 'served', 'copy'].map((name) => other.directory(name));
      const served = await ServedDirectory.start(below!, 'none', copy!);
      try {
        compareOperations(below!, plain!, firstSeed, 2000, 250, () => {
          expect(describeTree(below!)).toEqual(describeTree(plain!));
        });
      } finally {
        await served.stop();
      }
      expect(describeTree(below!)).toEqual(describeTree(plain!));
      expect(describeTree(copy!, { times: true })).toEqual(describeTree(below!, { times: true }));
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
