/** What an order needs of a cluster: the same from the laptop, over SSH to both nodes, and on a node, to its own agent. */
import type { ControlApi } from '../../agent/contract/control-api.ts';
import type { Params, Result, RpcClient } from '../../agent/contract/rpc.ts';
import type { ClusterStatus } from '../../agent/contract/status.ts';

export interface ClusterAccess extends AsyncDisposable {
  /** Nodes that orders can be given to from here. */
  readonly nodes: readonly string[];
  status(): Promise<ClusterStatus>;
  client(node: string): Promise<RpcClient<ControlApi>>;
  call<M extends keyof ControlApi['methods']>(
    node: string,
    method: M,
    params: Params<ControlApi, M>,
    limitMs?: number,
  ): Promise<Result<ControlApi, M>>;
  primaryOf(module: string): Promise<string>;
}
