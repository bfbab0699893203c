/**
 * How much of the line and of both disks a resync takes beside the application. All of it while nobody asks for anything; otherwise little is under way at once, because
 * a sync of the application waits until the target has worked off what was sent before it, and is flushed together with what lies unwritten there.
 *
 * Pure but for the clock that its callers read.
 */

const kib = 1024;
/** Nobody waits behind it. */
const quietBytesMax = 4096 * kib;
/** Well below what may be unacknowledged before changes of the application wait at all (see the primary lane). */
const busyBytesMax = 1024 * kib;
const busyBytesFirst = 512 * kib;
/**
 * A few steps, however slow the answers: a copy that is not there protects nobody, and a database that always commits must not keep it away for days.
 */
const bytesMin = 256 * kib;
const growthBytes = 32 * kib;
/** Of the target to one piece of work, while the application is at work too: less at once. */
const slowAnswerMs = 20;
/** Something takes the target long even so (most likely it flushes what was sent): fewer steps too, until that has been long ago. */
const verySlowAnswerMs = 50;
const forgetsAfterMs = 2000;
/** An application that has asked for nothing for so long does not feel what is sent. One that writes now and then does. */
const busyMs = 1000;
/** Half of the lane's time beside an application that works, and less when the target is slow. */
const restPerStepMin = 1;
const restPerStepMax = 6;
/** A step that took long for once (a huge directory) is no reason to stand still. */
const restMsMax = 50;
/** An application that never lets go of the lane gets a step in between: a resync has to end some day. */
const starvedMs = 20;

export class ResyncPace {
  #windowBytes = quietBytesMax;
  #servedMs = -Infinity;
  #steppedMs: number;
  #dueMs = 0;
  #restPerStep = restPerStepMin;
  #restChangedMs = -Infinity;

  constructor(nowMs: number) {
    this.#steppedMs = nowMs;
  }

  /** The application has asked for something. */
  served(nowMs: number): void {
    if (this.#isQuiet(nowMs)) this.#windowBytes = Math.min(this.#windowBytes, busyBytesFirst);
    this.#servedMs = nowMs;
  }

  #isQuiet(nowMs: number): boolean {
    return nowMs - this.#servedMs > busyMs;
  }

  /** What may be under way to the target. */
  get windowBytes(): number {
    return this.#windowBytes;
  }

  /** The target has dealt with what was sent so long ago. */
  answered(tookMs: number, nowMs: number): void {
    if (this.#isQuiet(nowMs)) this.#windowBytes = Math.min(quietBytesMax, this.#windowBytes * 2);
    else if (tookMs > slowAnswerMs) this.#windowBytes = Math.max(bytesMin, this.#windowBytes / 2);
    else this.#windowBytes = Math.min(busyBytesMax, this.#windowBytes + growthBytes);
    this.#adaptRest(tookMs, nowMs);
  }

  /** What was asked during one flush is answered after it: it counts once. */
  #adaptRest(tookMs: number, nowMs: number): void {
    const isSlow = tookMs > verySlowAnswerMs && !this.#isQuiet(nowMs);
    if (nowMs - this.#restChangedMs < (isSlow ? tookMs : forgetsAfterMs)) return;
    this.#restChangedMs = nowMs;
    this.#restPerStep = isSlow
      ? Math.min(restPerStepMax, this.#restPerStep * 2)
      : Math.max(restPerStepMin, this.#restPerStep / 2);
  }

  stepped(beganMs: number, endedMs: number): void {
    this.#steppedMs = endedMs;
    const restMs = Math.min(restMsMax, (endedMs - beganMs) * this.#restPerStep);
    this.#dueMs = this.#isQuiet(endedMs) ? 0 : endedMs + restMs;
  }

  /** Until the next step may be taken. */
  dueInMs(nowMs: number): number {
    return Math.max(0, Math.ceil(this.#dueMs - nowMs));
  }

  /** A step is taken although a request waits. */
  isStarved(nowMs: number): boolean {
    return nowMs - this.#steppedMs > starvedMs;
  }

  /** It is slower than it could be, because the application is at work. */
  yields(nowMs: number): boolean {
    return !this.#isQuiet(nowMs);
  }
}
