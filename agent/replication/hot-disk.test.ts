import { existsSync, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DirectoryHotDisk } from './hot-disk.ts';
import { HotLog } from './hot-log.ts';

it('a log that somebody has removed is made again when another one begins', (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-hot-'));
  try {
    mkdirSync(join(directory, '.holdfast'));
    const disk = new DirectoryHotDisk(openSync(directory, 'r'));
    const log = new HotLog(disk, 64 * 1024);
    if (log.begin(1, 1) < 0) context.skip('too little room in the directory of temporary files');
    rmSync(join(directory, '.holdfast/hot.log'));
    expect([log.append(2, []), log.begin(2, 3)]).toEqual([0, 0]);
    expect(existsSync(join(directory, '.holdfast/hot.log'))).toBe(true);
    disk.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
