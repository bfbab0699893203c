/** What the charts of one module show: asked of the history, once for the past, again and again for now. */
import { Fault, type FaultRecord } from '../../agent/contract/index.ts';
import type { Series } from '../../src-main/app-api/index.ts';
import { app } from '../app.svelte.ts';
import { emptySeries } from './summary.ts';
import { spanOf, type Span, type View } from './view.ts';

export interface ResyncOfPast {
  readonly node: string;
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly doneBytes: number;
  readonly sentBytes: number;
  readonly finished: boolean;
}

const tickMs = 1000;
/** The list changes when a resync begins or ends, and its numbers while one runs. */
const resyncsMs = 5000;
const resyncsMax = 50;
/** For tests and for whoever wonders: what drawing took, from the question to the picture, as a user timing. */
export const drawnMeasure = 'holdfast: measurements drawn';

export class MeasurementsState {
  view = $state.raw<View>({ kind: 'now', range: 'quarter' });
  series = $state.raw<Series>(emptySeries);
  /** What the axis shows. */
  span = $state.raw<Span>(spanOf({ kind: 'now', range: 'quarter' }, Date.now()));
  resyncs = $state.raw<readonly ResyncOfPast[]>([]);
  fault = $state.raw<FaultRecord | null>(null);
  /** Something has been answered: until then nothing is known, not even that there is nothing. */
  loaded = $state(false);
  #askedMs = 0;
  #answering = false;

  /** From now on; returns how it ends. `points`: how many intervals are worth asking for. */
  watch(cluster: string, module: string, view: View, points: number): () => void {
    const end = new AbortController();
    const { signal } = end;
    this.#askedMs = 0;
    this.#answering = false;
    const tick = (): void => {
      if (document.hidden) return;
      const span = spanOf(view, Date.now());
      // The axis moves every second, also when an interval of the chart is longer.
      if (view.kind === 'now' && this.loaded) this.span = span;
      if (this.#due(view)) void this.#ask(cluster, module, span, points, signal);
    };
    tick();
    const timer = setInterval(tick, tickMs);
    document.addEventListener('visibilitychange', tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', tick);
      end.abort();
    };
  }

  #due(view: View): boolean {
    if (this.#answering) return false;
    if (this.#askedMs === 0 || this.fault !== null) return true;
    const [first = 0, second = first] = this.series.at;
    const intervalMs = Math.max(tickMs, ((second - first) * 1000) / 2);
    return view.kind === 'now' && Date.now() - this.#askedMs >= intervalMs - tickMs / 2;
  }

  async #ask(cluster: string, module: string, span: Span, points: number, signal: AbortSignal): Promise<void> {
    this.#answering = true;
    this.#askedMs = Date.now();
    const began = performance.now();
    try {
      const { fromMs, toMs } = span;
      const series = await app.call('history', { cluster, module, fromMs, toMs, points }, signal);
      if (signal.aborted) return;
      this.span = span;
      this.series = series;
      this.fault = null;
      this.loaded = true;
      requestAnimationFrame(() => {
        performance.clearMeasures(drawnMeasure);
        performance.measure(drawnMeasure, { start: began, detail: series.at.length });
      });
    } catch (error) {
      // Without the main process the frame of the app says so; this goes on when it is back.
      if (!signal.aborted && app.connected) this.fault = Fault.from(error).toRecord();
    } finally {
      if (!signal.aborted) this.#answering = false;
    }
  }

  watchResyncs(cluster: string, module: string): () => void {
    const end = new AbortController();
    const ask = (): void => {
      if (document.hidden) return;
      app.call('resyncs', { cluster, module, limit: resyncsMax }, end.signal).then(
        (resyncs) => {
          if (!end.signal.aborted) this.resyncs = resyncs;
        },
        () => undefined,
      );
    };
    ask();
    const timer = setInterval(ask, resyncsMs);
    return () => {
      clearInterval(timer);
      end.abort();
    };
  }
}
