/** What may be ordered of a module as it is now, and why not. Pure. */
import type { ClusterStatus } from '../../agent/contract/index.ts';
import type { Order } from '../../src-main/app-api/index.ts';
import { runnerOf, type ModuleStatus } from './findings.ts';

/** An order as it is offered: without the words that a person has to type for it. */
export type OfferedOrder =
  | { readonly kind: 'start' | 'stop' | 'restart' | 'maintenance-on' | 'maintenance-off'; readonly module: string }
  | { readonly kind: 'swap'; readonly module: string; readonly from: string; readonly to: string }
  | { readonly kind: 'promote'; readonly module: string; readonly node: string; readonly peer: string };
export type OrderKind = OfferedOrder['kind'];

export type Obstacle =
  | { readonly kind: 'runsAlready' | 'runsNowhere' | 'stoppedAlready' | 'partnerNotReady' }
  | { readonly kind: 'somebodyRuns' | 'notReachable'; readonly node: string };

export interface Offer {
  readonly order: OfferedOrder;
  /** Null: it can be given now. */
  readonly obstacle: Obstacle | null;
}

const isReachable = (status: ClusterStatus, name: string): boolean =>
  status.nodes.some((node) => node.name === name && node.reachable);

function swapOf(status: ClusterStatus, module: ModuleStatus): Offer[] {
  const runs = runnerOf(status, module);
  const other = module.nodes.find((on) => on.name !== runs?.name);
  if (runs === undefined || other === undefined) return [];
  const ready = other.state === 'secondary' && other.data === 'up-to-date';
  const order: OfferedOrder = { kind: 'swap', module: module.name, from: runs.name, to: other.name };
  return [{ order, obstacle: ready ? null : { kind: 'partnerNotReady' } }];
}

function promotionsOf(status: ClusterStatus, module: ModuleStatus): Offer[] {
  const runs = runnerOf(status, module);
  return module.nodes
    .filter((on) => on.name !== runs?.name)
    .map((on) => ({
      order: {
        kind: 'promote',
        module: module.name,
        node: on.name,
        peer: module.nodes.find((other) => other.name !== on.name)?.name ?? '',
      },
      obstacle:
        runs !== undefined
          ? { kind: 'somebodyRuns', node: runs.name }
          : isReachable(status, on.name)
            ? null
            : { kind: 'notReachable', node: on.name },
    }));
}

/** In the order of a menu: the harmless first. */
export function offersOf(status: ClusterStatus, module: ModuleStatus): readonly Offer[] {
  const { name } = module;
  const runs = runnerOf(status, module);
  const stopped = module.nodes.every((on) => on.state === 'stopped');
  // A server that was stopped by itself, or whose start failed, is told to start again.
  const canStart = runs === undefined || module.nodes.some((on) => on.state === 'stopped');
  return [
    { order: { kind: 'start', module: name }, obstacle: canStart ? null : { kind: 'runsAlready' } },
    ...swapOf(status, module),
    { order: { kind: 'restart', module: name }, obstacle: runs === undefined ? { kind: 'runsNowhere' } : null },
    { order: { kind: module.maintenance ? 'maintenance-off' : 'maintenance-on', module: name }, obstacle: null },
    { order: { kind: 'stop', module: name }, obstacle: stopped ? { kind: 'stoppedAlready' } : null },
    ...promotionsOf(status, module),
  ];
}

/** Service is interrupted or protection ends: said in full before it is done. */
export function needsConfirmation(kind: OrderKind): boolean {
  return kind !== 'start' && kind !== 'maintenance-off';
}
/** Whether somebody notices at once, or something may be lost. */
export function isDangerous(kind: OrderKind): boolean {
  return kind === 'stop' || kind === 'promote';
}

/** `confirmed`: what the person typed. */
export function orderOf(cluster: string, offered: OfferedOrder, confirmed: string): Order {
  const { module } = offered;
  switch (offered.kind) {
    case 'maintenance-on':
    case 'maintenance-off':
      return { kind: 'maintenance', on: offered.kind === 'maintenance-on', cluster, module };
    case 'swap':
      return { kind: 'swap', from: offered.from, cluster, module };
    case 'promote':
      return { kind: 'promote', node: offered.node, confirmed, cluster, module };
    default:
      return { kind: offered.kind, cluster, module };
  }
}
