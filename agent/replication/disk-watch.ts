/** Whether what a role has asked of its disk comes back: its lane, which is in the kernel for it, and the thread that asks for all of the disk (syncfs). */

/** Nothing that a lane does takes as long on a disk that works. */
const laneMsMax = 10_000;
/** Syncfs writes all that is unwritten there, of anybody. */
const questionMsMax = 60_000;
/** What counts at most between two looks: a process that did not run itself has heard nothing either. */
const countedMsMax = 1000;

export interface Looked {
  /** By any clock that only goes forward. */
  readonly nowMs: number;
  /** Moves while the lane lives. */
  readonly lane: number;
  /** The lane may rest for as long as nobody gives it the right to answer. */
  readonly laneRests: boolean;
  /** Number of the syncfs that is under way; 0: none. */
  readonly question: number;
}

export class DiskWatch {
  #lookedMs: number | null = null;
  #lane = 0;
  #laneMs = 0;
  #question = 0;
  #questionMs = 0;

  /** Since how many milliseconds the disk has not answered. 0: nothing is known against it. */
  look({ nowMs, lane, laneRests, question }: Looked): number {
    const passedMs = Math.min(nowMs - (this.#lookedMs ?? nowMs), countedMsMax);
    this.#lookedMs = nowMs;
    // Before its first step it counts nothing.
    this.#laneMs = lane !== this.#lane || lane === 0 || laneRests ? 0 : this.#laneMs + passedMs;
    this.#lane = lane;
    this.#questionMs = question === 0 || question !== this.#question ? 0 : this.#questionMs + passedMs;
    this.#question = question;
    return Math.max(
      this.#laneMs >= laneMsMax ? this.#laneMs : 0,
      this.#questionMs >= questionMsMax ? this.#questionMs : 0,
    );
  }
}
