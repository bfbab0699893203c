/**
 * Records of nodes in plain memory, some 80 bytes each. In memory that outlives the process they are what a successor knows of the nodes that the kernel
 * remembers, so a record is true at any instant: its state is stored last, a changed one is written beside the old one, and of two
 * with the same id the later stamp counts.
 */
import { invariant } from '../contract/fault.ts';

export interface NodeRecord {
  readonly id: number;
  readonly type: number;
  /** The whole struct file_handle. */
  readonly handle: Buffer;
  /** 0: no link is known. */
  readonly parentId: number;
  readonly name: Buffer;
  readonly lookups: number;
  readonly holds: number;
  readonly boundSession: number;
}

export const recordFlag = { unlinked: 1, orphan: 2 } as const;

/** Records are made of units, and never cross a chunk. */
const unitBytes = 16;
export const chunkBytes = 256 * 1024;
const unitsPerChunk = chunkBytes / unitBytes;
const unitWords = unitBytes / 4;
/** Bytes from the beginning of a record. */
const place = {
  id: 0,
  parentId: 8,
  lookups: 16,
  session: 20,
  holds: 24,
  type: 28,
  handleLength: 30,
  nameLength: 31,
  state: 32,
  stamp: 36,
  flags: 40,
  handle: 48,
} as const;
/** Stored with the number of units: `units * 256 + state`. 0: nothing was ever here, nor behind it in this chunk. */
const state = { free: 1, live: 2 } as const;
const handleBytesMax = 255;
const nameBytesMax = 255;

/** Where the chunks are. */
export interface RecordMemory {
  /** Whether a successor may read it. */
  readonly isKept: boolean;
  /** The next one, zeroed when it was never used; of a predecessor first those that it used. */
  readonly nextChunk: (index: number) => Buffer;
  /** Every id below may be in use from now on. */
  readonly reserveIds?: (below: number) => void;
}

export const ownMemory: RecordMemory = { isKept: false, nextChunk: () => Buffer.alloc(chunkBytes) };

interface Chunk {
  readonly bytes: Buffer;
  /** The same memory: one store of a word is whole or not there. And a look at it costs no call. */
  readonly words: Uint32Array;
  readonly numbers: Float64Array;
}

/** Outside of the heap. */
class GrowingList {
  #values = new Uint32Array(1024);
  #count = 0;

  add(value: number): void {
    if (this.#count === this.#values.length) {
      const longer = new Uint32Array(2 * this.#count);
      longer.set(this.#values);
      this.#values = longer;
    }
    this.#values[this.#count++] = value;
  }
  get values(): Uint32Array {
    return this.#values.subarray(0, this.#count);
  }
}

export class NodeRecords {
  readonly #memory: RecordMemory;
  readonly #chunks: Chunk[] = [];
  #nextUnit = 0;
  #stamp = 1;
  /** Places of removed records, by their number of units. */
  readonly #free: number[][] = [];

  constructor(memory: RecordMemory = ownMemory) {
    this.#memory = memory;
  }

  get isKept(): boolean {
    return this.#memory.isKept;
  }

  static fits(handle: Buffer, name: Buffer): boolean {
    return handle.length <= handleBytesMax && name.length <= nameBytesMax;
  }

  /** Where it was put. */
  add(node: NodeRecord, flags = 0): number {
    const { handle, name } = node;
    invariant(NodeRecords.fits(handle, name), 'a record that is too long');
    const units = Math.ceil((place.handle + handle.length + name.length) / unitBytes);
    const unit = this.#allocate(units);
    const { bytes, words } = this.#chunkOf(unit);
    const at = offsetOf(unit);
    bytes.writeDoubleLE(node.id, at + place.id);
    bytes.writeDoubleLE(node.parentId, at + place.parentId);
    bytes.writeUInt32LE(node.lookups, at + place.lookups);
    bytes.writeUInt32LE(node.boundSession, at + place.session);
    bytes.writeUInt32LE(node.holds, at + place.holds);
    bytes.writeUInt16LE(node.type, at + place.type);
    bytes.writeUInt8(handle.length, at + place.handleLength);
    bytes.writeUInt8(name.length, at + place.nameLength);
    bytes.writeUInt32LE((this.#stamp = (this.#stamp + 1) >>> 0), at + place.stamp);
    bytes.writeUInt32LE(flags, at + place.flags);
    handle.copy(bytes, at + place.handle);
    name.copy(bytes, at + place.handle + handle.length);
    words[wordOf(unit, place.state)] = units * 256 + state.live;
    return unit;
  }

  remove(unit: number): void {
    const { words } = this.#chunkOf(unit);
    const word = wordOf(unit, place.state);
    const units = (words[word] ?? 0) >>> 8;
    words[word] = units * 256 + state.free;
    (this.#free[units] ??= []).push(unit);
  }

  setLookups(unit: number, lookups: number): void {
    this.#chunkOf(unit).words[wordOf(unit, place.lookups)] = lookups;
  }

  setUse(unit: number, holds: number, boundSession: number): void {
    const { words } = this.#chunkOf(unit);
    words[wordOf(unit, place.holds)] = holds;
    words[wordOf(unit, place.session)] = boundSession;
  }

  read(unit: number): NodeRecord {
    const { bytes } = this.#chunkOf(unit);
    const at = offsetOf(unit);
    const handleEnd = at + place.handle + bytes.readUInt8(at + place.handleLength);
    const nameEnd = handleEnd + bytes.readUInt8(at + place.nameLength);
    return {
      id: bytes.readDoubleLE(at + place.id),
      type: bytes.readUInt16LE(at + place.type),
      handle: Buffer.from(bytes.subarray(at + place.handle, handleEnd)),
      parentId: bytes.readDoubleLE(at + place.parentId),
      name: Buffer.from(bytes.subarray(handleEnd, nameEnd)),
      lookups: bytes.readUInt32LE(at + place.lookups),
      holds: bytes.readUInt32LE(at + place.holds),
      boundSession: bytes.readUInt32LE(at + place.session),
    };
  }

  idAt(unit: number): number {
    return this.#chunkOf(unit).numbers[wordOf(unit, place.id) / 2] ?? 0;
  }
  lookupsAt(unit: number): number {
    return this.#chunkOf(unit).words[wordOf(unit, place.lookups)] ?? 0;
  }
  parentIdAt(unit: number): number {
    return this.#chunkOf(unit).numbers[wordOf(unit, place.parentId) / 2] ?? 0;
  }
  /** Type, and the lengths of handle and name. */
  #kindAt(unit: number): number {
    return this.#chunkOf(unit).words[wordOf(unit, place.type)] ?? 0;
  }
  typeAt(unit: number): number {
    return this.#kindAt(unit) & 0xffff;
  }
  flagsAt(unit: number): number {
    return this.#chunkOf(unit).words[wordOf(unit, place.flags)] ?? 0;
  }
  handleAt(unit: number): Buffer {
    const start = this.handleStart(unit);
    return this.#chunkOf(unit).bytes.subarray(start, start + this.handleLength(unit));
  }
  /** The handle without a view of it: where it lies in `bytesOf`. */
  bytesOf(unit: number): Buffer {
    return this.#chunkOf(unit).bytes;
  }
  handleStart(unit: number): number {
    return offsetOf(unit) + place.handle;
  }
  handleLength(unit: number): number {
    return (this.#kindAt(unit) >>> 16) & 255;
  }

  /**
   * What a predecessor has left in the first `chunks` chunks, the live ones; of two of one id the later. Null: it is not what we would have written. There may be more
   * of them than objects have room.
   */
  adopt(chunks: number): Uint32Array | null {
    const live = new GrowingList();
    for (let index = 0; index < chunks; index++) if (!this.#adoptChunk(index, live)) return null;
    return this.#withoutDoubles(live.values);
  }

  #adoptChunk(index: number, live: GrowingList): boolean {
    const { words } = this.#appendChunk();
    const first = index * unitsPerChunk;
    let unit = first;
    for (const end = first + unitsPerChunk; unit < end;) {
      const word = words[wordOf(unit, place.state)] ?? 0;
      if (word === 0) break;
      const units = word >>> 8;
      if (units < 3 || unit + units > end) return false;
      if ((word & 255) === state.live) {
        live.add(unit);
        this.#stamp = Math.max(this.#stamp, this.#stampAt(unit));
      } else (this.#free[units] ??= []).push(unit);
      unit += units;
    }
    this.#nextUnit = unit;
    return true;
  }

  #withoutDoubles(units: Uint32Array): Uint32Array {
    const ids = Float64Array.from(units, (unit) => this.idAt(unit)).sort();
    const latest = new Map<number, number>();
    for (let index = 1; index < ids.length; index++) {
      const id = ids[index] ?? 0;
      if (id === ids[index - 1]) latest.set(id, -1);
    }
    if (latest.size === 0) return units;
    for (const unit of units) {
      const other = latest.get(this.idAt(unit));
      if (other === undefined) continue;
      const isLater = other < 0 || this.#stampAt(other) < this.#stampAt(unit);
      if (isLater) latest.set(this.idAt(unit), unit);
      if (other >= 0) this.remove(isLater ? other : unit);
    }
    return units.filter((unit) => (latest.get(this.idAt(unit)) ?? unit) === unit);
  }

  #stampAt(unit: number): number {
    return this.#chunkOf(unit).words[wordOf(unit, place.stamp)] ?? 0;
  }

  #allocate(units: number): number {
    const free = this.#free[units]?.pop();
    if (free !== undefined) return free;
    const left = unitsPerChunk - (this.#nextUnit % unitsPerChunk);
    if (left < units) this.#nextUnit += left;
    if (this.#nextUnit >= this.#chunks.length * unitsPerChunk) this.#appendChunk();
    const unit = this.#nextUnit;
    this.#nextUnit += units;
    // From here on whoever reads along finds what follows.
    this.#chunkOf(unit).words[wordOf(unit, place.state)] = units * 256 + state.free;
    return unit;
  }

  #appendChunk(): Chunk {
    const bytes = this.#memory.nextChunk(this.#chunks.length);
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, chunkBytes / 4);
    const numbers = new Float64Array(bytes.buffer, bytes.byteOffset, chunkBytes / 8);
    const chunk = { bytes, words, numbers };
    this.#chunks.push(chunk);
    return chunk;
  }

  #chunkOf(unit: number): Chunk {
    const chunk = this.#chunks[Math.floor(unit / unitsPerChunk)];
    invariant(chunk !== undefined, 'a record lies in a chunk');
    return chunk;
  }
}

function offsetOf(unit: number): number {
  return (unit % unitsPerChunk) * unitBytes;
}
function wordOf(unit: number, byte: number): number {
  return (unit % unitsPerChunk) * unitWords + byte / 4;
}
