/** Syncs that a lane has collected and does together: each file once, several files at once. Memory of its own, used again and again. */
import { invariant } from '../contract/index.ts';
import { E } from '../sys/errno.ts';

export const syncsMax = 32;

/** Whoever syncs for a batch. */
export interface Syncer {
  /** In this thread: 0 or -errno. */
  sync(fd: number, dataOnly: boolean): number;
  /** One of those that are begun together, from 0 on without a gap. */
  put(index: number, fd: number, dataOnly: boolean): void;
  /** How many of the first `count` were begun; the others are for the lane. */
  start(count: number): number;
  /** Waits for one at least. How many have ended that it has not told of; below 0: of the rest nobody will know. */
  reap(): number;
  /** Of those: the index that `put` was given, and 0 or -errno. */
  endedPlace(index: number): number;
  endedStatus(index: number): number;
}

/** Of a syncer that begins none beside the lane. */
export const syncsOneByOne: Omit<Syncer, 'sync'> = {
  put: () => undefined,
  start: () => 0,
  reap: () => 0,
  endedPlace: () => 0,
  endedStatus: () => 0,
};

export class SyncBatch {
  count = 0;
  readonly #fds = new Int32Array(syncsMax);
  readonly #whole = new Uint8Array(syncsMax);
  readonly #status = new Int32Array(syncsMax);
  /** The earlier sync of the same file that stands for this one; itself: none. */
  readonly #same = new Int32Array(syncsMax);
  /** By the index of what was begun: the place. */
  readonly #begun = new Int32Array(syncsMax);
  readonly #syncer: Syncer;

  constructor(syncer: Syncer) {
    this.#syncer = syncer;
  }

  get full(): boolean {
    return this.count === syncsMax;
  }

  /** Its place. A sync that begins later covers everything from before. */
  add(fd: number, dataOnly: boolean): number {
    // Beyond the arrays it would be answered never, and synced never.
    invariant(!this.full, 'more syncs than a batch has places');
    const place = this.count++;
    let same = 0;
    while (same < place && this.#fds[same] !== fd) same++;
    this.#fds[place] = fd;
    this.#same[place] = same;
    this.#whole[place] = 0;
    // Until somebody has said that it is synced, it is not.
    this.#status[place] = -E.IO;
    if (!dataOnly) this.#whole[same] = 1;
    return place;
  }

  /** Syncs all of them; `statusOf` then says what became of each. The first one in this thread, beside the others. */
  run(): void {
    if (this.count === 0) return;
    const syncer = this.#syncer;
    const count = this.#putAllButFirst();
    const begun = count === 0 ? 0 : syncer.start(count);
    this.#sync(0);
    for (let index = begun; index < count; index++) this.#sync(this.#begun[index] ?? 0);
    for (let underWay = begun; underWay > 0;) {
      const ended = this.#reap();
      // Not tried again: an error of theirs would have been told already, to nobody.
      if (ended < 0) return;
      underWay -= ended;
    }
  }

  #putAllButFirst(): number {
    let count = 0;
    for (let place = 1; place < this.count; place++) {
      if (this.#same[place] !== place) continue;
      this.#syncer.put(count, this.#fds[place] ?? -1, this.#whole[place] === 0);
      this.#begun[count++] = place;
    }
    return count;
  }

  #sync(place: number): void {
    this.#status[place] = this.#syncer.sync(this.#fds[place] ?? -1, this.#whole[place] === 0);
  }

  #reap(): number {
    const syncer = this.#syncer;
    const count = syncer.reap();
    for (let index = 0; index < count; index++)
      this.#status[this.#begun[syncer.endedPlace(index)] ?? 0] = syncer.endedStatus(index);
    return count;
  }

  /** 0 or -errno. */
  statusOf(place: number): number {
    return this.#status[this.#same[place] ?? place] ?? 0;
  }

  clear(): void {
    this.count = 0;
  }
}
