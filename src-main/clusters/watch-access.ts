/** What an order needs of a cluster, over the connections of its watch. */
import { Fault, type ControlApi, type Params, type Result } from '../../agent/contract/index.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import { noSuchNode, primaryAmong } from '../cluster/index.ts';
import type { AgentClient } from '../install/index.ts';
import type { ClusterWatch } from './cluster-watch.ts';
import type { NodeWatch } from './node-watch.ts';

/** For a node that did not answer the last time: an order waits for it, but not long. */
const awayPatienceMs = 3000;

export class WatchAccess implements ClusterAccess {
  readonly #watch: ClusterWatch;
  readonly #look: Disposable;
  readonly #signal: AbortSignal;

  constructor(watch: ClusterWatch, signal: AbortSignal) {
    this.#watch = watch;
    this.#look = watch.look('closely');
    this.#signal = signal;
  }

  get nodes(): readonly string[] {
    return this.#watch.nodeNames;
  }

  #node(name: string): NodeWatch {
    const node = this.#watch.nodeNamed(name);
    if (node) return node;
    throw noSuchNode(name, this.nodes);
  }

  async status(): ReturnType<ClusterAccess['status']> {
    await this.#settled();
    return this.#watch.merge(this.#watch.observe(), new Date().toISOString());
  }

  async client(name: string): Promise<AgentClient> {
    const node = this.#node(name);
    const { fault } = node.news;
    if (fault === null) return node.link.client();
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(Fault.fromRecord(fault)), awayPatienceMs);
    try {
      return await Promise.race([node.link.client(), late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  async call<M extends keyof ControlApi['methods']>(
    name: string,
    method: M,
    params: Params<ControlApi, M>,
    limitMs?: number,
  ): Promise<Result<ControlApi, M>> {
    await this.client(name);
    return this.#node(name).call(method, params, limitMs);
  }

  async primaryOf(module: string): Promise<string> {
    await this.#settled();
    return primaryAmong(this.#watch.observe(), module);
  }

  /** Nobody looked until now: what is known is from now on. */
  async #settled(): Promise<void> {
    const known = this.nodes.every((name) => this.#watch.nodeNamed(name)?.settled === true);
    if (!known) await this.#watch.refresh(this.#signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#look[Symbol.dispose]();
    return Promise.resolve();
  }
}
