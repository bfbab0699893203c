/** Attributes of a filesystem object, as statx(2) gives them; instances are reused, so copy what must last. */

export interface Time {
  seconds: number;
  nanoseconds: number;
}

export class Attributes {
  inode = 0;
  size = 0;
  /** Of 512 bytes. */
  blocks = 0;
  blockSize = 0;
  /** Type and permission bits. */
  mode = 0;
  links = 0;
  uid = 0;
  gid = 0;
  /** In the kernel's 32-bit encoding: minor 0-7 | major << 8 | minor 8-19 << 20. */
  rdev = 0;
  readonly accessed: Time = { seconds: 0, nanoseconds: 0 };
  readonly modified: Time = { seconds: 0, nanoseconds: 0 };
  readonly changed: Time = { seconds: 0, nanoseconds: 0 };
}

/** The type bits of `mode`. */
export const fileType = {
  mask: 0o170000,
  socket: 0o140000,
  link: 0o120000,
  file: 0o100000,
  block: 0o060000,
  directory: 0o040000,
  character: 0o020000,
  fifo: 0o010000,
} as const;
