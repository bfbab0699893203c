/** Directories that cannot be replicated, as far as the mount table and the configuration tell. Pure. */
import { Fault } from '../contract/fault.ts';
import { filesystemType } from './device.ts';
import { asMountPath, isBelow, mountOf, mountsAt } from './mount-table.ts';
import type { MountEntry } from './mount-table.ts';

export const coverSource = 'holdfast-cover';
export function isCover(entry: MountEntry): boolean {
  return entry.type === 'tmpfs' && entry.source === coverSource;
}

export function isOurMount(entry: MountEntry): boolean {
  return entry.type === filesystemType;
}

/** Filesystems on which a copy cannot be kept: no file handles, or the data is not here. */
const refusedTypes: Readonly<Record<string, string>> = {
  overlay: 'it has no stable file identity; use a directory on the filesystem below it',
  nfs: 'the data is on another machine',
  nfs4: 'the data is on another machine',
  cifs: 'the data is on another machine',
  smb3: 'the data is on another machine',
  ceph: 'the data is on other machines',
  '9p': 'the data is on another machine',
  virtiofs: 'the data is on another machine',
  glusterfs: 'the data is on other machines',
  lustre: 'the data is on other machines',
  afs: 'the data is on other machines',
  gfs2: 'other machines write to the same disk',
  ocfs2: 'other machines write to the same disk',
  tmpfs: 'it is gone when the power is',
  ramfs: 'it is gone when the power is',
  hugetlbfs: 'it is gone when the power is',
  vfat: 'it keeps neither owners nor links',
  msdos: 'it keeps neither owners nor links',
  exfat: 'it keeps neither owners nor links',
  ntfs3: 'its names and permissions are those of another system',
  ntfs: 'its names and permissions are those of another system',
  iso9660: 'it cannot be written to',
  squashfs: 'it cannot be written to',
  erofs: 'it cannot be written to',
  proc: 'it is not for files',
  sysfs: 'it is not for files',
};

/** Null when a directory on this filesystem can be replicated. */
export function refusalOfFilesystem(type: string): string | null {
  if (type === 'fuse' || type.startsWith('fuse.') || type === 'fuseblk')
    return 'a FUSE filesystem cannot keep a copy safely';
  return refusedTypes[type] ?? null;
}

/** Faults of the mount table alone: our own covers and mounts do not count. Pure. */
export function mountProblems(entries: readonly MountEntry[], path: string): Fault[] {
  const others = entries.filter((entry) => !isCover(entry) && !isOurMount(entry));
  const problems: Fault[] = [];
  if (mountsAt(others, path).length > 0)
    problems.push(
      new Fault(
        'path-is-mount-point',
        { message: `${path} is a mount point.`, remedy: 'Replicate a directory inside of it.' },
        { path },
      ),
    );
  const wanted = asMountPath(path);
  const inside = others.filter(({ mountPoint }) => mountPoint !== wanted && isBelow(mountPoint, wanted));
  if (inside.length > 0)
    problems.push(
      new Fault(
        'mount-below-path',
        {
          message: `Other filesystems are mounted below ${path}.`,
          remedy: 'Unmount them, or choose another directory.',
        },
        { path, mounts: inside.map(({ mountPoint }) => mountPoint) },
      ),
    );
  const type = mountOf(others, path)?.type ?? '';
  const refusal = refusalOfFilesystem(type);
  if (refusal !== null)
    problems.push(
      new Fault(
        'filesystem-not-supported',
        {
          message: `${path} is on ${type}: ${refusal}.`,
          remedy: 'Use a directory on a local filesystem such as ext4 or XFS.',
        },
        { path, type },
      ),
    );
  return problems;
}

/** Volumes inside each other would replicate the inner one twice. Pure; null when there are none. */
export function nestedPaths(paths: readonly string[]): readonly [outer: string, inner: string] | null {
  for (const outer of paths) {
    for (const inner of paths) {
      if (outer !== inner && isBelow(inner, outer)) return [outer, inner];
    }
  }
  return new Set(paths).size === paths.length ? null : [paths[0] ?? '', paths[0] ?? ''];
}
