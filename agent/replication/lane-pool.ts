/**
 * Which thread a lane runs on. The first lanes of a kind have threads of their own: whoever has few volumes never shares. Further ones share: 128 volumes with
 * two threads each would take over two gigabytes (docs/adr/0003-shared-lanes.md). Lanes that touch files share only with those of the same file system: a disk that
 * hangs stops its own volumes, never another disk's.
 */
import type { LaneData } from './lane-data.ts';

/** Of each kind. */
export const ownThreadsMax = 4;

/** Null: it is not known, and shares with nobody. */
type FilesystemOf = (directoryFd: number) => number | null;

export interface SharedThread {
  /** On it, counted by the pool. */
  lanes: number;
  /** Its last lane has ended, and no other one is put here. */
  readonly end: () => void;
}

interface Limits {
  readonly ownThreadsMax: number;
  /** Of each kind and file system. */
  readonly sharedThreadsMax: number;
}

/** With whom it may share; null: with nobody. */
function sharingOf(data: LaneData, filesystemOf: FilesystemOf): string | null {
  if (data.lane === 'acknowledgement') return data.lane;
  if (data.lane !== 'primary' && data.lane !== 'secondary') return null;
  const filesystem = filesystemOf(data.directoryFd);
  return filesystem === null ? null : `${data.lane} ${filesystem}`;
}

export class LanePool<T extends SharedThread> {
  readonly #limits: Limits;
  readonly #filesystemOf: FilesystemOf;
  readonly #own = new Map<LaneData['lane'], number>();
  readonly #shared = new Map<string, T[]>();

  constructor(limits: Limits, filesystemOf: FilesystemOf) {
    this.#limits = limits;
    this.#filesystemOf = filesystemOf;
  }

  /** The thread to share, counted; null: one of its own, which counts until `ended`. */
  place(data: LaneData, start: (sharing: string) => T): T | null {
    const own = this.#own.get(data.lane) ?? 0;
    const sharing = own < this.#limits.ownThreadsMax ? null : sharingOf(data, this.#filesystemOf);
    if (sharing === null) {
      this.#own.set(data.lane, own + 1);
      return null;
    }
    const threads = this.#shared.get(sharing) ?? [];
    this.#shared.set(sharing, threads);
    if (threads.length < this.#limits.sharedThreadsMax) threads.push(start(sharing));
    const emptiest = threads.reduce((best, thread) => (thread.lanes < best.lanes ? thread : best));
    emptiest.lanes += 1;
    return emptiest;
  }

  /** Of a lane that `place` gave `thread`. */
  ended(data: LaneData, thread: T | null): void {
    if (thread === null) {
      this.#own.set(data.lane, (this.#own.get(data.lane) ?? 1) - 1);
      return;
    }
    thread.lanes -= 1;
    if (thread.lanes > 0) return;
    for (const [sharing, threads] of this.#shared) {
      const others = threads.filter((one) => one !== thread);
      if (others.length === 0) this.#shared.delete(sharing);
      else this.#shared.set(sharing, others);
    }
    thread.end();
  }
}
