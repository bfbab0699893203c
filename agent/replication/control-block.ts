/**
 * What the supervisor and both lanes of one primary share: a few words, the parked requests, what is measured and the volume record. Only through these
 * functions; every word has one writer, except the lease and the fence, which only ever move towards less permission or by the supervisor.
 */
import type { VolumeRecord } from '../contract/index.ts';
import { invariant, volumeRecordSchema } from '../contract/index.ts';
import { ParkedRequests, parkBytes } from './acknowledgement.ts';
import { Measures, measuresBytes } from './measures.ts';
import { SharedRoom, sharedRoomBytes } from './room-budget.ts';

export const modes = ['undecided', 'alone', 'resynchronising', 'in-sync'] as const;
export type Mode = (typeof modes)[number];

/** 64-bit words first. */
const leaseWord = 0;
const wordsStart = 8;
const word = {
  fenced: 0,
  sent: 1,
  acknowledged: 2,
  wakeOnAcknowledgement: 3,
  mainLiveness: 4,
  recordVersion: 5,
  recordLength: 6,
  socketLock: 7,
  dataSocket: 8,
  answerSocket: 9,
  stopping: 10,
  laneLiveness: 11,
  cuts: 12,
  mayGoOn: 13,
  moveWanted: 14,
  expelled: 15,
} as const;
export type SocketSlot = 'dataSocket' | 'answerSocket';
const parkStart = 128;
const measuresStart = parkStart + parkBytes;
const recordStart = measuresStart + measuresBytes;
/** 256 ancestors of at most 120 characters, escaped. */
const recordBytesMax = 64 * 1024;
const roomStart = Math.ceil((recordStart + recordBytesMax) / 8) * 8;
export const controlBlockBytes = roomStart + sharedRoomBytes;

export class ControlBlock {
  readonly memory: SharedArrayBuffer;
  readonly parked: ParkedRequests;
  readonly measures: Measures;
  /** As the peer has told it. */
  readonly room: SharedRoom;
  readonly #words: Int32Array;
  readonly #lease: BigInt64Array;
  readonly #record: Uint8Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(controlBlockBytes)) {
    this.memory = memory;
    this.#lease = new BigInt64Array(memory, leaseWord, 1);
    this.#words = new Int32Array(memory, wordsStart, (parkStart - wordsStart) / 4);
    this.parked = new ParkedRequests(memory, parkStart);
    this.measures = new Measures(memory, measuresStart);
    this.room = new SharedRoom(memory, roomStart);
    this.#record = new Uint8Array(memory, recordStart, recordBytesMax);
  }

  /** CLOCK_BOOTTIME milliseconds after which nothing is answered; 0 at first. */
  get leaseDeadlineMs(): number {
    return Number(Atomics.load(this.#lease, 0));
  }
  set leaseDeadlineMs(deadlineMs: number) {
    Atomics.store(this.#lease, 0, BigInt(Math.floor(deadlineMs)));
  }

  /** Once set it stays: nothing is answered any more, whatever the lease says. */
  get fenced(): boolean {
    return Atomics.load(this.#words, word.fenced) !== 0;
  }
  fence(): void {
    Atomics.store(this.#words, word.fenced, 1);
  }

  /**
   * The primary lane is agreeing on a checkpoint, or has ended: no further link is made. A contact would tell the target that changes follow,
   * and end the checkpoint that was just agreed.
   */
  get stopping(): boolean {
    return Atomics.load(this.#words, word.stopping) !== 0;
  }
  stop(): void {
    Atomics.store(this.#words, word.stopping, 1);
  }

  /** The stream of this session may go on over another connection: nothing is under way but changes, which are kept until they are acknowledged. */
  get mayGoOn(): boolean {
    return Atomics.load(this.#words, word.mayGoOn) !== 0;
  }
  set mayGoOn(may: boolean) {
    Atomics.store(this.#words, word.mayGoOn, may ? 1 : 0);
  }

  /** Nothing has been acknowledged for a while: another network is tried. By the supervisor, taken by the acknowledgement lane. */
  wantMove(): void {
    Atomics.store(this.#words, word.moveWanted, 1);
  }
  /** The peer has had all the time that there is. Until another link is made. */
  get expelled(): boolean {
    return Atomics.load(this.#words, word.expelled) !== 0;
  }
  expel(shutdown: (fd: number) => void): void {
    Atomics.store(this.#words, word.expelled, 1);
    this.shutdownSockets(shutdown);
  }
  /** Another link begins. */
  forgetLateness(): void {
    this.takeMoveWanted();
    Atomics.store(this.#words, word.expelled, 0);
  }
  takeMoveWanted(): boolean {
    return Atomics.exchange(this.#words, word.moveWanted, 0) !== 0;
  }

  /** Low 32 bits of the last sequence sent and of the highest acknowledged, of this session. */
  get sent(): number {
    return Atomics.load(this.#words, word.sent);
  }
  set sent(sequence: number) {
    Atomics.store(this.#words, word.sent, sequence | 0);
  }
  get acknowledged(): number {
    return Atomics.load(this.#words, word.acknowledged);
  }
  set acknowledged(sequence: number) {
    Atomics.store(this.#words, word.acknowledged, sequence | 0);
  }

  /** The primary lane sleeps until something is acknowledged. */
  get wakeOnAcknowledgement(): boolean {
    return Atomics.load(this.#words, word.wakeOnAcknowledgement) !== 0;
  }
  set wakeOnAcknowledgement(wanted: boolean) {
    Atomics.store(this.#words, word.wakeOnAcknowledgement, wanted ? 1 : 0);
  }

  /** Moves while the supervisor's event loop lives. */
  get mainLiveness(): number {
    return Atomics.load(this.#words, word.mainLiveness);
  }
  countMainLiveness(): void {
    Atomics.add(this.#words, word.mainLiveness, 1);
  }

  /** Moves while the lane that has the disk does: once for each message or request, and each second. */
  get laneLiveness(): number {
    return Atomics.load(this.#words, word.laneLiveness);
  }
  countLaneLiveness(): void {
    Atomics.add(this.#words, word.laneLiveness, 1);
  }

  /**
   * The link's descriptors, so that another thread can shut them down while their owner is blocked in them. Published and withdrawn by whoever
   * closes them; the lock keeps a number from being closed, and used for something else, in between. Stored plus one: 0 is none.
   */
  publishSocket(slot: SocketSlot, fd: number): void {
    this.#locked(() => Atomics.store(this.#words, word[slot], fd + 1));
  }
  /** To be called before closing. */
  withdrawSocket(slot: SocketSlot): void {
    this.#locked(() => Atomics.store(this.#words, word[slot], 0));
  }
  /** `ifDataIs`: only while that is the data connection; another one may have taken its place. */
  shutdownSockets(shutdown: (fd: number) => void, ifDataIs: number | null = null): void {
    this.#locked(() => {
      if (ifDataIs !== null && Atomics.load(this.#words, word.dataSocket) - 1 !== ifDataIs) return;
      for (const slot of [word.dataSocket, word.answerSocket]) {
        const fd = Atomics.load(this.#words, slot) - 1;
        if (fd >= 0) shutdown(fd);
      }
    });
  }
  /** The same, and also of those that are not published yet: whoever makes a link compares `cuts` with what it was before, once it has published. */
  cutSockets(shutdown: (fd: number) => void): void {
    Atomics.add(this.#words, word.cuts, 1);
    this.shutdownSockets(shutdown);
  }
  get cuts(): number {
    return Atomics.load(this.#words, word.cuts);
  }
  /** What `look` says of one of them while it cannot be closed; null when there is none. */
  lookAtSocket<T>(slot: SocketSlot, look: (fd: number) => T): T | null {
    return this.#locked(() => {
      const fd = Atomics.load(this.#words, word[slot]) - 1;
      return fd < 0 ? null : look(fd);
    });
  }
  #locked<T>(run: () => T): T {
    while (Atomics.compareExchange(this.#words, word.socketLock, 0, 1) !== 0);
    try {
      return run();
    } finally {
      Atomics.store(this.#words, word.socketLock, 0);
    }
  }

  /** Written by the supervisor before the lanes start, then by the primary lane alone, after the record is on disk. */
  publishRecord(record: VolumeRecord): number {
    const bytes = Buffer.from(JSON.stringify(record));
    invariant(bytes.length <= recordBytesMax, 'a record that is too long');
    // Odd while it is being written: a reader that sees an odd or a changed version reads again.
    Atomics.add(this.#words, word.recordVersion, 1);
    this.#record.set(bytes);
    Atomics.store(this.#words, word.recordLength, bytes.length);
    return Atomics.add(this.#words, word.recordVersion, 1) + 1;
  }
  /** 0: none has been published. */
  get recordVersion(): number {
    return Atomics.load(this.#words, word.recordVersion);
  }
  readRecord(): { record: VolumeRecord; version: number } {
    for (;;) {
      const version = Atomics.load(this.#words, word.recordVersion);
      if ((version & 1) !== 0) continue;
      const bytes = Buffer.from(this.#record.slice(0, Atomics.load(this.#words, word.recordLength)));
      if (Atomics.load(this.#words, word.recordVersion) !== version) continue;
      return { record: volumeRecordSchema.parse(JSON.parse(bytes.toString())), version };
    }
  }
}
