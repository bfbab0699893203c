/** The part of the app that remembers: what readings told, written every few seconds, and asked for by the charts. */
import path from 'node:path';
import type { ClusterStatus } from '../../agent/contract/index.ts';
import type { HistoryHandlers } from '../app-api/index.ts';
import type { AppPart } from '../app.ts';
import type { HistoryRecorder } from './recorder.ts';
import { samplesOf, type Sample } from './samples.ts';
import { emptySeries, seriesOf } from './series.ts';
import { HistoryStore, isDamage } from './store.ts';
import { resolutionFor } from './tiers.ts';

/** One transaction for several readings: a laptop's disk is not written to every second. */
const flushMs = 5000;
const pruneMs = 3_600_000;
/** While the file cannot be written; the oldest go. */
const waitingMax = 3600;
/** A file that could not be opened or written is tried again. */
const retryMs = 60_000;

export interface HistoryOptions {
  /** Of this user; holds history.db. */
  readonly stateDirectory: string;
  readonly nowMs?: () => number;
  /** Told once when the history cannot be kept, for the journal of the app. */
  readonly complain?: (line: string) => void;
}

export interface HistoryPart extends AppPart<HistoryHandlers>, HistoryRecorder {}

export function createHistoryPart(options: HistoryOptions): HistoryPart {
  return new History(options);
}

class History implements HistoryPart {
  readonly #file: string;
  readonly #nowMs: () => number;
  readonly #complain: (line: string) => void;
  #store: HistoryStore | null = null;
  #waiting: Sample[] = [];
  #timer: NodeJS.Timeout | undefined;
  #notBeforeMs = -Infinity;
  #prunedMs = -Infinity;
  #complained = '';
  #closed = false;

  constructor({ stateDirectory, nowMs = Date.now, complain = defaultComplaint }: HistoryOptions) {
    this.#file = path.join(stateDirectory, 'history.db');
    this.#nowMs = nowMs;
    this.#complain = complain;
  }

  record(cluster: string, status: ClusterStatus): void {
    if (this.#closed) return;
    this.#waiting.push(...samplesOf(cluster, status));
    if (this.#waiting.length > waitingMax) this.#waiting.splice(0, this.#waiting.length - waitingMax);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
    }, flushMs).unref();
  }

  forget(cluster: string): void {
    this.#waiting = this.#waiting.filter((sample) => sample.cluster !== cluster);
    this.#with((store) => {
      store.forget(cluster);
    }, undefined);
  }

  serve(): HistoryHandlers {
    return {
      history: async ({ cluster, module, fromMs, toMs, points }) => {
        if (!(toMs > fromMs)) return emptySeries;
        this.#flush();
        const resolution = resolutionFor(fromMs / 1000, toMs / 1000, points, this.#nowMs() / 1000);
        const { start, stepSeconds, intervalSeconds, count } = resolution;
        const end = start + intervalSeconds * count;
        const rows = this.#with((store) => store.rows(cluster, module, stepSeconds, start, end), []);
        return seriesOf(rows, resolution);
      },
      resyncs: async ({ cluster, module, limit }) => {
        this.#flush();
        return this.#with((store) => store.resyncs(cluster, module, limit), []);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#flush();
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#store?.[Symbol.dispose]();
    this.#store = null;
  }

  #flush(): void {
    if (this.#waiting.length === 0) return;
    this.#with((store) => {
      store.write(this.#waiting);
      this.#waiting = [];
      if (this.#nowMs() - this.#prunedMs < pruneMs) return;
      this.#prunedMs = this.#nowMs();
      store.prune(this.#prunedMs / 1000);
    }, undefined);
  }

  /** Whatever goes wrong with the file is not worth an error on a screen: there is no history then. */
  #with<T>(use: (store: HistoryStore) => T, otherwise: T): T {
    if (this.#closed || this.#nowMs() < this.#notBeforeMs) return otherwise;
    try {
      this.#store ??= HistoryStore.open(this.#file);
      const result = use(this.#store);
      this.#complained = '';
      return result;
    } catch (error) {
      this.#failed(error);
      return otherwise;
    }
  }

  #failed(error: unknown): void {
    if (isBusy(error)) return;
    const line = `The history cannot be kept in ${this.#file}: ${error instanceof Error ? error.message : String(error)}`;
    if (line !== this.#complained) this.#complain(line);
    this.#complained = line;
    this.#close();
    if (isDamage(error)) this.#putAside();
    else this.#notBeforeMs = this.#nowMs() + retryMs;
  }

  #close(): void {
    try {
      this.#store?.[Symbol.dispose]();
    } catch {
      // It is given up in any case.
    }
    this.#store = null;
  }

  #putAside(): void {
    try {
      HistoryStore.putAside(this.#file);
    } catch {
      this.#notBeforeMs = this.#nowMs() + retryMs;
    }
  }
}

/** Another copy of the app is writing: what waits is written next time. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) === 5;
}

function defaultComplaint(line: string): void {
  process.stderr.write(`${line}\n`);
}
