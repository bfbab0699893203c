/**
 * Requests that have been read and not been answered yet, as a successor has to know them: the one in hand, those that wait until changes are allowed or for a sync that
 * is made together with others, and those that wait for the peer. None is answered twice to anybody: the kernel knows no request by a number that has been answered.
 *
 * Of the request in hand: its header is zero until it has been read; `reply` is stored when its answer is complete, before it is sent; `subject` and `sync` say what a
 * successor could not see from the disk.
 */
import { invariant } from '../contract/index.ts';
import { allocate, FALLOC } from '../sys/linux.ts';
import type { Memory, SharedFile } from '../sys/linux.ts';
import { opcode, replyBytesMax, requestBytesMax, requestHeaderBytes } from './protocol.ts';
import { readNumber } from './codec.ts';

export const heldMax = 4096;
const parkedMax = 1024;
/** An answer that is parked as a whole is no longer than this. */
const parkedReplyBytes = 192;

/** Slot 0 is the request in hand, in the buffer that it was read into. */
const inHand = 0;
const slotBytes = 32;
const slotWords = slotBytes / 4;
/** In words; `subject` is a double. */
const place = { state: 0, order: 1, reply: 2, sync: 3, subject: 4 } as const;
const parkedStart = heldMax * slotWords;
const parkedWords = 4;
/** Of one that is parked, in words; `unique` is a double, 0 while it is being written. */
const parkedPlace = { unique: 0, written: 2, reply: 3 } as const;
/** Where the next one is parked; counted, and from zero again after 2^32, which is a multiple of the places. */
const parkedHead = parkedStart + parkedMax * parkedWords;
const repliesStart = (parkedHead + 16) * 4;
const regionBytes = repliesStart + parkedMax * parkedReplyBytes;

const heldStride = 2 << 20;
/** Of a longer one the memory is given back. */
const smallBytes = 64 * 1024;
export const syncStage = { none: 0, begun: 1, succeeded: 2 } as const;

export interface Stage {
  /** What the handler has noted of what it is about to change; 0: nothing yet. */
  readonly subject: number;
  /** One of `syncStage`. */
  readonly sync: number;
}

const noBytes = Buffer.alloc(0);
const notBegun: Stage = { subject: 0, sync: syncStage.none };

/** What handlers tell of the request that they carry out. */
export interface RequestKeeper {
  readonly isRepeated: boolean;
  readonly before: Stage;
  readonly noteSubject: (subject: number) => void;
  readonly noteSync: (stage: number) => void;
}

/** Where nobody takes over. */
export const keepsNothing: RequestKeeper = {
  isRepeated: false,
  before: notBegun,
  noteSubject: () => undefined,
  noteSync: () => undefined,
};

export interface Carried {
  /** Length of the complete answer that may not have been sent; 0: there is none. */
  readonly replyLength: number;
  /** In the order in which they came. */
  readonly held: readonly { readonly memory: Memory; readonly length: number }[];
  /** In the request buffer; 0: none. */
  readonly inHandLength: number;
  readonly parked: readonly ParkedBefore[];
}

export interface ParkedBefore {
  readonly unique: number;
  readonly written: number;
  /** The whole answer; empty: it is told by `written`. */
  readonly reply: Uint8Array;
}

export class KeptRequests implements RequestKeeper {
  readonly #request: Memory;
  readonly #header: Uint32Array;
  readonly #file: SharedFile;
  readonly #heldStart: number;
  readonly #words: Uint32Array;
  readonly #subjects: Float64Array;
  readonly #replies: Buffer;
  readonly #memories: { small: Memory | null; large: Memory | null }[] = [];
  /** Each memory stays with its slot. */
  readonly #slotOf = new Map<Memory, number>();
  readonly #isLarge = new Uint8Array(heldMax);
  /** By slot: the request there waits for a sync that is made together with others; 0: none does. */
  readonly #collected = new Float64Array(heldMax);
  #collectedCount = 0;
  #order = 0;
  #current = inHand;
  /** Stages of requests that a predecessor may have begun. */
  readonly #begun = new Map<number, Stage>();
  /** Of the request that is being handled; null: nobody has begun it before. */
  #before: Stage | null = null;

  constructor(request: Memory, file: SharedFile, start: { readonly slots: number; readonly held: number }) {
    this.#request = request;
    this.#header = new Uint32Array(request.bytes.buffer, request.bytes.byteOffset, 4);
    this.#file = file;
    this.#heldStart = start.held;
    const { bytes } = file.map(start.slots, regionBytes);
    this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, regionBytes / 4);
    this.#subjects = new Float64Array(bytes.buffer, bytes.byteOffset, regionBytes / 8);
    this.#replies = bytes.subarray(repliesStart);
  }

  // --- the request in hand ----------------------------------------------------------------------------------------------

  /** Before the next one is read. */
  expect(): void {
    this.#header[0] = 0;
    this.#clear(inHand);
  }

  #clear(slot: number): void {
    const at = slot * slotWords;
    this.#words[at + place.reply] = 0;
    this.#words[at + place.sync] = 0;
    this.#subjects[(at + place.subject) / 2] = 0;
  }

  /** It is going to be carried out. */
  begin(memory: Memory): void {
    this.#current = this.#slotOf.get(memory) ?? inHand;
    this.#before = this.#begun.size === 0 ? null : (this.#begun.get(readNumber(memory.bytes, 8)) ?? null);
  }

  /** A predecessor has held it already, and may have carried it out in part or as a whole. */
  get isRepeated(): boolean {
    return this.#before !== null;
  }
  /** What that predecessor noted. */
  get before(): Stage {
    return this.#before ?? notBegun;
  }

  /** Stored before the change is made; not 0. */
  noteSubject(subject: number): void {
    this.#subjects[(this.#current * slotWords + place.subject) / 2] = subject;
  }
  noteSync(stage: number): void {
    this.#words[this.#current * slotWords + place.sync] = stage;
  }

  /** The answer is complete in its buffer. */
  hasReply(length: number): void {
    this.#words[this.#current * slotWords + place.reply] = length;
  }

  /** It was answered, or has been noted as waiting elsewhere. */
  finished(): void {
    const slot = this.#current;
    if (this.#before !== null) this.#begun.delete(readNumber(this.#memoryOf(slot).bytes, 8));
    if (slot === inHand) this.#header[0] = 0;
    else this.#free(slot);
    this.#words[slot * slotWords + place.reply] = 0;
  }

  // --- requests that wait -----------------------------------------------------------------------------------------------

  /** A copy of the request in hand, which a successor finds; null: there is no more room. */
  hold(length: number): Memory | null {
    const slot = this.#hold(length, syncStage.none);
    return slot === inHand ? null : this.#memoryOf(slot);
  }
  #hold(length: number, stage: number): number {
    let slot = 1;
    while (slot < heldMax && this.#words[slot * slotWords + place.state] !== 0) slot++;
    if (slot === heldMax) return inHand;
    const at = slot * slotWords;
    this.#request.bytes.copy(this.#heldMemory(slot, length).bytes, 0, 0, length);
    this.#clear(slot);
    if (this.#before !== null) this.#noteBefore(slot, this.#before);
    if (stage !== syncStage.none) this.#words[at + place.sync] = stage;
    this.#words[at + place.order] = this.#order = (this.#order + 1) >>> 0;
    this.#words[at + place.state] = 1;
    this.#header[0] = 0;
    return slot;
  }
  #noteBefore(slot: number, stage: Stage): void {
    this.#words[slot * slotWords + place.sync] = stage.sync;
    this.#subjects[(slot * slotWords + place.subject) / 2] = stage.subject;
  }

  #heldMemory(slot: number, length: number): Memory {
    const memories = (this.#memories[slot] ??= { small: null, large: null });
    const isLarge = length > smallBytes;
    this.#isLarge[slot] = isLarge ? 1 : 0;
    return (isLarge ? memories.large : memories.small) ?? this.#mapHeld(slot, memories, isLarge);
  }
  #mapHeld(slot: number, memories: { small: Memory | null; large: Memory | null }, isLarge: boolean): Memory {
    const memory = this.#file.map(this.#heldStart + slot * heldStride, isLarge ? requestBytesMax : smallBytes);
    memories[isLarge ? 'large' : 'small'] = memory;
    this.#slotOf.set(memory, slot);
    return memory;
  }
  #memoryOf(slot: number): Memory {
    const memories = this.#memories[slot];
    return (this.#isLarge[slot] === 1 ? memories?.large : memories?.small) ?? this.#request;
  }

  #free(slot: number): void {
    this.#words[slot * slotWords + place.state] = 0;
    const memory = this.#memoryOf(slot);
    const length = memory.bytes.readUInt32LE(0);
    const punch = FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE;
    if (length > smallBytes) allocate(this.#file.fd, punch, this.#heldStart + slot * heldStride, requestBytesMax);
  }

  /**
   * The request that is being carried out waits for a sync that is made together with others, while more are read: it stays held until `letGo`. False: there is no more
   * room, so no successor would know of it.
   */
  collect(unique: number, length: number): boolean {
    this.#lastCollected = unique;
    const isHeld = this.#current !== inHand;
    const slot = isHeld ? this.#current : this.#hold(length, syncStage.begun);
    if (slot === inHand) return false;
    if (isHeld) this.#words[slot * slotWords + place.sync] = syncStage.begun;
    this.#collected[slot] = unique;
    this.#collectedCount += 1;
    return true;
  }
  /** Of the request that was collected last: it is not finished with the end of its handler. */
  get lastCollected(): number {
    return this.#lastCollected;
  }
  #lastCollected = 0;

  /** It has been parked or answered. False: it was not collected. */
  letGo(unique: number): boolean {
    if (this.#collectedCount === 0) return false;
    const slot = this.#collected.indexOf(unique);
    if (slot <= 0) return false;
    this.#collected[slot] = 0;
    this.#collectedCount -= 1;
    if (this.#begun.size > 0) this.#begun.delete(unique);
    this.#free(slot);
    return true;
  }

  /** Of the request that was parked last. */
  get lastParked(): number {
    return this.#lastParked;
  }
  #lastParked = 0;

  /** It waits for the peer; `written` as in the answer, `reply` when that is more. Of the last ones each may still wait. */
  park(unique: number, written: number, reply: Buffer = noBytes, replyLength = 0): void {
    invariant(replyLength <= parkedReplyBytes, 'a parked answer that a successor would not know');
    this.#lastParked = unique;
    const head = this.#words[parkedHead] ?? 0;
    const index = head % parkedMax;
    const at = parkedStart + index * parkedWords;
    // Nobody may take a part of this one for a part of the one that was here.
    this.#subjects[(at + parkedPlace.unique) / 2] = 0;
    this.#words[at + parkedPlace.written] = written;
    this.#words[at + parkedPlace.reply] = replyLength;
    if (replyLength > 0) reply.copy(this.#replies, index * parkedReplyBytes, 0, replyLength);
    this.#subjects[(at + parkedPlace.unique) / 2] = unique;
    this.#words[parkedHead] = (head + 1) >>> 0;
  }

  // --- a predecessor's --------------------------------------------------------------------------------------------------

  /** Once, before anything is read. Null: it is not what this version writes. */
  carried(): Carried | null {
    const parked = this.#parkedBefore();
    const isParked = new Set(parked.map(({ unique }) => unique));
    const held: { memory: Memory; length: number; order: number }[] = [];
    let replyLength = 0;
    for (let slot = 1; slot < heldMax; slot++) {
      if (this.#words[slot * slotWords + place.state] !== 1) continue;
      const memory = this.#heldMemory(slot, requestBytesMax);
      const length = memory.bytes.readUInt32LE(0);
      if (length < requestHeaderBytes || length > requestBytesMax) return null;
      const answered = this.#words[slot * slotWords + place.reply] ?? 0;
      if (answered !== 0) {
        replyLength = answered;
        this.#answeredSlot = slot;
        continue;
      }
      if (isParked.has(readNumber(memory.bytes, 8))) {
        this.#free(slot);
        continue;
      }
      const order = this.#words[slot * slotWords + place.order] ?? 0;
      this.#order = Math.max(this.#order, order);
      this.#begun.set(readNumber(memory.bytes, 8), this.#stageOf(slot));
      held.push({ memory, length, order });
    }
    held.sort((one, other) => one.order - other.order);
    const hand = this.#handBefore(isParked, new Set(this.#begun.keys()));
    if (hand === null) return null;
    replyLength = hand.replyLength === 0 ? replyLength : hand.replyLength;
    return replyLength > replyBytesMax ? null : { replyLength, held, inHandLength: hand.length, parked };
  }

  #handBefore(
    isParked: ReadonlySet<number>,
    isHeld: ReadonlySet<number>,
  ): { length: number; replyLength: number } | null {
    const { bytes } = this.#request;
    const length = bytes.readUInt32LE(0);
    if (length === 0) return { length: 0, replyLength: 0 };
    if (length < requestHeaderBytes || length > requestBytesMax) return null;
    const unique = readNumber(bytes, 8);
    const replyLength = this.#words[place.reply] ?? 0;
    if (replyLength !== 0) {
      this.#answeredSlot = inHand;
      return { length: 0, replyLength };
    }
    const code = bytes.readUInt32LE(4);
    // Carried out twice it would count twice; not at all it costs a little memory.
    const isForget = code === opcode.FORGET || code === opcode.BATCH_FORGET;
    if (isForget || isParked.has(unique) || isHeld.has(unique)) return { length: 0, replyLength: 0 };
    this.#begun.set(unique, this.#stageOf(inHand));
    return { length, replyLength: 0 };
  }

  #stageOf(slot: number): Stage {
    const at = slot * slotWords;
    return {
      subject: this.#subjects[(at + place.subject) / 2] ?? 0,
      sync: this.#words[at + place.sync] ?? 0,
    };
  }

  #parkedBefore(): ParkedBefore[] {
    const head = this.#words[parkedHead] ?? 0;
    const parked: ParkedBefore[] = [];
    // The oldest first. The count may have begun anew: all places are looked at, whatever it says.
    for (let count = 0; count < parkedMax; count++) {
      const index = (head + count) % parkedMax;
      const at = parkedStart + index * parkedWords;
      const unique = this.#subjects[(at + parkedPlace.unique) / 2] ?? 0;
      if (unique === 0) continue;
      const length = Math.min(this.#words[at + parkedPlace.reply] ?? 0, parkedReplyBytes);
      const reply = this.#replies.subarray(index * parkedReplyBytes, index * parkedReplyBytes + length);
      parked.push({ unique, written: this.#words[at + parkedPlace.written] ?? 0, reply });
    }
    return parked;
  }

  /** Its completed answer has been sent: until then the next successor has to find it as well. */
  repliedAgain(): void {
    const slot = this.#answeredSlot;
    if (slot === inHand) this.#header[0] = 0;
    else if (slot > 0) this.#free(slot);
    if (slot >= 0) this.#words[slot * slotWords + place.reply] = 0;
    this.#answeredSlot = -1;
  }
  /** -1: none. */
  #answeredSlot = -1;

  /** One of a predecessor that nobody has heard the answer of. */
  wasBegun(unique: number): boolean {
    return this.#begun.has(unique);
  }

  /** A sync was begun whose outcome only the dead process has heard. */
  get hasUnheardSync(): boolean {
    return [...this.#begun.values()].some(({ sync }) => sync === syncStage.begun);
  }
}
