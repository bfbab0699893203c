/**
 * The resync of the link in use, as the primary lane drives it: its steps between the application's requests at the pace that leaves those their share, its end, and what
 * is told of it meanwhile. `resync-source.ts` does the work.
 */
import type { ResyncProgress } from '../contract/index.ts';
import { reached } from './acknowledgement.ts';
import type { Lane } from './operations.ts';
import type { PrimaryCheckpoints } from './primary-checkpoints.ts';
import type { LaneContext } from './primary-context.ts';
import type { PrimarySending } from './primary-sending.ts';
import type { RequestInHand } from './request-in-hand.ts';
import { ResyncPace } from './resync-pace.ts';
import { ResyncSource } from './resync-source.ts';
import type { BlocksAnswer, StepResult } from './resync-source.ts';

const rateIntervalMs = 500;

export class PrimaryResync {
  readonly #lane: LaneContext;
  readonly #hand: RequestInHand;
  readonly #sending: PrimarySending;
  readonly #checkpoints: PrimaryCheckpoints;
  #source: ResyncSource | null = null;
  /** Nothing is left to do before the target has answered or acknowledged something. */
  #waits = false;
  #pace = new ResyncPace(0);
  /** Sequence of `finish`: from then on the target may call itself up to date. 0: not sent. */
  #finishSequence = 0;
  #last = { atMs: 0, doneBytes: 0, bytesPerSecond: null as number | null };

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
    return this.#source !== null;
  }
  get byMarks(): boolean {
    return this.#source?.byMarks === true;
  }
  /** The end is sent: the target may have become up to date. */
  get finishing(): boolean {
    return this.#finishSequence !== 0;
  }
  /** An acknowledgement is what its next step waits for. */
  get waits(): boolean {
    return this.#waits && this.#steps;
  }
  get #steps(): boolean {
    // What this disk has failed to write is not to be copied, nor the good block of the peer to be written over.
    if (this.#lane.ports.formerErrors?.unheard === true) return false;
    return this.#source !== null && this.#finishSequence === 0;
  }

  /** After the stream has begun. `byMarks`: the target has all that the stream's marks do not name. */
  begin(byMarks: boolean): void {
    const { resyncBuffer, nowMs, control, tree, stream } = this.#lane.ports;
    this.#pace = new ResyncPace(nowMs());
    const options = { acknowledged: () => control.acknowledged, byMarks, pace: this.#pace, nowMs };
    this.#source = new ResyncSource(tree, stream, resyncBuffer, options);
    this.#waits = false;
    this.#last = { atMs: nowMs(), doneBytes: 0, bytesPerSecond: null };
    stream.walk = this.#source;
    stream.hotRecorded();
    stream.tellUnnamed();
  }

  disconnected(): void {
    this.#source?.abandon();
    this.#source = null;
    this.#finishSequence = 0;
  }

  /** The target has acknowledged the end, once: it has recorded that it is up to date. */
  takeEnd(): boolean {
    if (this.#finishSequence === 0 || !reached(this.#lane.ports.control.acknowledged, this.#finishSequence))
      return false;
    this.#finishSequence = 0;
    this.#source = null;
    return true;
  }

  answered(answer: BlocksAnswer): void {
    this.#source?.answered(answer);
    this.#waits = false;
  }

  /** Something was acknowledged. */
  acknowledged(): void {
    this.#waits = false;
  }

  /** The application has asked for something. */
  served(nowMs: number): void {
    this.#pace.served(nowMs);
  }

  /** Until the next step may be taken; null: none is to be waited for. */
  dueInMs(): number | null {
    return this.#steps && !this.#waits ? this.#pace.dueInMs(this.#lane.ports.nowMs()) : null;
  }

  /** `isQuiet`: no request waits. Of what the target has not acknowledged nothing is waited for here: that is its own answer. */
  mayStep(isQuiet: boolean): boolean {
    if (!this.#steps) return false;
    const now = this.#lane.ports.nowMs();
    if (isQuiet) return this.#pace.dueInMs(now) === 0;
    return !this.#waits && this.#pace.isStarved(now);
  }

  *step(): Lane {
    const { nowMs } = this.#lane.ports;
    const beganMs = nowMs();
    this.#hand.stepBeganMs = beganMs;
    if (this.#source) yield* this.#step(this.#source);
    this.#pace.stepped(beganMs, nowMs());
  }

  *#step(source: ResyncSource): Lane {
    const { tree, stream, linkBroken } = this.#lane.ports;
    tree.putIdleAside();
    const result = source.step();
    // What broke it may have kept the walk from seeing something: this must not end as complete.
    if (linkBroken()) {
      yield* this.#lane.lost();
      return;
    }
    this.#waits = result === 'waiting';
    if (this.#hasFailed(result, source)) {
      yield* this.#lane.lost();
      return;
    }
    if (result === 'walked') {
      if (!(yield* this.#checkpoints.walked(source.byMarks))) {
        yield* this.#lane.lost();
        return;
      }
      this.#finish(source);
    }
    if (stream.writer.length > 0) yield* this.#sending.send();
    this.#sending.count(true);
    if (linkBroken()) yield* this.#lane.lost();
    this.#lane.tellProgress();
  }

  #hasFailed(result: StepResult, source: ResyncSource): boolean {
    if (result === 'insufficient') this.#checkpoints.endLog();
    else if (result === 'unreadable') this.#lane.ports.tell({ type: 'unreadable', errno: -source.readError });
    else return false;
    return true;
  }

  #finish(source: ResyncSource): void {
    const { stream } = this.#lane.ports;
    stream.walked();
    stream.reserve(128 * 1024);
    this.#lane.generationIsGiven();
    // A short one is over before its progress was ever told.
    this.#lane.tellStatus();
    const record = this.#checkpoints.withResync(source.byMarks);
    this.#finishSequence = stream.writer.finish(Buffer.from(JSON.stringify(record)));
  }

  progress(): ResyncProgress | null {
    if (!this.#source) return null;
    const progress = this.#source.progress;
    const now = this.#lane.ports.nowMs();
    const last = this.#last;
    const passedMs = now - last.atMs;
    if (passedMs >= rateIntervalMs) {
      const rate = ((progress.doneBytes - last.doneBytes) * 1000) / passedMs;
      const smooth = last.bytesPerSecond === null ? rate : last.bytesPerSecond * 0.7 + rate * 0.3;
      this.#last = { atMs: now, doneBytes: progress.doneBytes, bytesPerSecond: smooth };
    }
    const { bytesPerSecond } = this.#last;
    const left = progress.totalBytes === null ? null : progress.totalBytes - progress.doneBytes;
    const eta = left === null || bytesPerSecond === null || bytesPerSecond <= 0 ? null : left / bytesPerSecond;
    return { ...progress, bytesPerSecond, etaSeconds: eta, ...(this.#pace.yields(now) && { yields: true }) };
  }
}
