/** How a lane on Linux syncs files: one by itself, several at once through the kernel's workers, where it has them. */
import { sync, SyncQueue } from '../sys/linux.ts';
import { syncsMax } from './sync-batch.ts';
import type { Syncer } from './sync-batch.ts';

export class KernelSyncs implements Syncer {
  /** Opened when it is needed: most volumes of a node never sync two files at once. Null: there is none. */
  #queue: SyncQueue | null | undefined;

  sync(fd: number, dataOnly: boolean): number {
    return sync(fd, dataOnly);
  }

  put(index: number, fd: number, dataOnly: boolean): void {
    if (this.#queue === undefined) this.#queue = SyncQueue.open(syncsMax);
    this.#queue?.put(index, fd, dataOnly);
  }
  start(count: number): number {
    return this.#queue?.start(count) ?? 0;
  }
  reap(): number {
    return this.#queue?.reap() ?? 0;
  }
  endedPlace(index: number): number {
    return this.#queue?.endedPlace(index) ?? 0;
  }
  endedStatus(index: number): number {
    return this.#queue?.endedStatus(index) ?? 0;
  }

  close(): void {
    this.#queue?.close();
    this.#queue = undefined;
  }
}
