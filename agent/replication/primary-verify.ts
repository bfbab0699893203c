/**
 * Comparisons, as the primary lane drives them: who may order one, its steps beside the application, and what follows from what was found. `verify-run.ts` knows when the
 * next step is due, `verify-source.ts` does the work.
 */
import { Fault } from '../contract/index.ts';
import type { Verification } from '../contract/index.ts';
import type { ToPrimary } from './lane-messages.ts';
import type { Lane } from './operations.ts';
import type { PrimaryCheckpoints } from './primary-checkpoints.ts';
import type { LaneContext } from './primary-context.ts';
import type { PrimarySending } from './primary-sending.ts';
import type { RequestInHand } from './request-in-hand.ts';
import { recordNotWritten } from './primary-failures.ts';
import { VerifyRun } from './verify-run.ts';
import { matters } from './verify-source.ts';
import * as lineage from './volume-lineage.ts';

export class PrimaryVerify {
  readonly #lane: LaneContext;
  readonly #hand: RequestInHand;
  readonly #sending: PrimarySending;
  readonly #checkpoints: PrimaryCheckpoints;
  /** The comparison that runs, or the last one of this role. */
  #run: VerifyRun | null = null;
  /** The target can answer what a comparison asks. */
  #peerVerifies = false;
  /** The target has recorded that its copy differs; it takes the changes, and no resync runs. */
  #differs = false;
  /** The target refuses the link for that reason, until its repair has been ordered. */
  #peerDiffers = false;
  #servedMs = 0;

  constructor(
    lane: LaneContext,
    parts: { hand: RequestInHand; sending: PrimarySending; checkpoints: PrimaryCheckpoints },
  ) {
    this.#lane = lane;
    this.#hand = parts.hand;
    this.#sending = parts.sending;
    this.#checkpoints = parts.checkpoints;
  }

  get running(): boolean {
    return this.#run?.running === true;
  }
  /** Of the target on the link. */
  get differs(): boolean {
    return this.#differs;
  }
  /** On the link, or as it was found before. */
  get copiesDiffer(): boolean {
    return this.#differs || this.#peerDiffers;
  }

  /** `verifies`: the target can answer what a comparison asks. */
  linked(verifies: boolean): void {
    this.#peerDiffers = false;
    this.#peerVerifies = verifies;
  }

  disconnected(): void {
    this.interrupted();
    this.#differs = false;
  }

  /** What was not compared by now is not known. */
  interrupted(): void {
    this.#run?.interrupted();
  }

  /** A resync has ended: whatever was different is the same by now. */
  resynced(): void {
    this.#run?.resynced();
  }

  /** The target refuses the link until its repair is ordered. */
  refused(): void {
    this.#peerDiffers = true;
  }

  /** The application has asked for something. */
  served(nowMs: number): void {
    this.#servedMs = nowMs;
  }

  tell(nowMs: number): Verification | null {
    return this.#run?.tell(nowMs) ?? null;
  }

  *begin(message: ToPrimary & { type: 'verify' }): Lane {
    const { tell } = this.#lane.ports;
    const { session, mode, stopping } = this.#lane;
    const together = session !== 0 && (mode === 'in-sync' || this.#differs) && !stopping;
    const asFound = message.repair && session === 0 && this.#peerDiffers && !stopping;
    let fault = asFound || (together && this.#peerVerifies) ? null : this.#fault();
    if (asFound && !(yield* this.#lane.persist(lineage.orderedToRepair(this.#lane.record)))) fault = recordNotWritten();
    if (fault === null) this.#order(message.repair);
    if (fault === null && asFound) this.#run?.repairAsFound();
    // Whoever asks when this is done must not be told of the comparison before.
    this.#lane.tellStatus();
    tell({ type: 'done', call: message.call, clean: false, fault: fault?.toRecord() ?? null });
  }

  #order(repair: boolean): void {
    if (this.#run?.running === true) {
      if (repair) this.#run.alsoRepair();
      return;
    }
    const { tree, stream, resyncBuffer, nowMs, used } = this.#lane.ports;
    const options = { repair, stale: this.#differs, nowMs, usedBytes: used()?.bytes ?? null };
    this.#run = new VerifyRun(tree, stream, resyncBuffer, options);
  }

  #fault(): Fault {
    return new Fault(
      'verify-not-possible',
      {
        message:
          this.#peerVerifies || this.#lane.session === 0
            ? 'The copies can be compared only while both servers are connected and no resync runs.'
            : 'The agent of the other server is too old to compare its copy.',
        remedy: this.#remedy(),
      },
      { mode: this.#lane.mode },
    );
  }

  #remedy(): string {
    if (this.#lane.session !== 0) return 'Apply the configuration again.';
    return this.#peerDiffers
      ? 'The other copy was found to differ and waits for an order: holdfast verify MODULE --repair.'
      : 'Wait until the other server is up to date.';
  }

  stop(call: number): void {
    this.#run?.stop();
    this.#lane.tellStatus();
    this.#lane.ports.tell({ type: 'done', call, clean: false, fault: null });
  }

  /** Until the next step may be taken; null: none is to be waited for. */
  dueInMs(): number | null {
    return this.#run?.running === true ? this.#run.dueInMs(this.#lane.ports.nowMs()) : null;
  }

  /** `isQuiet`: no request waits. */
  mayStep(isQuiet: boolean): boolean {
    return this.#run?.running === true && (isQuiet || this.#run.starved);
  }

  *step(): Lane {
    const { tree, stream, nowMs, linkBroken } = this.#lane.ports;
    const run = this.#run;
    if (run?.dueInMs(nowMs()) !== 0) return;
    this.#hand.stepBeganMs = nowMs();
    tree.putIdleAside();
    const ended = run.step(this.#servedMs) === 'ended';
    if (stream.writer.length > 0) yield* this.#sending.send();
    this.#sending.count(true);
    if (linkBroken()) yield* this.#lane.lost();
    if (ended) this.#lane.tellStatus();
    else this.#lane.tellProgress();
    // The way to equal copies is the one that is proven: a new contact finds the target stale, and compares and sends everything that differs.
    if (!ended || !run.repairing) return;
    const isOrdered = yield* this.#lane.persist(lineage.orderedToRepair(this.#lane.record));
    if (isOrdered && this.#lane.session !== 0) yield* this.#lane.lost();
  }

  /** The target's record says by now that its copy is not to be used; with ours this is as in a resync, only that none runs. */
  *answered(message: ToPrimary & { type: 'verified' }): Lane {
    // Known before it is asked whether anybody still compares: it stands in the target's record.
    if (matters(message.findings) && !this.#differs) yield* this.#foundDifferent();
    const event = this.#run?.answered(message.sequence, message.findings);
    if (event === 'confused') yield* this.#lane.lost();
    else if (event === 'ended') this.#lane.tellStatus();
  }

  *#foundDifferent(): Lane {
    this.#checkpoints.endLog();
    if (!(yield* this.#lane.persist(lineage.resyncSource(this.#lane.record)))) {
      // Nothing more is promised of a copy that ours does not say is stale.
      yield* this.#lane.lost();
      return;
    }
    this.#differs = true;
    this.#lane.setMode('resynchronising');
    this.#lane.tellStatus();
  }
}
