/** What the local disk has failed, and that the record says so before anybody hears of it. */
import { Fault } from '../contract/index.ts';
import type { HotHistory } from './hot-history.ts';
import type { LaneContext } from './primary-context.ts';
import type { Lane } from './operations.ts';
import * as lineage from './volume-lineage.ts';

/** What was asked for needs another record, which the disk did not take. */
export function recordNotWritten(): Fault {
  return new Fault('disk-failed', {
    message: 'The volume record could not be written.',
    remedy: 'Look at the kernel log for disk errors, and at the free space.',
  });
}

export class PrimaryFailures {
  readonly #lane: LaneContext;
  readonly #history: HotHistory;
  /** What a disk that failed in this role has of a change is not known. */
  diskFailed = false;
  /** A sync has failed, and the record does not say so yet. */
  unrecorded = false;
  /** The last record could not be written. */
  #recordFails = false;

  constructor(lane: LaneContext, history: HotHistory) {
    this.#lane = lane;
    this.#history = history;
  }

  note(call: string, errno: number): void {
    this.#note(call);
    this.#lane.ports.tell({ type: 'local-failure', call, errno });
  }

  /** What a former process was told of this disk, or might have been, is not known any more. As after a sync that failed. */
  noteLost(): void {
    this.#note('fsync');
    this.#lane.ports.tell({ type: 'errors-lost' });
  }

  #note(call: string): void {
    this.diskFailed = true;
    if (call === 'fsync') this.unrecorded = this.#lane.record.unwritten !== true;
  }

  /** What came of a write of the record: a failure is told once, until one succeeds. */
  noteRecord(status: number): boolean {
    if (status < 0 && !this.#recordFails) this.note('write of the volume record', -status);
    this.#recordFails = status < 0;
    return status >= 0;
  }

  /** At once: whoever serves this copy after a crash of this process would believe what the kernel reads. Tried once; the supervisor knows it too. */
  *record(): Lane {
    if (!this.unrecorded) return;
    this.unrecorded = false;
    yield* this.#lane.persistIfPossible(lineage.syncFailed(this.#lane.record));
    // What could not be recorded leaves the log as it is: it goes on to name all that is changed.
    if (this.#lane.record.unwritten === true) this.#history.end();
  }
}
