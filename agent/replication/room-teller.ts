/** When the target tells the source how much its disk can still take: with an acknowledgement, seldom while there is plenty, with each of them when there is not. */
import { encodeRoom } from './answer-codec.ts';
import { kind } from './change-codec.ts';
import type { Kind } from './change-codec.ts';
import { uncounted } from './room.ts';
import type { Room } from './room.ts';

const tellAfterMs = 100;
const tellAfterBytes = 64 * 1024 * 1024;
/** So much room is little. */
const littleBytes = 256 * 1024 * 1024;
const littleNames = 16 * 1024;
/** Shorter than any frame that makes an object. */
const frameBytesMin = 32;
const idleMs = 1000;
/** What others do on this disk is told to an idle source when it is more than this part of what was told. */
const noticeablePart = 64;
/** Whoever asks waits for an answer: of a disk that says nothing, no bound. */
const unknown: Room = { bytes: uncounted, names: uncounted, totalBytes: uncounted, totalNames: uncounted };

export class RoomTeller {
  readonly #room: () => Room | null;
  readonly #nowMs: () => number;
  #told: Room | null = null;
  #toldAtMs = -Infinity;
  #receivedBytes = 0;
  #isAsked = false;

  constructor(room: () => Room | null, nowMs: () => number) {
    this.#room = room;
    this.#nowMs = nowMs;
  }

  /** @param isAsked the answer to a question may not have arrived. */
  begin(isAsked = false): void {
    this.#told = null;
    this.#toldAtMs = -Infinity;
    this.#receivedBytes = 0;
    this.#isAsked = isAsked;
  }

  received(bytes: number): void {
    this.#receivedBytes += bytes;
  }

  /** What takes more room than its own length, and the question itself. */
  applied(frame: Kind): void {
    if (frame === kind.askRoom || frame === kind.allocate) this.#isAsked = true;
  }

  /** Behind what stands in `into` up to `length`; the new length. `sequence`: everything up to it is applied. */
  append(into: Buffer, length: number, sequence: number): number {
    const nowMs = this.#nowMs();
    if (!this.#isDue(nowMs)) return length;
    const isAsked = this.#isAsked;
    const room = this.#measure(nowMs);
    if (room === null && !isAsked) return length;
    return length + encodeRoom(into.subarray(length), sequence, room ?? unknown);
  }

  /** The same for a source that sends nothing; 0: nothing to tell. */
  appendIdle(into: Buffer, sequence: number): number {
    const nowMs = this.#nowMs();
    if (nowMs - this.#toldAtMs < idleMs) return 0;
    const before = this.#told;
    const room = this.#measure(nowMs);
    if (room === null) return 0;
    const isNews =
      before === null || Math.abs(room.bytes - before.bytes) > Math.min(before.bytes, room.bytes) / noticeablePart;
    if (isNews) return encodeRoom(into, sequence, room);
    this.#told = before;
    return 0;
  }

  #isDue(nowMs: number): boolean {
    if (this.#isAsked || this.#receivedBytes >= tellAfterBytes || nowMs - this.#toldAtMs >= tellAfterMs) return true;
    if (this.#told === null) return false;
    const { bytes, names } = this.#told;
    return bytes - this.#receivedBytes < littleBytes || names - this.#receivedBytes / frameBytesMin < littleNames;
  }

  #measure(nowMs: number): Room | null {
    this.#told = this.#room();
    this.#toldAtMs = nowMs;
    this.#receivedBytes = 0;
    this.#isAsked = false;
    return this.#told;
  }
}
