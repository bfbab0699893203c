/** Nodes without the application: stopped, waiting, secondary; and the wish to become primary. */
import { anySetBack, type ContactCounts, type Generation, type ModuleBeat } from '../contract/index.ts';
import { blockedBy, unableOf, type Unable } from './checkers.ts';
import {
  committed,
  rememberWish,
  isWanted,
  wishedGeneration,
  ownCopy,
  peerAlive,
  peerBeat,
  volumeFault,
  type Copy,
  type Draft,
  type MirrorState,
  type Seek,
} from './mirror-state.ts';
import { isDoubted, restsOnFailedDisk } from './failed-disk.ts';
import { endOrder, outlived } from './order.ts';
import {
  askForVotes,
  mayActUnassisted,
  reachesPingWitness,
  rightUntilMs,
  storedElsewhere,
  votesInWords,
} from './right.ts';
import { activate, fence, waitUnable } from './serving.ts';
import { forked, holderOf, older, sameGeneration, setBack } from './voter.ts';

export function decideStopped(draft: Draft): void {
  const { s } = draft;
  s.seek = null;
  if (s.running) return;
  if (isWanted(s)) {
    draft.enter({ name: 'wait' });
    draft.wait('starting', 'The order to start has just been given.');
    decideWait(draft);
    return;
  }
  if (leftover(draft)) return;
  if (s.volumes?.some((volume) => volume.role === 'secondary') === true) draft.run([{ do: 'idle' }]);
}

/** Something is mounted that this machine did not mount in this life: it goes before anything else happens. */
function leftover(draft: Draft): boolean {
  if (draft.s.volumes?.some((volume) => volume.role === 'primary' || volume.role === 'fenced') !== true) return false;
  fence(draft, 'leftover-mount', 'A mount of an earlier run was still there.', isWanted(draft.s) ? 'wait' : 'stopped');
  return true;
}

export function decideWait(draft: Draft): void {
  const { s, now } = draft;
  if (s.running) return;
  if (!isWanted(s)) {
    s.seek = null;
    draft.enter({ name: 'stopped' });
    decideStopped(draft);
    return;
  }
  if (s.volumes === null) {
    s.seek = null;
    draft.wait('replicator-down', 'The replication process of this node does not answer.');
    return;
  }
  if (leftover(draft)) return;
  const copy = ownCopy(s);
  if (!copy.initialised) {
    const fault = volumeFault(s);
    draft.wait(
      fault?.code ?? 'not-initialised',
      fault?.message ?? 'The data of this module has not been set up on this node.',
    );
    return;
  }
  if (s.seek !== null) pursue(draft, s.seek);
  else if (now >= s.nextSeekMs) considerStart(draft);
}

function considerStart(draft: Draft): void {
  const { s, now } = draft;
  const { peer } = s.identity;
  const copy = ownCopy(s);
  const beat = peerBeat(s, now);
  if (s.record.order === null && (restsOnFailedDisk(s) || (isDoubted(s) && beat?.active !== true))) {
    waitUnable(draft);
    return;
  }
  if (beat?.active === true) {
    draft.run([{ do: 'serve-secondary', doubted: copy.doubted }]);
    return;
  }
  if (now < s.handoverUntilMs) {
    draft.wait('handing-over', `${peer} takes over.`);
    return;
  }
  // Carried through until it succeeds or the other one runs the application: whoever ordered it was told that it is recorded.
  const ended = outlived(s, beat);
  if (ended !== null) endOrder(draft, ended);
  if (s.record.order !== null) {
    seek(draft, 'order', wishedGeneration(s));
    return;
  }
  if (beat === null) {
    considerStartAlone(draft);
    return;
  }
  const offer = comparePeer(s, beat, now);
  if (offer === 'forked')
    draft.wait(
      'forked',
      `Both servers changed data while they could not see each other. Nothing was erased; a person must choose.`,
    );
  else if (offer === 'torn')
    draft.wait(
      'copies-torn',
      `Of the data of this module one part went on alone on one server, and another part may be complete on the other one only: a server lost its memory in between. Nothing was erased; a person must choose one with "promote".`,
    );
  else if (!copy.complete && beat.copy !== 'up-to-date')
    draft.wait(
      'copy-stale',
      `Neither server has a copy that is known to be complete. A person must choose one with "promote".`,
    );
  else if (staysAway(draft, offer, beat)) waitUnable(draft);
  else if (offer === 'peer') {
    // By its record a copy may be complete whose disk has failed: nobody starts it.
    const isComplete = beat.copy === 'up-to-date' && beat.reason !== 'disk-failed';
    if (copy.memoryLost && !isComplete) waitForMemory(draft);
    else if (!isComplete && !passing.includes(beat.reason))
      draft.wait(
        'copy-stale',
        `This node promised ${peer} something newer, and ${peer} has no copy that is known to be complete. If its data is lost, use "promote" here.`,
      );
    else if (beat.wanted === 'stopped')
      draft.wait('peer-has-newer-data', `${peer} has newer data and is stopped. Start the module there.`);
    else draft.wait('waiting-for-primary', `Waits for ${peer} to become primary.`);
  } else seek(draft, 'start', unsettled(s, beat) ? wishedGeneration(s) : null);
}

function waitForMemory(draft: Draft): void {
  const { peer } = draft.s.identity;
  draft.wait(
    'memory-lost',
    `This server has lost its memory since it was in sync, and ${peer} may hold acknowledged changes that are not on this disk. Bring ${peer} back; only if its data is lost, use "promote" here.`,
  );
}

/** Reasons of a node that does not know its own copy yet. */
const passing: readonly unknown[] = ['replicator-down', 'starting', 'resuming'];

/** The restart limit was reached here, and the other one took the application. */
function movedAway(state: MirrorState, unable: Unable): boolean {
  return unable === 'restart-limit' && state.record.gaveUp === 'moved';
}

/**
 * Nobody else would run it, and what is known against this node keeps it from trying again. Where the restart limit was reached here and the
 * other one cannot run it either, a person is waited for: each of the two would otherwise try in turn, for ever.
 */
function staysAway(draft: Draft, offer: 'me' | 'peer', beat: ModuleBeat): boolean {
  const { s, now } = draft;
  const unable = unableOf(s, now);
  if (unable === null) return false;
  const peerUnable = (beat.unable ?? null) !== null || beat.reason === 'start-failed';
  if (unable === 'restart-limit' && peerUnable) draft.persist({ gaveUp: 'stopped' });
  return peerUnable || (offer === 'me' && !movedAway(s, unable));
}

function considerStartAlone(draft: Draft): void {
  const { s, now } = draft;
  const { identity } = s;
  const copy = ownCopy(s);
  if (!copy.usable) {
    draft.wait(
      'copy-stale',
      `This copy is not known to be complete, and ${identity.peer} is silent. Bring ${identity.peer} back; only if its data is lost, use "promote" here.`,
    );
    return;
  }
  // No vote speaks for the data: neither the witness's, nor that of a policy.
  if (copy.memoryLost) {
    waitForMemory(draft);
    return;
  }
  // Moved away from here by checkers, and the other one is lost since: running badly is better than not at all.
  const unable = unableOf(s, now);
  if (unable !== null && !movedAway(s, unable) && waitUnable(draft)) return;
  if (now - s.startedMs < identity.timing.settleMs && Object.keys(s.heardMs).length === 0) {
    draft.wait('waiting-for-peer', `Waits for a sign of ${identity.peer}.`);
    return;
  }
  const allowed =
    identity.witness ||
    identity.withoutWitness === 'prefer-availability' ||
    copy.peerStale ||
    (copy.clean && s.record.lastPrimary);
  if (allowed && !mayActUnassisted(s, now)) waitCutOff(draft);
  else if (allowed) seek(draft, 'start', wishedGeneration(s));
  else
    draft.wait(
      'peer-silent',
      `${identity.peer} is silent and may be running the application; without a witness this node cannot know. Bring ${identity.peer} back, or use "promote" here when it is certainly off.`,
    );
}

/**
 * Who should run the application, by lineage first. Both nodes compute the same from the same heartbeats. With both copies in sight what
 * they *are* counts: a generation that was promised and never written says nothing about the data.
 */
function comparePeer(state: MirrorState, beat: ModuleBeat, now: number): 'me' | 'peer' | 'forked' | 'torn' {
  const copy = ownCopy(state);
  const inSight = beat.generation !== null && beat.data !== 'unknown';
  if (inSight ? !copy.complete : !copy.usable) return 'peer';
  if (beat.copy !== 'up-to-date') return copy.memoryLost && mayHoldTheRest(copy.generation, beat) ? 'peer' : 'me';
  if (forked(copy.generation, beat.generation)) return 'forked';
  if (older(copy.generation, beat.generation)) return 'peer';
  if (older(beat.generation, copy.generation)) return 'me';
  // Whoever is behind what was heard of it gets no vote: waiting for it would be waiting for ever.
  const isPeerSetBack = beat.generation !== null && setBack(beat.generation, beat.contacts, state.record.contacts);
  if (isPeerSetBack !== copy.isSetBack) return isPeerSetBack ? 'me' : 'peer';
  // Of one generation, and yet not the same: the one that has met less often was set back, and is never the better one.
  const ahead = metMoreOften(copy.contacts, beat.contacts);
  if (ahead !== null) return ahead;
  const better = keptMemory(copy, beat);
  const further = wentOnInPart(copy, beat);
  if (further !== null) return better === null || better === further ? further : 'torn';
  if (better !== null) return better;
  const peerUnable = (beat.unable ?? null) !== null || beat.reason === 'start-failed';
  const canStart = { me: unableOf(state, now) === null, peer: beat.wanted === 'started' && !peerUnable };
  // Whoever was promised a newer generation goes on from it, unless the application does not run there.
  if (beat.committed && !committed(state)) return peerUnable && canStart.me ? 'me' : 'peer';
  if (committed(state) && !beat.committed) return !canStart.me && canStart.peer ? 'peer' : 'me';
  // Nothing was written after a planned stop. The other copy has the same generation and need not be as new: it may have been set back to an image.
  const cleanOneUnable = copy.clean ? !canStart.me : peerUnable;
  if (copy.clean !== beat.clean && !cleanOneUnable) return copy.clean ? 'me' : 'peer';
  if (canStart.me !== canStart.peer) return canStart.me ? 'me' : 'peer';
  // Only where both may: what was synced is on both disks, and nobody waits for more.
  if (beat.closedLost !== undefined && copy.closedLost !== beat.closedLost) return copy.closedLost ? 'peer' : 'me';
  const { prefer, node, peer } = state.identity;
  if (prefer !== null) return prefer === node ? 'me' : 'peer';
  if (state.record.lastPrimary !== beat.lastPrimary) return state.record.lastPrimary ? 'me' : 'peer';
  return node < peer ? 'me' : 'peer';
}

/**
 * Of one generation, what was acknowledged is in the memory of whoever has not booted since. Where both have, what was synced decides, whoever was primary last or is
 * preferred. Null: that decides nothing, or the other one is of a version that does not say.
 */
function keptMemory({ memoryLost, syncedHere }: Copy, beat: ModuleBeat): 'me' | 'peer' | null {
  if (beat.memoryLost === undefined) return null;
  if (memoryLost !== beat.memoryLost) return memoryLost ? 'peer' : 'me';
  if (!memoryLost || syncedHere === beat.syncedHere) return null;
  return syncedHere ? 'me' : 'peer';
}

/** One volume of it has gone on alone, and another one has not. Null: of neither, or of both. */
function wentOnInPart({ whole }: Copy, { torn = false }: ModuleBeat): 'me' | 'peer' | null {
  if (whole !== torn) return null;
  return torn ? 'peer' : 'me';
}

/**
 * A copy that is called stale, or not known yet: it may have been in sync with this one until now. Its record says so before this one's does, and before the
 * first byte of it has changed.
 */
function mayHoldTheRest(generation: Generation | null, beat: ModuleBeat): boolean {
  return beat.data === 'unknown' || sameGeneration(beat.generation, generation);
}

/** Null: neither. With several volumes, each of them may be: then neither copy may be used as it is, and both leave it to the other one. */
function metMoreOften(own: ContactCounts, others: ContactCounts | undefined): 'me' | 'peer' | null {
  if (others === undefined) return null;
  if (anySetBack(own, others)) return 'peer';
  return anySetBack(others, own) ? 'me' : null;
}

/**
 * One of the two has asked for a generation that nobody wrote; a voter may have stored it and would refuse everything older. So has the other
 * one where this node promised it something newer, even if its wish is forgotten: the witness would refuse what both agreed on. Both nodes
 * together are a majority: they agree on one that is newer than all of them.
 */
function unsettled(state: MirrorState, beat: ModuleBeat): boolean {
  return state.record.pending.length > 0 || beat.unsettled || !ownCopy(state).usable;
}

export function seek(draft: Draft, purpose: Seek['purpose'], store: Generation | null): void {
  const { s, now } = draft;
  // The vote that was given to the peer is not ours before it has run out.
  if (holderOf(s.voter, now) !== null) {
    draft.wait('vote-given', `The vote of this node belongs to ${s.identity.peer} until its lease has run out.`);
    return;
  }
  if (s.missing.length > 0) {
    waitForModules(draft, s.missing);
    return;
  }
  if (store !== null) rememberWish(draft, store);
  s.seek = { purpose, store, sinceMs: now, unassisted: !peerAlive(s, now) || purpose === 'takeover' };
  askForVotes(draft, store, s.record.order !== null);
  pursue(draft, s.seek);
}

/** Nothing is asked of any voter meanwhile: the other one may run the application, and this one serve as its secondary. */
function waitForModules(draft: Draft, missing: readonly string[]): void {
  const message = `Waits until ${missing.join(', ')} ${missing.length === 1 ? 'runs' : 'run'} on one of the servers.`;
  if (draft.s.waiting.code !== 'module-missing')
    draft.emit('info', 'module-missing', message, { modules: missing.join(', ') });
  draft.wait('module-missing', message);
}

function dropSeek(draft: Draft): void {
  const { s } = draft;
  s.seek = null;
  s.nextSeekMs = draft.now + s.identity.timing.heartbeatIntervalMs * 2;
}

function pursue(draft: Draft, wish: Seek): void {
  const { s, now } = draft;
  const { timing, peer } = s.identity;
  const beat = peerBeat(s, now);
  const answered = s.ballots.witness.replyMs > wish.sinceMs || s.ballots.peer.replyMs > wish.sinceMs;
  // A wish that a voter may have stored is not dropped before its answer, or the stored generation would lock both nodes out.
  const settled = wish.store === null || answered || now - wish.sinceMs > timing.grantMs;
  // The copy may have become the target of a resync in the meantime, or a person has begun to work on it.
  const maintained = wish.purpose === 'takeover' && s.record.maintenance;
  if (!isWanted(s) || maintained || (wish.purpose !== 'order' && !ownCopy(s).complete)) {
    if (settled) dropSeek(draft);
    return;
  }
  if (hasRight(s, wish, now) && (wish.store === null || storedElsewhere(s, wish.store))) {
    activate(draft, wish);
    return;
  }
  const deserted = beat === null && !wish.unassisted && !s.identity.witness;
  if (settled && (beat?.active === true || deserted)) {
    dropSeek(draft);
    voidOrder(draft, beat);
    return;
  }
  if (wish.purpose === 'order' && s.ballots.witness.reply?.reason === 'older-generation') renumber(draft, wish);
  const words = votesInWords(s, now);
  // What a witness said that has fallen silent since explains nothing.
  const refusal = now - s.ballots.witness.replyMs < timing.detectionMs ? s.ballots.witness.reply : null;
  if (refusal !== null && !refusal.granted && refusal.reason === 'older-generation') {
    draft.wait(
      'copy-stale',
      `The witness knows newer data than this copy: ${peer} went on without it. Bring ${peer} back; only if its data is lost, use "promote" here.`,
    );
  } else if (refusal !== null && !refusal.granted && refusal.reason === 'lease-held') {
    draft.wait('peer-active', `${peer} holds the lease of the witness: it may be running although it is silent here.`);
  } else if (wish.unassisted && !mayActUnassisted(s, now)) waitCutOff(draft);
  else draft.wait('no-majority', `Not enough votes to start: ${words}.`);
  if (now - wish.sinceMs > timing.detectionMs) dropSeek(draft);
}

/** Given while the other one was silent, and it runs the application: obeyed some day later, the order would cost what is written from now on. */
function voidOrder(draft: Draft, beat: ModuleBeat | null): void {
  if (beat?.state === 'primary' || beat?.state === 'alone') endOrder(draft, 'peer-runs');
}

function renumber(draft: Draft, wish: Seek): void {
  const { s } = draft;
  const store = wishedGeneration(s);
  if (sameGeneration(store, wish.store)) return;
  rememberWish(draft, store);
  s.seek = { ...wish, store };
}

function hasRight(state: MirrorState, wish: Seek, now: number): boolean {
  // This node promised the other one a generation that its own copy has not. What it heard of the other one may be a moment old:
  // only its vote says that the promise was never used. With the witness alone both could have gone on from the same data.
  if (wish.purpose !== 'order' && !ownCopy(state).usable)
    return peerAlive(state, now) && state.ballots.peer.deadlineMs > now;
  if (state.identity.witness) return rightUntilMs(state, now) > now;
  // Two votes only. With the peer in sight both are needed; without it the policy or a person has decided when the wish was made.
  if (peerAlive(state, now)) return state.ballots.peer.deadlineMs > now;
  return wish.unassisted && mayActUnassisted(state, now);
}

export function decideSecondary(draft: Draft): void {
  const { s, now } = draft;
  if (s.running) return;
  if (s.volumes === null || s.volumes.some((volume) => volume.role !== 'secondary')) {
    s.seek = null;
    draft.enter({ name: 'wait' });
    decideWait(draft);
    return;
  }
  const beat = peerBeat(s, now);
  if (!isWanted(s) && s.seek === null) {
    // While the other one runs, its clean end needs this copy; not one that it has refused, for which there is no such end to wait for.
    if (beat?.active !== true || isForked(s)) draft.run([{ do: 'idle' }]);
    return;
  }
  if (s.seek !== null) {
    pursue(draft, s.seek);
    return;
  }
  voidOrder(draft, beat);
  if (beat === null) considerTakeover(draft);
  else if (beat.handoverTo === s.identity.node && !beat.active && ownCopy(s).usable && !ownCopy(s).memoryLost)
    seek(draft, 'handover', null);
  else if (!beat.active) {
    draft.enter({ name: 'wait' });
    decideWait(draft);
  }
}

function isForked({ volumes }: MirrorState): boolean {
  return volumes?.some((volume) => volume.fault?.code === 'forked') ?? false;
}

function considerTakeover(draft: Draft): void {
  const { s, now } = draft;
  const { identity, record } = s;
  const { peer } = identity;
  // What was ordered does not ask for the rules by which a server takes over by itself.
  if (record.order !== null) {
    if (now >= s.nextSeekMs) seek(draft, 'order', wishedGeneration(s));
  } else if (!ownCopy(s).usable || ownCopy(s).memoryLost) {
    draft.enter({ name: 'wait' });
    decideWait(draft);
  } else if (record.maintenance)
    draft.wait('maintenance', `${peer} is silent; in maintenance nothing is moved automatically.`);
  else if (blockedBy(s) !== null) waitUnable(draft);
  else if (!identity.witness && identity.withoutWitness === 'prefer-one-copy') {
    draft.wait(
      'peer-silent',
      `${peer} is silent and may still be running the application; without a witness this node cannot know. Use "promote" here when ${peer} is certainly off.`,
    );
  } else if (!mayActUnassisted(s, now)) waitCutOff(draft);
  else if (now >= s.nextSeekMs) seek(draft, 'takeover', wishedGeneration(s));
}

/** Who reaches neither the other one nor the address that should always answer is probably the one that was cut off. */
function waitCutOff(draft: Draft): void {
  const { node, peer, pingWitness } = draft.s.identity;
  if (reachesPingWitness(draft.s, draft.now)) draft.wait('waiting-for-peer', `Waits for a sign of ${peer}.`);
  else
    draft.wait(
      'ping-witness-silent',
      `${peer} is silent, and ${String(pingWitness)} does not answer ${node} either: ${node} may be the one that is cut off, so it starts nothing. Restore its network; use "promote" here only when ${peer} is certainly off.`,
    );
}
