/** Memory that system calls may use: allocated once, never moved, with its address known. */
import * as ffi from 'node:ffi';

function viewOf(address: bigint, length: number): Buffer<ArrayBuffer> {
  return Buffer.from(ffi.toArrayBuffer(address, length, false));
}

export class Memory {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly #base: bigint;

  /** `at`: memory that is there already, mapped by whoever gives it, for as long as this is used. */
  constructor(length: number, at?: bigint) {
    // Small buffers may live on the moving heap: never smaller than a page.
    this.bytes = at === undefined ? Buffer.alloc(Math.max(length, 4096)) : viewOf(at, length);
    this.#base = at ?? ffi.getRawPointer(this.bytes);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** Address of one byte. Checked: an address past the end would corrupt the process. */
  address(start = 0): bigint {
    if (start < 0 || start > this.bytes.length) throw new RangeError('address outside of the memory');
    return start === 0 ? this.#base : this.#base + BigInt(start);
  }

  /** A copy of some bytes with an address of its own. */
  static copyOf(bytes: Uint8Array): Memory {
    const memory = new Memory(bytes.length);
    memory.bytes.set(bytes);
    return memory;
  }
}
