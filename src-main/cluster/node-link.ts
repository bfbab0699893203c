/** One node as seen from here: an SSH connection, and the conversation with its agent on it. Opened when it is needed, then kept open. */
import type { ControlApi } from '../../agent/contract/control-api.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { Params, Result } from '../../agent/contract/rpc.ts';
import { agentNotAnswering, openAgent, type AgentClient, type Connect, type MachineAddress } from '../install/index.ts';
import type { Transport } from '../ssh/index.ts';

export interface NodeLinkOptions {
  readonly machine: MachineAddress;
  readonly connect: Connect;
  readonly programVersion: string;
  readonly signal?: AbortSignal | undefined;
  /** From the first byte to the hello of the agent; not given: as long as SSH takes, which may wait for a person who types. */
  readonly openTimeoutMs?: number;
}

type Method = keyof ControlApi['methods'];

const answerTimeoutMs = 15_000;

export class NodeLink implements Disposable {
  readonly #options: NodeLinkOptions;
  readonly #openListeners = new Set<(client: AgentClient) => void>();
  #transport: Transport | null = null;
  #client: AgentClient | null = null;
  #opening: { readonly attempt: AbortController; readonly client: Promise<AgentClient> } | null = null;
  /** What the hello said; null: not yet. */
  agentVersion: string | null = null;

  constructor(options: NodeLinkOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.machine.name;
  }

  /** An agent speaks to us now. */
  get open(): boolean {
    return this.#client !== null;
  }

  /** Called with each new conversation, before anything else is said on it. */
  onOpen(listener: (client: AgentClient) => void): void {
    this.#openListeners.add(listener);
  }

  /** Callers during an opening share it. Faults: those of the transport, agent-not-answering, version-skew. */
  async client(): Promise<AgentClient> {
    if (this.#client) return this.#client;
    if (!this.#opening) {
      const attempt = new AbortController();
      const client = this.#openLimited(attempt).finally(() => {
        if (this.#opening?.attempt === attempt) this.#opening = null;
      });
      this.#opening = { attempt, client };
    }
    return this.#opening.client;
  }

  async call<M extends Method>(
    method: M,
    params: Params<ControlApi, M>,
    limitMs: number = answerTimeoutMs,
  ): Promise<Result<ControlApi, M>> {
    const client = await this.client();
    const limit = AbortSignal.timeout(limitMs);
    const { signal } = this.#options;
    try {
      return await client.call(method, params, signal ? AbortSignal.any([signal, limit]) : limit);
    } catch (error) {
      if (limit.aborted && signal?.aborted !== true) throw notInTime(this.name, error);
      throw error;
    }
  }

  /** SSH alone, for what is to be found out when the agent does not answer. */
  async transport(): Promise<Transport> {
    try {
      await this.client();
    } catch (error) {
      if (this.#transport === null) throw error;
    }
    return this.#transport ?? Promise.reject(lost(this.name, 'lost'));
  }

  /** Hangs up; the next call opens a new connection. */
  drop(): void {
    this.#opening?.attempt.abort(lost(this.name, 'given up'));
    this.#opening = null;
    const [client, transport] = [this.#client, this.#transport];
    this.#client = null;
    this.#transport = null;
    client?.close();
    transport?.close();
  }

  [Symbol.dispose](): void {
    this.#openListeners.clear();
    this.drop();
  }

  async #openLimited(attempt: AbortController): Promise<AgentClient> {
    const { signal, openTimeoutMs } = this.#options;
    const stop = (): void => attempt.abort(signal?.reason);
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
    // A signal that fires by itself would end the conversation later, when it is long in use.
    const tooLate = (): void => {
      attempt.abort(this.#transport === null ? notInTime(this.name) : agentNotAnswering(this.#transport.host));
    };
    const timer = openTimeoutMs === undefined ? undefined : setTimeout(tooLate, openTimeoutMs);
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => undefined);
    attempt.signal.addEventListener('abort', () => aborted.reject(attempt.signal.reason), { once: true });
    try {
      attempt.signal.throwIfAborted();
      return await Promise.race([this.#openOn(attempt.signal), aborted.promise]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
    }
  }

  async #openOn(signal: AbortSignal): Promise<AgentClient> {
    const transport = this.#transport ?? (await this.#options.connect(this.#options.machine, signal));
    if (isAborted(signal)) {
      transport.close();
      throw Fault.from(signal.reason);
    }
    if (this.#transport !== transport) {
      this.#transport = transport;
      void transport.closed.then(() => {
        if (this.#transport === transport) this.#transport = null;
      });
    }
    const { client, agentVersion } = await openAgent(transport, this.#options.programVersion, signal);
    if (isAborted(signal)) {
      client.close();
      throw Fault.from(signal.reason);
    }
    this.#client = client;
    this.agentVersion = agentVersion;
    client.onClose(() => {
      if (this.#client === client) this.#client = null;
    });
    for (const listener of this.#openListeners) listener(client);
    return client;
  }
}

/** As a function: the compiler takes what was read once for settled, though it may change at every `await`. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function lost(node: string, how: 'lost' | 'given up'): Fault {
  return new Fault('connection-lost', { message: `The connection to ${node} was ${how}.` }, { node });
}

function notInTime(node: string, cause?: unknown): Fault {
  return new Fault(
    'timed-out',
    { message: `${node} did not answer in time.`, remedy: 'Check that the server is on and not overloaded.' },
    { node },
    cause,
  );
}
