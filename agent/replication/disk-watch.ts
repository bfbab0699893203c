/** Whether what a role has asked of its disk comes back: its lane, which is in the kernel for it, and the thread that asks for all of the disk (syncfs). */

/** Nothing that a lane does takes as long on a disk that works. */
const laneMsMax = 10_000;
/** Syncfs writes all that is unwritten there, of anybody. */
const questionMsMax = 60_000;
/** Whoever waits for it this long is better served by the other server. */
const waitedForMsMax = 60_000;
/** What counts at most between two looks: a process that did not run itself has heard nothing either. */
const countedMsMax = 1000;

/** One syncfs that is under way; `waitedFor`: no sync of the application is answered before it. */
export interface Question {
  readonly waitedFor: boolean;
}

export interface Looked {
  /** By any clock that only goes forward. */
  readonly nowMs: number;
  /** Moves while the lane lives. */
  readonly lane: number;
  /** The lane may rest for as long as nobody gives it the right to answer. */
  readonly laneRests: boolean;
  readonly question: Question | null;
}

export class DiskWatch {
  #lookedMs: number | null = null;
  #lane = 0;
  #laneMs = 0;
  #question: Question | null = null;
  #questionMs = 0;

  /** Since how many milliseconds the disk has not answered; `failed`: the application waits for it, and for too long. Null: nothing is known against it. */
  look({ nowMs, lane, laneRests, question }: Looked): { readonly silentMs: number; readonly failed: boolean } | null {
    const passedMs = Math.min(nowMs - (this.#lookedMs ?? nowMs), countedMsMax);
    this.#lookedMs = nowMs;
    // Before its first step it counts nothing.
    this.#laneMs = lane !== this.#lane || lane === 0 || laneRests ? 0 : this.#laneMs + passedMs;
    this.#lane = lane;
    this.#questionMs = question === null || question !== this.#question ? 0 : this.#questionMs + passedMs;
    this.#question = question;
    const silentMs = Math.max(
      this.#laneMs >= laneMsMax ? this.#laneMs : 0,
      this.#questionMs >= questionMsMax ? this.#questionMs : 0,
    );
    if (silentMs === 0) return null;
    const waitedForMs = Math.max(this.#laneMs, question?.waitedFor === true ? this.#questionMs : 0);
    return { silentMs, failed: waitedForMs >= waitedForMsMax };
  }
}
