/** Where the data goes: per module from the server that runs the application to the one that follows it, and over which network. Pure. */
import type { ClusterStatus } from '../../agent/contract/index.ts';
import { resyncOf, runnerOf, type ModuleStatus } from '../cluster/findings.ts';

export interface Flow {
  readonly module: string;
  /** The node at the tail of the arrow; null: nobody runs it. */
  readonly from: string | null;
  readonly kind: 'sync' | 'resync' | 'none';
  readonly bytesPerSecond: number | null;
  /** Of a resync. */
  readonly etaSeconds: number | null;
}

function flowOf(status: ClusterStatus, module: ModuleStatus): Flow {
  const source = runnerOf(status, module);
  const target = module.nodes.find((on) => on.name !== source?.name);
  const none: Flow = {
    module: module.name,
    from: source?.name ?? null,
    kind: 'none',
    bytesPerSecond: null,
    etaSeconds: null,
  };
  if (source === undefined || target?.state !== 'secondary') return none;
  // What the other one last said is no replication that can be seen.
  if (status.nodes.every((node) => !node.reachable)) return none;
  const resync = resyncOf(module);
  if (target.data === 'resynchronising')
    return {
      ...none,
      kind: 'resync',
      bytesPerSecond: resync?.bytesPerSecond ?? null,
      etaSeconds: resync?.etaSeconds ?? null,
    };
  const follows = target.data === 'up-to-date' && source.state === 'primary';
  return { ...none, kind: follows ? 'sync' : 'none', bytesPerSecond: module.metrics?.replicatedBytesPerSecond ?? null };
}

export function flowsOf(status: ClusterStatus): readonly Flow[] {
  return status.modules.map((module) => flowOf(status, module));
}

/** A line between the two servers. */
export interface Line {
  /** Null: the one way that there is between two servers of which no network is told. */
  readonly name: string | null;
  readonly alive: boolean | null;
  readonly roundTripMs: number | null;
  /** The replication goes over it, or would. */
  readonly carries: boolean;
}

export function linesOf(status: ClusterStatus): readonly Line[] {
  const networks = status.networks ?? [];
  if (networks.length === 0) return [{ name: null, alive: null, roundTripMs: null, carries: true }];
  const used =
    networks.find((network) => network.replicates) ?? networks.find((network) => network.alive) ?? networks[0];
  return networks.map((network) => ({
    name: network.name,
    alive: network.alive,
    roundTripMs: network.roundTripMs,
    carries: network === used,
  }));
}

/** All flows of the cluster as one arrow. */
export interface Arrow {
  readonly kind: Flow['kind'];
  /** `both`: one module runs here, another there. */
  readonly direction: 'right' | 'left' | 'both';
  /** Null: nobody measured. */
  readonly bytesPerSecond: number | null;
  readonly etaSeconds: number | null;
}

export function arrowOf(status: ClusterStatus): Arrow {
  const flows = flowsOf(status).filter(({ kind }) => kind !== 'none');
  const left = status.nodes[0]?.name;
  const toRight = flows.some(({ from }) => from === left);
  const toLeft = flows.some(({ from }) => from !== left);
  const rates = flows.map(({ bytesPerSecond }) => bytesPerSecond).filter((rate) => rate !== null);
  const etas = flows.map(({ etaSeconds }) => etaSeconds).filter((eta) => eta !== null);
  return {
    kind: flows.some(({ kind }) => kind === 'resync') ? 'resync' : flows.length > 0 ? 'sync' : 'none',
    direction: toRight && toLeft ? 'both' : toLeft ? 'left' : 'right',
    bytesPerSecond: rates.length === 0 ? null : rates.reduce((sum, rate) => sum + rate, 0),
    etaSeconds: etas.length === 0 ? null : Math.max(...etas),
  };
}
