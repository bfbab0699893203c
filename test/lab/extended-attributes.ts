/** Extended attributes of a file; nothing in Node or in a bare system lists them. For programs of their own only. */
import ffi from 'node:ffi';

const { functions: c } = ffi.dlopen('libc.so.6', {
  llistxattr: { arguments: ['pointer', 'pointer', 'uint64'], return: 'int64' },
  lgetxattr: { arguments: ['pointer', 'pointer', 'pointer', 'uint64'], return: 'int64' },
});

// XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h are both 65536.
const listBuffer = Buffer.allocUnsafeSlow(65_536);
const valueBuffer = Buffer.allocUnsafeSlow(65_536);

function zeroTerminated(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length + 1);
  bytes.copy(copy);
  copy[bytes.length] = 0;
  return copy;
}

/** Values in hex, by name, sorted; symbolic links are not followed. */
export function extendedAttributes(file: Buffer): Record<string, string> {
  const name = zeroTerminated(file);
  const length = Number(c.llistxattr(ffi.getRawPointer(name), ffi.getRawPointer(listBuffer), 65_536n));
  const attributes: Record<string, string> = {};
  if (length <= 0) return attributes;
  for (const attribute of listBuffer.toString('latin1', 0, length).split('\0').filter(Boolean).sort()) {
    const key = zeroTerminated(Buffer.from(attribute, 'latin1'));
    const pointers = [ffi.getRawPointer(name), ffi.getRawPointer(key), ffi.getRawPointer(valueBuffer)] as const;
    const size = Number(c.lgetxattr(...pointers, 65_536n));
    attributes[attribute] = size < 0 ? 'unreadable' : valueBuffer.toString('hex', 0, size);
  }
  return attributes;
}
