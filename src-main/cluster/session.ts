/** A cluster as seen from here: connections to both nodes, opened side by side, and orders to the right one of them. */
import type { Configuration } from '../../agent/contract/configuration.ts';
import type { ControlApi } from '../../agent/contract/control-api.ts';
import { Fault, type FaultRecord } from '../../agent/contract/fault.ts';
import type { Params, Result } from '../../agent/contract/rpc.ts';
import type { ClusterStatus, NodeStatus } from '../../agent/contract/status.ts';
import { machinesOf, type AgentClient, type Connect } from '../install/index.ts';
import type { ClusterAccess } from './access.ts';
import { mergeClusterStatus, type NodeObservation } from './merge.ts';
import { NodeLink } from './node-link.ts';

export interface SessionOptions {
  readonly configuration: Configuration;
  readonly connect: Connect;
  readonly programVersion: string;
  readonly signal?: AbortSignal | undefined;
}

type Method = keyof ControlApi['methods'];

export class ClusterSession implements ClusterAccess {
  readonly #options: SessionOptions;
  readonly #links: readonly NodeLink[];
  readonly #lastSeen = new Map<string, string>();

  constructor(options: SessionOptions) {
    this.#options = options;
    const { connect, programVersion, signal } = options;
    this.#links = machinesOf(options.configuration)
      .filter((machine) => machine.role === 'node')
      .map((machine) => new NodeLink({ machine, connect, programVersion, signal }));
  }

  get nodes(): readonly string[] {
    return this.#links.map((link) => link.name);
  }

  #linkOf(node: string): NodeLink {
    const link = this.#links.find((one) => one.name === node);
    if (link) return link;
    throw noSuchNode(node, this.nodes);
  }

  /** Faults: those of the transport, agent-not-answering, version-skew, timed-out. */
  client(node: string): Promise<AgentClient> {
    return this.#linkOf(node).client();
  }

  call<M extends Method>(
    node: string,
    method: M,
    params: Params<ControlApi, M>,
    limitMs?: number,
  ): Promise<Result<ControlApi, M>> {
    return this.#linkOf(node).call(method, params, limitMs);
  }

  async #observe(link: NodeLink): Promise<NodeObservation> {
    const { name } = link;
    try {
      const status: NodeStatus = await link.call('status', {});
      const lastSeen = new Date().toISOString();
      this.#lastSeen.set(name, lastSeen);
      return { name, status, fault: null, lastSeen, agentVersion: status.agentVersion };
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      const fault = Fault.from(error).toRecord();
      return {
        name,
        status: null,
        fault,
        lastSeen: this.#lastSeen.get(name) ?? null,
        agentVersion: agentVersionIn(fault) ?? link.agentVersion,
      };
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
    return primaryAmong(observations, module);
  }

  close(): void {
    for (const link of this.#links) link[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

/** A node of another version says which one it is, though nothing else. */
export function agentVersionIn(fault: FaultRecord): string | null {
  const theirs = fault.details['theirs'];
  return fault.code === 'version-skew' && typeof theirs === 'string' ? theirs : null;
}

export function noSuchNode(node: string, nodes: readonly string[]): Fault {
  return new Fault(
    'no-such-node',
    { message: `No node is named ${node}.`, remedy: `Write one of: ${nodes.join(', ')}.` },
    { node },
  );
}

/** Fault: no-primary. */
export function primaryAmong(observations: readonly NodeObservation[], module: string): string {
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
