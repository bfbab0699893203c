/** The one thing that makes sense to do now, from what there is to say. Pure. */
import type { ClusterView } from '../../src-main/app-api/index.ts';
import {
  findingsOf,
  localReasons,
  statusOf,
  usualCircumstances,
  type Circumstances,
  type Finding,
  type NodeFault,
} from './findings.ts';
import { offersOf, type OfferedOrder } from './orders.ts';

export type PrimaryAction =
  | { readonly kind: 'order'; readonly order: OfferedOrder; readonly quiet: boolean }
  | { readonly kind: 'login' | 'compare'; readonly node: string; readonly fault: NodeFault }
  | { readonly kind: 'terminal'; readonly node: string }
  | { readonly kind: 'continue-installation'; readonly draft: string }
  | { readonly kind: 'choose-copy'; readonly module: string }
  | { readonly kind: 'compare-copies'; readonly module: string }
  | { readonly kind: 'read-again' };

const start = (module: string): PrimaryAction => ({ kind: 'order', order: { kind: 'start', module }, quiet: false });

const ofDifference = ({ module, on }: Extract<Finding, { kind: 'alone' | 'not-following' | 'waiting' }>) =>
  on.reason === 'copies-differ' ? ({ kind: 'compare-copies', module } as const) : null;

/** Reasons that an order to start ends. */
const endedByStart: readonly (string | undefined)[] = ['start-failed', 'stopped-by-order', 'peer-has-newer-data'];
function actionFor(finding: Finding): PrimaryAction | null {
  switch (finding.kind) {
    case 'login':
      return { kind: 'login', node: finding.node, fault: finding.fault };
    case 'host-key':
      return { kind: 'compare', node: finding.node, fault: finding.fault };
    case 'agent-dead':
      return { kind: 'terminal', node: finding.node };
    case 'agents-dead':
      return finding.nodes[0] === undefined ? null : { kind: 'terminal', node: finding.nodes[0] };
    case 'install-interrupted':
      return { kind: 'continue-installation', draft: finding.draft };
    case 'forked':
      return { kind: 'choose-copy', module: finding.module };
    case 'maintenance':
      return { kind: 'order', order: { kind: 'maintenance-off', module: finding.module }, quiet: false };
    case 'stopped':
    case 'peer-stopped':
      return start(finding.module);
    case 'alone':
      return ofDifference(finding);
    case 'waiting':
    case 'not-following':
      if (finding.on.reason === 'copies-differ') return ofDifference(finding);
      if (endedByStart.includes(finding.on.reason)) return start(finding.module);
      return localReasons.includes(finding.on.reason) ? { kind: 'terminal', node: finding.on.name } : null;
    case 'unreadable':
    case 'nobody-answers':
    case 'offline':
    case 'old':
      return { kind: 'read-again' };
    default:
      return null;
  }
}

/** Null: there is nothing to do but to wait, or to do something that no button does. */
export function primaryAction(
  view: ClusterView,
  circumstances: Circumstances = usualCircumstances,
): PrimaryAction | null {
  const findings = findingsOf(view, circumstances);
  const interrupted = findings.find(({ kind }) => kind === 'install-interrupted');
  // What else is wrong is most likely half an installation; but without the door nothing can be gone on with.
  if (interrupted !== undefined && !['login', 'host-key', 'forked'].includes(findings[0].kind))
    return actionFor(interrupted);
  for (const finding of findings) {
    const action = actionFor(finding);
    if (action !== null) return action;
  }
  const status = statusOf(view);
  const [module, ...others] = status?.modules ?? [];
  if (view.kind !== 'read' || status?.protected !== true || module === undefined || others.length > 0) return null;
  const swap = offersOf(status, module).find(({ order, obstacle }) => order.kind === 'swap' && obstacle === null);
  return swap === undefined ? null : { kind: 'order', order: swap.order, quiet: true };
}
