/**
 * One vote: the same rules for a node's own vote, the peer's and the witness's. A grant is exclusive until it has run out by the
 * voter's clock; the newest generation is durable before it is confirmed, and older ones are refused for ever.
 */
import {
  anySetBack,
  type ContactCounts,
  type Generation,
  type VoteRelease,
  type VoteReply,
  type VoteRequest,
} from '../contract/index.ts';

/** The furthest that was heard of a generation. */
export interface KnownContacts {
  readonly generation: string;
  readonly counts: ContactCounts;
}

export interface VoterState {
  /** Durable. */
  readonly newest: Generation | null;
  /** Durable. */
  readonly contacts: KnownContacts | null;
  /** In memory: after a restart `quietUntilMs` stands in for grants that were forgotten. */
  readonly grant: {
    readonly holder: string;
    readonly untilMs: number;
    readonly session: string;
    readonly number: number;
  } | null;
  /** Nothing is granted before: a grant made before a restart may still be running. */
  readonly quietUntilMs: number;
}

export interface VoterStep {
  readonly state: VoterState;
  readonly reply: VoteReply;
  /** `state.newest` or `state.contacts` has changed and must be on disk before the reply leaves. */
  readonly persist: boolean;
}

export function newVoter(
  newest: Generation | null,
  quietUntilMs: number,
  contacts: KnownContacts | null = null,
): VoterState {
  return { newest, contacts, grant: null, quietUntilMs };
}

/** A copy of this generation that has met the other one less often than is known: the image of a disk, or of a whole server. */
export function setBack(
  generation: Generation,
  counts: ContactCounts | undefined,
  known: KnownContacts | null,
): boolean {
  if (known?.generation !== generation.id || counts === undefined) return false;
  return anySetBack(counts, known.counts);
}

/** The furthest of both; of a newer generation only what is said of that. */
export function furthest(
  generation: Generation,
  counts: ContactCounts | undefined,
  known: KnownContacts | null,
): KnownContacts | null {
  if (counts === undefined || Object.keys(counts).length === 0) return known;
  if (known?.generation !== generation.id) return { generation: generation.id, counts };
  const further = Object.entries(counts).filter(([volume, count]) => count > (known.counts[volume] ?? -1));
  return further.length === 0 ? known : { ...known, counts: { ...known.counts, ...Object.fromEntries(further) } };
}

export function sameGeneration(a: Generation | null, b: Generation | null): boolean {
  return a === null || b === null ? a === b : a.number === b.number && a.id === b.id;
}

/** Older, or a different branch of the same age. */
export function behind(generation: Generation | null, newest: Generation | null): boolean {
  if (newest === null) return false;
  if (generation === null) return true;
  return generation.number < newest.number || (generation.number === newest.number && generation.id !== newest.id);
}

/** Strictly older, whatever the branch. */
export function older(a: Generation | null, b: Generation | null): boolean {
  return b !== null && (a === null || a.number < b.number);
}

/** Two branches of the same age: both were written without the other. */
export function forked(a: Generation | null, b: Generation | null): boolean {
  return a !== null && b !== null && a.number === b.number && a.id !== b.id;
}

export function includesGeneration(list: readonly Generation[], generation: Generation | null): boolean {
  return generation !== null && list.some((one) => sameGeneration(one, generation));
}

export function holderOf(voter: VoterState, nowMs: number): string | null {
  return voter.grant !== null && nowMs < voter.grant.untilMs ? voter.grant.holder : null;
}

/** @param grantMs how long a grant is honoured: already longer than the requested lease by both clocks' errors (timing.ts). */
export function vote(
  voter: VoterState,
  candidate: string,
  request: VoteRequest,
  nowMs: number,
  grantMs: number,
): VoterStep {
  const refuse = (reason: string): VoterStep => ({
    state: voter,
    persist: false,
    reply: {
      kind: 'vote-reply',
      module: request.module,
      number: request.number,
      session: request.session,
      granted: false,
      stored: null,
      reason,
      newest: voter.newest,
      holder: holderOf(voter, nowMs),
    },
  });
  const holder = holderOf(voter, nowMs);
  if (holder !== null && holder !== candidate) return refuse('lease-held');
  if (nowMs < voter.quietUntilMs) return refuse('just-started');
  // A wish that was stored for this candidate and not written by it yet: its copy is still the one that the wish was made for.
  const ownWish = includesGeneration(request.pending, voter.newest);
  const old = behind(request.generation, voter.newest) || setBack(request.generation, request.contacts, voter.contacts);
  if (old && !request.order && !ownWish) return refuse('older-generation');
  let newest = voter.newest;
  const wanted = request.store ?? request.generation;
  // An order overrides the age of the copy, but its new generation must be the newest too: the candidate asks again, with a higher number.
  if (newest === null || wanted.number > newest.number) newest = wanted;
  else if (!sameGeneration(wanted, newest) && (request.store !== null || request.order))
    return refuse('older-generation');
  // A request that a slower network repeats is older than what was granted since: a release that was sent in between would end that.
  const former = voter.grant?.holder === candidate && voter.grant.session === request.session ? voter.grant.number : 0;
  const contacts = furthest(request.generation, request.contacts, voter.contacts);
  return {
    state: {
      ...voter,
      newest,
      contacts,
      grant: {
        holder: candidate,
        untilMs: Math.max(nowMs + grantMs, voter.grant?.untilMs ?? 0),
        session: request.session,
        number: Math.max(former, request.number),
      },
    },
    persist: !sameGeneration(newest, voter.newest) || contacts !== voter.contacts,
    reply: {
      kind: 'vote-reply',
      module: request.module,
      number: request.number,
      session: request.session,
      granted: true,
      stored: request.store,
      reason: 'granted',
      newest,
      holder: candidate,
    },
  };
}

/** The holder gives its grant back. A release that was late says nothing about a grant that was asked for after it, or by a new process. */
export function release(voter: VoterState, from: string, message: VoteRelease): VoterState {
  const { grant } = voter;
  const meant =
    grant !== null && grant.holder === from && grant.session === message.session && grant.number <= message.number;
  return meant ? { ...voter, grant: null } : voter;
}
