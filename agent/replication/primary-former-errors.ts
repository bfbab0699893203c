/**
 * What this filesystem has failed to write before, asked for once in a role and elsewhere: syncfs(2) takes as long as all that is unwritten there, of anybody. Of a
 * mount that was taken over nothing is called synced before it is known; a new role waits for it a moment, so that what failed before is not taken for its own.
 */
import type { LaneContext } from './primary-context.ts';
import type { PrimaryFailures } from './primary-failures.ts';
import type { Lane } from './operations.ts';

/** Changes of a new role wait no longer than this. */
const patienceMs = 1000;

export class PrimaryFormerErrors {
  readonly #lane: LaneContext;
  readonly #failures: PrimaryFailures;
  #isAsked = false;
  /** Until then no change goes on in a new role. */
  #untilMs = 0;
  /** What fails from now on may be something that this role has changed. */
  #hasChanged = false;

  constructor(lane: LaneContext, failures: PrimaryFailures) {
    this.#lane = lane;
    this.#failures = failures;
  }

  /** An answer is to come. */
  get asked(): boolean {
    return this.#lane.ports.formerErrors?.asked === true;
  }

  *begin(): Lane {
    const { formerErrors, nowMs } = this.#lane.ports;
    if (!formerErrors || formerErrors.unheard) return;
    if (formerErrors.lost) {
      // Each sync is an error from here on: that is told at once, so that the application goes where it is none.
      this.#failures.noteLost();
      yield* this.#failures.record();
      return;
    }
    this.#untilMs = nowMs() + patienceMs;
    this.#ask();
  }

  /** There may be syncs from here on. Not before: each time that a process is killed while it asks, one description less is left that can tell. */
  decided(): void {
    if (this.#lane.ports.formerErrors?.unheard === true) this.#ask();
  }

  #ask(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#lane.ports.formerErrors?.ask();
  }

  /** False: no change may be made yet. On the way of every request. */
  allowChange(): boolean {
    const { formerErrors, level, nowMs } = this.#lane.ports;
    if (formerErrors === null) return true;
    // There every change is a sync.
    if (formerErrors.unheard && level === 'write-through') return false;
    if (formerErrors.asked && !formerErrors.unheard && !this.#hasChanged && nowMs() < this.#untilMs) return false;
    this.#hasChanged = true;
    return true;
  }

  *heard(status: number): Lane {
    const { formerErrors, linkBroken, stream, tell } = this.#lane.ports;
    if (!formerErrors) return;
    const isEarlier = !formerErrors.unheard && !this.#hasChanged;
    formerErrors.heard(isEarlier ? 0 : status);
    if (status >= 0) return;
    if (isEarlier) {
      tell({ type: 'earlier-failure', errno: -status });
      return;
    }
    // A copy that is being made from what this disk has is made of what is not known.
    stream.localFailure('fsync', -status);
    // Before anybody hears of it.
    yield* this.#failures.record();
    if (linkBroken()) yield* this.#lane.lost();
  }
}
