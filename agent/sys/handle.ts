/** File handles: a file is found again by handle after renames and without a path. */
import { E } from './errno.ts';
import { AT, O } from './filesystem.ts';
import { library, result } from './library.ts';
import { Memory } from './memory.ts';

/** struct file_handle: bytes (u32), type (i32), then at most MAX_HANDLE_SZ bytes. */
const headerBytes = 8;
const handleBytesMax = 128;
const handleMemory = new Memory(headerBytes + handleBytesMax);
const handleAddress = handleMemory.address();
const mountId = new Memory(8);
const nameMemory = new Memory(4096);
const nameAddress = nameMemory.address();

/** The whole struct file_handle, or -errno. Never follows a symbolic link; an empty name means the descriptor itself. */
export function handleOf(directory: number, name: Uint8Array): Buffer | number {
  if (name.length >= nameMemory.length) return -E.NAMETOOLONG;
  nameMemory.bytes.set(name);
  nameMemory.bytes[name.length] = 0;
  handleMemory.bytes.writeUInt32LE(handleBytesMax, 0);
  const flags = name.length === 0 ? AT.EMPTY_PATH : 0;
  const status = result(library.name_to_handle_at(directory, nameAddress, handleAddress, mountId.address(), flags));
  if (status < 0) return status;
  return Buffer.from(handleMemory.bytes.subarray(0, headerBytes + handleMemory.bytes.readUInt32LE(0)));
}

/** `mount` is a real (not O_PATH) descriptor of anything in the same mount. -ESTALE: the object is gone. */
export function openHandle(mount: number, handle: Uint8Array, flags: number): number {
  if (handle.length > handleMemory.length) return -E.INVAL;
  handleMemory.bytes.set(handle);
  return result(library.open_by_handle_at(mount, handleAddress, flags | O.CLOEXEC));
}
