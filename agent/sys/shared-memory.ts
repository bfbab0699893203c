/** Memory that outlives the process: an anonymous file whose descriptor somebody else holds as well, mapped piece by piece. */
import { E } from './errno.ts';
import { library, result } from './library.ts';
import { Memory } from './memory.ts';

const closeOnExec = 1;
/** Hardened hosts want it; before Linux 6.3 nobody knows it. */
const noExecute = 8;
const protection = { read: 1, write: 2 } as const;
const mapShared = 1;
const pageBytes = 4096;

/** A descriptor, or -errno. Bytes that nobody has written are zero and cost nothing. */
export function makeSharedFile(name: string, sizeBytes: number): number {
  const sealed = result(library.memfd_create(name, closeOnExec | noExecute));
  const fd = sealed === -E.INVAL ? result(library.memfd_create(name, closeOnExec)) : sealed;
  if (fd < 0) return fd;
  const status = result(library.ftruncate(fd, BigInt(sizeBytes)));
  if (status === 0) return fd;
  library.close(fd);
  return status;
}

/** Its pages are there, and stay. False: not allowed to, or no room. */
export function keepInMemory(memory: Memory): boolean {
  return library.mlock(memory.address(), BigInt(memory.length)) === 0;
}

/** The pieces of one such file that a thread has mapped. A kill leaves in the file what was stored before it, in the order of the stores. */
export class SharedFile {
  readonly fd: number;
  readonly #pieces: { readonly address: bigint; readonly length: number }[] = [];

  /** The descriptor stays the caller's. */
  constructor(fd: number) {
    this.fd = fd;
  }

  /** `offset` is a multiple of a page. Throws when there is no room for a mapping. */
  map(offset: number, length: number): Memory {
    const whole = Math.ceil(length / pageBytes) * pageBytes;
    const bits = protection.read | protection.write;
    const address = library.mmap(0n, BigInt(whole), bits, mapShared, this.fd, BigInt(offset));
    if (BigInt.asIntN(64, address) === -1n) throw new Error(`mmap failed: ${result(-1)}`);
    this.#pieces.push({ address, length: whole });
    return new Memory(length, address);
  }

  /** Nothing that `map` gave may be touched afterwards. */
  unmap(): void {
    for (const { address, length } of this.#pieces.splice(0)) library.munmap(address, BigInt(length));
  }
}
