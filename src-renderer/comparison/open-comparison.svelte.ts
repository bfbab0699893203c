/** The comparison that a dialog shows: asked for every second, as long as somebody looks. */
import { untrack } from 'svelte';
import { Fault, type FaultRecord } from '../../agent/contract/index.ts';
import type { Comparison } from '../../src-main/app-api/index.ts';
import { app } from '../app.svelte.ts';

const intervalMs = 1000;

export class OpenComparison {
  readonly #of: { readonly cluster: string; readonly module: string };
  /** Null: not told yet. */
  comparison = $state.raw<Comparison | null>(null);
  fault = $state.raw<FaultRecord | null>(null);
  /** Why the last order was not followed. */
  orderFault = $state.raw<FaultRecord | null>(null);
  /** An order is on its way. */
  busy = $state(false);

  constructor(cluster: string, module: string) {
    this.#of = { cluster, module };
  }

  /** Until the returned function is called. */
  look(): () => void {
    const over = new AbortController();
    untrack(() => void this.#readOn(over.signal));
    return () => over.abort();
  }

  async #readOn(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      try {
        this.#take(await app.call('comparison', this.#of));
      } catch (error) {
        this.fault = Fault.from(error).toRecord();
      }
      await pause(intervalMs, over);
    }
  }

  #take(comparison: Comparison): void {
    this.comparison = comparison;
    this.fault = null;
  }

  async #order(give: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    try {
      await give();
      // Seen at once, not with the next look.
      this.#take(await app.call('comparison', this.#of));
      return true;
    } catch (error) {
      this.orderFault = Fault.from(error).toRecord();
      return false;
    } finally {
      this.busy = false;
    }
  }

  async compare(repair: boolean): Promise<boolean> {
    const primary = this.comparison?.primary ?? null;
    if (primary === null) return false;
    this.orderFault = null;
    return this.#order(() => app.call('compareCopies', { ...this.#of, repair, primary }));
  }
  async stop(): Promise<boolean> {
    this.orderFault = null;
    return this.#order(() => app.call('stopComparing', this.#of));
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
