import { expect, it } from 'vitest';
import { MS } from '../sys/linux.ts';
import { inheritedFlags } from './device.ts';
import { parseMountInfo } from './mount-table.ts';
import { contextOption } from './security-label.ts';

it('forbids on the mount what the filesystem below forbids', () => {
  const root = '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw';
  const disk = '30 22 8:1 / /srv rw,nosuid,nodev,noexec,relatime shared:2 - xfs /dev/sda1 rw';
  const cover = '31 30 0:50 / /srv/db ro,nosuid,nodev,noexec - tmpfs holdfast-cover rw';
  const entries = (...lines: string[]): ReturnType<typeof parseMountInfo> =>
    parseMountInfo(Buffer.from(lines.join('\n')));
  expect(inheritedFlags(entries(root, disk, cover), '/srv/db')).toBe(MS.NOSUID | MS.NODEV | MS.NOEXEC);
  // The cover is ours, and says nothing of the disk.
  expect(inheritedFlags(entries(root, cover), '/srv/db')).toBe(0);
});

it.each([
  ['system_u:object_r:postgresql_db_t:s0', ['context="system_u:object_r:postgresql_db_t:s0"']],
  ['system_u:object_r:container_file_t:s0:c12,c40', ['context="system_u:object_r:container_file_t:s0:c12,c40"']],
  ['', []],
  [null, []],
  ['a",allow_other', []],
])('the mount carries the label %s of the directory', (label, expected) => {
  expect(contextOption(label)).toEqual(expected);
});
