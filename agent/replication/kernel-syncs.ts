/** How a lane on Linux syncs files: one by itself, several at once through the kernel's workers, where it has them. */
import { sync, SyncQueue } from '../sys/linux.ts';
import { syncsMax } from './sync-batch.ts';
import type { Syncer } from './sync-batch.ts';

const batchesWithout = 1000;

export class KernelSyncs implements Syncer {
  /** Opened when it is needed: most volumes of a node never sync two files at once. */
  #queue: SyncQueue | null = null;
  /** Batches that do without it until it is asked for again: others have taken what there was, or this kernel has none. */
  #without = 0;

  sync(fd: number, dataOnly: boolean): number {
    return sync(fd, dataOnly);
  }

  put(index: number, fd: number, dataOnly: boolean): void {
    if (index === 0 && this.#queue === null && this.#without-- <= 0) {
      this.#queue = SyncQueue.open(syncsMax);
      this.#without = batchesWithout;
    }
    this.#queue?.put(index, fd, dataOnly);
  }
  start(count: number): number {
    return this.#queue?.start(count) ?? 0;
  }
  reap(): number {
    const count = this.#queue?.reap() ?? 0;
    if (count < 0) this.close();
    return count;
  }
  endedPlace(index: number): number {
    return this.#queue?.endedPlace(index) ?? 0;
  }
  endedStatus(index: number): number {
    return this.#queue?.endedStatus(index) ?? 0;
  }

  close(): void {
    this.#queue?.close();
    this.#queue = null;
  }
}
