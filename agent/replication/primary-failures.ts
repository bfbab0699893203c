/** What the local disk has failed, and that the record says so before anybody hears of it. */
import type { LaneContext } from './primary-context.ts';
import type { Lane } from './operations.ts';
import * as lineage from './volume-lineage.ts';

export class PrimaryFailures {
  readonly #lane: LaneContext;
  /** What a disk that failed in this role has of a change is not known. */
  diskFailed = false;
  /** A sync has failed, and the record does not say so yet. */
  unrecorded = false;

  constructor(lane: LaneContext) {
    this.#lane = lane;
  }

  note(call: string, errno: number): void {
    this.diskFailed = true;
    if (call === 'fsync') this.unrecorded = this.#lane.record.unwritten !== true;
    this.#lane.ports.tell({ type: 'local-failure', call, errno });
  }

  /** At once: whoever serves this copy after a crash of this process would believe what the kernel reads. Tried once; the supervisor knows it too. */
  *record(): Lane {
    if (!this.unrecorded) return;
    this.unrecorded = false;
    yield* this.#lane.persistIfPossible(lineage.syncFailed(this.#lane.record));
  }
}
