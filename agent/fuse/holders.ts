/**
 * Who uses a directory: descriptors, working and root directories, programs, memory maps and bind mounts of every process in every
 * mount namespace. Objects are compared as (device, path inside the filesystem), because the same file has different names in
 * different namespaces and a covered file has the same name as its cover.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mountIdOf, SIGKILL, signal } from '../sys/linux.ts';
import { isBelow, mountOf, parseMountInfo } from './mount-table.ts';
import type { MountEntry } from './mount-table.ts';

/** A directory inside a filesystem. */
export interface Place {
  readonly major: number;
  readonly minor: number;
  /** From the root of the filesystem; `/` is the whole of it. */
  readonly path: string;
}

export interface Holder {
  readonly pid: number;
  readonly command: string;
  readonly kind: 'descriptor' | 'working-directory' | 'root' | 'program' | 'map' | 'bind-mount' | 'not-covered';
  readonly path: string;
}

function join(root: string, rest: string): string {
  if (rest === '') return root;
  return root === '/' ? rest : root + rest;
}

/** What follows the mount point in `path`: '' or starting with a slash. */
function below(path: string, mountPoint: string): string {
  return mountPoint === '/' ? (path === '/' ? '' : path) : path.slice(mountPoint.length);
}

/** Where `path`, seen through this mount, lies in its filesystem. */
export function placeThrough(entry: MountEntry, path: string): Place {
  return { major: entry.major, minor: entry.minor, path: join(entry.root, below(path, entry.mountPoint)) };
}

export function isInside(candidate: Place, place: Place): boolean {
  return candidate.major === place.major && candidate.minor === place.minor && isBelow(candidate.path, place.path);
}

/** The kernel marks removed files; they are used all the same. */
function withoutDeletedMark(path: string): string {
  return path.endsWith(' (deleted)') ? path.slice(0, -' (deleted)'.length) : path;
}

/** A path seen by a process, with the number of its mount when the kernel tells it. Unknown mount: any that could be meant counts. */
export function refersTo(entries: readonly MountEntry[], path: string, mountId: number | null, place: Place): boolean {
  const clean = withoutDeletedMark(path);
  const candidates = mountId === null ? entries : entries.filter((entry) => entry.id === mountId);
  return candidates.some((entry) => isBelow(clean, entry.mountPoint) && isInside(placeThrough(entry, clean), place));
}

/** Files of this device that are mapped: from the text of /proc/PID/maps. */
export function mappedFiles(maps: string, place: Place): string[] {
  const found = new Set<string>();
  for (const line of maps.split('\n')) {
    const match = /^\S+ \S+ \S+ ([0-9a-f]+):([0-9a-f]+) (\d+) +(\/.*)$/.exec(line);
    if (!match?.[1] || !match[2] || !match[4] || match[3] === '0') continue;
    if (parseInt(match[1], 16) === place.major && parseInt(match[2], 16) === place.minor) found.add(match[4]);
  }
  return [...found];
}

/** Mounts of a part of the place: they show it whatever is mounted over it elsewhere. */
export function bindMountsOf(entries: readonly MountEntry[], place: Place): MountEntry[] {
  if (place.path === '/') return [];
  return entries.filter((entry) => isInside({ ...entry, path: entry.root }, place));
}

/** Reads what a vanishing process may not have any more. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

function linkOf(path: string): string | null {
  return attempt(() => readlinkSync(path, 'buffer').toString('latin1'));
}

export function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function* usesOf(pid: number, entries: readonly MountEntry[], place: Place): Generator<Omit<Holder, 'command'>> {
  const base = `/proc/${pid}`;
  for (const fd of attempt(() => readdirSync(`${base}/fd`)) ?? []) {
    const path = linkOf(`${base}/fd/${fd}`);
    if (!path?.startsWith('/')) continue;
    const info = attempt(() => readFileSync(`${base}/fdinfo/${fd}`, 'latin1'));
    const mountId = /^mnt_id:\s*(\d+)$/m.exec(info ?? '')?.[1];
    if (refersTo(entries, path, mountId === undefined ? null : Number(mountId), place))
      yield { pid, kind: 'descriptor', path };
  }
  const links = [
    ['cwd', 'working-directory'],
    ['root', 'root'],
    ['exe', 'program'],
  ] as const;
  for (const [name, kind] of links) {
    const path = linkOf(`${base}/${name}`);
    if (path?.startsWith('/') && refersTo(entries, path, mountIdOf(`${base}/${name}`), place))
      yield { pid, kind, path };
  }
  const maps = attempt(() => readFileSync(`${base}/maps`, 'latin1')) ?? '';
  for (const path of mappedFiles(maps, place)) {
    if (refersTo(entries, path, null, place)) yield { pid, kind: 'map', path };
  }
}

export function commandOf(pid: number): string {
  return attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? '';
}

export interface HolderScan {
  /** Processes that do not count. */
  readonly except?: readonly number[];
  /** Also namespaces in which the place can be reached by its ordinary name, because nothing lies over it there. */
  readonly namespaces?: 'also-uncovered';
  /** A bind mount of the very place that is covered together with ours. */
  readonly isCoveredToo?: (entry: MountEntry, entries: readonly MountEntry[]) => boolean;
}

/** The mounts of every namespace that has a process, each with one of those. */
function isOurNamespace(pid: number): boolean {
  return linkOf(`/proc/${pid}/ns/mnt`) === linkOf('/proc/self/ns/mnt');
}

export interface MountNamespace {
  readonly pid: number;
  /** That of this process: whoever mounts a disk a second time on this server (snapshots of a system disk) is its administrator. */
  readonly isOurs: boolean;
  readonly entries: readonly MountEntry[];
}

export function mountNamespaces(): MountNamespace[] {
  const seen = new Set<string>();

  return processIds().flatMap((pid) => {
    const namespace = linkOf(`/proc/${pid}/ns/mnt`);
    if (namespace === null || seen.has(namespace)) return [];
    const bytes = attempt(() => readFileSync(`/proc/${pid}/mountinfo`));
    if (!bytes || bytes.length === 0) return [];
    seen.add(namespace);
    return [{ pid, isOurs: isOurNamespace(pid), entries: parseMountInfo(bytes) }];
  });
}

/** The first use of the place by each process, and by each mount namespace that has it bound elsewhere. */
export function findHolders(place: Place, scan: HolderScan = {}): Holder[] {
  const holders: Holder[] = [];
  const namespaces = new Map<string, MountEntry[]>();
  const except = new Set(scan.except ?? []);
  for (const pid of processIds()) {
    const namespace = linkOf(`/proc/${pid}/ns/mnt`);
    if (namespace === null) continue;
    let entries = namespaces.get(namespace);
    if (!entries) {
      const bytes = attempt(() => readFileSync(`/proc/${pid}/mountinfo`));
      if (!bytes || bytes.length === 0) continue;
      entries = parseMountInfo(bytes);
      namespaces.set(namespace, entries);
      for (const holder of usesOfNamespace(pid, entries, place, scan)) holders.push(holder);
    }
    if (except.has(pid)) continue;
    for (const use of usesOf(pid, entries, place)) {
      holders.push({ ...use, command: commandOf(pid) });
      break;
    }
  }
  return holders;
}

function* usesOfNamespace(
  pid: number,
  entries: readonly MountEntry[],
  place: Place,
  scan: HolderScan,
): Generator<Holder> {
  const command = commandOf(pid);
  for (const entry of bindMountsOf(entries, place)) {
    if (entry.root === place.path && scan.isCoveredToo?.(entry, entries) === true) continue;
    yield { pid, command, kind: 'bind-mount', path: entry.mountPoint };
  }
  if (scan.namespaces !== 'also-uncovered' || isOurNamespace(pid)) return;
  for (const path of uncoveredPaths(entries, place)) yield { pid, command, kind: 'not-covered', path };
}

/**
 * Names under which the place can be written to: through mounts of it or of something above it, where nothing lies over it. `covers` are mounts
 * that will get a cover together with ours.
 */
export function uncoveredPaths(
  entries: readonly MountEntry[],
  place: Place,
  covers: (entry: MountEntry) => boolean = () => false,
): string[] {
  const found: string[] = [];
  for (const entry of entries) {
    const inFilesystem: Place = { ...entry, path: entry.root };
    // Of a mount of the place itself the scan for bind mounts tells; one that cannot be written to does no harm (a monitor that sees all disks).
    if (!isInside(place, inFilesystem) || place.path === entry.root || entry.options.includes('ro')) continue;
    const rest = entry.root === '/' ? place.path : place.path.slice(entry.root.length);
    const path = join(entry.mountPoint, rest);
    const top = mountOf(entries, Buffer.from(path, 'latin1').toString());
    // A cover, or another mount, hides this one.
    if (top === entry && !covers(entry)) found.push(path);
  }
  return found;
}

/** Ends every process that holds the place. Namespaces are not processes: bind mounts stay. Returns whom it hit. */
export function killHolders(holders: readonly Holder[]): number[] {
  const pids = new Set(
    holders.filter(({ kind }) => kind !== 'bind-mount' && kind !== 'not-covered').map(({ pid }) => pid),
  );
  pids.delete(process.pid);
  pids.delete(1);
  return [...pids].filter((pid) => signal(pid, SIGKILL) === 0);
}

export function describeHolder(holder: Holder): string {
  return `${holder.command} (pid ${holder.pid}): ${holder.kind} ${holder.path}`;
}
