/** Real programs on the mounted directory: what they print must be what they print on the filesystem below. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CacheMode } from '../../agent/fuse/index.ts';
import { hasProgram, LoopDisk, missingForFilesystemTests, ServedDirectory } from './filesystem/loop-disk.ts';
import { scripts } from './filesystem/scripts.ts';
import { describeTree } from './filesystem/tree.ts';

const missing = missingForFilesystemTests();

function missingProgram(needs: readonly string[]): string {
  const absent = needs.find((program) => !hasProgram(program));
  return absent === undefined ? '' : `${absent} is not installed`;
}

function run(text: string, directory: string): string {
  // Without `--norc` bash takes the pipe of its input for a remote login, and waits for whatever the user's own set-up waits for.
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', text], {
    cwd: directory,
    encoding: 'latin1',
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', HOME: '/root' },
    timeout: 100_000,
  });
  return `${stdout}\n--- errors\n${stderr}\n--- status ${status}`;
}

describe('programs on the mounted directory', () => {
  let disk: LoopDisk;
  beforeAll(() => {
    if (missing === '') disk = new LoopDisk('programs', 'ext4', 1500);
  });
  afterAll(() => {
    if (missing === '') disk.dispose();
  });
  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });

  describe.each<CacheMode>(['none', 'writeback'])('with cache: %s', (cache) => {
    let served: ServedDirectory;
    let plain: string;
    let copy: string;
    beforeAll(async () => {
      if (missing !== '') return;
      plain = disk.directory(`plain-${cache}`);
      copy = disk.directory(`copy-${cache}`);
      served = await ServedDirectory.start(disk.directory(`served-${cache}`), cache, copy);
    });
    afterAll(async () => {
      if (missing === '') await served.stop();
    });

    it.for(scripts.map((script, index) => ({ ...script, index })))('$name', ({ text, needs, index }, context) => {
      const absent = missingProgram(needs ?? []);
      if (absent !== '') context.skip(absent);
      // Same length of path on both sides: some programs print it.
      const places = [plain, served.path].map((base) => join(base, String(index)));
      for (const place of places) mkdirSync(place);
      const [expected, actual] = places.map((place) => run(text, place).replaceAll(place, 'HERE'));
      expect(actual).toBe(expected);
      expect(describeTree(places[1]!)).toEqual(describeTree(places[0]!));
      expect(served.output).toBe('mounted\n');
    });

    it('has told the sink everything', async (context) => {
      if (missing !== '') context.skip(missing);
      await served.stop();
      expect(describeTree(copy, { times: true })).toEqual(describeTree(served.path, { times: true }));
      served = await ServedDirectory.start(served.path, cache, copy);
    });
  });
});
