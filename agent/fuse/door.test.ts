import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { comparablePath } from './door.ts';
import { parseMountInfo } from './mount-table.ts';
import { mountProblems, nestedPaths, refusalOfFilesystem } from './refusals.ts';

const table = (...lines: string[]): ReturnType<typeof parseMountInfo> => parseMountInfo(Buffer.from(lines.join('\n')));
const root = '22 1 254:0 / / rw - ext4 /dev/vda rw';

describe('what keeps a directory from being replicated', () => {
  const codes = (entries: ReturnType<typeof parseMountInfo>, path: string): string[] =>
    mountProblems(entries, path).map(({ code }) => code);

  it('accepts a directory on a local filesystem', () => {
    expect(codes(table(root), '/srv/db')).toEqual([]);
  });
  it('refuses a mount point, and names mounts inside', () => {
    expect(codes(table(root, '30 22 7:0 / /data rw - xfs /dev/sdb rw'), '/data')).toEqual(['path-is-mount-point']);
    expect(codes(table(root, '30 22 7:0 / /srv/db/x rw - xfs /dev/sdb rw'), '/srv/db')).toEqual(['mount-below-path']);
  });
  it('does not refuse because of its own cover and mount', () => {
    const entries = table(
      root,
      '30 22 0:50 / /srv/db ro - tmpfs holdfast-cover rw',
      '31 30 0:51 / /srv/db rw - fuse.holdfast holdfast rw',
    );
    expect(codes(entries, '/srv/db')).toEqual([]);
  });
  it.each([
    ['overlay', true],
    ['fuse.sshfs', true],
    ['fuseblk', true],
    ['nfs4', true],
    ['cifs', true],
    ['tmpfs', true],
    ['vfat', true],
    ['ocfs2', true],
    ['ext4', false],
    ['xfs', false],
    ['btrfs', false],
  ])('filesystem %s refused: %s', (type, refused) => {
    expect(refusalOfFilesystem(type) !== null).toBe(refused);
    expect(codes(table(`22 1 254:0 / / rw - ${type} x rw`), '/srv/db').length > 0).toBe(refused);
  });
  it('finds volumes inside each other', () => {
    expect(nestedPaths(['/a', '/b'])).toBeNull();
    expect(nestedPaths(['/a/b', '/a'])).toEqual(['/a', '/a/b']);
    expect(nestedPaths(['/a', '/ab'])).toBeNull();
    expect(nestedPaths(['/a', '/a'])).toEqual(['/a', '/a']);
    const place = mkdtempSync(join(tmpdir(), 'holdfast-door-'));
    onTestFinished(() => rmSync(place, { recursive: true }));
    mkdirSync(join(place, 'data/db/wal'), { recursive: true });
    symlinkSync('data', join(place, 'link'));
    const paths = [join(place, 'data/db'), join(place, 'link/db/wal')];
    expect(nestedPaths(paths.map(comparablePath))).toEqual([paths[0], join(place, 'data/db/wal')]);
    expect(comparablePath('/no/such/place')).toBe('/no/such/place');
  });
});
