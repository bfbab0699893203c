import { describe, expect, it } from 'vitest';
import { bindMountsOf, isInside, mappedFiles, refersTo, uncoveredPaths } from './holders.ts';
import type { Place } from './holders.ts';
import { parseMountInfo } from './mount-table.ts';

const entries = parseMountInfo(
  Buffer.from(
    [
      '22 1 254:0 / / rw - ext4 /dev/vda rw',
      '40 22 7:3 / /data rw - ext4 /dev/loop3 rw',
      '41 22 7:3 /db/sub /mnt rw - ext4 /dev/loop3 rw',
      '50 40 0:99 / /data/db rw - fuse.holdfast holdfast rw',
    ].join('\n'),
  ),
);
const place: Place = { major: 7, minor: 3, path: '/db' };

describe('who uses a directory', () => {
  it('knows a file by its mount, not by its name', () => {
    expect(refersTo(entries, '/data/db/file', 40, place)).toBe(true);
    // The same name in the mount that lies over it is another file.
    expect(refersTo(entries, '/data/db/file', 50, place)).toBe(false);
    expect(refersTo(entries, '/data/other', 40, place)).toBe(false);
    expect(refersTo(entries, '/mnt/x', 41, place)).toBe(true);
  });

  it('counts a removed file, and doubts when the kernel names no mount', () => {
    expect(refersTo(entries, '/data/db/file (deleted)', 40, place)).toBe(true);
    expect(refersTo(entries, '/data/db/file', null, place)).toBe(true);
    expect(refersTo(entries, '/srv/file', null, place)).toBe(false);
  });

  it('finds mapped files of the device', () => {
    const maps = [
      '7f00-7f01 r--p 00000000 07:03 12 /data/db/lib.so',
      '7f02-7f03 r--p 00000000 fe:00 12 /usr/lib/libc.so',
      '7f04-7f05 rw-p 00000000 00:00 0 [heap]',
      '7f06-7f07 r--p 00000000 07:03 12 /data/db/lib.so',
    ].join('\n');
    expect(mappedFiles(maps, place)).toEqual(['/data/db/lib.so']);
  });

  it('finds bind mounts of a part, and never the mount of the whole filesystem', () => {
    expect(bindMountsOf(entries, place).map(({ id }) => id)).toEqual([41]);
    expect(bindMountsOf(entries, { major: 0, minor: 99, path: '/' })).toEqual([]);
  });

  it('tells where a namespace can reach it by its own name', () => {
    expect(uncoveredPaths(entries, place)).toEqual([]);
    expect(uncoveredPaths(entries.slice(0, 3), place)).toEqual(['/data/db']);
    expect(uncoveredPaths(entries.slice(0, 3), place, ({ id }) => id === 40)).toEqual([]);
    const readOnly = parseMountInfo(Buffer.from('40 22 7:3 / /host ro - ext4 /dev/loop3 rw'));
    expect(uncoveredPaths(readOnly, place)).toEqual([]);
  });

  it('compares whole names', () => {
    expect(isInside({ major: 7, minor: 3, path: '/dbx' }, place)).toBe(false);
    expect(isInside({ major: 7, minor: 4, path: '/db/x' }, place)).toBe(false);
  });
});
