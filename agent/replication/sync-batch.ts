/** Syncs that a lane has collected and does together: each file once, several files at once. Memory of its own, used again and again. */
import { invariant } from '../contract/index.ts';
import type { SyncFile, SyncOffers } from './sync-pool.ts';

export const syncsMax = 32;

export class SyncBatch {
  count = 0;
  readonly #fds = new Int32Array(syncsMax);
  readonly #whole = new Uint8Array(syncsMax);
  readonly #status = new Int32Array(syncsMax);
  /** The earlier sync of the same file that stands for this one; itself: none. */
  readonly #same = new Int32Array(syncsMax);
  readonly #offers = new Int32Array(syncsMax);

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
    this.#status[place] = 0;
    if (!dataOnly) this.#whole[same] = 1;
    return place;
  }

  /** Syncs all of them; `statusOf` then says what became of each. */
  run(sync: SyncFile, offers: SyncOffers): void {
    const offered = this.#offerAllButFirst(offers);
    if (offered > 0) {
      offers.want();
      offers.wake(offered);
    }
    if (this.count > 0) this.#sync(0, sync);
    // From the end: threads take from the beginning.
    for (let place = this.count - 1; place > 0; place--)
      if (this.#same[place] === place && this.#isBack(place, offers)) this.#sync(place, sync);
    for (let place = 1; place < this.count; place++) {
      const offer = this.#offers[place] ?? -1;
      if (this.#same[place] === place && offer >= 0) this.#status[place] = offers.result(offer);
    }
  }

  #offerAllButFirst(offers: SyncOffers): number {
    let offered = 0;
    for (let place = 1; place < this.count; place++) {
      if (this.#same[place] !== place) continue;
      this.#offers[place] = offers.offer(this.#fds[place] ?? -1, this.#whole[place] === 0);
      offered += 1;
    }
    return offered;
  }

  #isBack(place: number, offers: SyncOffers): boolean {
    const offer = this.#offers[place] ?? -1;
    if (offer >= 0 && !offers.takeBack(offer)) return false;
    this.#offers[place] = -1;
    return true;
  }

  #sync(place: number, sync: SyncFile): void {
    this.#status[place] = sync(this.#fds[place] ?? -1, this.#whole[place] === 0);
  }

  /** 0 or -errno. */
  statusOf(place: number): number {
    return this.#status[this.#same[place] ?? place] ?? 0;
  }

  clear(): void {
    this.count = 0;
  }
}
