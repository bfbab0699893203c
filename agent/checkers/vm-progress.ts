/** Whether a guest still does anything, seen from outside. Pure but for what it remembers. */
import type { Finding } from '../contract/index.ts';
import { good } from './checker.ts';

export interface Work {
  /** Changes whenever the guest has done something, and when it is another one. */
  readonly marks: string;
  /** Of its processors, where they use some time although the guest does nothing. */
  readonly processorNs: number;
  /** Of one processor, that is used for nothing. */
  readonly idleShare: number;
  /** Nothing seen for a shorter time says nothing. */
  readonly stillMsMin: number;
}

/**
 * A guest with nothing to do still wakes several times a second. Longer than the applications wait when the other server is lost (docs/replication.md),
 * so that a look or two may fail in that time and never three.
 */
export const stillMsMin = 4000;

export class Progress {
  private last: { readonly work: Work; readonly atMs: number; readonly movedAtMs: number } | null = null;

  judge(work: Work, nowMs: number): Finding {
    const { last } = this;
    const moved = last === null || hasMoved(last.work, work, nowMs - last.atMs);
    const movedAtMs = moved ? nowMs : last.movedAtMs;
    this.last = { work, atMs: nowMs, movedAtMs };
    const stillMs = nowMs - movedAtMs;
    return stillMs < work.stillMsMin ? good : { code: 'guest-hung', found: `${Math.round(stillMs / 1000)} s` };
  }
}

function hasMoved(before: Work, after: Work, elapsedMs: number): boolean {
  return before.marks !== after.marks || after.processorNs - before.processorNs > elapsedMs * 1e6 * after.idleShare;
}
