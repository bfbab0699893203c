/**
 * Threads that help lanes to sync several files at once. A lane offers what it does not do at this moment, works itself, and takes back what nobody has taken:
 * it is never slower than alone, and threads that hang in a dead disk harm no other volume. One pool for all volumes of a process.
 *
 * The lane waits until everything that was taken has ended, so descriptors stay open meanwhile. Nothing is allocated.
 */
const entriesMax = 64;
const entryWords = 4;
const entry = { state: 0, fd: 1, dataOnly: 2, status: 3 } as const;
const state = { free: 0, offered: 1, taken: 2, done: 3, filling: 4 } as const;
/** Counts offers, so that a thread that has looked and found nothing does not sleep over a new one. */
const offersWord = 0;
const wantedWord = 1;
const entriesStart = 8;

export type SyncFile = (fd: number, dataOnly: boolean) => number;

export class SyncOffers {
  static readonly bytes = (entriesStart + entriesMax * entryWords) * 4;
  readonly #words: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** Somebody had several files to sync at once: until then no thread is worth its memory. */
  get wanted(): boolean {
    return Atomics.load(this.#words, wantedWord) !== 0;
  }
  want(): void {
    Atomics.store(this.#words, wantedWord, 1);
  }

  #at(index: number): number {
    return entriesStart + index * entryWords;
  }

  /** Of a lane: the place of the offer, -1 when all are in use. `wake` follows. */
  offer(fd: number, dataOnly: boolean): number {
    const words = this.#words;
    for (let index = 0; index < entriesMax; index++) {
      const at = this.#at(index);
      if (Atomics.compareExchange(words, at + entry.state, state.free, state.filling) !== state.free) continue;
      words[at + entry.fd] = fd;
      words[at + entry.dataOnly] = dataOnly ? 1 : 0;
      Atomics.store(words, at + entry.state, state.offered);
      return index;
    }
    return -1;
  }

  wake(count: number): void {
    Atomics.add(this.#words, offersWord, 1);
    Atomics.notify(this.#words, offersWord, count);
  }

  /** False: a thread has it; then `result` waits for it. */
  takeBack(index: number): boolean {
    const at = this.#at(index) + entry.state;
    return Atomics.compareExchange(this.#words, at, state.offered, state.free) === state.offered;
  }

  /** 0 or -errno of what a thread has taken. */
  result(index: number): number {
    const words = this.#words;
    const at = this.#at(index);
    while (Atomics.load(words, at + entry.state) !== state.done) Atomics.wait(words, at + entry.state, state.taken);
    const status = words[at + entry.status] ?? 0;
    Atomics.store(words, at + entry.state, state.free);
    return status;
  }

  /** Of a thread: does one offer. False: there was none. */
  workOnce(sync: SyncFile): boolean {
    const words = this.#words;
    for (let index = 0; index < entriesMax; index++) {
      const at = this.#at(index);
      if (Atomics.compareExchange(words, at + entry.state, state.offered, state.taken) !== state.offered) continue;
      words[at + entry.status] = sync(words[at + entry.fd] ?? -1, words[at + entry.dataOnly] === 1);
      Atomics.store(words, at + entry.state, state.done);
      Atomics.notify(words, at + entry.state, 1);
      return true;
    }
    return false;
  }

  /** Of a thread, for ever. */
  work(sync: SyncFile): never {
    for (;;) {
      const seen = Atomics.load(this.#words, offersWord);
      while (this.workOnce(sync));
      Atomics.wait(this.#words, offersWord, seen);
    }
  }
}
