import { describe, expect, it } from 'vitest';
import { isBelow, mountOf, mountsAt, parseMountInfo } from './mount-table.ts';

const text = Buffer.from(
  [
    '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
    '30 22 0:25 / /proc rw - proc proc rw',
    '40 22 7:3 / /data rw,relatime shared:5 master:2 - ext4 /dev/loop3 rw',
    '41 40 7:3 /db /mnt/with\\040space\\134x ro - ext4 /dev/loop3 rw',
    '50 40 0:99 / /data/db rw - fuse.holdfast holdfast rw,user_id=0',
    '51 50 0:98 / /data/db ro - tmpfs holdfast-cover rw',
    '',
  ].join('\n'),
);

describe('mount table', () => {
  const entries = parseMountInfo(text);

  it('reads device, root, type and propagation of each entry', () => {
    expect(entries).toHaveLength(6);
    expect(entries[2]).toMatchObject({
      major: 7,
      minor: 3,
      root: '/',
      mountPoint: '/data',
      type: 'ext4',
      source: '/dev/loop3',
      propagation: ['shared:5', 'master:2'],
    });
  });

  it('undoes the escapes of the kernel', () => {
    expect(entries[3]).toMatchObject({ root: '/db', mountPoint: '/mnt/with space\\x' });
  });

  it('gives what lies at one place from the bottom to the top', () => {
    expect(mountsAt(entries, '/data/db').map(({ type }) => type)).toEqual(['fuse.holdfast', 'tmpfs']);
  });

  it('finds the mount through which a path is reached', () => {
    expect(mountOf(entries, '/data/other/file')?.id).toBe(40);
    expect(mountOf(entries, '/data/db/file')?.id).toBe(51);
    expect(mountOf(entries, '/database')?.id).toBe(22);
  });

  it('does not take a longer name for a directory inside', () => {
    expect(isBelow('/data/dbx', '/data/db')).toBe(false);
    expect(isBelow('/data/db', '/data/db')).toBe(true);
    expect(isBelow('/anything', '/')).toBe(true);
  });

  it('skips lines that it does not understand', () => {
    expect(parseMountInfo(Buffer.from('nonsense\n1 2 3\n'))).toEqual([]);
  });
});
