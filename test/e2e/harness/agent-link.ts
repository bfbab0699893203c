/** What the agent of a lab host says on its control socket, heard from the machine: no cable and no login between. */
import { setTimeout as delay } from 'node:timers/promises';
import { connectLines } from '../../../agent/sys/line-port.ts';
import {
  controlApi,
  createClient,
  type ControlApi,
  type NodeStatus,
  type RpcClient,
} from '../../../agent/contract/index.ts';
import { agentVersion } from '../../../agent/version.ts';
import type { Host } from '../../lab/index.ts';

const againMs = 100;

export class AgentLink implements Disposable {
  /** As it was told last; null: the agent does not run. Of a host that stands still it is what it said before. */
  status: NodeStatus | null = null;
  /** Of every event of this node, oldest first. */
  readonly codes: string[] = [];
  #sequence = 0;
  #client: RpcClient<ControlApi> | null = null;
  readonly #host: Host;
  readonly #closing = new AbortController();

  constructor(host: Host) {
    this.#host = host;
    void this.#keep();
  }

  /** How far its events have been told. */
  get sequence(): number {
    return this.#sequence;
  }

  /** The server was set back to what it was then: what it tells from now on is counted from there again. */
  setBackTo(sequence: number): void {
    this.#sequence = sequence;
  }

  /** Null: the agent does not run. */
  get client(): RpcClient<ControlApi> | null {
    return this.#client;
  }

  async #keep(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const leader = this.#host.leader();
      // Off, booting, or no agent: looked for again.
      if (leader !== undefined)
        await this.#converse(`/proc/${String(leader)}/root/run/holdfast/control.sock`).catch(() => undefined);
      this.#client = null;
      this.status = null;
      await delay(againMs);
    }
  }

  async #converse(socket: string): Promise<void> {
    const client = createClient(controlApi, await connectLines(socket), agentVersion);
    const gone = Promise.withResolvers<undefined>();
    client.onClose(() => gone.resolve(undefined));
    this.#closing.signal.addEventListener('abort', () => client.close(), { once: true });
    client.on('status', (status) => (this.status = status));
    client.on('event', ({ sequence, code }) => this.#add(sequence, code));
    try {
      for (const { sequence, code } of await client.call('events', {
        after: this.#sequence,
        limit: 10_000,
        newest: false,
      }))
        this.#add(sequence, code);
      this.status = await client.call('status', {});
      this.#client = client;
      await gone.promise;
    } finally {
      client.close();
    }
  }

  #add(sequence: number, code: string): void {
    if (sequence <= this.#sequence) return;
    this.#sequence = sequence;
    this.codes.push(code);
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
  }
}
