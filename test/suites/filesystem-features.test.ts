/** POSIX feature by feature: the same program on the mount and on the filesystem below prints the same, but for what docs/posix.md lists. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CacheMode } from '../../agent/fuse/index.ts';
import { features, runProgram } from './filesystem/features.ts';
import type { Feature } from './filesystem/features.ts';
import { hasProgram, LoopDisk, missingForFilesystemTests, ServedDirectory } from './filesystem/loop-disk.ts';
import { describeTree } from './filesystem/tree.ts';

const missing = missingForFilesystemTests() || (hasProgram('python3') ? '' : 'python3 is not installed');

/** What the mount has to print, given what the filesystem below has printed. */
function expected(below: readonly string[], feature: Feature, cache: CacheMode): string[] {
  const differences = (feature.differences ?? []).filter(({ caches }) => caches?.includes(cache) ?? true);
  for (const { below: line } of differences) expect(below).toContain(line);
  return below.map((line) => differences.find((difference) => difference.below === line)?.mounted ?? line);
}

/** Blocks and files of a user who may have 1 MiB and five files; root's own are not counted. */
const quotaProgram = `
os.chmod('.', 0o777)
def fill():
    fd = os.open('big', os.O_RDWR | os.O_CREAT | os.O_SYNC); done = 0
    try:
        for n in range(30): done += os.write(fd, b'q' * 65536)
    except OSError as error: print(errno.errorcode[error.errno], done <= 1 << 20)
    print('allocate', fallocate(fd, 0, 0, 4 << 20)); os.close(fd)
    for n in range(4): tried('file', lambda: os.close(os.open('f%d' % n, os.O_CREAT)))
    tried('one more', lambda: os.close(os.open('more', os.O_CREAT))); tried('directory', lambda: os.mkdir('d')); tried('link', lambda: os.symlink('x', 'l')); tried('unnamed', lambda: os.close(os.open('.', os.O_TMPFILE | os.O_RDWR)))
    os.unlink('big'); tried('again', lambda: os.close(os.open('more', os.O_CREAT)))
as_user(fill); write('of root', b'r' * (4 << 20)); print(os.stat('of root').st_size)
for n in 'f0', 'f1', 'f2', 'f3', 'more': os.unlink(n)`;

describe('POSIX through the mounted directory', () => {
  let disk: LoopDisk;
  beforeAll(() => {
    if (missing === '') disk = new LoopDisk('features');
  });
  afterAll(() => {
    if (missing === '') disk.dispose();
  });
  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });

  /** The same for both kinds of cache. */
  const printed = new Map<number, string[]>();
  function printedBelow(index: number, program: string): string[] {
    const lines = printed.get(index) ?? runProgram(program, disk.directory(`plain-${index}`));
    printed.set(index, lines);
    return lines;
  }

  it('quotas hold for the caller', async (context) => {
    if (!hasProgram('setquota')) context.skip('setquota is not installed');
    let limited: LoopDisk;
    try {
      limited = new LoopDisk('quotas', 'ext4', 64, true);
    } catch {
      context.skip('this kernel mounts no ext4 with quotas');
      return;
    }
    try {
      const { status, stderr } = spawnSync('setquota', ['-u', '1000', '1024', '1024', '5', '5', limited.root]);
      expect([status, String(stderr)]).toEqual([0, '']);
      const below = runProgram(quotaProgram, limited.directory('plain'));
      const copy = disk.directory('copy-quotas');
      const served = await ServedDirectory.start(limited.directory('served'), 'none', copy);
      try {
        expect(runProgram(quotaProgram, served.path)).toEqual(below);
      } finally {
        await served.stop();
      }
      expect(below).toContain('one more EDQUOT');
      expect(describeTree(copy, { times: true })).toEqual(describeTree(limited.directory('served'), { times: true }));
    } finally {
      limited.dispose();
    }
  });

  describe.each<CacheMode>(['none', 'writeback'])('with cache: %s', (cache) => {
    let served: ServedDirectory;
    let copy: string;
    beforeAll(async () => {
      if (missing !== '') return;
      copy = disk.directory(`copy-${cache}`);
      served = await ServedDirectory.start(disk.directory(`served-${cache}`), cache, copy);
    });
    afterAll(async () => {
      if (missing === '') await served.stop();
    });

    it.each(features.map((feature, index) => ({ ...feature, index })))('$name', (feature) => {
      const place = join(served.path, String(feature.index));
      mkdirSync(place);
      const lines = runProgram(feature.program, place);
      expect(lines).toEqual(expected(printedBelow(feature.index, feature.program), feature, cache));
      expect(served.output).toBe('mounted\n');
    });

    it('has told the sink all of it', async () => {
      await served.stop();
      expect(describeTree(copy, { times: true })).toEqual(describeTree(served.path, { times: true }));
      served = await ServedDirectory.start(served.path, cache, copy);
    });
  });
});
