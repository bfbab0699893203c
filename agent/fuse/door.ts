/**
 * The door to a replicated directory. Outside of a primary's mount nobody may reach the data: an empty, read-only cover lies over the
 * path from early boot on. We reach what is below through a private copy of the parent's mount, which works also when a dead
 * mount of a crashed predecessor lies there.
 */
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fault } from '../contract/fault.ts';
import {
  Attributes,
  bootTimeMs,
  cloneMount,
  close,
  E,
  errorName,
  fileType,
  handleOf,
  mount,
  MS,
  O,
  openAt,
  openPath,
  statAt,
  syncFilesystem,
} from '../sys/linux.ts';
import { abortByControl, abortConnection, filesystemType, unmountDevice } from './device.ts';
import { describeHolder, findHolders, killHolders, placeThrough } from './holders.ts';
import type { Holder, Place } from './holders.ts';
import { asMountPath, isBelow, mountOf, mountsAt, parseMountInfo } from './mount-table.ts';
import type { MountEntry } from './mount-table.ts';

export const coverSource = 'holdfast-cover';
/** Empty, and nothing can be put into it. */
const coverData = 'size=4k,nr_inodes=1,mode=0555';

export function isCover(entry: MountEntry): boolean {
  return entry.type === 'tmpfs' && entry.source === coverSource;
}

export function isOurMount(entry: MountEntry): boolean {
  return entry.type === filesystemType;
}

function mounts(): MountEntry[] {
  return parseMountInfo(readFileSync('/proc/self/mountinfo'));
}

/** The path with the symbolic links above its last component resolved; the last one may be a mount that does not answer. */
export function canonicalPath(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path));
  } catch {
    throw new Fault(
      'directory-missing',
      { message: `${dirname(path)} does not exist.`, remedy: 'Create the directory, or correct the path.' },
      { path },
    );
  }
}

/** The same, for paths that are compared: one that does not exist is where it says. */
export function comparablePath(path: string): string {
  try {
    return canonicalPath(path);
  } catch {
    return path;
  }
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

/** Why this directory cannot be replicated. Empty: it can. Does not look at who uses it. */
export function inspectDirectory(path: string): Fault[] {
  try {
    const canonical = canonicalPath(path);
    const problems = mountProblems(mounts(), canonical);
    if (problems.length > 0) return problems;
    close(openBackingDirectory(canonical));
    return [];
  } catch (error) {
    return [Fault.from(error)];
  }
}

/** What open_tree(2) does, before Linux 5.2: a bind mount for a moment, in a place that only root can enter. Its descriptor, or -errno. */
export function copyByBinding(path: string): number {
  const place = mkdtempSync(join(existsSync('/run') ? '/run' : tmpdir(), 'holdfast-copy-'));
  try {
    const status = mount(path, place, null, MS.BIND, null);
    if (status < 0) return status;
    const fd = openPath(place, O.RDONLY | O.DIRECTORY);
    unmountDevice(place, true);
    return fd;
  } finally {
    rmdirSync(place);
  }
}

/**
 * A descriptor on the directory itself, below whatever is mounted over the path, through a private copy of the parent's mount. Good in every
 * thread of this process. The caller closes it.
 */
export function openBackingDirectory(path: string): number {
  const canonical = canonicalPath(path);
  const cloned = cloneMount(dirname(canonical));
  const parent = cloned === -E.NOSYS ? copyByBinding(dirname(canonical)) : cloned;
  if (parent < 0)
    throw new Fault('mount-copy-failed', {
      message: `The mount above ${path} cannot be copied: ${errorName(parent)}.`,
      remedy: 'The right to mount is needed.',
    });
  const name = Buffer.from(basename(canonical));
  try {
    const attributes = new Attributes();
    const status = statAt(parent, name, attributes);
    if (status < 0)
      throw new Fault(
        'directory-missing',
        { message: `${path} does not exist.`, remedy: 'Create the directory, or correct the path.' },
        { path },
      );
    if ((attributes.mode & fileType.mask) !== fileType.directory)
      throw new Fault('not-a-directory', { message: `${path} is not a directory.` }, { path });
    const handle = handleOf(parent, name);
    if (typeof handle === 'number')
      throw new Fault(
        'filesystem-not-supported',
        { message: `The filesystem of ${path} has no file handles (${errorName(handle)}).` },
        { path },
      );
    const fd = openAt(parent, name, O.RDONLY | O.DIRECTORY | O.NOFOLLOW);
    if (fd < 0)
      throw new Fault('directory-not-readable', { message: `${path} cannot be opened: ${errorName(fd)}.` }, { path });
    return fd;
  } finally {
    close(parent);
  }
}

/** Where the directory lies in its filesystem, whatever covers it. */
export function placeOf(path: string, entries: readonly MountEntry[] = mounts()): Place {
  const others = entries.filter(
    (entry) => !(mountsAt([entry], path).length > 0 && (isCover(entry) || isOurMount(entry))),
  );
  const entry = mountOf(others, path);
  if (!entry) throw new Fault('internal', { message: `no mount leads to ${path}` });
  return placeThrough(entry, asMountPath(path));
}

export function isCovered(path: string): boolean {
  return mountsAt(mounts(), canonicalPath(path)).some(isCover);
}

/** Our filesystem is what is seen at this path. */
export function isMounted(path: string): boolean {
  const top = mountsAt(mounts(), canonicalPath(path)).at(-1);
  return top !== undefined && isOurMount(top);
}

/** Changes whenever anything is mounted or unmounted on this host. */
export function mountTable(): Buffer {
  return readFileSync('/proc/self/mountinfo');
}

function refuseInUse(path: string, holders: readonly Holder[]): void {
  if (holders.length === 0) return;
  throw new Fault(
    'directory-in-use',
    {
      message: `${path} is in use by ${holders.length} ${holders.length === 1 ? 'process' : 'processes'}.`,
      remedy: 'Stop the application that uses it, then try again.',
    },
    { path, holders: holders.slice(0, 20).map(describeHolder) },
  );
}

/** Who uses what is below the cover (not our own mount over it). */
export function holdersOfDirectory(path: string): Holder[] {
  return findHolders(placeOf(path), { except: [process.pid] });
}

/**
 * Closes the door. Idempotent. Refused (directory-in-use) while anybody uses the directory; looked at again once the cover lies there, because
 * somebody may have opened it in between.
 */
export function coverDirectory(path: string): void {
  const canonical = canonicalPath(path);
  const entries = mounts();
  const problem = mountProblems(entries, canonical)[0];
  if (problem) throw problem;
  if (mountsAt(entries, canonical).some(isCover)) return;
  const place = placeOf(canonical, entries);
  refuseInUse(canonical, findHolders(place, { except: [process.pid] }));
  const status = mount(coverSource, canonical, 'tmpfs', MS.RDONLY | MS.NOSUID | MS.NODEV | MS.NOEXEC, coverData);
  if (status < 0)
    throw new Fault('mount-failed', { message: `${path} cannot be covered: ${errorName(status)}.` }, { path });
  const holders = findHolders(place, { except: [process.pid] });
  if (holders.length > 0) unmountDevice(canonical, true);
  refuseInUse(canonical, holders);
}

/**
 * Mount namespaces in which the covered directory can still be reached, because they do not follow ours (a container without `rslave`): a
 * program in there could open the data later. One process of each.
 */
export function namespacesWithoutCover(path: string): Holder[] {
  const place = placeOf(canonicalPath(path));
  return findHolders(place, { namespaces: 'also-uncovered' }).filter(({ kind }) => kind === 'not-covered');
}

/** Opens the door for good: the directory is not replicated any more. Idempotent. */
export function uncoverDirectory(path: string): void {
  const canonical = canonicalPath(path);
  // A cover may lie there twice when a predecessor died in between.
  while (mountsAt(mounts(), canonical).at(-1)?.source === coverSource) {
    const status = unmountDevice(canonical, true);
    if (status < 0)
      throw new Fault('unmount-failed', { message: `${path} cannot be uncovered: ${errorName(status)}.` }, { path });
  }
}

/** Processes that use the primary's mount at this path. */
export function holdersOfMount(path: string): Holder[] {
  const entry = mountsAt(mounts(), canonicalPath(path)).filter(isOurMount).at(-1);
  if (!entry) return [];
  return findHolders({ major: entry.major, minor: entry.minor, path: '/' }, { except: [process.pid] });
}

/** An unmount writes back only when it is the last one. Asks the lane: it must be serving. */
function writeBack(path: string): void {
  const fd = openPath(path, O.RDONLY | O.DIRECTORY);
  if (fd < 0) return;
  syncFilesystem(fd);
  close(fd);
}

/**
 * Unmounts when nobody uses the mount; who does otherwise. Empty: it is gone. Namespaces that were made meanwhile have copies of the mount: the
 * connection is ended for them too, or its lane would wait for their requests for ever.
 */
export function unmountIfUnused(path: string): Holder[] {
  const canonical = canonicalPath(path);
  for (;;) {
    const entry = mountsAt(mounts(), canonical).filter(isOurMount).at(-1);
    if (!entry) return [];
    const holders = findHolders({ ...entry, path: '/' }, { except: [process.pid] });
    if (holders.length > 0) return holders;
    writeBack(canonical);
    const status = unmountDevice(canonical);
    if (status < 0) return [{ pid: 0, command: errorName(status), kind: 'descriptor', path: canonical }];
    abortByControl(entry.minor);
  }
}

/** Killed processes need a moment; then the mount is taken out of sight. */
const holdersGoneWithinMs = 2000;

/**
 * Takes every mount of ours off the path, at once and always: the connection is aborted, which frees whoever waits in it, who still holds it is
 * killed. Also for the mounts of a crashed predecessor. Returns the processes killed. Idempotent.
 */
export async function unmountNow(path: string): Promise<number[]> {
  const canonical = canonicalPath(path);
  const killed = new Set<number>();
  const deadlineMs = bootTimeMs() + holdersGoneWithinMs;
  for (;;) {
    const entry = mountsAt(mounts(), canonical).filter(isOurMount).at(-1);
    if (!entry) return [...killed];
    abortConnection(entry.minor, canonical);
    if (!mountsAt(mounts(), canonical).some(({ id }) => id === entry.id)) continue;
    if (unmountDevice(canonical) === 0) continue;
    for (const pid of killHolders(holdersOfMount(canonical))) killed.add(pid);
    if (bootTimeMs() > deadlineMs) unmountDevice(canonical, true);
    else await sleep(10);
  }
}

/** Mounts of ours that no living process serves: all there are when a replicator starts. */
export function ourMounts(): string[] {
  return mounts()
    .filter(isOurMount)
    .map(({ mountPoint }) => Buffer.from(mountPoint, 'latin1').toString());
}
