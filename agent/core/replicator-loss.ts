/** A replicator that ends beside an application that runs, or is about to: how long it is waited for, and when that is enough. */
import type { Draft, MirrorState } from './mirror-state.ts';
import type { MirrorEvent } from './mirror-types.ts';

/** One that ends again and again serves nobody: the next loss within this time is not waited for. */
const lossesMax = 5;
const lossesWithinMs = 60_000;
/** A fence and a new start come between two of these, and a fence may take a minute. */
const lossesBeforeStartWithinMs = 600_000;

/** What is mounted stays so while its replicator is started again: the application waits in it. */
export function awaitsReplicator(draft: Draft): boolean {
  const { s, now } = draft;
  if (s.replicatorLostMs !== null) return true;
  const { phase } = s;
  if (s.identity.timing.replicatorPatienceMs === 0) return false;
  if (s.volumes === null || !(phase.name === 'active' || (phase.name === 'activating' && s.mounted))) return false;
  const losses = s.replicatorLossesMs.filter((atMs) => now - atMs < lossesWithinMs);
  if (losses.length >= lossesMax) return false;
  s.replicatorLossesMs = [...losses, now];
  s.replicatorLostMs = now;
  return true;
}

export function replicatorIsBack(draft: Draft, volumes: MirrorState['volumes']): void {
  const { s, now } = draft;
  if (s.replicatorLostMs === null) return;
  const waitedMs = Math.round(now - s.replicatorLostMs);
  s.replicatorLostMs = null;
  if (volumes?.every((volume) => volume.role === 'primary') !== true) return;
  draft.emit(
    'attention',
    'replicator-restarted',
    `The replication process of ${s.identity.node} was started again; the application waited ${String(waitedMs)} ms for its files.`,
    { waitedMs },
  );
}

/**
 * Whether a start failed because the replicator has ended: neither the application nor the disk has said anything then. The call may fail before the loss is
 * told, and a start script that is left without its files before anybody has given up waiting.
 */
export function failedForLoss(state: MirrorState, failed: Extract<MirrorEvent, { type: 'ran' }>['failed']): boolean {
  if (failed?.step === 'mount' && (failed.fault.code === 'connection-lost' || failed.fault.code === 'replicator-down'))
    return true;
  const isAway = state.replicatorLostMs !== null || state.volumes === null;
  return isAway && (failed?.step === 'mount' || failed?.step === 'script');
}

/** Notes a loss before the application has started. True: it was one too many, and a person is waited for; the other server may take over. */
export function isOneLossTooMany(draft: Draft): boolean {
  const { s, now } = draft;
  s.lossesBeforeStartMs = [...s.lossesBeforeStartMs.filter((atMs) => now - atMs < lossesBeforeStartWithinMs), now];
  return s.lossesBeforeStartMs.length >= lossesMax;
}
