/**
 * One comparison as the primary lane drives it: when the next step is due, what it has come to. It yields to the application: a step is taken only when no
 * request waits, and after each the lane rests for a multiple of what the step took, longer while the application is at work.
 */
import { invariant } from '../contract/index.ts';
import type { Verification } from '../contract/index.ts';
import type { Memory } from '../sys/memory.ts';
import type { ChangeStream } from './change-stream.ts';
import type { SourceTree } from './tree.ts';
import type { Findings } from './verify-messages.ts';
import { VerifyReport } from './verify-report.ts';
import { matters, VerifySource } from './verify-source.ts';

/** A quarter of one processor beside an application that works, half of one otherwise. */
const restPerStep = { busy: 3, quiet: 1 } as const;
const busyMs = 100;
/** An application that never lets go of the lane gets one step in between. */
const starvedMs = 1000;

/** `ended`: look at `tell`. `confused`: an answer to what was not asked; the link is worth nothing. */
export type VerifyEvent = 'none' | 'ended' | 'confused';

export class VerifyRun {
  readonly #report: VerifyReport;
  #source: VerifySource | null;
  #waiting = false;
  #dueMs = 0;
  #steppedMs: number;
  readonly #nowMs: () => number;
  #state: Verification['state'] = 'running';
  /** The target's record says that its copy must not be used. */
  #stale: boolean;
  #askedToBeStale = false;

  constructor(
    tree: SourceTree,
    stream: ChangeStream,
    buffer: Memory,
    options: { repair: boolean; stale: boolean; nowMs: () => number; usedBytes: number | null },
  ) {
    this.#nowMs = options.nowMs;
    this.#steppedMs = options.nowMs();
    this.#stale = options.stale;
    this.#report = new VerifyReport(options.repair, this.#steppedMs, options.usedBytes);
    this.#source = new VerifySource(tree, stream, buffer, this.#report, options.nowMs);
  }

  get running(): boolean {
    return this.#source !== null;
  }
  /** Ordered while it runs already. */
  alsoRepair(): void {
    this.#report.repair = true;
  }
  tell(nowMs: number): Verification {
    return this.#report.tell(this.#state, nowMs);
  }

  /** Until a step may be taken; null: nothing is to be done before an answer comes. */
  dueInMs(nowMs: number): number | null {
    return this.#waiting ? null : Math.max(0, Math.ceil(this.#dueMs - nowMs));
  }

  /** Nothing else than a step is to be waited for, and for too long already. */
  get starved(): boolean {
    return this.running && !this.#waiting && this.#nowMs() - this.#steppedMs > starvedMs;
  }

  /** `servedMs`: when the application last asked for something. */
  step(servedMs: number): VerifyEvent {
    const beganMs = this.#nowMs();
    this.#steppedMs = beganMs;
    const result = this.#source?.step() ?? 'compared';
    if (this.#failed()) return 'ended';
    if (result === 'compared') return this.#compared();
    this.#waiting = result === 'waiting';
    const endedMs = this.#nowMs();
    const rest = beganMs - servedMs < busyMs ? restPerStep.busy : restPerStep.quiet;
    this.#dueMs = endedMs + (endedMs - beganMs) * rest;
    return 'none';
  }

  /** Also of what an earlier comparison had asked, which was stopped meanwhile. */
  answered(sequence: number, findings: Findings): VerifyEvent {
    if (matters(findings)) this.#stale = true;
    this.#waiting = false;
    if (this.#source?.answered(sequence, findings) === false) return 'confused';
    return this.#failed() ? 'ended' : 'none';
  }

  /** For want of memory or descriptors, say: nothing is claimed of what could not be looked at. */
  #failed(): boolean {
    if (this.#source?.failed !== true) return false;
    this.#end('interrupted');
    return true;
  }

  #compared(): VerifyEvent {
    const { differing, minor, unreadable, repair } = this.#report;
    // A resync could not read it either: it would take a copy that may be the better one, and never end.
    const repairs = repair && unreadable === 0 && (this.#stale || differing + minor > 0);
    // Only a copy that nobody may use is made equal.
    if (repairs && !this.#stale && !this.#askedToBeStale) {
      this.#askedToBeStale = true;
      this.#source?.askToBeStale();
      return 'none';
    }
    // One that was found to differ before is equal only when a resync has said so.
    this.#end(repairs ? 'repairing' : this.#stale || differing + unreadable > 0 ? 'different' : 'equal');
    return 'ended';
  }

  #end(state: Verification['state']): void {
    invariant(this.#source !== null, 'what has ended does not end again');
    this.#source.abandon();
    this.#source = null;
    this.#report.forgetNames();
    this.#state = state;
  }

  get repairing(): boolean {
    return this.#state === 'repairing';
  }

  /** Of a copy that was found to differ before, and that only waits for this order. */
  repairAsFound(): void {
    if (this.#source) this.#end('repairing');
  }

  stop(): void {
    if (this.#source) this.#end('stopped');
  }
  /** The link is lost: what was not compared by then is not known. */
  interrupted(): void {
    if (this.#source) this.#end('interrupted');
  }
  /** A resync has ended: whatever was different is the same by now. */
  resynced(): void {
    if (this.#state === 'repairing' || (this.#state === 'different' && this.#report.differing > 0))
      this.#state = 'repaired';
  }
}
