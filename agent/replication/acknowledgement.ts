/**
 * Requests that wait for the peer, in memory that both lanes of a primary share. The primary lane parks, in the order of the stream; whoever
 * learns that a request need not wait any longer claims it, and only who claimed it answers it.
 *
 * Between threads sequence numbers are compared by their low 32 bits, serially: never more than 2^31 changes are under way.
 */
import { invariant } from '../contract/index.ts';

export const parkedMax = 1024;
/** An answer that is parked with its body: the longest is that of a create, with its header. */
export const parkedReplyBytesMax = 192;

const slotWords = 8;
const slot = { state: 0, uniqueLow: 1, uniqueHigh: 2, sequence: 3, parkedAt: 4, body: 5, replyLength: 6 } as const;
/** `claimed`: being read by its claimer, so not yet free to be filled again; `done`: may be freed by either lane. */
const state = { empty: 0, parked: 1, claimed: 2, done: 3 } as const;
/** Free-running counters: the next slot to fill, the oldest one that may not be answered yet. */
const headWord = 0;
const tailWord = 1;
const ringStart = 8;
/** After the slots, one 64-bit number for each. */
const readAtStart = (ringStart + parkedMax * slotWords) * 4;
const repliesStart = readAtStart + parkedMax * 8;
export const parkBytes = repliesStart + parkedMax * parkedReplyBytesMax;

/** One request that may be answered; reused. */
export interface Claimed {
  uniqueLow: number;
  uniqueHigh: number;
  /** Bytes that a synchronous write wrote, for the body of its answer; -1: an answer without a body. */
  written: number;
  /** When the request was read, on the lane's clock. */
  readAtMs: number;
}

/** True when `acknowledged` is at or beyond `sequence` (low 32 bits of both). */
export function reached(acknowledged: number, sequence: number): boolean {
  return ((acknowledged - sequence) | 0) >= 0;
}

export class ParkedRequests {
  readonly #words: Int32Array;
  readonly #readAtMs: Float64Array;
  readonly #replies: Uint8Array;
  readonly claimed: Claimed = { uniqueLow: 0, uniqueHigh: 0, written: -1, readAtMs: 0 };
  /** The whole answer of what was claimed, when it was parked with it: `claimedReplyLength` is not 0 then. */
  readonly claimedReply = new Uint8Array(parkedReplyBytesMax);
  claimedReplyLength = 0;

  constructor(memory: SharedArrayBuffer, byteOffset: number) {
    this.#words = new Int32Array(memory, byteOffset, readAtStart / 4);
    this.#readAtMs = new Float64Array(memory, byteOffset + readAtStart, parkedMax);
    this.#replies = new Uint8Array(memory, byteOffset + repliesStart, parkedMax * parkedReplyBytesMax);
  }

  #slotAt(index: number): number {
    return ringStart + (index & (parkedMax - 1)) * slotWords;
  }

  get count(): number {
    return (Atomics.load(this.#words, headWord) - Atomics.load(this.#words, tailWord)) | 0;
  }
  get full(): boolean {
    return this.count >= parkedMax;
  }

  /**
   * Primary lane only. `atMs`: when it began to wait, in whole milliseconds of the lane's clock (low 32 bits). `reply`: the whole answer, when it is
   * more than a header.
   */
  park(
    uniqueLow: number,
    uniqueHigh: number,
    sequence: number,
    atMs: number,
    written = -1,
    readAtMs = 0,
    reply: Uint8Array | null = null,
    replyLength = 0,
  ): void {
    invariant(!this.full, 'more requests parked than there are places');
    invariant(replyLength <= parkedReplyBytesMax, 'a parked answer that is too long');
    const words = this.#words;
    const head = Atomics.load(words, headWord);
    const at = this.#slotAt(head);
    words[at + slot.uniqueLow] = uniqueLow;
    words[at + slot.uniqueHigh] = uniqueHigh;
    words[at + slot.sequence] = sequence;
    words[at + slot.parkedAt] = atMs;
    words[at + slot.body] = written;
    words[at + slot.replyLength] = replyLength;
    const replyAt = (head & (parkedMax - 1)) * parkedReplyBytesMax;
    for (let index = 0; index < replyLength; index++) this.#replies[replyAt + index] = reply?.[index] ?? 0;
    this.#readAtMs[head & (parkedMax - 1)] = readAtMs;
    Atomics.store(words, at + slot.state, state.parked);
    Atomics.store(words, headWord, (head + 1) | 0);
  }

  /**
   * Takes the oldest request whose sequence is reached (any, when `acknowledged` is null) into `claimed`. Either lane; false when there is none.
   * Sequences are parked in rising order, so the first that is not reached ends the search; a sync that was collected may stand behind a later one,
   * and then waits for it too.
   */
  claim(acknowledged: number | null): boolean {
    const words = this.#words;
    const head = Atomics.load(words, headWord);
    let tail = Atomics.load(words, tailWord);
    for (; tail !== head; tail = (tail + 1) | 0) {
      const at = this.#slotAt(tail);
      const now = Atomics.load(words, at + slot.state);
      if (now === state.parked) {
        if (acknowledged !== null && !reached(acknowledged, words[at + slot.sequence] ?? 0)) return false;
        if (Atomics.compareExchange(words, at + slot.state, state.parked, state.claimed) !== state.parked) continue;
        // Between the look and the claim the place may have been emptied and filled anew by a request that still waits.
        if (acknowledged !== null && !reached(acknowledged, words[at + slot.sequence] ?? 0)) {
          Atomics.store(words, at + slot.state, state.parked);
          return false;
        }
        this.claimed.uniqueLow = words[at + slot.uniqueLow] ?? 0;
        this.claimed.uniqueHigh = words[at + slot.uniqueHigh] ?? 0;
        this.claimed.written = words[at + slot.body] ?? -1;
        this.claimed.readAtMs = this.#readAtMs[tail & (parkedMax - 1)] ?? 0;
        this.claimedReplyLength = words[at + slot.replyLength] ?? 0;
        const replyAt = (tail & (parkedMax - 1)) * parkedReplyBytesMax;
        for (let index = 0; index < this.claimedReplyLength; index++)
          this.claimedReply[index] = this.#replies[replyAt + index] ?? 0;
        Atomics.store(words, at + slot.state, state.done);
        this.#free();
        return true;
      }
    }
    return false;
  }

  /** Moves the tail over answered slots; whoever gets there first frees each. */
  #free(): void {
    const words = this.#words;
    for (;;) {
      const tail = Atomics.load(words, tailWord);
      if (tail === Atomics.load(words, headWord)) return;
      const at = this.#slotAt(tail);
      if (Atomics.compareExchange(words, at + slot.state, state.done, state.empty) !== state.done) return;
      Atomics.store(words, tailWord, (tail + 1) | 0);
    }
  }

  /** Low 32 bits of when the oldest unreached request began to wait; null when none waits for the peer. */
  oldestWaitingSince(acknowledged: number): number | null {
    const words = this.#words;
    const head = Atomics.load(words, headWord);
    for (let tail = Atomics.load(words, tailWord); tail !== head; tail = (tail + 1) | 0) {
      const at = this.#slotAt(tail);
      if (Atomics.load(words, at + slot.state) !== state.parked) continue;
      if (reached(acknowledged, words[at + slot.sequence] ?? 0)) continue;
      return words[at + slot.parkedAt] ?? 0;
    }
    return null;
  }
}
