/**
 * Nodes that the kernel remembers and nobody uses: one object each would cost 700 bytes, a million files as many megabytes. Here each is a record in plain
 * memory, found by id and by handle. What is taken out is gone from here; its record goes too, unless it outlives the process.
 */
import { invariant } from '../contract/fault.ts';
import { NodeRecords } from './node-records.ts';
import type { NodeRecord } from './node-records.ts';

export interface IdleNode extends NodeRecord {
  /** Of a node whose record outlives the process, and so is there already. */
  readonly unit?: number;
}

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

  *all(): Generator<number> {
    for (const slot of this.#slots) if (slot !== empty && slot !== removed) yield slot - 1;
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
  readonly #records: NodeRecords;
  #size = 0;
  readonly #byId = new Index((unit) => hashOfId(this.#records.idAt(unit)));
  readonly #byHandle = new Index((unit) => {
    const start = this.#records.handleStart(unit);
    const end = start + this.#records.handleLength(unit);
    return hashOfHandle(this.#records.bytesOf(unit), start + handleHashFrom, end);
  });

  constructor(records = new NodeRecords()) {
    this.#records = records;
  }

  get size(): number {
    return this.#size;
  }

  /** False: it cannot be kept here (its names are too long, or another one has its handle). */
  put(node: IdleNode): boolean {
    const { handle, name, unit: known = -1 } = node;
    if (!NodeRecords.fits(handle, name)) return false;
    if (this.#unitOfHandle(handle) >= 0) return false;
    if (known >= 0) this.#records.setUse(known, node.holds, node.boundSession);
    this.#index(known >= 0 ? known : this.#records.add(node));
    return true;
  }

  /** A record of a predecessor. False: another one has its handle. */
  putRecord(unit: number): boolean {
    const handle = this.#records.handleAt(unit);
    if (this.#unitOfHandle(handle) >= 0) return false;
    this.#records.setUse(unit, 0, 0);
    this.#index(unit);
    return true;
  }

  #index(unit: number): void {
    this.#byId.add(unit);
    this.#byHandle.add(unit);
    this.#size += 1;
  }

  take(id: number): IdleNode | null {
    if (this.#size === 0) return null;
    return this.#takeAt(this.#byId.find(hashOfId(id), (unit) => this.#records.idAt(unit) === id));
  }
  takeByHandle(handle: Buffer): IdleNode | null {
    return this.#size === 0 ? null : this.#takeAt(this.#unitOfHandle(handle));
  }

  /** Ids of those that are believed to stand there. Looks at all. */
  idsAt(parentId: number, name: Buffer): number[] {
    const found: number[] = [];
    for (const unit of this.#byId.all()) {
      if (this.#records.parentIdAt(unit) !== parentId || !this.#records.read(unit).name.equals(name)) continue;
      found.push(this.#records.idAt(unit));
    }
    return found;
  }

  #unitOfHandle(handle: Buffer): number {
    return this.#byHandle.find(hashOfHandle(handle, handleHashFrom, handle.length), (unit) => {
      const length = this.#records.handleLength(unit);
      if (length !== handle.length) return false;
      const [bytes, start] = [this.#records.bytesOf(unit), this.#records.handleStart(unit)];
      return handle.compare(bytes, start, start + length) === 0;
    });
  }

  #takeAt(unit: number): IdleNode | null {
    if (unit < 0) return null;
    const node = this.#records.read(unit);
    this.#byId.remove(unit);
    this.#byHandle.remove(unit);
    this.#size -= 1;
    if (this.#records.isKept) return { ...node, unit };
    this.#records.remove(unit);
    return node;
  }
}
