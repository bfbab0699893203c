/**
 * The hot log on its disk: one file of a fixed size, written around as a ring of batches. A batch is durable before anything that it names is changed.
 *
 * Each batch has the number of the oldest one that is still needed. Read back, all from there to the newest must be there, or nothing is believed. A batch
 * that a power cut has torn is as good as not written: nothing was changed yet that only it names. (A disk that loses the very last batch after it has said
 * that it has it looks the same; the other copy knows the number of the last one that it has heard of.)
 */
import { createHash } from 'node:crypto';
import { decodeEntries, encodeEntry, HotSet } from './hot-set.ts';
import type { HotEntry } from './hot-set.ts';

/** Each call is one step that a power cut may follow. */
export interface HotDisk {
  /** All of it; null: it is not there, or does not read. */
  read(): Buffer | null;
  /** Makes the file, all of it written, so that no later write needs room. 0 or -errno. */
  prepare(bytes: number): number;
  write(offset: number, content: Buffer): number;
  sync(): number;
}

export const hotLogBytes = 16 * 1024 * 1024;
/** No disk writes in larger pieces: one that is torn takes no other batch along. */
export const unitBytes = 4096;
const magic = 0x48_4f_54_31;
/** Magic, length, log, number, oldest needed number, checkpoint, digest. */
const at = { magic: 0, length: 4, log: 8, number: 16, oldest: 24, checkpoint: 32, digest: 40 };
const digestBytes = 24;
const headerBytes = at.digest + digestBytes;

interface Batch {
  readonly offset: number;
  readonly bytes: number;
  readonly number: number;
  readonly oldest: number;
  /** Of the checkpoint that was asked for with this batch; 0: none. */
  readonly checkpoint: number;
  /** Null: whole as it was written, but not to be understood. */
  readonly entries: readonly HotEntry[] | null;
}

function digestOf(batch: Buffer): Buffer {
  return createHash('sha256').update(batch.subarray(0, at.digest)).update(batch.subarray(headerBytes)).digest();
}

function encodeBatch(
  log: number,
  number: number,
  oldest: number,
  checkpoint: number,
  entries: Iterable<HotEntry>,
): Buffer {
  const body = Buffer.concat(Array.from(entries, encodeEntry));
  const batch = Buffer.alloc(headerBytes + body.length);
  batch.writeUInt32LE(magic, at.magic);
  batch.writeUInt32LE(batch.length, at.length);
  batch.writeDoubleLE(log, at.log);
  batch.writeDoubleLE(number, at.number);
  batch.writeDoubleLE(oldest, at.oldest);
  batch.writeDoubleLE(checkpoint, at.checkpoint);
  body.copy(batch, headerBytes);
  digestOf(batch).copy(batch, at.digest, 0, digestBytes);
  return batch;
}

/** Null: no batch of this log begins here. */
function batchAt(ring: Buffer, offset: number, log: number): Batch | null {
  if (offset + headerBytes > ring.length || ring.readUInt32LE(offset + at.magic) !== magic) return null;
  const length = ring.readUInt32LE(offset + at.length);
  if (length < headerBytes || offset + length > ring.length) return null;
  const batch = ring.subarray(offset, offset + length);
  if (batch.readDoubleLE(at.log) !== log) return null;
  if (!digestOf(batch).subarray(0, digestBytes).equals(batch.subarray(at.digest, headerBytes))) return null;
  return {
    offset,
    bytes: roundedUp(length),
    number: batch.readDoubleLE(at.number),
    oldest: batch.readDoubleLE(at.oldest),
    checkpoint: batch.readDoubleLE(at.checkpoint),
    entries: decodeEntries(batch.subarray(headerBytes)),
  };
}

function* batchesOf(ring: Buffer, log: number): Generator<Batch> {
  for (let offset = 0; offset < ring.length; offset += unitBytes) {
    const batch = batchAt(ring, offset, log);
    if (batch) yield batch;
  }
}

const roundedUp = (bytes: number): number => Math.ceil(bytes / unitBytes) * unitBytes;

/** What a log says that was read back. */
export interface ReadLog {
  readonly set: HotSet;
  /** Of the newest batch. */
  readonly number: number;
  /** The highest checkpoint that was asked for. */
  readonly given: number;
}

interface Placed {
  readonly number: number;
  readonly offset: number;
  readonly bytes: number;
  readonly checkpoint: number;
}

export class HotLog {
  readonly #disk: HotDisk;
  readonly #bytes: number;
  #log = 0;
  #number = 0;
  #next = 0;
  /** Still needed, oldest first. */
  #live: Placed[] = [];

  constructor(disk: HotDisk, bytes = hotLogBytes) {
    this.#disk = disk;
    this.#bytes = bytes;
  }

  /** Of the newest batch. */
  get number(): number {
    return this.#number;
  }

  /** A new log, and its first checkpoint. 0 or -errno. */
  begin(log: number, checkpoint: number): number {
    // What other logs have left says nothing about this one.
    const ring = this.#disk.read();
    const isUsable = ring?.length === this.#bytes && batchesOf(ring, log).next().done === true;
    const status = isUsable ? 0 : this.#disk.prepare(this.#bytes);
    if (status < 0) return status;
    this.#log = log;
    this.#number = 0;
    this.#next = 0;
    this.#live = [];
    return this.append(checkpoint, []);
  }

  /**
   * What was changed since `checkpoint`, from the disk; the log goes on after it. Null: damaged, or not this log.
   */
  restore(log: number, checkpoint: number): ReadLog | null {
    const ring = this.#disk.read();
    // What reads may stand in memory only: a power cut must not take back what is believed now.
    if (ring?.length !== this.#bytes || this.#disk.sync() < 0) return null;
    const found = new Map<number, Batch>();
    for (const batch of batchesOf(ring, log)) found.set(batch.number, batch);
    const newest = found.get(Math.max(0, ...found.keys()));
    if (!newest) return null;
    const batches: Batch[] = [];
    for (let number = newest.oldest; number <= newest.number; number++) {
      const batch = found.get(number);
      if (!batch) return null;
      batches.push(batch);
    }
    const first = batches.findIndex((batch) => batch.checkpoint === checkpoint);
    if (first < 0) return null;
    const set = new HotSet();
    for (const { entries } of batches.slice(first)) {
      if (entries === null) return null;
      for (const entry of entries) set.add(entry);
    }
    this.#log = log;
    this.#number = newest.number;
    this.#next = newest.offset + newest.bytes;
    this.#live = batches.map(({ number, offset, bytes, checkpoint: asked }) => ({
      number,
      offset,
      bytes,
      checkpoint: asked,
    }));
    return { set, number: newest.number, given: Math.max(...batches.map((batch) => batch.checkpoint)) };
  }

  /** Durable when it returns 0. `checkpoint`: one that is about to be asked for. -ENOSPC: only `rewrite` makes room. */
  append(checkpoint: number, entries: Iterable<HotEntry>): number {
    return this.#write(checkpoint, entries, this.#live);
  }

  /** The same as one batch, after which nothing older is needed. `checkpoint`: the last one that both disks have. */
  rewrite(checkpoint: number, entries: Iterable<HotEntry>): number {
    return this.#write(checkpoint, entries, []);
  }

  #write(checkpoint: number, entries: Iterable<HotEntry>, needed: readonly Placed[]): number {
    const number = this.#number + 1;
    const batch = encodeBatch(this.#log, number, needed[0]?.number ?? number, checkpoint, entries);
    const bytes = roundedUp(batch.length);
    // Never more than half of the ring is needed: then the whole of it can be said once more beside.
    if (needed.reduce((sum, one) => sum + one.bytes, bytes) > this.#bytes / 2) return -noSpace;
    const offset = this.#placeFor(bytes);
    if (offset < 0) return -noSpace;
    // Whatever comes of it: a failed one may stand on the disk, and no other batch may have its number.
    this.#number = number;
    const written = this.#disk.write(offset, batch);
    const status = written < 0 ? written : this.#disk.sync();
    if (status < 0) return status;
    this.#next = offset + bytes;
    this.#live = [...needed, { number, offset, bytes, checkpoint }];
    return 0;
  }

  /** Never over a batch that is needed; also not by a rewrite, which may be torn. */
  #placeFor(bytes: number): number {
    for (const offset of [this.#next, 0]) {
      if (offset + bytes > this.#bytes) continue;
      const isFree = this.#live.every((one) => one.offset + one.bytes <= offset || one.offset >= offset + bytes);
      if (isFree) return offset;
    }
    return -1;
  }

  /** Both disks have this checkpoint: nothing older is needed. */
  confirmed(checkpoint: number): void {
    const first = this.#live.findIndex((batch) => batch.checkpoint === checkpoint);
    if (first > 0) this.#live = this.#live.slice(first);
  }
}

const noSpace = 28;
