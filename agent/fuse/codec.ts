/** Requests of the kernel as fields, answers as bytes. Pure: no call, no allocation beyond views. */
import type { Attributes, Time } from '../sys/attributes.ts';
import {
  attributesBytes,
  entryBytes,
  fuseMajor,
  fuseMinorMax,
  fuseMinorMin,
  initFlag,
  replyHeaderBytes,
  requestHeaderBytes,
  transferBytesMax,
} from './protocol.ts';

const two32 = 4294967296;

/** Exact up to 2^53: node ids, request numbers and file handles are ours or count from zero. */
export function readNumber(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * two32;
}

/** Two's complement: offsets and times may be negative. */
export function readSignedNumber(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readInt32LE(at + 4) * two32;
}

export function writeNumber(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE((value % two32) >>> 0, at);
  bytes.writeUInt32LE(Math.floor(value / two32) >>> 0, at + 4);
}

/** For values that may be negative. */
export function writeSignedNumber(bytes: Buffer, value: number, at: number): void {
  const high = Math.floor(value / two32);
  bytes.writeUInt32LE(value - high * two32, at);
  bytes.writeInt32LE(high, at + 4);
}

/** The fields of struct fuse_in_header; one instance is used for every request. */
export class RequestHeader {
  length = 0;
  opcode = 0;
  unique = 0;
  node = 0;
  uid = 0;
  gid = 0;
  pid = 0;

  read(bytes: Buffer): void {
    this.length = bytes.readUInt32LE(0);
    this.opcode = bytes.readUInt32LE(4);
    this.unique = readNumber(bytes, 8);
    this.node = readNumber(bytes, 16);
    this.uid = bytes.readUInt32LE(24);
    this.gid = bytes.readUInt32LE(28);
    this.pid = bytes.readUInt32LE(32);
  }
}

/** The NUL-terminated name at `at`, without its NUL, as a view of the request. */
export function nameAt(bytes: Buffer, at: number): Buffer {
  return bytes.subarray(at, bytes.indexOf(0, at));
}

export function readTime(bytes: Buffer, secondsAt: number, nanosecondsAt: number): Time {
  return { seconds: readSignedNumber(bytes, secondsAt), nanoseconds: bytes.readUInt32LE(nanosecondsAt) };
}

/** `struct fuse_out_header`. `error` is 0 or -errno; `length` includes the header. Returns it. */
export function writeReplyHeader(reply: Buffer, length: number, error: number, unique: number): number {
  reply.writeUInt32LE(length, 0);
  reply.writeInt32LE(error, 4);
  writeNumber(reply, unique, 8);
  return length;
}

/** The answer to a request that the sink has parked: nothing but its number, or the length of a synchronous write. Returns its length. */
export function writeParkedReply(reply: Buffer, unique: number, writtenBytes: number): number {
  if (writtenBytes === 0) return writeReplyHeader(reply, replyHeaderBytes, 0, unique);
  reply.writeUInt32LE(writtenBytes, replyHeaderBytes);
  reply.writeUInt32LE(0, replyHeaderBytes + 4);
  return writeReplyHeader(reply, replyHeaderBytes + 8, 0, unique);
}

/** A parked request that has failed after all; `error` is -errno. */
export function writeFailedReply(reply: Buffer, unique: number, error: number): number {
  return writeReplyHeader(reply, replyHeaderBytes, error, unique);
}

/** `struct fuse_attr`. */
export function writeAttributes(reply: Buffer, at: number, attributes: Attributes): void {
  writeNumber(reply, attributes.inode, at);
  writeNumber(reply, attributes.size, at + 8);
  writeNumber(reply, attributes.blocks, at + 16);
  writeSignedNumber(reply, attributes.accessed.seconds, at + 24);
  writeSignedNumber(reply, attributes.modified.seconds, at + 32);
  writeSignedNumber(reply, attributes.changed.seconds, at + 40);
  reply.writeUInt32LE(attributes.accessed.nanoseconds, at + 48);
  reply.writeUInt32LE(attributes.modified.nanoseconds, at + 52);
  reply.writeUInt32LE(attributes.changed.nanoseconds, at + 56);
  reply.writeUInt32LE(attributes.mode, at + 60);
  reply.writeUInt32LE(attributes.links, at + 64);
  reply.writeUInt32LE(attributes.uid, at + 68);
  reply.writeUInt32LE(attributes.gid, at + 72);
  reply.writeUInt32LE(attributes.rdev, at + 76);
  reply.writeUInt32LE(attributes.blockSize, at + 80);
  reply.writeUInt32LE(0, at + 84);
}

/** `struct fuse_attr_out` after the header. Returns the reply's length so far. */
export function writeAttributesReply(reply: Buffer, attributes: Attributes, validS: number): number {
  writeNumber(reply, validS, replyHeaderBytes);
  writeNumber(reply, 0, replyHeaderBytes + 8);
  writeAttributes(reply, replyHeaderBytes + 16, attributes);
  return replyHeaderBytes + 16 + attributesBytes;
}

/** `struct fuse_entry_out`. Generation is always 0: our ids are never used again. How long: the name, and the attributes, stay good. */
export function writeEntry(
  reply: Buffer,
  at: number,
  node: number,
  attributes: Attributes,
  nameValidS: number,
  attributesValidS: number,
): void {
  writeNumber(reply, node, at);
  writeNumber(reply, 0, at + 8);
  writeNumber(reply, nameValidS, at + 16);
  writeNumber(reply, attributesValidS, at + 24);
  writeNumber(reply, 0, at + 32);
  writeAttributes(reply, at + 40, attributes);
}

/** A name that is known not to exist: the kernel may remember that. */
export function writeAbsentEntry(reply: Buffer, at: number, validS: number): void {
  reply.fill(0, at, at + entryBytes);
  writeNumber(reply, validS, at + 16);
}

const directoryRecordBytes = 24;

export function directoryRecordLength(nameLength: number): number {
  return (directoryRecordBytes + nameLength + 7) & ~7;
}

/** `struct fuse_dirent`; returns its padded length. */
export function writeDirectoryRecord(
  reply: Buffer,
  at: number,
  record: {
    readonly inodeLow: number;
    readonly inodeHigh: number;
    readonly nextLow: number;
    readonly nextHigh: number;
    readonly type: number;
    readonly name: Buffer;
  },
): number {
  const length = directoryRecordLength(record.name.length);
  reply.writeUInt32LE(record.inodeLow, at);
  reply.writeUInt32LE(record.inodeHigh, at + 4);
  reply.writeUInt32LE(record.nextLow, at + 8);
  reply.writeUInt32LE(record.nextHigh, at + 12);
  reply.writeUInt32LE(record.name.length, at + 16);
  reply.writeUInt32LE(record.type >>> 12, at + 20);
  record.name.copy(reply, at + directoryRecordBytes);
  reply.fill(0, at + directoryRecordBytes + record.name.length, at + length);
  return length;
}

export interface Negotiation {
  readonly minor: number;
  readonly flags: number;
  readonly maxReadahead: number;
  /** SETXATTR has its longer form. */
  readonly setxattrExtended: boolean;
  readonly transferBytes: number;
}

export type CacheMode = 'writeback' | 'none';

/** Taken whenever offered. */
const wanted =
  initFlag.ASYNC_READ |
  initFlag.ATOMIC_O_TRUNC |
  initFlag.BIG_WRITES |
  initFlag.DO_READDIRPLUS |
  initFlag.READDIRPLUS_AUTO |
  initFlag.ASYNC_DIO |
  initFlag.PARALLEL_DIROPS |
  initFlag.MAX_PAGES |
  initFlag.CACHE_SYMLINKS |
  initFlag.HANDLE_KILLPRIV_V2 |
  initFlag.SETXATTR_EXT;

/** A default ACL replaces the umask: who looks at ACLs must get the mode unmasked, so both or neither. */
const aclSet = initFlag.DONT_MASK | initFlag.POSIX_ACL;

/** What we and the kernel both can. `request` starts with its header. 'again': a newer major, the kernel will ask once more. */
export function negotiate(request: Buffer, cache: CacheMode): Negotiation | 'again' | 'too-old' {
  const major = request.readUInt32LE(requestHeaderBytes);
  const minor = request.readUInt32LE(requestHeaderBytes + 4);
  if (major > fuseMajor) return 'again';
  if (major < fuseMajor || minor < fuseMinorMin) return 'too-old';
  const offered = request.readUInt32LE(requestHeaderBytes + 12);
  let flags = offered & wanted;
  if ((offered & aclSet) === aclSet) flags |= aclSet;
  if (cache === 'writeback') flags |= offered & initFlag.WRITEBACK_CACHE;
  const hasMaxPages = (flags & initFlag.MAX_PAGES) !== 0;
  return {
    minor: Math.min(minor, fuseMinorMax),
    flags: flags >>> 0,
    maxReadahead: request.readUInt32LE(requestHeaderBytes + 8),
    setxattrExtended: (flags & initFlag.SETXATTR_EXT) !== 0,
    // Without MAX_PAGES a request has 32 pages.
    transferBytes: hasMaxPages ? transferBytesMax : 32 * 4096,
  };
}

const initReplyBytes = 64;
/** Requests that the kernel may have outstanding for read-ahead and write-back before it calls the device congested. */
const backgroundMax = 64;
const congestionAt = 48;

/** `struct fuse_init_out` after the header. Returns the reply's length. */
export function writeInitReply(reply: Buffer, negotiation: Negotiation | 'again'): number {
  const at = replyHeaderBytes;
  reply.fill(0, at, at + initReplyBytes);
  reply.writeUInt32LE(fuseMajor, at);
  if (negotiation === 'again') return at + initReplyBytes;
  reply.writeUInt32LE(negotiation.minor, at + 4);
  reply.writeUInt32LE(negotiation.maxReadahead, at + 8);
  reply.writeUInt32LE(negotiation.flags, at + 12);
  reply.writeUInt16LE(backgroundMax, at + 16);
  reply.writeUInt16LE(congestionAt, at + 18);
  reply.writeUInt32LE(negotiation.transferBytes, at + 20);
  // Times have nanoseconds.
  reply.writeUInt32LE(1, at + 24);
  reply.writeUInt16LE(negotiation.transferBytes / 4096, at + 28);
  return at + initReplyBytes;
}
