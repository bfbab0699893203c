import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { mountedByUs, mountScript, oursScript } from './mount-script.ts';

const table = `30 22 8:1 / /srv rw - ext4 /dev/sda1 rw
31 22 8:2 / /srv/db\\040data rw - xfs /dev/sdb rw
32 22 8:3 / /srv/back\\134slash rw - xfs /dev/sdc rw
33 22 8:4 / /srv/twice rw - ext4 /dev/sdd rw
34 33 0:9 / /srv/twice ro - tmpfs holdfast-cover ro
`;

function mountAt(directory: string, mounts = table): string {
  return execFileSync('/bin/sh', ['-c', `${mountScript}\nmount_at "$1"`, 'sh', directory], { input: mounts })
    .toString()
    .trim();
}

it('finds what lies on top, whatever the name is', () => {
  expect(mountAt('/srv/db data')).toBe('xfs /dev/sdb rw');
  expect(mountAt('/srv/back\\slash')).toBe('xfs /dev/sdc rw');
  expect(mountAt('/srv/twice')).toBe('tmpfs holdfast-cover ro');
  expect(mountAt('/srv/db')).toBe('');
});

it('finds it also through a symbolic link above', () => {
  const place = mkdtempSync(path.join(tmpdir(), 'holdfast-mount-'));
  onTestFinished(() => rmSync(place, { recursive: true }));
  mkdirSync(path.join(place, 'real/db'), { recursive: true });
  symlinkSync('real', path.join(place, 'link'));
  const mounts = `40 22 8:1 / ${place}/real/db rw - xfs /dev/sde rw\n`;
  expect(mountAt(path.join(place, 'link/db'), mounts)).toBe('xfs /dev/sde rw');
});

it('a disk that has our name in its own is not ours', () => {
  expect(mountedByUs('tmpfs holdfast-cover ro')).toBe('cover');
  expect(mountedByUs('fuse.holdfast holdfast rw,allow_other')).toBe('replicated');
  expect(mountedByUs('ext4 /dev/mapper/vg-holdfast rw')).toBe('none');
  expect(mountedByUs('')).toBe('none');
  for (const mount of ['tmpfs holdfast-cover ro', 'fuse.holdfast holdfast rw', 'ext4 /dev/mapper/vg-holdfast rw', '']) {
    const { status } = spawnSync('/bin/sh', ['-c', `${oursScript}\nours "$1"`, 'sh', mount]);
    expect(status === 0).toBe(mountedByUs(mount) !== 'none');
  }
});
