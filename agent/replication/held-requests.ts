/** Requests that were read and cannot be dealt with yet: nobody may change anything now, or too much is under way. In the order in which they came. */
import type { Memory } from '../sys/memory.ts';

export interface HeldRequest {
  readonly memory: Memory;
  readonly length: number;
  readonly readAtMs: number;
}

export class HeldRequests {
  #requests: HeldRequest[] = [];
  /** The oldest one is tried again: what is behind it has to wait, and it comes first when it has to wait once more. */
  replaying = false;

  get count(): number {
    return this.#requests.length;
  }

  add(request: HeldRequest): void {
    if (this.replaying) this.#requests.unshift(request);
    else this.#requests.push(request);
  }

  oldest(): HeldRequest | null {
    return this.#requests.shift() ?? null;
  }

  clear(): void {
    this.#requests = [];
  }
}
