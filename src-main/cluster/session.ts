/** A cluster as seen from here: connections to both nodes, opened side by side, and orders to the right one of them. */
import type { Configuration } from '../../agent/contract/configuration.ts';
import type { ControlApi } from '../../agent/contract/control-api.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { Params, Result } from '../../agent/contract/rpc.ts';
import type { ClusterStatus, NodeStatus } from '../../agent/contract/status.ts';
import { machinesOf, openAgent, type AgentClient, type Connect, type MachineAddress } from '../install/index.ts';
import type { Transport } from '../ssh/index.ts';
import { mergeClusterStatus, type NodeObservation } from './merge.ts';

export interface SessionOptions {
  readonly configuration: Configuration;
  readonly connect: Connect;
  readonly programVersion: string;
  readonly signal?: AbortSignal | undefined;
}

interface Link {
  readonly machine: MachineAddress;
  transport: Transport | null;
  client: AgentClient | null;
  lastSeen: string | null;
  agentVersion: string | null;
}

type Method = keyof ControlApi['methods'];

const answerTimeoutMs = 15_000;
/** Both servers are asked at once; one that does not answer must not hold up what the other has to say. */
const connectTimeoutMs = 15_000;

export class ClusterSession implements AsyncDisposable {
  readonly #options: SessionOptions;
  readonly #links: readonly Link[];

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#links = machinesOf(options.configuration)
      .filter((machine) => machine.role === 'node')
      .map((machine) => ({ machine, transport: null, client: null, lastSeen: null, agentVersion: null }));
  }

  get nodes(): readonly string[] {
    return this.#links.map((link) => link.machine.name);
  }

  #limited(limitMs: number, signal: AbortSignal | undefined = this.#options.signal): AbortSignal {
    const limit = AbortSignal.timeout(limitMs);
    return signal ? AbortSignal.any([signal, limit]) : limit;
  }

  #linkOf(node: string): Link {
    const link = this.#links.find((one) => one.machine.name === node);
    if (link) return link;
    throw new Fault(
      'no-such-node',
      { message: `No node is named ${node}.`, remedy: `Write one of: ${this.nodes.join(', ')}.` },
      { node },
    );
  }

  /** Faults: those of the transport, agent-not-answering, version-skew, timed-out. */
  async client(node: string): Promise<AgentClient> {
    const link = this.#linkOf(node);
    if (link.client) return link.client;
    const signal = this.#options.signal;
    link.transport ??= await this.#options.connect(link.machine, signal);
    const { transport } = link;
    void transport.closed.then(() => {
      if (link.transport === transport) link.transport = null;
    });
    const { client, agentVersion } = await openAgent(
      transport,
      this.#options.programVersion,
      this.#limited(connectTimeoutMs),
    );
    client.onClose(() => {
      if (link.client === client) link.client = null;
    });
    link.client = client;
    link.agentVersion = agentVersion;
    return client;
  }

  async call<M extends Method>(
    node: string,
    method: M,
    params: Params<ControlApi, M>,
    limitMs: number = answerTimeoutMs,
  ): Promise<Result<ControlApi, M>> {
    const client = await this.client(node);
    const signal = this.#limited(limitMs);
    try {
      return await client.call(method, params, signal);
    } catch (error) {
      if (signal.aborted && this.#options.signal?.aborted !== true) {
        throw new Fault('timed-out', { message: `The agent on ${node} did not answer in time.` }, { node }, error);
      }
      throw error;
    }
  }

  async #observe(link: Link): Promise<NodeObservation> {
    const { name } = link.machine;
    try {
      const status: NodeStatus = await this.call(name, 'status', {});
      link.lastSeen = new Date().toISOString();
      link.agentVersion = status.agentVersion;
      return { name, status, fault: null, lastSeen: link.lastSeen, agentVersion: link.agentVersion };
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const fault = Fault.from(error).toRecord();
      return { name, status: null, fault, lastSeen: link.lastSeen, agentVersion: link.agentVersion };
    }
  }

  async observe(): Promise<NodeObservation[]> {
    return Promise.all(this.#links.map((link) => this.#observe(link)));
  }

  async status(): Promise<ClusterStatus> {
    const observations = await this.observe();
    const { configuration } = this.#options;
    return mergeClusterStatus({
      cluster: configuration.cluster,
      configuration,
      observations,
      observedAt: new Date().toISOString(),
    });
  }

  /** The node that runs the module. Fault: no-primary. */
  async primaryOf(module: string): Promise<string> {
    const observations = await this.observe();
    for (const { name, status } of observations) {
      const state = status?.modules.find((one) => one.name === module)?.own.state;
      if (state === 'primary' || state === 'alone') return name;
    }
    throw new Fault(
      'no-primary',
      { message: `${module} runs on no server that can be reached.`, remedy: 'Look at holdfast status.' },
      { module },
    );
  }

  close(): void {
    for (const link of this.#links) {
      link.client?.close();
      link.transport?.close();
      link.client = null;
      link.transport = null;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
