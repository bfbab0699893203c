/** Virtual time, and a network that loses, delays, repeats, reorders and can be cut in one direction. Time is true time, milliseconds. */
import type { Random } from './random.ts';

interface Scheduled {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

export class World {
  nowMs = 0;
  readonly random: Random;
  private queue: Scheduled[] = [];
  private order = 0;
  readonly trace: string[] = [];
  readonly faults: Record<string, number> = {};
  tracing = false;
  lossProbability = 0;
  /** No datagram is lost, late or repeated: what is left to happen is what the list of faults says. */
  calm = false;
  lateProbability = 0.03;
  /** Every fault is over: none begins again. */
  healed = false;
  /** `${from}>${to}/${network}` */
  readonly cuts = new Set<string>();

  constructor(random: Random) {
    this.random = random;
  }

  at(delayMs: number, action: () => void): void {
    const entry = { atMs: this.nowMs + Math.max(0, delayMs), order: this.order++, action };
    // Binary search keeps the queue sorted by time, then by order of scheduling.
    let low = 0;
    let high = this.queue.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.queue[middle];
      if (other !== undefined && (other.atMs < entry.atMs || (other.atMs === entry.atMs && other.order < entry.order)))
        low = middle + 1;
      else high = middle;
    }
    this.queue.splice(low, 0, entry);
  }

  runUntil(endMs: number, afterEach: () => void): void {
    for (let next = this.queue[0]; next !== undefined && next.atMs <= endMs; next = this.queue[0]) {
      this.queue.shift();
      this.nowMs = next.atMs;
      next.action();
      afterEach();
    }
    this.nowMs = endMs;
  }

  log(who: string, text: string): void {
    if (this.tracing) this.trace.push(`${(this.nowMs / 1000).toFixed(3).padStart(9)} ${who.padEnd(7)} ${text}`);
  }

  count(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
  }

  passes(from: string, to: string, network: string): boolean {
    return !this.cuts.has(`${from}>${to}/${network}`);
  }

  /** A datagram: lost, late, twice. */
  datagram(from: string, to: string, network: string, deliver: () => void): void {
    if (!this.passes(from, to, network) || (!this.calm && this.random.chance(this.lossProbability))) return;
    const copies = !this.calm && this.random.chance(0.02) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const delayMs =
        !this.calm && this.random.chance(this.lateProbability)
          ? this.random.between(5, 1500)
          : this.random.between(0.1, 3);
      this.at(delayMs, () => {
        if (this.passes(from, to, network)) deliver();
      });
    }
  }
}
