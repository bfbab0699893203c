/**
 * `shutdown-filesystem.ts MOUNTPOINT…`: the file systems stop at once and write nothing more, not even their log.
 * A program of its own: foreign calls have no place in the process that runs the tests.
 */
import { closeSync, constants, openSync } from 'node:fs';
// The lab needs one ioctl that no program of a bare machine offers; nothing of it is part of the product.
import ffi from 'node:ffi';

// linux/fs.h: FS_IOC_SHUTDOWN is _IOR('X', 125, __u32); ext4: EXT4_GOING_FLAGS_NOLOGFLUSH is 2.
const shutdownRequest = 0x8004587dn;
const withoutLogFlush = 2;

const { functions: c } = ffi.dlopen('libc.so.6', {
  ioctl: { arguments: ['int32', 'uint64', 'pointer'], return: 'int32' },
  __errno_location: { arguments: [], return: 'pointer' },
});
const errno = c.__errno_location();

const flags = Buffer.allocUnsafeSlow(4);
flags.writeUInt32LE(withoutLogFlush);
for (const mountPoint of process.argv.slice(2)) {
  const descriptor = openSync(mountPoint, constants.O_RDONLY | constants.O_DIRECTORY);
  if (c.ioctl(descriptor, shutdownRequest, ffi.getRawPointer(flags)) !== 0) {
    throw new Error(`FS_IOC_SHUTDOWN on ${mountPoint}: errno ${ffi.getInt32(errno)}`);
  }
  closeSync(descriptor);
}
