/**
 * What was given to the link and is not acknowledged yet, in the order of the stream: when the connection is lost and another one takes its place, the target gets it
 * from there. Whole frames, in memory that is made once; what does not fit is forgotten with all before it, and what comes next is kept again.
 */
import { Memory } from '../sys/memory.ts';
import { reached } from './acknowledgement.ts';

/** Twice what may be under way before changes wait, with the largest of them. */
export const sentBytesMax = 8 * 1024 * 1024;
const lengthBytes = 4;

export class SentFrames {
  readonly memory: Memory;
  #start = 0;
  #end = 0;
  /** Of the last frame. */
  #sequence = 0;
  /** Up to here nothing is kept. */
  #forgotten = 0;

  constructor(bytesMax = sentBytesMax) {
    this.memory = new Memory(bytesMax);
  }

  /** Nothing is missing between what is acknowledged and the last frame. */
  isWhole(acknowledged: number): boolean {
    return reached(acknowledged, this.#forgotten);
  }

  /** Another session: its numbers begin anew. */
  begin(): void {
    this.#start = this.#end = 0;
    this.#sequence = this.#forgotten = 0;
  }

  /** The frames in `bytes` up to `length`, the last of which has number `sequence`. */
  append(bytes: Buffer, length: number, sequence: number, acknowledged: number): void {
    if (reached(acknowledged, this.#sequence)) this.#start = this.#end = 0;
    this.#sequence = sequence;
    if (this.#end + length > this.memory.length) this.#makeRoom(acknowledged);
    if (this.#end + length > this.memory.length) {
      this.#start = this.#end = 0;
      this.#forgotten = sequence;
      return;
    }
    bytes.copy(this.memory.bytes, this.#end, 0, length);
    this.#end += length;
  }

  #makeRoom(acknowledged: number): void {
    this.#start = this.#behind(acknowledged);
    this.memory.bytes.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }

  /** Where the first frame stands that comes after `sequence` (low 32 bits are compared). */
  #behind(sequence: number): number {
    const { bytes } = this.memory;
    let at = this.#start;
    while (at < this.#end && reached(sequence, bytes.readUInt32LE(at + lengthBytes)))
      at += lengthBytes + bytes.readUInt32LE(at);
    return at;
  }

  /** What a target lacks that has everything up to `applied`: a range of `memory`. Null: it is not here, or the target has what was never sent. */
  after(applied: number): { readonly start: number; readonly length: number } | null {
    if (applied > this.#sequence) return null;
    const start = this.#behind(applied);
    const isNext = start === this.#end || this.memory.bytes.readUInt32LE(start + lengthBytes) === (applied + 1) >>> 0;
    // A target that lacks what it has acknowledged is not the one that it was.
    if (!isNext || (start === this.#end && applied !== this.#sequence)) return null;
    return { start, length: this.#end - start };
  }
}
