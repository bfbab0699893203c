/**
 * The end of an order to promote that was not carried out. It is about the situation in which it was given: obeyed some day later, it would cost what the other one
 * has written since.
 */
import type { ModuleBeat } from '../contract/index.ts';
import { ownCopy, type Draft, type MirrorState } from './mirror-state.ts';
import type { MirrorIdentity, ModuleRecord } from './mirror-types.ts';
import { forked, older } from './voter.ts';

type OrderEnd = 'peer-runs' | 'peer-returned' | 'booted';

export function endOrder(draft: Draft, because: OrderEnd): void {
  const { record, identity } = draft.s;
  if (record.order === null) return;
  const { node, peer } = identity;
  const why = {
    'peer-runs': `${peer} runs the application`,
    'peer-returned': `${peer} is back, with a copy that has what this one lacks`,
    booted: `${node} was switched off while it waited for another module, and what ${peer} did meanwhile is not known`,
  }[because];
  draft.persist({ order: null });
  draft.emit('info', 'order-ended', `The order that ${node} uses its copy ended before it was obeyed: ${why}.`, {
    because,
  });
}

/** An order that waits for another module may wait for days. */
export function orderOf({ dependsOn, bootId }: MirrorIdentity, by: string): ModuleRecord['order'] {
  return dependsOn.length === 0 ? { by } : { by, bootId };
}

/** Null: it still stands. */
export function outlived(state: MirrorState, beat: ModuleBeat | null): OrderEnd | null {
  const { order } = state.record;
  if (order?.bootId !== undefined && order.bootId !== state.identity.bootId) return 'booted';
  return state.missing.length > 0 && beat !== null && bringsBack(state, beat) ? 'peer-returned' : null;
}

/** The other one is there and wanted, and has what a person gave up because it was not. */
export function bringsBack(state: MirrorState, beat: ModuleBeat): boolean {
  const { generation, usable, memoryLost } = ownCopy(state);
  if (beat.wanted === 'stopped' || beat.copy !== 'up-to-date') return false;
  if (older(beat.generation, generation) || forked(beat.generation, generation)) return false;
  return !usable || memoryLost || older(generation, beat.generation);
}
