/** What a resync would have to do now, for whoever asks: in small steps between requests, oldest question first. */
import { EstimateRun } from './estimate.ts';
import type { HotHistory } from './hot-history.ts';
import type { Marks } from './marks.ts';
import type { LaneContext } from './primary-context.ts';

export class PrimaryEstimates {
  readonly #lane: LaneContext;
  /** Asked for, oldest first. */
  readonly #runs: { readonly call: number; readonly run: EstimateRun; readonly counted: Marks | null }[] = [];
  /** Of the last resync or comparison of this role; null: there was none. */
  #measuredRate: number | null = null;
  readonly #history: HotHistory;

  constructor(lane: LaneContext, history: HotHistory) {
    this.#lane = lane;
    this.#history = history;
  }

  get asked(): boolean {
    return this.#runs.length > 0;
  }

  /** Null: nothing was measured. */
  measured(bytesPerSecond: number | null): void {
    this.#measuredRate = bytesPerSecond ?? this.#measuredRate;
  }

  begin({ call, files, copiesDiffer }: { call: number; files: number; copiesDiffer: boolean }): void {
    const { tree, stream, used, nowMs } = this.#lane.ports;
    const whole = this.#lane.record.unwritten === true ? 'unwritten' : copiesDiffer ? 'copies-differ' : null;
    const inSync = this.#lane.mode === 'in-sync';
    const circumstances = { filesMax: files, inSync, whole, used: used(), nowMs } as const;
    const counted = inSync || whole !== null ? null : this.#history.toBeMarked();
    const marks = counted ?? stream.marks;
    const run = new EstimateRun(tree, marks, { ...circumstances, bytesPerSecond: this.#measuredRate });
    this.#runs.push({ call, run, counted });
  }

  /** `isQuiet`: no request waits. */
  step(isQuiet: boolean): void {
    const [first] = this.#runs;
    if (!first || (!isQuiet && !first.run.starved)) return;
    const estimate = first.run.step();
    if (estimate === null) return;
    this.#runs.shift();
    first.counted?.end();
    first.counted?.tidy();
    this.#lane.ports.tell({ type: 'done', call: first.call, clean: false, fault: null, estimate });
  }
}
