/** How long the other end of a line has said nothing although it was asked, in time that this process has really run. */
import type { Silence } from './ports.ts';

/** How often it is asked and looked at. */
export const lookEveryMs = 500;
/** What counts at most between two looks: a process that did not run itself has heard nothing either. */
const countedMsMax = lookEveryMs * 2;

export class SilenceWatch {
  private silentMs = 0;
  private lookedMs: number;
  private current: Silence | null = null;

  constructor(nowMs: number) {
    this.lookedMs = nowMs;
  }

  /** Anything, or that there is nobody any more. */
  heard(): void {
    this.silentMs = 0;
    this.current = null;
  }

  /** Null: it has not been silent for as long as that. */
  look(nowMs: number, patienceMs: number): Silence | null {
    this.silentMs += Math.min(Math.max(0, nowMs - this.lookedMs), countedMsMax);
    this.lookedMs = nowMs;
    if (this.silentMs < patienceMs) return null;
    this.current ??= this.begin();
    return this.current;
  }

  private begin(): Silence {
    const silence: Silence = { lasts: () => this.current === silence, ms: () => this.silentMs };
    return silence;
  }
}
