/** Requests whose change waits for the local disk: collected while more requests can be read, then synced together. Nothing is allocated. */
import type { LastSync, SyncedFile } from '../fuse/index.ts';
import { SyncBatch, syncsMax } from './sync-batch.ts';
import type { Syncer } from './sync-batch.ts';

export class CollectedSyncs {
  readonly batch: SyncBatch;
  readonly #uniques = new Float64Array(syncsMax);
  readonly #sequences = new Float64Array(syncsMax);
  readonly #written = new Float64Array(syncsMax);
  readonly #readAtMs = new Float64Array(syncsMax);
  readonly #lastSyncs = Array.from<LastSync | undefined>({ length: syncsMax });
  /** Requests that were read since the first one of these. */
  age = 0;

  constructor(syncer: Syncer) {
    this.batch = new SyncBatch(syncer);
  }

  get count(): number {
    return this.batch.count;
  }
  get full(): boolean {
    return this.batch.full;
  }

  add(unique: number, sequence: number, file: SyncedFile, dataOnly: boolean, written: number, readAtMs: number): void {
    const place = this.batch.add(file.fd, dataOnly);
    this.#lastSyncs[place] = file.lastSync;
    this.#uniques[place] = unique;
    this.#sequences[place] = sequence;
    this.#written[place] = written;
    this.#readAtMs[place] = readAtMs;
  }

  unique(place: number): number {
    return this.#uniques[place] ?? 0;
  }
  /** 0: nothing to wait for. */
  sequence(place: number): number {
    return this.#sequences[place] ?? 0;
  }
  written(place: number): number {
    return this.#written[place] ?? 0;
  }
  readAtMs(place: number): number {
    return this.#readAtMs[place] ?? 0;
  }
  /** 0 or -errno of the local disk. */
  status(place: number): number {
    return this.batch.statusOf(place);
  }

  succeed(place: number): void {
    this.#lastSyncs[place]?.succeed();
  }

  clear(): void {
    this.batch.clear();
    this.age = 0;
  }
}
