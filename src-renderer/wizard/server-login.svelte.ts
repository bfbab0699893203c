/** The way into one server: tried, what it wants next, tried again with that. Secrets pass through here and are not kept. */
import { Fault } from '../../agent/contract/index.ts';
import type { Machine, ServerFacts } from '../../src-main/app-api/index.ts';
import { app } from '../app.svelte.ts';
import { loginStateOf, type HostKey, type LoginState, type SecretRequest } from './login.ts';

/** A server may have been changed meanwhile: then it is asked again. */
const factsAgeMaxMs = 10 * 60_000;

export interface ServerLoginOptions {
  readonly machine: () => Machine;
  /** Null: what is known belongs to another machine. */
  readonly onFacts: (facts: ServerFacts | null) => void;
}

export class ServerLogin {
  state = $state.raw<LoginState>({ kind: 'idle' });
  /** The key was compared by a person on this screen. */
  compared = $state(false);
  readonly #options: ServerLoginOptions;
  #running: AbortController | null = null;
  #factsAtMs = 0;

  constructor(options: ServerLoginOptions) {
    this.#options = options;
  }

  /** As it was typed, without the user. */
  get title(): string {
    const { destination } = this.#options.machine();
    return destination.slice(destination.indexOf('@') + 1).trim();
  }
  get hasDestination(): boolean {
    return this.#options.machine().destination.trim() !== '';
  }

  /** Another machine is meant now. */
  reset(): void {
    this.#running?.abort();
    this.#running = null;
    this.state = { kind: 'idle' };
    this.compared = false;
    this.#options.onFacts(null);
  }

  async connect(given: SecretRequest | null = null): Promise<void> {
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    this.state = { kind: 'connecting' };
    const { destination, port, identity } = this.#options.machine();
    try {
      const facts = await app.call(
        'connectServer',
        {
          destination: destination.trim(),
          port,
          identity: identity === null || identity.trim() === '' ? null : identity.trim(),
        },
        running.signal,
      );
      if (this.#running !== running) return;
      this.#factsAtMs = Date.now();
      this.state = { kind: 'ready', facts };
      this.#options.onFacts(facts);
    } catch (error) {
      if (this.#running === running) this.state = loginStateOf(Fault.from(error).toRecord(), given);
    }
  }

  async give(request: SecretRequest, secret: string, remember: boolean): Promise<void> {
    await this.#then(() => app.call('giveSecret', { request, secret, remember }), request);
  }

  /** A person has compared it. */
  async accept(key: HostKey): Promise<void> {
    const { host, port, fingerprint } = key;
    await this.#then(() => app.call('acceptHostKey', { host, port, fingerprint }), null);
    this.compared = true;
  }

  async #then(first: () => Promise<unknown>, given: SecretRequest | null): Promise<void> {
    this.state = { kind: 'connecting' };
    try {
      await first();
    } catch (error) {
      this.state = { kind: 'failed', fault: Fault.from(error).toRecord() };
      return;
    }
    await this.connect(given);
  }

  /** What is known is too old to build on, or of an app that is gone. */
  connectIfOld(nowMs: number): void {
    if (!this.hasDestination || this.state.kind === 'connecting') return;
    if (this.state.kind === 'ready' && nowMs - this.#factsAtMs < factsAgeMaxMs) return;
    void this.connect();
  }
}
