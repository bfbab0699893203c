/** The end of a role as it was planned: both sides agree on a checkpoint behind which nothing changes any more, where that can be said of both disks. */
import { reached } from './acknowledgement.ts';
import type { Lane } from './operations.ts';
import type { LaneContext } from './primary-context.ts';
import type { PrimaryFailures } from './primary-failures.ts';
import type { PrimarySending } from './primary-sending.ts';
import * as lineage from './volume-lineage.ts';

export class PrimaryCleanStop {
  readonly #lane: LaneContext;
  readonly #sending: PrimarySending;
  readonly #failures: PrimaryFailures;
  #asked: { call: number; sequence: number; checkpoint: number } | null = null;
  /** It has come to an end, of whichever kind. */
  ended = false;

  constructor(lane: LaneContext, parts: { sending: PrimarySending; failures: PrimaryFailures }) {
    this.#lane = lane;
    this.#sending = parts.sending;
    this.#failures = parts.failures;
  }

  get running(): boolean {
    return this.#asked !== null;
  }

  /** The mount is gone: nothing changes any more. */
  *begin(call: number): Lane {
    const { stream, syncAll, randomCheckpoint } = this.#lane.ports;
    const status = yield syncAll;
    if (status < 0) this.#failures.note('fsync', -status);
    yield* this.#failures.record();
    this.#asked = { call, sequence: 0, checkpoint: randomCheckpoint() };
    // A sync that succeeds after one that failed says nothing of what the first one has given up.
    if (this.#lane.mode !== 'in-sync' || this.#failures.diskFailed || this.#lane.record.unwritten === true) {
      this.#end(false);
      return;
    }
    stream.reserve(8192);
    this.#asked.sequence = stream.writer.cleanStop(this.#asked.checkpoint);
    yield* this.#sending.send();
  }

  /** When the target has acknowledged it. */
  *observe(): Lane {
    const asked = this.#asked;
    if (!asked || !reached(this.#lane.ports.control.acknowledged, asked.sequence)) return;
    this.#end(yield* this.#lane.persist(lineage.checkpointed(this.#lane.record, asked.checkpoint)));
  }

  /** The link is gone: nobody will acknowledge it. */
  disconnected(): void {
    this.#end(false);
  }

  #end(clean: boolean): void {
    if (!this.#asked) return;
    this.#lane.tellStatus();
    this.#lane.ports.tell({ type: 'done', call: this.#asked.call, clean, fault: null });
    this.#asked = null;
    this.ended = true;
  }
}
