/**
 * Nodes that the kernel remembers and nobody uses: one object each would cost 700 bytes, a million files as many megabytes. Here each is a record of some 64 bytes in
 * plain memory, found by id and by handle. What is taken out is gone from here: there is never a node and a record of it at once.
 */
import { invariant } from '../contract/fault.ts';

export interface IdleNode {
  readonly id: number;
  readonly type: number;
  /** The whole struct file_handle. */
  readonly handle: Buffer;
  readonly parentId: number;
  readonly name: Buffer;
  readonly lookups: number;
  readonly holds: number;
  readonly boundSession: number;
}

/** Records are made of units, and never cross a chunk. */
const unitBytes = 16;
const chunkBytes = 256 * 1024;
const unitsPerChunk = chunkBytes / unitBytes;
const place = {
  id: 0,
  parentId: 8,
  lookups: 16,
  session: 20,
  holds: 24,
  type: 28,
  handleLength: 30,
  nameLength: 31,
  handle: 32,
};
const handleBytesMax = 255;
const nameBytesMax = 255;

const empty = 0;
const removed = 0xffffffff;
const capacityMin = 1024;
/** A length says nothing that the bytes do not. */
const handleHashFrom = 4;

/** Open addressing: places of records plus one. */
class Index {
  #slots = new Uint32Array(capacityMin);
  #used = 0;
  readonly #hashOf: (unit: number) => number;

  constructor(hashOf: (unit: number) => number) {
    this.#hashOf = hashOf;
  }

  /** The record with this hash that `isIt`, -1: none. */
  find(hash: number, isIt: (unit: number) => boolean): number {
    const slot = this.#slotOf(hash, isIt);
    return slot < 0 ? -1 : (this.#slots[slot] ?? 0) - 1;
  }
  #slotOf(hash: number, isIt: (unit: number) => boolean): number {
    const mask = this.#slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const found = this.#slots[slot] ?? empty;
      if (found === empty) return -1;
      if (found !== removed && isIt(found - 1)) return slot;
    }
  }

  add(unit: number): void {
    if ((this.#used + 1) * 3 > this.#slots.length * 2) this.#rebuild();
    this.#put(unit);
    this.#used += 1;
  }
  #put(unit: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashOf(unit) & mask;
    while (this.#slots[slot] !== empty) slot = (slot + 1) & mask;
    this.#slots[slot] = unit + 1;
  }

  remove(unit: number): void {
    const slot = this.#slotOf(this.#hashOf(unit), (one) => one === unit);
    invariant(slot >= 0, 'a record is in both indexes');
    this.#slots[slot] = removed;
  }

  /** Without what was removed; twice as large when it is full even so. */
  #rebuild(): void {
    const units = this.#slots.filter((slot) => slot !== empty && slot !== removed);
    let capacity = capacityMin;
    while (units.length * 3 > capacity) capacity *= 2;
    this.#slots = new Uint32Array(capacity);
    for (const unit of units) this.#put(unit - 1);
    this.#used = units.length;
  }
}

function hashOfId(id: number): number {
  const mixed = Math.imul((id % 4294967296) ^ Math.floor(id / 4294967296), 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

function hashOfHandle(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return (hash ^ (hash >>> 15)) >>> 0;
}

export class IdleNodes {
  readonly #chunks: Buffer[] = [];
  #nextUnit = 0;
  /** Places of removed records, by their number of units. */
  readonly #free: number[][] = [];
  #size = 0;
  readonly #byId = new Index((unit) => hashOfId(this.#idAt(unit)));
  readonly #byHandle = new Index((unit) => {
    const [chunk, at] = [this.#chunkOf(unit), this.#offsetOf(unit) + place.handle];
    return hashOfHandle(chunk, at + handleHashFrom, at + this.#handleLengthAt(unit));
  });

  get size(): number {
    return this.#size;
  }

  /** False: it cannot be kept here (its names are too long, or another one has its handle). */
  put(node: IdleNode): boolean {
    const { handle, name } = node;
    if (handle.length > handleBytesMax || name.length > nameBytesMax) return false;
    if (this.#unitOfHandle(handle) >= 0) return false;
    const unit = this.#allocate(unitsOf(handle.length, name.length));
    const [chunk, at] = [this.#chunkOf(unit), this.#offsetOf(unit)];
    chunk.writeDoubleLE(node.id, at + place.id);
    chunk.writeDoubleLE(node.parentId, at + place.parentId);
    chunk.writeUInt32LE(node.lookups, at + place.lookups);
    chunk.writeUInt32LE(node.boundSession, at + place.session);
    chunk.writeUInt32LE(node.holds, at + place.holds);
    chunk.writeUInt16LE(node.type, at + place.type);
    chunk.writeUInt8(handle.length, at + place.handleLength);
    chunk.writeUInt8(name.length, at + place.nameLength);
    handle.copy(chunk, at + place.handle);
    name.copy(chunk, at + place.handle + handle.length);
    this.#byId.add(unit);
    this.#byHandle.add(unit);
    this.#size += 1;
    return true;
  }

  take(id: number): IdleNode | null {
    if (this.#size === 0) return null;
    return this.#takeAt(this.#byId.find(hashOfId(id), (unit) => this.#idAt(unit) === id));
  }
  takeByHandle(handle: Buffer): IdleNode | null {
    return this.#size === 0 ? null : this.#takeAt(this.#unitOfHandle(handle));
  }

  #unitOfHandle(handle: Buffer): number {
    return this.#byHandle.find(hashOfHandle(handle, handleHashFrom, handle.length), (unit) => {
      const at = this.#offsetOf(unit) + place.handle;
      const length = this.#handleLengthAt(unit);
      return length === handle.length && handle.equals(this.#chunkOf(unit).subarray(at, at + length));
    });
  }

  #takeAt(unit: number): IdleNode | null {
    if (unit < 0) return null;
    const [chunk, at] = [this.#chunkOf(unit), this.#offsetOf(unit)];
    const handleEnd = at + place.handle + chunk.readUInt8(at + place.handleLength);
    const nameEnd = handleEnd + chunk.readUInt8(at + place.nameLength);
    const node = {
      id: chunk.readDoubleLE(at + place.id),
      type: chunk.readUInt16LE(at + place.type),
      handle: Buffer.from(chunk.subarray(at + place.handle, handleEnd)),
      parentId: chunk.readDoubleLE(at + place.parentId),
      name: Buffer.from(chunk.subarray(handleEnd, nameEnd)),
      lookups: chunk.readUInt32LE(at + place.lookups),
      holds: chunk.readUInt32LE(at + place.holds),
      boundSession: chunk.readUInt32LE(at + place.session),
    };
    this.#byId.remove(unit);
    this.#byHandle.remove(unit);
    (this.#free[unitsOf(node.handle.length, node.name.length)] ??= []).push(unit);
    this.#size -= 1;
    return node;
  }

  #allocate(units: number): number {
    const free = this.#free[units]?.pop();
    if (free !== undefined) return free;
    const left = unitsPerChunk - (this.#nextUnit % unitsPerChunk);
    if (left < units) this.#nextUnit += left;
    if (this.#nextUnit >= this.#chunks.length * unitsPerChunk) this.#chunks.push(Buffer.alloc(chunkBytes));
    const unit = this.#nextUnit;
    this.#nextUnit += units;
    return unit;
  }

  #chunkOf(unit: number): Buffer {
    const chunk = this.#chunks[Math.floor(unit / unitsPerChunk)];
    invariant(chunk !== undefined, 'a record lies in a chunk');
    return chunk;
  }
  #offsetOf(unit: number): number {
    return (unit % unitsPerChunk) * unitBytes;
  }
  #idAt(unit: number): number {
    return this.#chunkOf(unit).readDoubleLE(this.#offsetOf(unit) + place.id);
  }
  #handleLengthAt(unit: number): number {
    return this.#chunkOf(unit).readUInt8(this.#offsetOf(unit) + place.handleLength);
  }
}

function unitsOf(handleLength: number, nameLength: number): number {
  return Math.ceil((place.handle + handleLength + nameLength) / unitBytes);
}
