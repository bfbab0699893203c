/** Time that passes only when the test says so: seconds of cluster life in milliseconds, and the same every run. */
import type { Timers } from '../../../agent/runtime/ports.ts';

interface Timer {
  atMs: number;
  readonly intervalMs: number | null;
  readonly owner: string;
  readonly fire: () => void;
}

export class VirtualTime {
  nowMs = 100_000;
  private timers: Timer[] = [];
  /** Owners whose userland does not run: their timers fire once, late, when they are thawed. */
  private readonly frozen = new Set<string>();

  timersOf(owner: string): Timers {
    return {
      every: (intervalMs, callback) => {
        const timer: Timer = { atMs: this.nowMs + intervalMs, intervalMs, owner, fire: callback };
        this.timers.push(timer);
        return {
          [Symbol.dispose]: () => {
            this.timers = this.timers.filter((one) => one !== timer);
          },
        };
      },
      delay: (ms, signal) =>
        new Promise((resolve, reject) => {
          signal?.throwIfAborted();
          const timer: Timer = { atMs: this.nowMs + ms, intervalMs: null, owner, fire: resolve };
          this.timers.push(timer);
          signal?.addEventListener('abort', () => {
            this.timers = this.timers.filter((one) => one !== timer);
            reject(signal.reason as Error);
          });
        }),
    };
  }

  after(ms: number, owner: string, fire: () => void): void {
    this.timers.push({ atMs: this.nowMs + ms, intervalMs: null, owner, fire });
  }
  forget(owner: string): void {
    this.timers = this.timers.filter((one) => one.owner !== owner);
  }
  freeze(owner: string): void {
    this.frozen.add(owner);
  }
  thaw(owner: string): void {
    this.frozen.delete(owner);
  }

  /** @param check called after everything that an instant caused has happened. */
  async advance(ms: number, check: () => void = () => undefined): Promise<void> {
    const until = this.nowMs + ms;
    for (;;) {
      await settle();
      check();
      const next = this.timers
        .filter((one) => !this.frozen.has(one.owner))
        .reduce<Timer | null>((first, one) => (first === null || one.atMs < first.atMs ? one : first), null);
      if (next === null || next.atMs > until) break;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      if (next.intervalMs === null) this.timers = this.timers.filter((one) => one !== next);
      else next.atMs = this.nowMs + next.intervalMs;
      next.fire();
    }
    this.nowMs = until;
    check();
  }
}

/** Lets every chain of promises and `setImmediate`s that is ready run to its end. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve));
}
