/** Where the first sync stands, from the status of the new cluster. Pure. */
import type { ClusterStatus } from '../../agent/contract/index.ts';
import type { ClusterView } from '../../src-main/app-api/index.ts';

export type FirstSync =
  /** Nothing is known yet. */
  | { readonly kind: 'reading' }
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'copying';
      readonly from: string;
      readonly to: string;
      readonly doneBytes: number | null;
      readonly totalBytes: number | null;
      readonly bytesPerSecond: number | null;
      readonly etaSeconds: number | null;
    }
  | { readonly kind: 'protected' };

function ofStatus(status: ClusterStatus): FirstSync {
  if (status.modules.length > 0 && status.modules.every((module) => module.protected)) return { kind: 'protected' };
  for (const module of status.modules) {
    const target = module.nodes.find((on) => on.data === 'resynchronising');
    if (target === undefined) continue;
    const source = module.nodes.find((on) => on.name !== target.name);
    const resync = target.resync ?? source?.resync;
    return {
      kind: 'copying',
      from: source?.name ?? '',
      to: target.name,
      doneBytes: resync?.doneBytes ?? null,
      totalBytes: resync?.totalBytes ?? null,
      bytesPerSecond: resync?.bytesPerSecond ?? null,
      etaSeconds: resync?.etaSeconds ?? null,
    };
  }
  return { kind: 'waiting' };
}

export function firstSyncOf(view: ClusterView | null): FirstSync {
  if (view === null || view.kind === 'reading') return { kind: 'reading' };
  if (view.kind === 'read') return ofStatus(view.status);
  return view.last === null ? { kind: 'reading' } : ofStatus(view.last);
}
