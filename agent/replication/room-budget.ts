/**
 * How much the peer can still take, as the primary knows it: what was told last, less what has been granted since the change that it was told at. Away from a full disk this is all that a
 * change pays for it: plain numbers, no call, nothing allocated.
 */
import { reached } from './acknowledgement.ts';
import type { Room } from './room.ts';

const versionWord = 0;
const sequenceWord = 1;
const valuesStart = 8;
export const sharedRoomBytes = valuesStart + 4 * 8;

/** The last number that the peer has told, in memory that both lanes of a primary share: the acknowledgement lane writes, the primary lane reads. */
export class SharedRoom {
  readonly #words: Int32Array;
  readonly #values: Float64Array;

  constructor(memory: SharedArrayBuffer, byteOffset: number) {
    this.#words = new Int32Array(memory, byteOffset, 2);
    this.#values = new Float64Array(memory, byteOffset + valuesStart, 4);
  }

  /** Of what was told last. */
  get version(): number {
    return Atomics.load(this.#words, versionWord);
  }

  /** After everything up to `sequence`, of which only the low 32 bits count. */
  tell(sequence: number, room: Room): void {
    // Odd while it is being written, as the record of the control block.
    Atomics.add(this.#words, versionWord, 1);
    this.#values[0] = room.bytes;
    this.#values[1] = room.names;
    this.#values[2] = room.totalBytes;
    this.#values[3] = room.totalNames;
    Atomics.store(this.#words, sequenceWord, sequence | 0);
    Atomics.add(this.#words, versionWord, 1);
  }

  /** The sequence; its version becomes `into.version`. */
  read(into: Room & { version: number }): number {
    for (;;) {
      const { version } = this;
      if ((version & 1) !== 0) continue;
      into.bytes = this.#values[0] ?? 0;
      into.names = this.#values[1] ?? 0;
      into.totalBytes = this.#values[2] ?? 0;
      into.totalNames = this.#values[3] ?? 0;
      const sequence = Atomics.load(this.#words, sequenceWord);
      if (this.version !== version) continue;
      into.version = version;
      return sequence;
    }
  }
}

/** Places at which it is known what had been granted. Coarser when there are more: then more counts as under way than is. */
const marksMax = 64;

export class RoomBudget {
  readonly #shared: SharedRoom;
  readonly #told = { version: 0, bytes: 0, names: 0, totalBytes: 0, totalNames: 0 };
  /** Of the change that the last number was told after, low 32 bits. */
  sequence = 0;
  isKnown = false;
  /** Granted on this link, and how much may be before anything else is told. */
  #bytes = 0;
  #names = 0;
  #bytesMax = Infinity;
  #namesMax = Infinity;
  readonly #sequences = new Float64Array(marksMax);
  readonly #bytesAt = new Float64Array(marksMax);
  readonly #namesAt = new Float64Array(marksMax);
  #marks = 0;
  #marked = -1;

  constructor(shared: SharedRoom) {
    this.#shared = shared;
  }

  /** A new link: what was told on a former one counts no more, and until something is told there is no bound. */
  begin(): void {
    this.#told.version = this.#shared.version;
    this.isKnown = false;
    this.sequence = 0;
    this.#bytes = this.#names = 0;
    this.#bytesMax = this.#namesMax = Infinity;
    this.#marks = 0;
    this.#mark(0);
  }

  /** `sequence`: the last change that was told; everything granted before it is in the stream up to there. False: nothing is granted. */
  take(bytes: number, names: number, sequence: number): boolean {
    if (sequence !== this.#marked) this.#mark(sequence);
    if (this.#shared.version !== this.#told.version) this.refresh();
    if (this.#bytes + bytes > this.#bytesMax || this.#names + names > this.#namesMax) return false;
    this.#bytes += bytes;
    this.#names += names;
    return true;
  }

  /** The peer is asked, with this number: what was granted before and is not told by then has failed here, and will not be. */
  asked(sequence: number): void {
    if (sequence !== this.#marked) this.#mark(sequence);
  }

  refresh(): void {
    if (this.#shared.version === this.#told.version) return;
    this.sequence = this.#shared.read(this.#told);
    this.isKnown = true;
    let last = 0;
    while (last + 1 < this.#marks && reached(this.sequence, this.#sequences[last + 1] ?? 0)) last += 1;
    this.#bytesMax = this.#told.bytes + (this.#bytesAt[last] ?? 0);
    this.#namesMax = this.#told.names + (this.#namesAt[last] ?? 0);
    if (last === 0) return;
    this.#sequences.copyWithin(0, last, this.#marks);
    this.#bytesAt.copyWithin(0, last, this.#marks);
    this.#namesAt.copyWithin(0, last, this.#marks);
    this.#marks -= last;
  }

  /** What is left of it; false: nothing is known. */
  left(into: Room): boolean {
    this.refresh();
    if (!this.isKnown) return false;
    into.bytes = Math.max(0, this.#bytesMax - this.#bytes);
    into.names = Math.max(0, this.#namesMax - this.#names);
    into.totalBytes = this.#told.totalBytes;
    into.totalNames = this.#told.totalNames;
    return true;
  }

  #mark(sequence: number): void {
    if (this.#marks === marksMax) this.#thin();
    this.#sequences[this.#marks] = sequence;
    this.#bytesAt[this.#marks] = this.#bytes;
    this.#namesAt[this.#marks] = this.#names;
    this.#marks += 1;
    this.#marked = sequence;
  }

  /** Every second one; the first stays, since nothing older is known. */
  #thin(): void {
    this.#marks = marksMax / 2;
    for (let place = 1; place < this.#marks; place++) {
      this.#sequences[place] = this.#sequences[2 * place] ?? 0;
      this.#bytesAt[place] = this.#bytesAt[2 * place] ?? 0;
      this.#namesAt[place] = this.#namesAt[2 * place] ?? 0;
    }
  }
}
