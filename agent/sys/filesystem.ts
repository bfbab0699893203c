/** Calls on names in a directory. Names are bytes; `directory` is a descriptor or `currentDirectory` with an absolute path. */
import { fileType } from './attributes.ts';
import type { Attributes, Time } from './attributes.ts';
import { E } from './errno.ts';
import { library, result, resultOfBigInt, systemCall, systemCallNumber } from './library.ts';
import { Memory } from './memory.ts';

export const currentDirectory = -100;

/** Only what differs between architectures is looked up; the rest are the generic values. */
const arm = process.arch === 'arm64';
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  ACCMODE: 3,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DSYNC: 0o10000,
  DIRECT: arm ? 0o200000 : 0o40000,
  LARGEFILE: arm ? 0o400000 : 0o100000,
  DIRECTORY: arm ? 0o40000 : 0o200000,
  NOFOLLOW: arm ? 0o100000 : 0o400000,
  NOATIME: 0o1000000,
  CLOEXEC: 0o2000000,
  SYNC: 0o4010000,
  PATH: 0o10000000,
  /** With O_DIRECTORY, as the kernel wants it. */
  TMPFILE: 0o20000000 | (arm ? 0o40000 : 0o200000),
} as const;

export const AT = { SYMLINK_NOFOLLOW: 0x100, REMOVEDIR: 0x200, SYMLINK_FOLLOW: 0x400, EMPTY_PATH: 0x1000 } as const;
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2, WHITEOUT: 4 } as const;

const pathBytesMax = 4096;
/** Two names per call at most (rename, link, symlink). */
const scratch = new Memory(2 * pathBytesMax);
const firstName = scratch.address(0);
const secondName = scratch.address(pathBytesMax);
const times = new Memory(32);
const timesAddress = times.address();

function put(name: Uint8Array, at: number): boolean {
  if (name.length >= pathBytesMax) return false;
  scratch.bytes.set(name, at);
  scratch.bytes[at + name.length] = 0;
  return true;
}
const putFirst = (name: Uint8Array): boolean => put(name, 0);
const putSecond = (name: Uint8Array): boolean => put(name, pathBytesMax);
const tooLong = -E.NAMETOOLONG;
const empty = new Uint8Array(0);

export function openAt(directory: number, name: Uint8Array, flags: number, mode = 0): number {
  if (!putFirst(name)) return tooLong;
  return result(library.openat(directory, firstName, flags | O.CLOEXEC, mode));
}

/** For paths of our own choice, never for names of a volume. */
export function openPath(path: string, flags: number, mode = 0): number {
  return openAt(currentDirectory, Buffer.from(path), flags, mode);
}

export function close(fd: number): number {
  return result(library.close(fd));
}

export function makeDirectoryAt(directory: number, name: Uint8Array, mode: number): number {
  return putFirst(name) ? result(library.mkdirat(directory, firstName, mode)) : tooLong;
}

export function makeNodeAt(directory: number, name: Uint8Array, mode: number, rdev: number): number {
  return putFirst(name) ? result(library.mknodat(directory, firstName, mode, BigInt(rdev >>> 0))) : tooLong;
}

export function symbolicLinkAt(target: Uint8Array, directory: number, name: Uint8Array): number {
  if (!putFirst(target) || !putSecond(name)) return tooLong;
  return result(library.symlinkat(firstName, directory, secondName));
}

export function linkAt(
  fromDirectory: number,
  from: Uint8Array,
  toDirectory: number,
  to: Uint8Array,
  flags: number,
): number {
  if (!putFirst(from) || !putSecond(to)) return tooLong;
  return result(library.linkat(fromDirectory, firstName, toDirectory, secondName, flags));
}

/** flags: 0 or AT.REMOVEDIR. */
export function unlinkAt(directory: number, name: Uint8Array, flags = 0): number {
  return putFirst(name) ? result(library.unlinkat(directory, firstName, flags)) : tooLong;
}

export function renameAt(
  fromDirectory: number,
  from: Uint8Array,
  toDirectory: number,
  to: Uint8Array,
  flags = 0,
): number {
  if (!putFirst(from) || !putSecond(to)) return tooLong;
  return result(library.renameat2(fromDirectory, firstName, toDirectory, secondName, flags));
}

const linkText = new Memory(pathBytesMax);

/** The link's target, or -errno. */
export function readLinkAt(directory: number, name: Uint8Array): Buffer | number {
  if (!putFirst(name)) return tooLong;
  const length = resultOfBigInt(library.readlinkat(directory, firstName, linkText.address(), BigInt(linkText.length)));
  return length < 0 ? length : Buffer.from(linkText.bytes.subarray(0, length));
}

const statxBuffer = new Memory(256);
const statxAddress = statxBuffer.address();
const statxView = new DataView(statxBuffer.bytes.buffer, statxBuffer.bytes.byteOffset, 256);
/** STATX_BASIC_STATS. */
const basicStats = 0x7ff;

function readU64(offset: number): number {
  return statxView.getUint32(offset, true) + statxView.getUint32(offset + 4, true) * 4294967296;
}

function readTime(offset: number, into: Time): void {
  into.seconds = statxView.getUint32(offset, true) + statxView.getInt32(offset + 4, true) * 4294967296;
  into.nanoseconds = statxView.getUint32(offset + 8, true);
}

/** Never follows a symbolic link. An empty name means the descriptor itself. Layout: struct statx, linux/stat.h. */
export function statAt(directory: number, name: Uint8Array, into: Attributes): number {
  if (!putFirst(name)) return tooLong;
  const flags = AT.SYMLINK_NOFOLLOW | (name.length === 0 ? AT.EMPTY_PATH : 0);
  const status = result(library.statx(directory, firstName, flags, basicStats, statxAddress));
  if (status < 0) return status;
  into.blockSize = statxView.getUint32(4, true);
  into.links = statxView.getUint32(16, true);
  into.uid = statxView.getUint32(20, true);
  into.gid = statxView.getUint32(24, true);
  into.mode = statxView.getUint16(28, true);
  into.inode = readU64(32);
  into.size = readU64(40);
  into.blocks = readU64(48);
  readTime(64, into.accessed);
  readTime(96, into.changed);
  readTime(112, into.modified);
  const major = statxView.getUint32(128, true);
  const minor = statxView.getUint32(132, true);
  into.rdev = ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
  return 0;
}

/** Attributes of an open descriptor, O_PATH ones included. */
export function statOf(fd: number, into: Attributes): number {
  return statAt(fd, empty, into);
}

/** Through /proc, so that it works on O_PATH descriptors on every supported kernel. */
export function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function putDescriptorPath(fd: number): void {
  const length = scratch.bytes.write(`/proc/self/fd/${fd}`, 0, 'latin1');
  scratch.bytes[length] = 0;
}

/** Opens what an O_PATH descriptor stands for. */
export function reopen(fd: number, flags: number): number {
  putDescriptorPath(fd);
  return result(library.openat(currentDirectory, firstName, flags | O.CLOEXEC, 0));
}

export function changeMode(fd: number, mode: number): number {
  putDescriptorPath(fd);
  return result(library.fchmodat(currentDirectory, firstName, mode & 0o7777, 0));
}

/** 0xffffffff: leave. */
export function changeOwner(fd: number, uid: number, gid: number): number {
  scratch.bytes[0] = 0;
  return result(library.fchownat(fd, firstName, uid, gid, AT.EMPTY_PATH));
}

const utimeNow = 0x3fffffff;
const utimeOmit = 0x3ffffffe;

function putTime(at: number, time: Time | 'now' | null): void {
  const seconds = typeof time === 'object' && time !== null ? time.seconds : 0;
  times.bytes.writeUInt32LE(seconds >>> 0, at);
  times.bytes.writeInt32LE(Math.floor(seconds / 4294967296), at + 4);
  times.bytes.writeUInt32LE(time === null ? utimeOmit : time === 'now' ? utimeNow : time.nanoseconds, at + 8);
  times.bytes.writeUInt32LE(0, at + 12);
}

/** Null: leave. Works on O_PATH descriptors, symbolic links included. */
export function changeTimes(fd: number, accessed: Time | 'now' | null, modified: Time | 'now' | null): number {
  putTime(0, accessed);
  putTime(16, modified);
  putDescriptorPath(fd);
  return result(library.utimensat(currentDirectory, firstName, timesAddress, 0));
}

/** Fills `into` with struct linux_dirent64 records; returns bytes, 0 at the end. */
export function readDirectory(fd: number, into: Memory): number {
  return systemCall(systemCallNumber.getdents64, BigInt(fd), into.address(), BigInt(into.length));
}

/** DT_* of a directory record → S_IFMT bits. 0 when the filesystem does not say. */
export function typeOfDirectoryRecord(kind: number): number {
  return (kind << 12) & fileType.mask;
}

/** Positions in a directory are 63-bit hashes on ext4, so they come as two halves and the result is only 0 or -errno. */
export function seekDirectory(fd: number, low: number, high: number): number {
  const position = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
  return library.lseek(fd, position, 0) < 0n ? result(-1) : 0;
}

/** STATX_MNT_ID, and flags that keep a hung or remote filesystem out of the answer. */
const mountIdWanted = 0x1000;
const dontSync = 0x4000;
const noAutomount = 0x800;

/**
 * Which mount a path leads to (its number in mountinfo). Follows the last link, so `/proc/PID/cwd` names what it stands for. Asks no
 * filesystem. Null before Linux 5.8 or when there is nothing.
 */
export function mountIdOf(path: string): number | null {
  if (!putFirst(Buffer.from(path))) return null;
  const status = result(
    library.statx(currentDirectory, firstName, dontSync | noAutomount, mountIdWanted, statxAddress),
  );
  if (status < 0 || (statxView.getUint32(0, true) & mountIdWanted) === 0) return null;
  return readU64(144);
}
