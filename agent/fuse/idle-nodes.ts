/**
 * Nodes that the kernel remembers and nobody uses: one object each would cost 700 bytes, a million files as many megabytes. Here each is a record in plain
 * memory, found by id and by handle. What is taken out is gone from here; its record goes too, unless it outlives the process.
 */
import { invariant } from '../contract/fault.ts';
import { handleHeaderBytes, NodeRecords } from './node-records.ts';
import type { NodeRecord } from './node-records.ts';
import { mixed, UnitIndex } from './unit-index.ts';

export interface IdleNode extends NodeRecord {
  /** Of a node whose record outlives the process, and so is there already. */
  readonly unit?: number;
}

function hashOfId(id: number): number {
  return mixed((id >>> 0) ^ Math.floor(id / 4294967296));
}

function hashOfBytes(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193);
  return mixed(hash);
}

export class IdleNodes {
  readonly #records: NodeRecords;
  #size = 0;
  readonly #byId = new UnitIndex();
  readonly #byHandle = new UnitIndex();

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
    const bytes = this.#records.bytesOf(unit);
    const start = this.#records.handleStart(unit);
    const end = start + this.#records.handleLength(unit);
    if (this.#unitOf(bytes, start, end, this.#records.handleTypeAt(unit)) >= 0) return false;
    this.#records.setUse(unit, 0, 0);
    this.#index(unit);
    return true;
  }

  #index(unit: number): void {
    this.#byId.add(hashOfId(this.#records.idAt(unit)), unit);
    this.#byHandle.add(this.#handleHash(unit), unit);
    this.#size += 1;
  }
  #handleHash(unit: number): number {
    const start = this.#records.handleStart(unit);
    return hashOfBytes(this.#records.bytesOf(unit), start, start + this.#records.handleLength(unit));
  }

  take(id: number): IdleNode | null {
    return this.#size === 0 ? null : this.#takeAt(this.#unitOfId(id));
  }
  #unitOfId(id: number): number {
    let unit = this.#byId.first(hashOfId(id));
    while (unit >= 0 && this.#records.idAt(unit) !== id) unit = this.#byId.next();
    return unit;
  }

  /** The kernel has forgotten it so many times. Id of the directory that it was in, where it is gone by that; 0: it is not here, or stays. Nothing is made an object for it. */
  forget(id: number, count: number): number {
    const unit = this.#size === 0 ? -1 : this.#unitOfId(id);
    if (unit < 0) return 0;
    const left = Math.max(0, this.#records.lookupsAt(unit) - count);
    if (left > 0 || this.#records.holdsAt(unit) > 0) {
      this.#records.setLookups(unit, left);
      return 0;
    }
    const parentId = this.#records.parentIdAt(unit);
    this.#removeAt(unit, id);
    this.#records.remove(unit);
    return parentId;
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
    return this.#unitOf(handle, handleHeaderBytes, handle.length, handle.readUInt32LE(4));
  }
  /** Of a handle by its bytes without the header. */
  #unitOf(bytes: Buffer, start: number, end: number, type: number): number {
    const records = this.#records;
    for (let unit = this.#byHandle.first(hashOfBytes(bytes, start, end)); unit >= 0; unit = this.#byHandle.next()) {
      if (records.handleLength(unit) !== end - start || records.handleTypeAt(unit) !== type) continue;
      const at = records.handleStart(unit);
      if (bytes.compare(records.bytesOf(unit), at, at + end - start, start, end) === 0) return unit;
    }
    return -1;
  }

  #takeAt(unit: number): IdleNode | null {
    if (unit < 0) return null;
    const node = this.#records.read(unit);
    this.#removeAt(unit, node.id);
    if (this.#records.isKept) return { ...node, unit };
    this.#records.remove(unit);
    return node;
  }

  #removeAt(unit: number, id: number): void {
    const inBoth = this.#byId.remove(hashOfId(id), unit) && this.#byHandle.remove(this.#handleHash(unit), unit);
    invariant(inBoth, 'a record is in both indexes');
    this.#size -= 1;
  }
}
