/** This computer: which networks it is on, and whether it has slept. */
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import type { Clock } from './clock.ts';

export interface Laptop {
  /** Addresses besides loopback. */
  addresses(): readonly string[];
}

function isUsable({ internal, family, address }: NetworkInterfaceInfo): boolean {
  // An interface gives itself a link-local address as soon as a cable is in it: nobody has answered there yet.
  return !internal && !(family === 'IPv6' && address.startsWith('fe80:')) && !address.startsWith('169.254.');
}

export const thisLaptop: Laptop = {
  addresses: () =>
    Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(isUsable)
      .map(({ address }) => address)
      .sort(),
};

export const tickMs = 500;
/** Nothing but sleep, or a process that was held, makes a timer this late. */
const sleptMs = 6000;
/** A busy computer: what the servers said lies there and has not been read yet. */
const lateMs = 1000;

export type Tick = 'in-time' | 'late' | 'slept';

/** Calls back every half second, and says how much later than that it is. The clock of the day goes on in a sleeping laptop, timers do not. */
export class Ticker implements Disposable {
  readonly #clock: Clock;
  readonly #onTick: (tick: Tick) => void;
  #lastMs: number;
  #cancel: () => void;

  constructor(clock: Clock, onTick: (tick: Tick) => void) {
    this.#clock = clock;
    this.#onTick = onTick;
    this.#lastMs = clock.wallMs();
    this.#cancel = clock.after(tickMs, () => this.#tick());
  }

  #tick(): void {
    const now = this.#clock.wallMs();
    const lateByMs = now - this.#lastMs - tickMs;
    this.#lastMs = now;
    this.#cancel = this.#clock.after(tickMs, () => this.#tick());
    this.#onTick(lateByMs > sleptMs ? 'slept' : lateByMs > lateMs ? 'late' : 'in-time');
  }

  [Symbol.dispose](): void {
    this.#cancel();
  }
}
