/** The names of one directory, packed: some 30 bytes each and none of them in the heap, since one directory may have millions. */
import { fileType } from '../sys/linux.ts';
import type { Name } from './node-table.ts';

/** Length (1), type and whether it is gone (1), then the name, of at most 255 bytes. */
const headBytes = 2;
const goneFlag = 0x80;
const typeShift = 12;

export class NameSet {
  /** Names that are there. */
  size = 0;
  #bytes = Buffer.allocUnsafeSlow(1024);
  #end = 0;
  /** By hash, the place of a record and one; 0: none. Records stay where they are, gone or not. */
  #slots = new Int32Array(64);
  #records = 0;

  /** `type`: S_IFMT bits, 0: not known. A name that is there already stays as it is. */
  add(name: Name, type = 0): void {
    const slot = this.#slotOf(name);
    const known = (this.#slots[slot] ?? 0) - 1;
    if (known >= 0) {
      if (this.#isGone(known)) this.size += 1;
      else return;
      this.#bytes[known + 1] = type >> typeShift;
      return;
    }
    const place = this.#end;
    this.#reserve(headBytes + name.length);
    this.#bytes[place] = name.length;
    this.#bytes[place + 1] = type >> typeShift;
    this.#bytes.set(name, place + headBytes);
    this.#end += headBytes + name.length;
    this.#slots[slot] = place + 1;
    this.#records += 1;
    this.size += 1;
    if (2 * this.#records > this.#slots.length) this.#widen();
  }

  has(name: Name): boolean {
    const place = (this.#slots[this.#slotOf(name)] ?? 0) - 1;
    return place >= 0 && !this.#isGone(place);
  }

  /** False: it was not there. */
  delete(name: Name): boolean {
    const place = (this.#slots[this.#slotOf(name)] ?? 0) - 1;
    if (place < 0 || this.#isGone(place)) return false;
    this.#bytes[place + 1] = (this.#bytes[place + 1] ?? 0) | goneFlag;
    this.size -= 1;
    return true;
  }

  /** Place of the first name from `place` on that is there, in the order in which they were added; -1: none. The first place is 0. */
  seek(place: number): number {
    let at = place;
    while (at < this.#end && this.#isGone(at)) at = this.after(at);
    return at < this.#end ? at : -1;
  }
  after(place: number): number {
    return place + headBytes + (this.#bytes[place] ?? 0);
  }
  /** A copy. */
  nameAt(place: number): Name {
    return Buffer.from(this.#bytes.subarray(place + headBytes, this.after(place)));
  }
  typeAt(place: number): number {
    return ((this.#bytes[place + 1] ?? 0) << typeShift) & fileType.mask;
  }

  *[Symbol.iterator](): Generator<Name> {
    for (let at = this.seek(0); at >= 0; at = this.seek(this.after(at))) yield this.nameAt(at);
  }

  /** Memory that it takes, in bytes. */
  get bytes(): number {
    return this.#bytes.length + this.#slots.byteLength;
  }

  #isGone(place: number): boolean {
    return ((this.#bytes[place + 1] ?? 0) & goneFlag) !== 0;
  }

  /** Where the name stands, or would stand. */
  #slotOf(name: Name): number {
    const mask = this.#slots.length - 1;
    let slot = hashOf(name, 0, name.length) & mask;
    for (;;) {
      const place = (this.#slots[slot] ?? 0) - 1;
      if (place < 0 || this.#isAt(place, name)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #isAt(place: number, name: Name): boolean {
    if (this.#bytes[place] !== name.length) return false;
    const start = place + headBytes;
    for (let n = 0; n < name.length; n++) if (this.#bytes[start + n] !== name[n]) return false;
    return true;
  }

  #reserve(count: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const wider = Buffer.allocUnsafeSlow(2 * this.#bytes.length);
    this.#bytes.copy(wider, 0, 0, this.#end);
    this.#bytes = wider;
  }

  #widen(): void {
    this.#slots = new Int32Array(2 * this.#slots.length);
    const mask = this.#slots.length - 1;
    for (let place = 0; place < this.#end; place = this.after(place)) {
      let slot = hashOf(this.#bytes, place + headBytes, this.after(place)) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = place + 1;
    }
  }
}

/** FNV-1a, and its upper bits into the lower ones that choose. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return hash ^ (hash >>> 15);
}
