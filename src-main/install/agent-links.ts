/** One conversation per node, opened when it is first needed and opened again after the agent was restarted. */
import type { ClusterRecord } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { NodeStatus } from '../../agent/contract/status.ts';
import type { Transport } from '../ssh/index.ts';
import { openAgent, type AgentClient } from './agent-link.ts';
import type { NodeView } from './cluster-plan.ts';

const answerTimeoutMs = 60_000;
/** Copies may have to be moved aside, the directory freed. */
const initialiseTimeoutMs = 300_000;

export class AgentLinks {
  readonly #transports: ReadonlyMap<string, Transport>;
  readonly #programVersion: string;
  readonly #signal: AbortSignal | undefined;
  readonly #open = new Map<string, Promise<AgentClient>>();

  constructor(transports: ReadonlyMap<string, Transport>, programVersion: string, signal: AbortSignal | undefined) {
    this.#transports = transports;
    this.#programVersion = programVersion;
    this.#signal = signal;
  }

  get(node: string): Promise<AgentClient> {
    let link = this.#open.get(node);
    if (!link) {
      const transport = this.#transports.get(node);
      if (!transport) throw new Fault('internal', { message: `no connection to ${node}` });
      link = openAgent(transport, this.#programVersion, this.#signal).then(({ client }) => {
        client.onClose(() => this.#open.delete(node));
        return client;
      });
      this.#open.set(node, link);
      link.catch(() => this.#open.delete(node));
    }
    return link;
  }

  forget(node: string): void {
    const link = this.#open.get(node);
    this.#open.delete(node);
    link?.then(
      (client) => client.close(),
      () => undefined,
    );
  }

  #timeout(limitMs = answerTimeoutMs): AbortSignal {
    const limit = AbortSignal.timeout(limitMs);
    return this.#signal ? AbortSignal.any([this.#signal, limit]) : limit;
  }

  /** null: belongs to no cluster yet. */
  async status(node: string): Promise<NodeStatus | null> {
    try {
      return await (await this.get(node)).call('status', {}, this.#timeout());
    } catch (error) {
      if (Fault.from(error).code === 'not-configured') return null;
      throw error;
    }
  }

  /** null also when nobody answers. */
  async statusOrNull(node: string): Promise<NodeStatus | null> {
    return this.status(node).catch(() => null);
  }

  async view(node: string, record: ClusterRecord): Promise<NodeView> {
    const status = await this.status(node);
    const volumes = record.modules.flatMap((module) => module.volumes.map(({ id, path }) => ({ id, path })));
    const inspections = await (await this.get(node)).call('inspect', { volumes }, this.#timeout());
    return { name: node, status, inspections };
  }

  async configure(node: string, record: ClusterRecord): Promise<void> {
    await (await this.get(node)).call('configure', record, this.#timeout());
  }

  async initialise(
    node: string,
    module: string,
    as: 'good' | 'blank',
    flags: { readonly keepAside: boolean; readonly replaceRecord: boolean },
  ): Promise<{ keptAt: string[] }> {
    const client = await this.get(node);
    return client.call('initialise', { module, as, ...flags }, this.#timeout(initialiseTimeoutMs));
  }

  async start(node: string, module: string): Promise<void> {
    await (await this.get(node)).call('start', { module }, this.#timeout());
  }

  async stop(node: string, module: string): Promise<void> {
    await (await this.get(node)).call('stop', { module }, this.#timeout());
  }

  async swap(node: string, module: string): Promise<void> {
    await (await this.get(node)).call('swap', { module }, this.#timeout());
  }

  /** Fault: timed-out, with what was waited for. */
  async until(
    node: string,
    what: string,
    limitMs: number,
    condition: (status: NodeStatus) => boolean,
  ): Promise<NodeStatus> {
    const untilMs = performance.now() + limitMs;
    for (;;) {
      const status = await this.status(node);
      if (status !== null && condition(status)) return status;
      if (performance.now() > untilMs) {
        throw new Fault('timed-out', { message: `${what} took more than ${Math.round(limitMs / 1000)} s.` }, { node });
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
      this.#signal?.throwIfAborted();
    }
  }
}
