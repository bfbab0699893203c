/** The threads behind SyncOffers, for all volumes of this process. Started when a lane had use for them: most nodes never need one. */
import { spawnLane } from './spawn.ts';
import { SyncOffers } from './sync-pool.ts';

/** With the lane that asks this is the number of syncs at once: a disk merges what waits for it, and each thread costs 11 MB. */
const helpers = 3;

const memory = new SharedArrayBuffer(SyncOffers.bytes);
const offers = new SyncOffers(memory);
let started = false;

/** For the lanes of this process. */
export function syncOffersMemory(): SharedArrayBuffer {
  return memory;
}

/** Called by the supervisor now and then. */
export function helpSyncIfWanted(): void {
  if (started || !offers.wanted) return;
  started = true;
  for (let number = 1; number <= helpers; number++) {
    const name = `sync ${number}`;
    void spawnLane(name, { lane: 'sync-helper', name, syncOffers: memory }, [], () => undefined);
  }
}
