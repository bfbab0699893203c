/** Numbers of the kernel's FUSE protocol (include/uapi/linux/fuse.h), 7.27 to 7.45. */

export const fuseMajor = 7;
/** Linux 4.18. */
export const fuseMinorMin = 27;
export const fuseMinorMax = 45;

export const opcode = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  IOCTL: 39,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  LSEEK: 46,
  COPY_FILE_RANGE: 47,
  SYNCFS: 50,
  TMPFILE: 51,
  STATX: 52,
} as const;

/** INIT flags below 2^32. */
export const initFlag = {
  ASYNC_READ: 1 << 0,
  ATOMIC_O_TRUNC: 1 << 3,
  BIG_WRITES: 1 << 5,
  DONT_MASK: 1 << 6,
  DO_READDIRPLUS: 1 << 13,
  READDIRPLUS_AUTO: 1 << 14,
  ASYNC_DIO: 1 << 15,
  WRITEBACK_CACHE: 1 << 16,
  PARALLEL_DIROPS: 1 << 18,
  POSIX_ACL: 1 << 20,
  MAX_PAGES: 1 << 22,
  CACHE_SYMLINKS: 1 << 23,
  HANDLE_KILLPRIV_V2: 1 << 28,
  SETXATTR_EXT: 1 << 29,
  INIT_EXT: 1 << 30,
} as const;

/** Which fields of SETATTR count. */
export const setattrField = {
  MODE: 1 << 0,
  UID: 1 << 1,
  GID: 1 << 2,
  SIZE: 1 << 3,
  ATIME: 1 << 4,
  MTIME: 1 << 5,
  FH: 1 << 6,
  ATIME_NOW: 1 << 7,
  MTIME_NOW: 1 << 8,
  KILL_SUIDGID: 1 << 11,
} as const;

export const openFlag = { KILL_SUIDGID: 1 } as const;
export const getattrFlag = { FH: 1 } as const;
export const writeFlag = { CACHE: 1, KILL_SUIDGID: 4 } as const;
export const setxattrFlag = { ACL_KILL_SGID: 1 } as const;
export const fsyncFlag = { DATA_ONLY: 1 } as const;
/** What OPEN answers. */
export const openedFlag = { KEEP_CACHE: 2, NOFLUSH: 32 } as const;

export const requestHeaderBytes = 40;
export const replyHeaderBytes = 16;
export const attributesBytes = 88;
export const entryBytes = 40 + attributesBytes;

/** Largest write and read that we take: 256 pages. */
export const transferBytesMax = 1 << 20;
/** Room for the largest request: data, its own header and the WRITE fields, with a page to spare. */
export const requestBytesMax = transferBytesMax + 4096;
export const replyBytesMax = transferBytesMax + 4096;
