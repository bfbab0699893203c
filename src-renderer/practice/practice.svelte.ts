/** The practice servers as every screen sees them: there is one practice cluster per machine. */
import { Fault, type FaultRecord } from '../../agent/contract/index.ts';
import type { Practice } from '../../src-main/app-api/index.ts';
import { app } from '../app.svelte.ts';

type Change = 'power-off' | 'power-on' | 'cut' | 'heal';
type Host = Practice['hosts'][number];

class PracticeServers {
  /** Null: not told yet. */
  now = $state.raw<Practice | null>(null);
  /** What the last order came to, when it failed; the making of the servers tells its own. */
  fault = $state.raw<FaultRecord | null>(null);
  /** Server → what is being done to it. */
  readonly #changing = $state<Record<string, Change | undefined>>({});

  constructor() {
    app.on('practice', (practice) => (this.now = practice));
    app.whenConnected(() => void this.refresh());
  }

  /** Somebody may pull plugs outside of the app: whoever has a reason to think so looks again. */
  async refresh(): Promise<void> {
    try {
      this.now = await app.call('practice', {});
    } catch {
      // Lost on the way: the next connection reads it again, and the frame says that there is none.
    }
  }

  make(): Promise<void> {
    return this.#order(() => app.call('makePractice', {}));
  }

  /** Also ends the making. */
  remove(): Promise<void> {
    return this.#order(() => app.call('removePractice', {}));
  }

  changeOf(host: Host): Change | null {
    return this.#changing[host.name] ?? null;
  }

  async change(host: Host, what: Change): Promise<void> {
    this.#changing[host.name] = what;
    await this.#order(() => app.call('practiceFault', { host: host.name, what }));
    this.#changing[host.name] = undefined;
  }

  async #order(order: () => Promise<unknown>): Promise<void> {
    this.fault = null;
    try {
      await order();
    } catch (error) {
      this.fault = Fault.from(error).toRecord();
    }
  }
}

export const practice = new PracticeServers();
