/** Calls on open descriptors. Addresses come from Memory. */
import { E } from './errno.ts';
import { library, result, resultOfBigInt } from './library.ts';
import { Memory } from './memory.ts';

export const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;
export const FALLOC = {
  KEEP_SIZE: 1,
  PUNCH_HOLE: 2,
  COLLAPSE_RANGE: 8,
  ZERO_RANGE: 16,
  INSERT_RANGE: 32,
  UNSHARE_RANGE: 64,
} as const;
export const POLL = { IN: 1, OUT: 4, ERR: 8, HUP: 16, NVAL: 32 } as const;

export function read(fd: number, address: bigint, length: number): number {
  return resultOfBigInt(library.read(fd, address, BigInt(length)));
}

export function write(fd: number, address: bigint, length: number): number {
  return resultOfBigInt(library.write(fd, address, BigInt(length)));
}

/** Bytes read; fewer than `length` only at the end of the file. */
export function readAt(fd: number, address: bigint, length: number, offset: number): number {
  let done = 0;
  while (done < length) {
    const count = resultOfBigInt(
      library.pread(fd, address + BigInt(done), BigInt(length - done), BigInt(offset + done)),
    );
    if (count === -E.INTR) continue;
    if (count < 0) return done > 0 ? done : count;
    if (count === 0) break;
    done += count;
  }
  return done;
}

/**
 * At once. The kernel keeps what is written together as one piece of its cache, and looks at every block of a piece whenever one of them is written again (ext4 since
 * Linux 6.16): a small write into a file that was written in megabytes took some 25 µs longer.
 */
const pieceBytes = 64 * 1024;

/** Bytes written: `length`, or fewer when the disk filled up or failed in the middle, or -errno when nothing was. */
export function writeAt(fd: number, address: bigint, length: number, offset: number): number {
  let done = 0;
  while (done < length) {
    const piece = Math.min(length - done, pieceBytes);
    const count = resultOfBigInt(library.pwrite(fd, address + BigInt(done), BigInt(piece), BigInt(offset + done)));
    if (count === -E.INTR) continue;
    if (count < 0) return done > 0 ? done : count;
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** 0, or -errno of the place where it ended: the kernel tells why a write was short only to the next one. */
export function writeWhole(fd: number, address: bigint, length: number, offset: number): number {
  let done = 0;
  while (done < length) {
    const count = writeAt(fd, address + BigInt(done), length - done, offset + done);
    if (count <= 0) return count < 0 ? count : -E.NOSPC;
    done += count;
  }
  return 0;
}

export function truncate(fd: number, size: number): number {
  return result(library.ftruncate(fd, BigInt(size)));
}

export function allocate(fd: number, mode: number, offset: number, length: number): number {
  return result(library.fallocate(fd, mode, BigInt(offset), BigInt(length)));
}

export function seek(fd: number, offset: number, whence: number): number {
  return resultOfBigInt(library.lseek(fd, BigInt(offset), whence));
}

/** Pages of this range that are like the disk leave the memory; advice, which may be ignored. */
export function dropCached(fd: number, offset: number, length: number): number {
  const dontNeed = 4;
  return -library.posix_fadvise(fd, BigInt(offset), BigInt(length), dontNeed);
}

export function sync(fd: number, dataOnly: boolean): number {
  return result(dataOnly ? library.fdatasync(fd) : library.fsync(fd));
}

export function syncFilesystem(fd: number): number {
  return result(library.syncfs(fd));
}

export interface FilesystemStatistics {
  /** Magic number of the filesystem type. */
  type: number;
  blockSize: number;
  blocks: number;
  blocksFree: number;
  blocksAvailable: number;
  files: number;
  filesFree: number;
  /** Tells two filesystems of this machine apart, as far as their type can. */
  id: string;
  nameLengthMax: number;
  fragmentSize: number;
}

const statfsBuffer = new Memory(256);

/** struct statfs of 64-bit Linux: nine 64-bit words on both architectures before `f_namelen`. */
export function filesystemStatistics(fd: number): FilesystemStatistics | number {
  const status = result(library.fstatfs(fd, statfsBuffer.address()));
  if (status < 0) return status;
  const word = (index: number): number => Number(statfsBuffer.bytes.readBigUInt64LE(index * 8));
  return {
    type: statfsBuffer.bytes.readUInt32LE(0),
    blockSize: word(1),
    blocks: word(2),
    blocksFree: word(3),
    blocksAvailable: word(4),
    files: word(5),
    filesFree: word(6),
    id: statfsBuffer.bytes.toString('hex', 56, 64),
    nameLengthMax: word(8),
    fragmentSize: word(9),
  };
}

export function ioctl(fd: number, request: number, address: bigint): number {
  return result(library.ioctl(fd, BigInt(request), address));
}

const btrfs = 0x9123683e;
const flags = { get: 0x80086601, set: 0x40086602, compressed: 0x4, noCopyOnWrite: 0x800000 };
const flagsBuffer = new Memory(8);

/**
 * From here on what is written again takes the place of what was there: btrfs would look for new room each time, and a full one has none. Only a file without content can be made so: one
 * that was not is empty afterwards. Does nothing on filesystems that overwrite in place anyhow, or cannot. 0 or -errno.
 */
export function overwriteInPlace(fd: number): number {
  const found = filesystemStatistics(fd);
  if (typeof found === 'number') return found;
  if (found.type !== btrfs) return 0;
  const status = ioctl(fd, flags.get, flagsBuffer.address());
  if (status < 0) return status;
  const now = flagsBuffer.bytes.readUInt32LE(0);
  if ((now & flags.noCopyOnWrite) !== 0) return 0;
  const emptied = truncate(fd, 0);
  if (emptied < 0) return emptied;
  flagsBuffer.bytes.writeUInt32LE(((now & ~flags.compressed) | flags.noCopyOnWrite) >>> 0, 0);
  return ioctl(fd, flags.set, flagsBuffer.address());
}

/** A fixed set of descriptors to wait on; made once, used again and again. */
export class Poll {
  readonly #memory: Memory;
  readonly #count: number;

  constructor(descriptors: readonly number[], events: number = POLL.IN) {
    this.#count = descriptors.length;
    this.#memory = new Memory(8 * this.#count);
    descriptors.forEach((fd, index) => {
      this.#memory.bytes.writeInt32LE(fd, index * 8);
      this.#memory.bytes.writeInt16LE(events, index * 8 + 4);
    });
  }

  /** How many are ready; 0 after the timeout (-1: none). An interrupted wait is a wait without result. */
  wait(timeoutMs: number): number {
    const count = result(library.poll(this.#memory.address(), BigInt(this.#count), timeoutMs));
    return count === -E.INTR ? 0 : count;
  }

  /** Event bits of one descriptor after `wait`. */
  ready(index: number): number {
    return this.#memory.bytes.readInt16LE(index * 8 + 6);
  }

  /** Replaces a descriptor; a negative one is ignored by the kernel. */
  set(index: number, fd: number, events: number = POLL.IN): void {
    this.#memory.bytes.writeInt32LE(fd, index * 8);
    this.#memory.bytes.writeInt16LE(events, index * 8 + 4);
  }

  get count(): number {
    return this.#count;
  }

  /** This one's descriptors are waited for as a part of `all`, from `start` on. */
  joinTo(all: Poll, start: number): void {
    for (let index = 0; index < this.#count; index++)
      all.set(start + index, this.#memory.bytes.readInt32LE(index * 8), this.#memory.bytes.readInt16LE(index * 8 + 4));
  }

  /** What the wait of `all` has found for this one; how many are ready. */
  takeFrom(all: Poll, start: number): number {
    let count = 0;
    for (let index = 0; index < this.#count; index++) {
      const bits = all.ready(start + index);
      this.#memory.bytes.writeInt16LE(bits, index * 8 + 6);
      if (bits !== 0) count += 1;
    }
    return count;
  }
}

const counter = new Memory(8);

export const EFD = { SEMAPHORE: 1, CLOEXEC: 0o2000000, NONBLOCK: 0o4000 } as const;

/** An event counter between threads; its number is good in every thread. */
export function makeEvent(flags: number = EFD.CLOEXEC | EFD.NONBLOCK): number {
  return result(library.eventfd(0, flags));
}

export function signalEvent(fd: number): number {
  counter.bytes.writeBigUInt64LE(1n, 0);
  return resultOfBigInt(library.write(fd, counter.address(), 8n));
}

/** Sets the counter back to zero; returns true when it was not. */
export function clearEvent(fd: number): boolean {
  return library.read(fd, counter.address(), 8n) === 8n;
}
