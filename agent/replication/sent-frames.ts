/**
 * What was given to the link and is not acknowledged yet, in the order of the stream: when the connection is lost and another one takes its place, the target gets it
 * from there. Whole frames, in memory that is made once; of what does not fit nothing is kept until all that was sent is acknowledged.
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
  /** Nothing is missing between what is acknowledged and the last frame. */
  #whole = true;

  constructor(bytesMax = sentBytesMax) {
    this.memory = new Memory(bytesMax);
  }

  get isWhole(): boolean {
    return this.#whole;
  }

  /** Another session: its numbers begin anew. */
  begin(): void {
    this.#start = this.#end = 0;
    this.#sequence = 0;
    this.#whole = true;
  }

  /** The frames in `bytes` up to `length`, the last of which has number `sequence`. */
  append(bytes: Buffer, length: number, sequence: number, acknowledged: number): void {
    if (reached(acknowledged, this.#sequence)) {
      this.#start = this.#end = 0;
      this.#whole = true;
    }
    this.#sequence = sequence;
    if (!this.#whole) return;
    if (this.#end + length > this.memory.length) this.#makeRoom(acknowledged);
    if (this.#end + length > this.memory.length) {
      this.#whole = false;
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
    if (!this.#whole || applied > this.#sequence) return null;
    const start = this.#behind(applied);
    const isNext = start === this.#end || this.memory.bytes.readUInt32LE(start + lengthBytes) === (applied + 1) >>> 0;
    // A target that lacks what it has acknowledged is not the one that it was.
    if (!isNext || (start === this.#end && applied !== this.#sequence)) return null;
    return { start, length: this.#end - start };
  }
}
