/**
 * The C library, opened once per thread, and `errno`. Results follow the kernel's convention everywhere in this folder: zero or more is
 * success, a negative number is `-errno`. Sizes and offsets travel as 64-bit BigInt because a 32-bit register may carry rubbish above.
 */
import * as ffi from 'node:ffi';
import { E } from './errno.ts';

const { functions } = ffi.dlopen('libc.so.6', {
  __errno_location: { arguments: [], return: 'pointer' },
  syscall: { arguments: ['int64', 'int64', 'int64', 'int64', 'int64', 'int64', 'int64'], return: 'int64' },
  _exit: { arguments: ['int32'], return: 'void' },

  openat: { arguments: ['int32', 'pointer', 'int32', 'uint32'], return: 'int32' },
  close: { arguments: ['int32'], return: 'int32' },
  mkdirat: { arguments: ['int32', 'pointer', 'uint32'], return: 'int32' },
  mknodat: { arguments: ['int32', 'pointer', 'uint32', 'uint64'], return: 'int32' },
  symlinkat: { arguments: ['pointer', 'int32', 'pointer'], return: 'int32' },
  linkat: { arguments: ['int32', 'pointer', 'int32', 'pointer', 'int32'], return: 'int32' },
  unlinkat: { arguments: ['int32', 'pointer', 'int32'], return: 'int32' },
  renameat2: { arguments: ['int32', 'pointer', 'int32', 'pointer', 'uint32'], return: 'int32' },
  readlinkat: { arguments: ['int32', 'pointer', 'pointer', 'uint64'], return: 'int64' },
  statx: { arguments: ['int32', 'pointer', 'int32', 'uint32', 'pointer'], return: 'int32' },
  fchmod: { arguments: ['int32', 'uint32'], return: 'int32' },
  fchmodat: { arguments: ['int32', 'pointer', 'uint32', 'int32'], return: 'int32' },
  fchownat: { arguments: ['int32', 'pointer', 'uint32', 'uint32', 'int32'], return: 'int32' },
  utimensat: { arguments: ['int32', 'pointer', 'pointer', 'int32'], return: 'int32' },
  name_to_handle_at: { arguments: ['int32', 'pointer', 'pointer', 'pointer', 'int32'], return: 'int32' },
  open_by_handle_at: { arguments: ['int32', 'pointer', 'int32'], return: 'int32' },

  read: { arguments: ['int32', 'pointer', 'uint64'], return: 'int64' },
  write: { arguments: ['int32', 'pointer', 'uint64'], return: 'int64' },
  pread: { arguments: ['int32', 'pointer', 'uint64', 'int64'], return: 'int64' },
  pwrite: { arguments: ['int32', 'pointer', 'uint64', 'int64'], return: 'int64' },
  ftruncate: { arguments: ['int32', 'int64'], return: 'int32' },
  fallocate: { arguments: ['int32', 'int32', 'int64', 'int64'], return: 'int32' },
  posix_fadvise: { arguments: ['int32', 'int64', 'int64', 'int32'], return: 'int32' },
  lseek: { arguments: ['int32', 'int64', 'int32'], return: 'int64' },
  fsync: { arguments: ['int32'], return: 'int32' },
  fdatasync: { arguments: ['int32'], return: 'int32' },
  syncfs: { arguments: ['int32'], return: 'int32' },
  fstatfs: { arguments: ['int32', 'pointer'], return: 'int32' },
  ioctl: { arguments: ['int32', 'uint64', 'pointer'], return: 'int32' },
  fcntl: { arguments: ['int32', 'int32', 'int64'], return: 'int32' },
  poll: { arguments: ['pointer', 'uint64', 'int32'], return: 'int32' },
  eventfd: { arguments: ['uint32', 'int32'], return: 'int32' },

  getxattr: { arguments: ['string', 'pointer', 'pointer', 'uint64'], return: 'int64' },
  setxattr: { arguments: ['string', 'pointer', 'pointer', 'uint64', 'int32'], return: 'int32' },
  removexattr: { arguments: ['string', 'pointer'], return: 'int32' },
  listxattr: { arguments: ['string', 'pointer', 'uint64'], return: 'int64' },

  mount: { arguments: ['pointer', 'string', 'pointer', 'uint64', 'pointer'], return: 'int32' },
  umount2: { arguments: ['string', 'int32'], return: 'int32' },

  setfsuid: { arguments: ['uint32'], return: 'int32' },
  setfsgid: { arguments: ['uint32'], return: 'int32' },
  capget: { arguments: ['pointer', 'pointer'], return: 'int32' },
  capset: { arguments: ['pointer', 'pointer'], return: 'int32' },
  unshare: { arguments: ['int32'], return: 'int32' },
  setns: { arguments: ['int32', 'int32'], return: 'int32' },
  umask: { arguments: ['uint32'], return: 'uint32' },
  mallopt: { arguments: ['int32', 'int32'], return: 'int32' },
  mlockall: { arguments: ['int32'], return: 'int32' },
  prctl: { arguments: ['int32', 'uint64', 'uint64', 'uint64', 'uint64'], return: 'int32' },
  kill: { arguments: ['int32', 'int32'], return: 'int32' },
  clock_gettime: { arguments: ['int32', 'pointer'], return: 'int32' },
  socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  sendto: { arguments: ['int32', 'pointer', 'uint64', 'int32', 'pointer', 'uint32'], return: 'int64' },
  sendmsg: { arguments: ['int32', 'pointer', 'int32'], return: 'int64' },
  mmap: { arguments: ['pointer', 'uint64', 'int32', 'int32', 'int32', 'int64'], return: 'pointer' },
  mlock: { arguments: ['pointer', 'uint64'], return: 'int32' },
  munmap: { arguments: ['pointer', 'uint64'], return: 'int32' },
  memfd_create: { arguments: ['string', 'uint32'], return: 'int32' },
});

/** The raw functions of this thread. Only for files of this folder. */
export const library = functions;

/** Of this thread. A view, because reading it calls nothing: whatever the engine does between a failed call and the look at its errno may set another one. */
const errno = new Int32Array(ffi.toArrayBuffer(functions.__errno_location(), 4, false));

/** -errno of a failed call, its result otherwise. A failure never becomes a success, whatever errno says. */
export function result(value: number): number {
  const code = errno[0];
  return value < 0 ? -(code === undefined || code === 0 ? E.IO : code) : value;
}

export function resultOfBigInt(value: bigint): number {
  const code = errno[0];
  return value < 0n ? -(code === undefined || code === 0 ? E.IO : code) : Number(value);
}

/** errno of the call that has just failed. */
export function lastErrno(): number {
  return -result(-1);
}

// A function is compiled when it is first called: not in the middle of the first failure.
result(functions.close(-1));
resultOfBigInt(functions.lseek(-1, 0n, 0));
lastErrno();

/** System calls that the C library of the oldest supported system does not wrap. */
export const systemCallNumber =
  process.arch === 'arm64'
    ? { getdents64: 61n, setgroups: 159n, gettid: 178n, ioSetup: 0n, ioDestroy: 1n, ioSubmit: 2n, ioGetevents: 4n }
    : {
        getdents64: 217n,
        setgroups: 116n,
        gettid: 186n,
        ioSetup: 206n,
        ioDestroy: 207n,
        ioSubmit: 209n,
        ioGetevents: 208n,
      };

/** The same on every architecture (added after their tables were unified). */
export const unifiedCallNumber = { openTree: 428n, moveMount: 429n } as const;

export function systemCall(number: bigint, a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n): number {
  return resultOfBigInt(functions.syscall(number, a, b, c, d, e, f));
}
