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
import { abortByControl, abortConnection, unmountDevice } from './device.ts';
import {
  describeHolder,
  findHolders,
  killHolders,
  mountNamespaces,
  placeThrough,
  uncoveredPaths,
  commandOf,
} from './holders.ts';
import type { Holder, Place } from './holders.ts';
import { asMountPath, mountOf, mountsAt, parseMountInfo } from './mount-table.ts';
import type { MountEntry } from './mount-table.ts';
import { follows, followingGroups } from './propagation.ts';
import { coverSource, isCover, isOurMount, mountProblems } from './refusals.ts';

/** Empty, and nothing can be put into it. */
const coverData = 'size=4k,nr_inodes=1,mode=0555';

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

/** The mount through which the directory is reached when nothing covers it. */
function mountBelow(path: string, entries: readonly MountEntry[]): MountEntry {
  const others = entries.filter(
    (entry) => !(mountsAt([entry], path).length > 0 && (isCover(entry) || isOurMount(entry))),
  );
  const entry = mountOf(others, path);
  if (!entry) throw new Fault('internal', { message: `no mount leads to ${path}` });
  return entry;
}

/** Where the directory lies in its filesystem, whatever covers it. */
export function placeOf(path: string, entries: readonly MountEntry[] = mounts()): Place {
  return placeThrough(mountBelow(path, entries), asMountPath(path));
}

export function isCovered(path: string): boolean {
  return mountsAt(mounts(), canonicalPath(path)).some(isCover);
}

/** Our filesystem is what is seen at this path. */
export function isMounted(path: string): boolean {
  const top = mountsAt(mounts(), canonicalPath(path)).at(-1);
  return top !== undefined && isOurMount(top);
}

/** The number of the connection that serves what is seen at this path; null: it is none of ours. */
export function connectionAt(path: string): number | null {
  const top = mountsAt(mounts(), canonicalPath(path)).at(-1);
  return top !== undefined && isOurMount(top) ? top.minor : null;
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

/** Mounts of the very place that have a cover over them, as ours has. */
function hasCover(entry: MountEntry, entries: readonly MountEntry[]): boolean {
  return entries.some((other) => other.mountPoint === entry.mountPoint && isCover(other));
}

/** Containers and services that go on seeing the directory when it is covered here, or already do. Holders of the kind `not-covered`. */
export function seenBesideCover(path: string): Holder[] {
  const canonical = canonicalPath(path);
  const entries = mounts();
  const namespaces = mountNamespaces();
  const below = mountBelow(canonical, entries);
  const groups = followingGroups(
    below,
    namespaces.map((one) => one.entries),
  );
  const place = placeThrough(below, asMountPath(canonical));
  const others = namespaces.filter(({ isOurs }) => !isOurs);
  return others.flatMap((namespace) =>
    uncoveredPaths(namespace.entries, place, (entry) => entry.id === below.id || follows(entry, groups)).map(
      (found): Holder => ({ pid: namespace.pid, command: commandOf(namespace.pid), kind: 'not-covered', path: found }),
    ),
  );
}

export function seenBesideCoverFault(path: string, holders: readonly Holder[]): Fault {
  const named = holders.slice(0, 5).map(({ command, pid }) => `${command} (pid ${pid})`);
  return new Fault(
    'directory-seen-elsewhere',
    {
      message: `${path} could be written to beside its cover by ${named.join(', ')}: a container or service with mounts of its own.`,
      remedy: `Stop it, or give it the directory so that it follows the mounts of this server: docker run -v ${path}:${path}:rslave`,
    },
    { path, holders: holders.slice(0, 20).map(describeHolder) },
  );
}

function refuseSeenElsewhere(path: string, holders: readonly Holder[]): void {
  if (holders.length > 0) throw seenBesideCoverFault(path, holders);
}

/** Who uses what is below the cover (not our own mount over it). */
export function holdersOfDirectory(path: string): Holder[] {
  const canonical = canonicalPath(path);
  const entries = mounts();
  const below = mountBelow(canonical, entries);
  const groups = followingGroups(
    below,
    mountNamespaces().map((one) => one.entries),
  );
  const isCoveredToo = (entry: MountEntry): boolean => follows(entry, groups);
  return findHolders(placeThrough(below, asMountPath(canonical)), { except: [process.pid], isCoveredToo });
}

/**
 * Closes the door. Idempotent. Refused while anybody uses the directory (directory-in-use) or could use it beside the cover
 * (directory-seen-elsewhere); looked at again once the cover lies there, because somebody may have opened it in between.
 */
export function coverDirectory(path: string): void {
  const canonical = canonicalPath(path);
  const entries = mounts();
  const problem = mountProblems(entries, canonical)[0];
  if (problem) throw problem;
  if (mountsAt(entries, canonical).some(isCover)) return;
  const place = placeOf(canonical, entries);
  refuseInUse(canonical, holdersOfDirectory(canonical));
  refuseSeenElsewhere(canonical, seenBesideCover(canonical));
  const status = mount(coverSource, canonical, 'tmpfs', MS.RDONLY | MS.NOSUID | MS.NODEV | MS.NOEXEC, coverData);
  if (status < 0)
    throw new Fault('mount-failed', { message: `${path} cannot be covered: ${errorName(status)}.` }, { path });
  try {
    const uses = findHolders(place, { except: [process.pid], namespaces: 'also-uncovered', isCoveredToo: hasCover });
    refuseInUse(
      canonical,
      uses.filter(({ kind }) => kind !== 'not-covered'),
    );
    refuseSeenElsewhere(
      canonical,
      uses.filter(({ kind }) => kind === 'not-covered'),
    );
  } catch (error) {
    unmountDevice(canonical, true);
    throw error;
  }
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
