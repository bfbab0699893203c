/** Mounts. Paths here are of the configuration or of /proc, so strings; the kernel's mount table escapes what is not text. */
import { E } from './errno.ts';
import { currentDirectory } from './filesystem.ts';
import { library, result, systemCall, unifiedCallNumber } from './library.ts';
import { Memory } from './memory.ts';

export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
  NOATIME: 1024,
  BIND: 4096,
  REC: 16384,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
} as const;
export const MNT = { FORCE: 1, DETACH: 2, EXPIRE: 4, NOFOLLOW: 8 } as const;

const openTreeClone = 1;
const openTreeCloexec = 0o2000000;
/** Path from an open_tree descriptor is empty. */
const moveMountFromEmptyPath = 4;

const textBytesMax = 4096;
/** One for the life of the thread: what a call reads must not be collected while it reads. */
const scratch = new Memory(3 * textBytesMax);

/** Address of a text with its NUL in one of three places; 0 for null. */
function text(value: string | null, place: 0 | 1 | 2): bigint {
  if (value === null) return 0n;
  const bytes = Buffer.from(`${value}\0`);
  if (bytes.length > textBytesMax) throw new RangeError('mount text too long');
  scratch.bytes.set(bytes, place * textBytesMax);
  return scratch.address(place * textBytesMax);
}

export function mount(source: string, target: string, type: string | null, flags: number, data: string | null): number {
  return result(library.mount(text(source, 0), target, text(type, 1), BigInt(flags >>> 0), text(data, 2)));
}

export function unmount(path: string, flags = 0): number {
  return result(library.umount2(path, flags));
}

/**
 * A private, detached copy of the mount at `path`, without what is mounted below it. The descriptor stands for `path` in it; the copy
 * lives until the last descriptor of it is closed.
 */
export function cloneMount(path: string): number {
  const flags = BigInt(openTreeClone | openTreeCloexec);
  return systemCall(unifiedCallNumber.openTree, BigInt(currentDirectory), text(path, 0), flags);
}

/** Attaches what `cloneMount` gave at a path. */
export function attachMount(fd: number, path: string): number {
  const [from, to] = [text('', 0), text(path, 1)];
  const flags = BigInt(moveMountFromEmptyPath);
  return systemCall(unifiedCallNumber.moveMount, BigInt(fd), from, BigInt(currentDirectory), to, flags);
}

/** open_tree needs Linux 5.2. */
export function hasMountCopies(): boolean {
  return systemCall(unifiedCallNumber.openTree, -1n, 0n, 0n) !== -E.NOSYS;
}
