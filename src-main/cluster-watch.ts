/** Reads the cluster again and again while somebody looks, and tells all who look. */
import { Fault, type ClusterStatus } from '../agent/contract/index.ts';
import type { ClusterView } from './app-api/index.ts';

export type ReadClusterStatus = (options: { readonly signal: AbortSignal }) => Promise<ClusterStatus>;

/** Between two readings. Each opens SSH connections to both servers, so not faster; an order refreshes at once. */
const pauseMs = 3000;

export class ClusterWatch implements Disposable {
  #view: ClusterView = { kind: 'reading' };
  readonly #read: ReadClusterStatus;
  readonly #listeners = new Set<(view: ClusterView) => void>();
  readonly #stop = new AbortController();
  #reading: Promise<ClusterView> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(read: ReadClusterStatus) {
    this.#read = read;
  }

  get view(): ClusterView {
    return this.#view;
  }

  /** Nobody looks, nobody asks: an app left open in the background leaves the servers alone. */
  watch(listener: (view: ClusterView) => void): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) void this.refresh();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) clearTimeout(this.#timer);
    };
  }

  /** Never rejects: not being able to read is something to show. Calls during a reading share it. */
  refresh(): Promise<ClusterView> {
    clearTimeout(this.#timer);
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
      if (this.#listeners.size > 0 && !this.#stop.signal.aborted)
        this.#timer = setTimeout(() => void this.refresh(), pauseMs);
    });
    return this.#reading;
  }

  async #readOnce(): Promise<ClusterView> {
    let next: ClusterView;
    try {
      next = { kind: 'read', status: await this.#read({ signal: this.#stop.signal }) };
    } catch (error) {
      next = this.#afterFailure(Fault.from(error));
    }
    this.#view = next;
    for (const listener of this.#listeners) listener(next);
    return next;
  }

  #afterFailure(fault: Fault): ClusterView {
    if (fault.code === 'no-cluster-known') return { kind: 'none' };
    const before = this.#view;
    const since = before.kind === 'unreadable' ? before.since : new Date().toISOString();
    const last = before.kind === 'read' ? before.status : before.kind === 'unreadable' ? before.last : null;
    return { kind: 'unreadable', fault: fault.toRecord(), since, last };
  }

  [Symbol.dispose](): void {
    this.#listeners.clear();
    clearTimeout(this.#timer);
    this.#stop.abort(new Fault('aborted', { message: 'The app is closing.' }));
  }
}
