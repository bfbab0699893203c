/** Where the data goes, per module: from the server that runs the application to the one that follows it. */
import type { ClusterStatus } from '../../agent/contract/index.ts';

export interface Flow {
  readonly module: string;
  /** The node at the tail of the arrow; null: nobody runs it. */
  readonly from: string | null;
  readonly kind: 'sync' | 'resync' | 'none';
  readonly bytesPerSecond: number | null;
}

export function flowsOf(status: ClusterStatus): readonly Flow[] {
  return status.modules.map((module) => {
    const source = module.nodes.find((on) => on.state === 'primary');
    const target = module.nodes.find((on) => on.name !== source?.name && on.state === 'secondary');
    if (!source || !target)
      return { module: module.name, from: source?.name ?? null, kind: 'none', bytesPerSecond: null };
    const resync = source.resync ?? target.resync;
    if (target.data === 'resynchronising')
      return { module: module.name, from: source.name, kind: 'resync', bytesPerSecond: resync?.bytesPerSecond ?? null };
    const kind = target.data === 'up-to-date' && module.protected ? 'sync' : 'none';
    return { module: module.name, from: source.name, kind, bytesPerSecond: null };
  });
}
