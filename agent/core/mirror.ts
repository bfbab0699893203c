/**
 * The mirror machine: one module on one node. Pure: the simulator and production run this same code.
 *
 * Phases: stopped → wait → secondary | (seek →) activating → active → deactivating | fencing → wait. `seek` is the wish to become
 * primary and exists in wait and secondary only. An active node whose lease has run out is *suspended*: the kernel and the replicator answer
 * nothing, the machine asks again, and fences itself when somebody else was chosen or nobody answers for too long.
 */
import { assertNever, type Generation, type VoteRequest } from '../contract/index.ts';
import { absorbCheck, unableOf } from './checkers.ts';
import { command } from './commands.ts';
import { endDoubt } from './failed-disk.ts';
import { committed, Draft, mayBeActive, ownCopy, peerAlive, type MirrorState } from './mirror-state.ts';
import type { StepResult, TimedMirrorEvent } from './mirror-types.ts';
import { absorbReached, absorbReply, askForVotes } from './right.ts';
import { awaitsReplicator, replicatorIsBack } from './replicator-loss.ts';
import { finishPlan, resume, serve } from './serving.ts';
import { leaseMsMax } from './timing.ts';
import {
  furthest,
  holderOf,
  includesGeneration,
  older,
  release,
  sameGeneration,
  vote,
  type VoterState,
} from './voter.ts';
import { decideSecondary, decideStopped, decideWait } from './waiting.ts';
import { reportChanges } from './describe.ts';

export { beatOf, describeOwn, isProtected } from './describe.ts';
export { freshRecord, initialMirror, ownCopy, type MirrorState } from './mirror-state.ts';

export function stepMirror(state: MirrorState, event: TimedMirrorEvent): StepResult<MirrorState> {
  const draft = new Draft(state, event.atMs);
  absorb(draft, event);
  decide(draft);
  reportChanges(draft);
  return { state: draft.s, actions: draft.actions, refused: draft.refused };
}

function absorb(draft: Draft, event: TimedMirrorEvent): void {
  const { s, now } = draft;
  switch (event.type) {
    case 'tick':
      if (s.seek !== null) askForVotes(draft, s.seek.store, s.record.order !== null);
      else if (mayBeActive(s) && s.phase.name !== 'fencing') askForVotes(draft, s.goingAlone, s.record.order !== null);
      break;
    case 'heard':
      s.heardMs = { ...s.heardMs, [event.network]: Math.min(event.heardAtMs ?? now, now) };
      if (event.beat !== null && event.order >= s.beatOrder) {
        s.beat = event.beat;
        s.beatOrder = event.order;
      }
      break;
    case 'vote-request':
      answer(draft, event.message);
      break;
    case 'vote-reply':
      absorbReply(draft, event.from, event.message);
      break;
    case 'vote-release':
      s.voter = release(s.voter, s.identity.peer, event.message);
      break;
    case 'data':
      absorbData(draft, event.volumes);
      break;
    case 'ran':
      if (event.id === s.runId && s.running) {
        s.running = false;
        finishPlan(draft, event);
      }
      break;
    case 'needs':
      s.missing = event.missing;
      break;
    case 'reached':
      absorbReached(draft, event.sentMs);
      break;
    case 'checked':
      absorbCheck(draft, event);
      break;
    case 'command':
      command(draft, event.command);
      break;
    default:
      assertNever(event);
  }
}

/** Of a disk that hangs nothing else may be seen for long. */
function tellSilentDisks(draft: Draft, volumes: MirrorState['volumes']): void {
  const silent = (known: MirrorState['volumes']): string | undefined =>
    known?.find(({ fault }) => fault?.code === 'disk-silent')?.fault?.message;
  const told = silent(volumes);
  if (told !== undefined && silent(draft.s.volumes) === undefined) draft.emit('attention', 'disk-silent', told);
}

function absorbData(draft: Draft, volumes: MirrorState['volumes']): void {
  const { s, now } = draft;
  if (volumes === null && awaitsReplicator(draft)) return;
  replicatorIsBack(draft, volumes);
  tellSilentDisks(draft, volumes);
  s.volumes = volumes;
  const undecided = volumes?.some((volume) => volume.mode === 'undecided') ?? false;
  s.undecidedSinceMs = undecided ? (s.undecidedSinceMs ?? now) : null;
  if (volumes?.some((volume) => volume.mode === 'in-sync' || volume.mode === 'resynchronising') === true)
    s.hadLink = true;
  if (volumes !== null && volumes.length > 0 && volumes.every((volume) => volume.role === 'primary')) s.mounted = true;
  endDoubt(draft);
  const { generation, usable, initialised, complete, whole, contacts } = ownCopy(s);
  // A stale copy holds nothing that the peer's lacks: what was wished for it is void, or it would bar the peer from going on. What was
  // promised to the peer stays: the copy may become complete again, and still be older than that.
  if (initialised && !complete && !mayBeActive(s) && s.seek === null) {
    draft.persist({ newest: committed(s) ? null : s.record.newest, pending: [] });
  }
  if (generation === null) return;
  const { newest, pending } = s.record;
  if (usable && whole) draft.persist({ contacts: furthest(generation, contacts, s.record.contacts) });
  if (usable && (newest === null || generation.number > newest.number)) draft.persist({ newest: generation });
  const unwritten = pending.filter((wish) => wish.number > generation.number);
  if (unwritten.length < pending.length) draft.persist({ pending: unwritten });
  // What the other one wrote meanwhile is as new as the wish, and has just been received.
  const asked = s.seek?.store ?? null;
  if (asked !== null && !includesGeneration(unwritten, asked)) s.seek = null;
  s.voter = { ...s.voter, newest: s.record.newest, contacts: s.record.contacts };
}

/** This node as a voter. Whoever may be active, or wants to be, keeps his own vote. */
function answer(draft: Draft, message: VoteRequest): void {
  const { s, now } = draft;
  if (message.leaseMs > leaseMsMax || message.leaseMs <= 0) return;
  if (mayBeActive(s) || s.seek !== null) {
    draft.actions.push({
      type: 'send',
      to: 'peer',
      message: {
        kind: 'vote-reply',
        module: message.module,
        number: message.number,
        session: message.session,
        granted: false,
        stored: null,
        reason: 'lease-held',
        newest: s.record.newest,
        holder: s.identity.node,
      },
    });
    return;
  }
  // While a change of the detection time is on its way the other one counts on the lease that it asked for, not on ours.
  const { leaseMs, grantMs: ownMs } = s.identity.timing;
  const grantMs = Math.ceil(ownMs * Math.max(1, message.leaseMs / leaseMs));
  const { voter, givenUp } = voterFor(draft, message);
  const { state, reply, persist } = vote(voter, s.identity.peer, message, now, grantMs);
  if (reply.granted) {
    // A longer one of before may still be running; it was noted when it was given.
    const outlasted = (s.voter.grant?.untilMs ?? 0) > now + grantMs;
    s.voter = state;
    draft.persist({
      grantedMs: outlasted ? Math.max(grantMs, s.record.grantedMs ?? 0) : grantMs,
      newest: persist ? state.newest : s.record.newest,
      contacts: state.contacts,
      // Without a witness only the last primary may start again alone: whoever gives his vote away is not the last one any more.
      lastPrimary: false,
    });
  }
  const told = reply.granted && givenUp.length > 0 ? { ...reply, givenUp: [...givenUp] } : reply;
  draft.actions.push({ type: 'send', to: 'peer', message: told });
}

/**
 * A generation that was promised to this node and that none of its volumes has written: nobody else can. The other one may go on with one that is newer still,
 * from the same copy where the application does not run here or this one has lost its memory, and from a newer copy always. Else each of the two would wait for the other for ever.
 */
function voterFor(
  { s, now }: Draft,
  message: VoteRequest,
): { readonly voter: VoterState; readonly givenUp: readonly Generation[] } {
  const { generation, whole, memoryLost } = ownCopy(s);
  const notNeeded =
    older(generation, message.generation) ||
    (sameGeneration(message.generation, generation) && (memoryLost || unableOf(s, now) !== null));
  const givesWay = whole && committed(s) && notNeeded && older(s.record.newest, message.store);
  if (!givesWay) return { voter: s.voter, givenUp: [] };
  return { voter: { ...s.voter, newest: generation }, givenUp: s.record.pending };
}

function decide(draft: Draft): void {
  const { s } = draft;
  if (s.resuming) resume(draft);
  const phase = s.phase;
  switch (phase.name) {
    case 'stopped':
      decideStopped(draft);
      break;
    case 'wait':
      if (!s.resuming) decideWait(draft);
      break;
    case 'secondary':
      decideSecondary(draft);
      break;
    case 'activating':
    case 'active':
    case 'deactivating':
      serve(draft);
      break;
    case 'fencing':
      break;
    default:
      assertNever(phase);
  }
}

/** For the runtime's own status: whom this node has given its vote. */
export function voteGivenTo(state: MirrorState, atMs: number): string | null {
  if (mayBeActive(state) || state.seek !== null) return state.identity.node;
  return holderOf(state.voter, atMs);
}

export function peerIsAlive(state: MirrorState, atMs: number): boolean {
  return peerAlive(state, atMs);
}
