/**
 * The right to be primary: a majority of own, peer and witness vote, renewed at every heartbeat. The life of a grant counts
 * from when its request was *sent*, so that the holder's clock always ends first (timing.ts).
 */
import { assertNever, type EventDraft, type Generation, type VoteReply, type VoteRequest } from '../contract/index.ts';
import { mayBeActive, ownCopy, peerAlive, type Ballot, type Draft, type MirrorState } from './mirror-state.ts';
import { behind, includesGeneration, sameGeneration } from './voter.ts';

const inFlightMax = 8;

/** Asks every voter that might answer. `store`: the generation that must be durable elsewhere before this node writes alone. */
export function askForVotes(draft: Draft, store: Generation | null, order: boolean): void {
  const { s } = draft;
  const { generation, contacts } = ownCopy(s);
  if (generation === null) return;
  const number = s.nextNumber;
  s.nextNumber += 1;
  const message: VoteRequest = {
    kind: 'vote-request',
    module: s.identity.module,
    number,
    session: s.identity.session,
    leaseMs: s.identity.timing.leaseMs,
    generation,
    contacts,
    pending: [...s.record.pending],
    store,
    order,
  };
  // With a copy that only the other one's vote may start, the witness would store a generation, or hold a lease, that helps nobody.
  const toWitness = s.identity.witness && (order || mayBeActive(s) || ownCopy(s).usable);
  const noted = (ballot: Ballot): Ballot => ({
    ...ballot,
    sent: [...ballot.sent.slice(1 - inFlightMax), { number, atMs: draft.now }],
  });
  s.ballots = {
    peer: noted(s.ballots.peer),
    witness: toWitness ? noted(s.ballots.witness) : s.ballots.witness,
  };
  draft.actions.push({ type: 'send', to: 'peer', message });
  if (toWitness) draft.actions.push({ type: 'send', to: 'witness', message });
}

export function absorbReply(draft: Draft, from: 'peer' | 'witness', reply: VoteReply): void {
  const { s } = draft;
  // Given to a former life of this node, whose numbers were the same.
  if (reply.session !== undefined && reply.session !== s.identity.session) return;
  const ballot = s.ballots[from];
  const request = ballot.sent.find((one) => one.number === reply.number);
  if (request === undefined) return;
  // A late refusal of an older request says nothing about a grant that came after it; a newer one ends the counting of nothing either:
  // the voter keeps what it granted.
  const deadlineMs = reply.granted
    ? Math.max(ballot.deadlineMs, request.atMs + s.identity.timing.leaseMs)
    : ballot.deadlineMs;
  const next: Ballot = {
    ...ballot,
    deadlineMs,
    stored: reply.stored ?? ballot.stored,
    reply,
    replyMs: draft.now,
    contactMs: Math.max(ballot.contactMs, request.atMs),
  };
  s.ballots = from === 'peer' ? { ...s.ballots, peer: next } : { ...s.ballots, witness: next };
  if (from === 'peer') draft.persist({ unreachedByOrder: false });
  if (from === 'peer' && reply.granted) inherit(draft, reply.givenUp ?? []);
}

/** The other one never wrote them and goes on from none of them any more: the witness may have stored one, and has to know that this copy is what they were asked for. */
function inherit(draft: Draft, givenUp: readonly Generation[]): void {
  const { pending } = draft.s.record;
  const more = givenUp.filter((wish) => !includesGeneration(pending, wish));
  if (more.length > 0)
    draft.persist({ pending: [...more, ...pending].sort((one, other) => one.number - other.number) });
}

/** Ends every grant that this node holds: the voters may give it to the other one at once. Only after stop or fence. */
export function giveBack(draft: Draft): void {
  const { s } = draft;
  const number = s.nextNumber;
  s.nextNumber += 1;
  const message = { kind: 'vote-release' as const, module: s.identity.module, number, session: s.identity.session };
  draft.actions.push({ type: 'send', to: 'peer', message });
  if (s.identity.witness) draft.actions.push({ type: 'send', to: 'witness', message });
  const ended = (ballot: Ballot): Ballot => ({ ...ballot, sent: [], deadlineMs: 0, stored: null, reply: null });
  s.ballots = { peer: ended(s.ballots.peer), witness: ended(s.ballots.witness) };
  s.leaseMs = 0;
}

/**
 * Until when this node may be primary. Own vote plus the longer of the two others. Without a witness there is nobody who could
 * take over by himself (`prefer-one-copy`), or the person chose that both may run (`prefer-availability`): the right renews itself. A ping witness
 * takes it away from a node that reaches neither it nor the other one: that node is the one that was cut off.
 */
export function rightUntilMs(state: MirrorState, now: number): number {
  const { witness, timing } = state.identity;
  if (!witness && !pingWitnessDecides(state)) return now + timing.leaseMs;
  if (!witness)
    return hasLapsed(state, now)
      ? Math.max(state.leaseMs, state.ballots.peer.deadlineMs)
      : lastContactMs(state) + timing.leaseMs;
  return Math.max(state.ballots.peer.deadlineMs, state.ballots.witness.deadlineMs);
}

/**
 * The right ran out while the other one may have been ready to take over: frozen, or cut off for longer than that takes. An answer says that this node is back, and
 * not that nobody took its place meanwhile; only the vote of the other one does. Who was alone already has nothing that the other one could go on from.
 */
function hasLapsed(state: MirrorState, now: number): boolean {
  return mayBeActive(state) && state.leaseMs > 0 && now >= state.leaseMs && !ownCopy(state).peerStale;
}

function pingWitnessDecides({ identity, record }: MirrorState): boolean {
  return identity.pingWitness !== null && !record.unreachedByOrder;
}

/** By round trips alone: what is merely heard does not prove that anybody hears this node. */
function lastContactMs({ ballots, reachedMs }: MirrorState): number {
  return Math.max(ballots.peer.contactMs, reachedMs ?? 0);
}

/** The ping witness has answered what was asked a moment ago; true where there is none. */
export function reachesPingWitness(state: MirrorState, now: number): boolean {
  if (state.identity.pingWitness === null) return true;
  return state.reachedMs !== null && now - state.reachedMs < state.identity.timing.reachFreshMs;
}

/**
 * Whether this node may begin something that the silent peer did not agree to. An order of a person is asked for nothing more. Who has just come back to the network
 * would have heard nothing yet of a peer that runs: it listens for as long as it takes to call a peer silent.
 */
export function mayActUnassisted(state: MirrorState, now: number): boolean {
  if (!pingWitnessDecides(state) || state.record.order !== null) return true;
  const { reachedSinceMs, identity } = state;
  return (
    reachesPingWitness(state, now) && reachedSinceMs !== null && now - reachedSinceMs >= identity.timing.detectionMs
  );
}

/**
 * The ping witness, or the peer with its vote, has answered what was asked after `sinceMs`. An older answer may be from before this node was cut off, and what it
 * went on to write alone would be lost to whoever took over.
 */
export function answeredSince(state: MirrorState, now: number, sinceMs: number): boolean {
  if (!pingWitnessDecides(state)) return true;
  const { leaseMs, reachFreshMs } = state.identity.timing;
  const contactMs = Math.max(state.reachedMs ?? 0, state.ballots.peer.deadlineMs - leaseMs);
  return contactMs > sinceMs && now - contactMs < reachFreshMs;
}

/** The time between two answers with two lost ones in between, and what an answer may be late. */
function lostTwiceMs({ reachFreshMs, heartbeatIntervalMs }: MirrorState['identity']['timing']): number {
  return reachFreshMs + heartbeatIntervalMs / 2;
}

export function absorbReached(draft: Draft, sentMs: number): void {
  const { s } = draft;
  // A clock that has jumped, or an answer from before this machine's life, proves nothing.
  if (s.identity.pingWitness === null || sentMs > draft.now) return;
  // Two pings may get lost in a row. Whoever was cut off for longer may have been taken for lost, and listens anew.
  if (s.reachedMs === null || sentMs - s.reachedMs >= lostTwiceMs(s.identity.timing)) s.reachedSinceMs = sentMs;
  s.reachedMs = Math.max(s.reachedMs ?? 0, sentMs);
  draft.persist({ unreachedByOrder: false });
}

/** Somebody other than this node has the new generation on disk. */
export function storedElsewhere(state: MirrorState, generation: Generation): boolean {
  if (!state.identity.witness) return true;
  return (
    sameGeneration(state.ballots.peer.stored, generation) || sameGeneration(state.ballots.witness.stored, generation)
  );
}

/** The witness has said that somebody else is ahead: this node must not hope for a renewal. */
export function overtaken(state: MirrorState, now: number): string | null {
  const { reply, replyMs } = state.ballots.witness;
  if (reply === null || reply.granted || now - replyMs > state.identity.timing.detectionMs) return null;
  if (reply.reason === 'lease-held' && reply.holder === state.identity.peer)
    return `the witness has given the lease to ${state.identity.peer}`;
  if (reply.reason === 'older-generation' && behind(ownCopy(state).generation, reply.newest)) {
    return `the witness knows a newer generation (${String(reply.newest?.number ?? 0)})`;
  }
  return null;
}

export function witnessAnswers(state: MirrorState, now: number): boolean | null {
  if (!state.identity.witness) return null;
  const { replyMs } = state.ballots.witness;
  if (replyMs === 0 && now - state.startedMs < state.identity.timing.detectionMs) return null;
  return replyMs !== 0 && now - replyMs < state.identity.timing.detectionMs;
}

/** "n2 has been silent for 3.0 s on both networks". */
export function silenceInWords(node: string, silentMs: number, networks: number): string {
  const where = networks > 2 ? `all ${String(networks)} networks` : networks === 2 ? 'both networks' : 'the network';
  return `${node} has been silent for ${(silentMs / 1000).toFixed(1)} s on ${where}`;
}

type Vote = 'granted' | 'refused' | 'silent' | 'asked' | 'not-asked';

function voteOf(state: MirrorState, now: number, from: 'peer' | 'witness'): Vote {
  if (from === 'peer' && !peerAlive(state, now)) return 'silent';
  const { reply, replyMs, sent } = state.ballots[from];
  if (reply !== null && now - replyMs < state.identity.timing.detectionMs) return reply.granted ? 'granted' : 'refused';
  if (sent.length === 0 && reply === null) return 'not-asked';
  const open = sent.find((request) => request.atMs >= replyMs);
  const justAsked = open === undefined || now - open.atMs < state.identity.timing.heartbeatIntervalMs;
  return justAsked ? 'asked' : 'silent';
}

/** What the voters said, as the evidence of a decision. */
export function votesAsEvidence(state: MirrorState, now: number): EventDraft['evidence'] {
  return {
    peerVote: voteOf(state, now, 'peer'),
    ...(state.identity.witness ? { witnessVote: voteOf(state, now, 'witness') } : {}),
    ...(state.identity.pingWitness === null
      ? {}
      : {
          pingWitness: state.identity.pingWitness,
          pingAnswers: reachesPingWitness(state, now),
        }),
  };
}

/** What the voters said, for people: "n2 is silent, the witness grants". */
export function votesInWords(state: MirrorState, now: number): string {
  const word = (from: 'peer' | 'witness', name: string): string => {
    const vote = voteOf(state, now, from);
    switch (vote) {
      case 'granted':
        return `${name} grants the lease`;
      case 'refused':
        return `${name} refuses (${state.ballots[from].reply?.reason ?? 'for no reason'})`;
      case 'asked':
        return `${name} has not answered yet`;
      case 'silent':
        return `${name} is silent`;
      case 'not-asked':
        return `${name} was not asked`;
      default:
        return assertNever(vote);
    }
  };
  const peer = word('peer', state.identity.peer);
  const { witness, pingWitness } = state.identity;
  if (witness) return `${peer}, ${word('witness', 'the witness')}`;
  if (pingWitness === null) return `${peer}, no witness is configured`;
  return `${peer}, ${pingWitness} ${reachesPingWitness(state, now) ? 'answers' : 'does not answer'} this node's pings`;
}
