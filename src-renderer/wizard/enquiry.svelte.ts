/** Something that is asked of the servers while the person reads, and asked again when the answers that it depends on change. */
import { untrack } from 'svelte';
import { Fault, type FaultRecord } from '../../agent/contract/index.ts';
import type { Asked } from './steps.ts';

export class Enquiry<T> implements Asked<T> {
  #phase = $state<'none' | 'asking' | 'answered' | 'failed'>('none');
  #latest = $state.raw<T | null>(null);
  #fault = $state.raw<FaultRecord | null>(null);
  #ask: ((signal: AbortSignal) => Promise<T>) | null = null;
  #key: string | null = null;
  #running: AbortController | null = null;
  readonly #onFault: (fault: FaultRecord) => void;

  constructor(onFault: (fault: FaultRecord) => void = () => undefined) {
    this.#onFault = onFault;
  }

  get state(): 'none' | 'asking' | 'answered' | 'failed' {
    return this.#phase;
  }
  /** Of the present answers. */
  get answer(): T | null {
    return this.#phase === 'answered' ? this.#latest : null;
  }
  /** The last one, also while it is asked again: a list that vanishes for a moment cannot be read. */
  get latest(): T | null {
    return this.#latest;
  }
  get fault(): FaultRecord | null {
    return this.#phase === 'failed' ? this.#fault : null;
  }

  /** Asks unless it was asked with this key already. The pause lets a person finish typing. */
  want(key: string, ask: (signal: AbortSignal) => Promise<T>, pauseMs = 0): void {
    if (key === this.#key) return;
    this.#key = key;
    this.#ask = ask;
    untrack(() => void this.#run(pauseMs));
  }

  /** The present answers do not ask this. */
  forget(): void {
    if (this.#key === null) return;
    this.#key = null;
    this.#running?.abort();
    this.#running = null;
    untrack(() => {
      this.#phase = 'none';
      this.#latest = null;
    });
  }

  again(): void {
    if (this.#ask !== null) void this.#run(0);
  }
  /** What failed is asked again; what was answered stays. */
  retryFailed(): void {
    if (this.#phase === 'failed') this.again();
  }

  async #run(pauseMs: number): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.#phase = 'asking';
    try {
      if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (running.signal.aborted || this.#ask === null) return;
      const answer = await this.#ask(running.signal);
      if (this.#running !== running) return;
      this.#latest = answer;
      this.#phase = 'answered';
    } catch (error) {
      if (this.#running !== running) return;
      this.#fault = Fault.from(error).toRecord();
      this.#phase = 'failed';
      this.#onFault(this.#fault);
    }
  }
}
