/** When the primary lane may answer, and the answers to requests that waited for the peer. Nothing is answered after the lease. */
import type { LaneContext } from './primary-context.ts';
import type { Lane, Operation } from './operations.ts';

export class PrimaryAnswers {
  readonly #lane: LaneContext;

  constructor(lane: LaneContext) {
    this.#lane = lane;
  }

  /** Asked first: a generator is an object, and this is on the way of every answer. */
  isPermitted(): boolean {
    const { control, nowMs } = this.#lane.ports;
    return !control.fenced && nowMs() < control.leaseDeadlineMs;
  }

  /** Waits until the lease covers this instant. False: fenced, nothing is answered any more. */
  *permitted(): Generator<Operation, boolean, number> {
    const { control, nowMs, waitForPermission } = this.#lane.ports;
    while (!control.fenced) {
      if (nowMs() < control.leaseDeadlineMs) return true;
      yield waitForPermission;
    }
    return false;
  }

  /** Null: nobody is waited for any more. */
  *reached(acknowledged: number | null): Lane {
    const { control, answerParked } = this.#lane.ports;
    // Permission first: what is claimed is answered at once, or by nobody.
    while (control.parked.count > 0 && (this.isPermitted() || (yield* this.permitted()))) {
      if (!control.parked.claim(acknowledged)) return;
      yield answerParked;
      this.count(control.parked.claimed.readAtMs);
    }
  }

  count(readAtMs: number): void {
    const { control, nowMs } = this.#lane.ports;
    control.measures.answered('primary', nowMs() - readAtMs);
  }
}
