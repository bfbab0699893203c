/**
 * Records of nodes in plain memory: 40 bytes, the handle without its header (8 of ext4 and XFS, 40 of btrfs at most) and one name each. In memory that outlives the process they are what a successor knows of the nodes that the kernel
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
const unitBytes = 8;
export const chunkBytes = 256 * 1024;
const unitsPerChunk = chunkBytes / unitBytes;
const unitWords = unitBytes / 4;
/** Bytes from the beginning of a record. */
const place = {
  id: 0,
  parentId: 8,
  /** Of a place that is free: the next free one of its size, plus one. */
  lookups: 16,
  session: 20,
  state: 24,
  stamp: 28,
  type: 32,
  handleLength: 34,
  nameLength: 35,
  handleType: 36,
  holds: 38,
  flags: 39,
  handle: 40,
} as const;
const unitsMin = place.handle / unitBytes;
/** struct file_handle begins with the length of what follows, and a type (u32 each); these are not among the bytes of a record. */
export const handleHeaderBytes = 8;
/** Stored with the number of units: `units * 256 + state`. 0: nothing was ever here, nor behind it in this chunk. */
const state = { free: 1, live: 2 } as const;
const handleBytesMax = handleHeaderBytes + 255;
const handleTypeMax = 0xffff;
const holdsMax = 255;
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
  /** The first place of a removed record plus one, by its number of units; each knows the next. */
  readonly #free: number[] = [];

  constructor(memory: RecordMemory = ownMemory) {
    this.#memory = memory;
  }

  get isKept(): boolean {
    return this.#memory.isKept;
  }

  static fits(handle: Buffer, name: Buffer): boolean {
    return handle.length <= handleBytesMax && name.length <= nameBytesMax && handle.readUInt32LE(4) <= handleTypeMax;
  }

  /** Where it was put. */
  add(node: NodeRecord, flags = 0): number {
    const { handle, name } = node;
    invariant(NodeRecords.fits(handle, name), 'a record that is too long');
    invariant(node.holds <= holdsMax, 'a record of what is in use');
    const handleLength = handle.length - handleHeaderBytes;
    const units = Math.ceil((place.handle + handleLength + name.length) / unitBytes);
    const unit = this.#allocate(units);
    const { bytes, words } = this.#chunkOf(unit);
    const at = offsetOf(unit);
    bytes.writeDoubleLE(node.id, at + place.id);
    bytes.writeDoubleLE(node.parentId, at + place.parentId);
    bytes.writeUInt32LE(node.lookups, at + place.lookups);
    bytes.writeUInt32LE(node.boundSession, at + place.session);
    bytes.writeUInt32LE((this.#stamp = (this.#stamp + 1) >>> 0), at + place.stamp);
    bytes.writeUInt16LE(node.type, at + place.type);
    bytes.writeUInt8(handleLength, at + place.handleLength);
    bytes.writeUInt8(name.length, at + place.nameLength);
    bytes.writeUInt16LE(handle.readUInt32LE(4), at + place.handleType);
    bytes.writeUInt8(node.holds, at + place.holds);
    bytes.writeUInt8(flags, at + place.flags);
    handle.copy(bytes, at + place.handle, handleHeaderBytes);
    name.copy(bytes, at + place.handle + handleLength);
    words[wordOf(unit, place.state)] = units * 256 + state.live;
    return unit;
  }

  remove(unit: number): void {
    const { words } = this.#chunkOf(unit);
    const word = wordOf(unit, place.state);
    const units = (words[word] ?? 0) >>> 8;
    words[word] = units * 256 + state.free;
    this.#chainFree(unit, units);
  }
  #chainFree(unit: number, units: number): void {
    this.#chunkOf(unit).words[wordOf(unit, place.lookups)] = this.#free[units] ?? 0;
    this.#free[units] = unit + 1;
  }

  setLookups(unit: number, lookups: number): void {
    this.#chunkOf(unit).words[wordOf(unit, place.lookups)] = lookups;
  }

  setUse(unit: number, holds: number, boundSession: number): void {
    const { bytes, words } = this.#chunkOf(unit);
    invariant(holds <= holdsMax, 'a record of what is in use');
    bytes.writeUInt8(holds, offsetOf(unit) + place.holds);
    words[wordOf(unit, place.session)] = boundSession;
  }

  read(unit: number): NodeRecord {
    const { bytes } = this.#chunkOf(unit);
    const at = offsetOf(unit);
    const handleStart = at + place.handle;
    const handleEnd = handleStart + bytes.readUInt8(at + place.handleLength);
    const nameEnd = handleEnd + bytes.readUInt8(at + place.nameLength);
    const handle = Buffer.allocUnsafe(handleHeaderBytes + handleEnd - handleStart);
    handle.writeUInt32LE(handleEnd - handleStart, 0);
    handle.writeUInt32LE(bytes.readUInt16LE(at + place.handleType), 4);
    bytes.copy(handle, handleHeaderBytes, handleStart, handleEnd);
    return {
      id: bytes.readDoubleLE(at + place.id),
      type: bytes.readUInt16LE(at + place.type),
      handle,
      parentId: bytes.readDoubleLE(at + place.parentId),
      name: Buffer.from(bytes.subarray(handleEnd, nameEnd)),
      lookups: bytes.readUInt32LE(at + place.lookups),
      holds: bytes.readUInt8(at + place.holds),
      boundSession: bytes.readUInt32LE(at + place.session),
    };
  }

  idAt(unit: number): number {
    return this.#chunkOf(unit).numbers[wordOf(unit, place.id) / 2] ?? 0;
  }
  lookupsAt(unit: number): number {
    return this.#chunkOf(unit).words[wordOf(unit, place.lookups)] ?? 0;
  }
  holdsAt(unit: number): number {
    return this.#chunkOf(unit).bytes.readUInt8(offsetOf(unit) + place.holds);
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
    return this.#useAt(unit) >>> 24;
  }
  /** The type of the handle, holds and flags. */
  #useAt(unit: number): number {
    return this.#chunkOf(unit).words[wordOf(unit, place.handleType)] ?? 0;
  }
  handleTypeAt(unit: number): number {
    return this.#useAt(unit) & 0xffff;
  }
  /** The handle without its header and without a view of it: where it lies in `bytesOf`. */
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
      if (units < unitsMin || unit + units > end) return false;
      if ((word & 255) === state.live) {
        live.add(unit);
        this.#stamp = Math.max(this.#stamp, this.#stampAt(unit));
      } else this.#chainFree(unit, units);
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
    const free = (this.#free[units] ?? 0) - 1;
    if (free >= 0) {
      this.#free[units] = this.#chunkOf(free).words[wordOf(free, place.lookups)] ?? 0;
      return free;
    }
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
