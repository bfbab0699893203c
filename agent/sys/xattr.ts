/** Extended attributes of whatever a descriptor stands for: O_PATH ones do not take f*xattr, /proc/self/fd does. */
import { E } from './errno.ts';
import { descriptorPath } from './filesystem.ts';
import { library, result, resultOfBigInt } from './library.ts';
import { Memory } from './memory.ts';

/** XATTR_SIZE_MAX and XATTR_LIST_MAX. */
const valueBytesMax = 65536;
const nameBytesMax = 255;
const value = new Memory(valueBytesMax);
const nameMemory = new Memory(nameBytesMax + 1);
const nameAddress = nameMemory.address();

function putName(name: Uint8Array): boolean {
  if (name.length > nameBytesMax) return false;
  nameMemory.bytes.set(name);
  nameMemory.bytes[name.length] = 0;
  return true;
}

export function getXattr(fd: number, name: Uint8Array): Buffer | number {
  if (!putName(name)) return -E.RANGE;
  const length = resultOfBigInt(
    library.getxattr(descriptorPath(fd), nameAddress, value.address(), BigInt(valueBytesMax)),
  );
  return length < 0 ? length : Buffer.from(value.bytes.subarray(0, length));
}

export function setXattr(fd: number, name: Uint8Array, bytes: Uint8Array, flags: number): number {
  if (!putName(name)) return -E.RANGE;
  if (bytes.length > valueBytesMax) return -E.NOSPC;
  value.bytes.set(bytes);
  return result(library.setxattr(descriptorPath(fd), nameAddress, value.address(), BigInt(bytes.length), flags));
}

export function removeXattr(fd: number, name: Uint8Array): number {
  return putName(name) ? result(library.removexattr(descriptorPath(fd), nameAddress)) : -E.RANGE;
}

/** Names, each followed by a NUL, as the kernel gives them. */
export function listXattrs(fd: number): Buffer | number {
  const length = resultOfBigInt(library.listxattr(descriptorPath(fd), value.address(), BigInt(valueBytesMax)));
  return length < 0 ? length : Buffer.from(value.bytes.subarray(0, length));
}
