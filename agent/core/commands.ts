/** What people order. Each order is recorded before anything happens, or refused with the reason and what to do. */
import { assertNever } from '../contract/index.ts';
import { peerSituation, type PeerSituation, type Unable } from './checkers.ts';
import { mayBeActive, ownCopy, peerBeat, wishedGeneration, type Draft, type MirrorState } from './mirror-state.ts';
import type { MirrorCommand, ModuleRecord } from './mirror-types.ts';
import { bringsBack, orderOf } from './order.ts';
import { deactivate } from './serving.ts';
import { seek } from './waiting.ts';

export function command(draft: Draft, order: MirrorCommand): void {
  switch (order.name) {
    case 'start':
      draft.s.lossesBeforeStartMs = [];
      draft.persist({ wanted: 'started', startFailed: false, ...freshStart(draft.s) });
      draft.emit('info', 'ordered-start', 'The order to start was given.');
      break;
    case 'stop':
      draft.persist({ wanted: 'stopped', order: null });
      draft.emit('info', 'ordered-stop', 'The order to stop was given.');
      break;
    case 'leave':
      draft.s.leaving = true;
      draft.emit('info', 'server-goes-down', `${draft.s.identity.node} goes down: the application is stopped there.`);
      break;
    case 'restart':
      restart(draft);
      break;
    case 'swap':
      swap(draft);
      break;
    case 'maintenance':
      // What failed while somebody worked on it says nothing about afterwards.
      if (!order.on) draft.s.checkers = {};
      draft.persist({ maintenance: order.on });
      draft.emit(
        'info',
        'maintenance',
        order.on ? 'Maintenance began: nothing is moved automatically.' : 'Maintenance ended.',
        { on: order.on },
      );
      break;
    case 'promote':
      promote(draft, order.orderedBy);
      break;
    default:
      assertNever(order);
  }
}

/** Whoever gives an order has seen to it: what checkers did before does not count any more, and a failed disk that was left may be written to. */
function freshStart(state: MirrorState): Pick<ModuleRecord, 'restarts' | 'gaveUp' | 'doubted'> {
  const { doubted } = state.record;
  const hasLeft = doubted !== null && !mayBeActive(state);
  return { restarts: [], gaveUp: null, doubted: hasLeft ? { ...doubted, retried: true } : doubted };
}

function whoIs(draft: Draft): string {
  return peerBeat(draft.s, draft.now)?.active === true ? `${draft.s.identity.peer} is` : 'no server is, at the moment';
}

/** True: the order belongs to the primary, and this is not it. */
function refusedElsewhere(draft: Draft): boolean {
  const { s } = draft;
  if (s.phase.name === 'active') return false;
  draft.refuse(
    'not-primary',
    `${s.identity.node} does not run the application; ${whoIs(draft)} primary.`,
    'Give the order on the primary.',
  );
  return true;
}

function restart(draft: Draft): void {
  if (refusedElsewhere(draft)) return;
  draft.persist(freshStart(draft.s));
  draft.emit('info', 'ordered-restart', 'The order to restart the application was given.');
  deactivate(draft, 'restart');
}

function swap(draft: Draft): void {
  const { s } = draft;
  if (refusedElsewhere(draft)) return;
  const situation = peerSituation(draft);
  if (situation !== 'ready') {
    refuseSwap(draft, situation);
    return;
  }
  draft.emit('info', 'ordered-swap', `The order to move the application to ${s.identity.peer} was given.`);
  deactivate(draft, 'handover');
}

const unableThere = {
  'disk-failed': 'its disk failed under the application',
  'start-failed': 'the application failed to start there before',
  'restart-limit': 'checkers have restarted the application there as often as the limit allows',
  'checker-wait': 'a checker has to be good again there before the application may run',
} as const satisfies Record<Unable, string>;

function refuseSwap(draft: Draft, situation: PeerSituation): void {
  const { s } = draft;
  const differs = s.volumes?.some(({ fault }) => fault?.code === 'copies-differ') === true;
  const why = situation === 'behind' && differs ? 'its copy was found to differ.' : unreadyInWords(draft, situation);
  const remedies: Partial<Record<PeerSituation, string>> = {
    stopped: 'Start the module there, wait until it is protected, then swap.',
    unable: 'Mend it there, give the order to start, which clears that, then swap.',
    ...(differs
      ? { behind: `Make its copy equal to this one first: holdfast verify ${s.identity.module} --repair.` }
      : {}),
  };
  draft.refuse(
    'peer-not-ready',
    `${s.identity.peer} cannot take over now: ${why}`,
    remedies[situation] ?? 'Wait until the module is protected, then swap.',
  );
}

function unreadyInWords(draft: Draft, situation: PeerSituation): string {
  const beat = peerBeat(draft.s, draft.now);
  if (beat === null) return 'it is silent.';
  if (situation === 'stopped') return 'the module is stopped there.';
  const more = beat.message === undefined ? '.' : `: ${beat.message}`;
  const unable = beat.reason === 'disk-failed' ? beat.reason : (beat.unable ?? null);
  // What it says of itself may be about something else.
  if (unable !== null) return `${unableThere[unable]}${beat.reason === unable ? more : '.'}`;
  if (beat.state !== 'secondary') return `it is not a secondary yet${more}`;
  if (beat.data !== 'up-to-date') return `its copy is not up to date${more}`;
  return 'it does not receive every change of this one yet.';
}

function promote(draft: Draft, by: string): void {
  const { s, now } = draft;
  const copy = ownCopy(s);
  const { node, peer } = s.identity;
  const beat = peerBeat(s, now);
  if (mayBeActive(s))
    draft.refuse('already-primary', `${node} already runs the application, or is about to.`, 'Nothing to do.');
  else if (s.volumes === null)
    draft.refuse(
      'replicator-down',
      'The replication process of this node does not answer.',
      'Look at its journal: journalctl -u holdfast-replicator.',
    );
  else if (!copy.initialised || copy.generation === null)
    draft.refuse('no-data', `${node} has never held the data of this module.`, `Use the other server.`);
  else if (beat?.active === true)
    draft.refuse('peer-active', `${peer} runs the application now.`, `Stop the module, or swap, instead of promoting.`);
  else if (s.missing.length > 0 && beat !== null && bringsBack(s, beat))
    draft.refuse(
      'peer-has-newer-data',
      `${peer} is there, and its copy has what that of ${node} lacks; both wait for ${s.missing.join(', ')}.`,
      `Start ${s.missing.join(', ')}. If the copy of ${node} is to be used all the same, stop the module first.`,
    );
  else {
    s.lossesBeforeStartMs = [];
    draft.persist({ wanted: 'started', startFailed: false, ...freshStart(s), order: orderOf(s.identity, by) });
    draft.emit(
      'attention',
      'ordered-promote',
      `${by} ordered ${node} to use its copy although it may lack acknowledged writes.`,
    );
    s.seek = null;
    if (s.phase.name === 'stopped') draft.enter({ name: 'wait' });
    seek(draft, 'order', wishedGeneration(s));
  }
}
