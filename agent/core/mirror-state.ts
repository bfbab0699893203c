/** What the mirror machine remembers between events, and the small questions that every phase asks of it. */
import {
  contactCounts,
  type ContactCounts,
  type EventDraft,
  type Generation,
  type ModuleBeat,
  type VolumeRecord,
  type VolumeStatus,
  type VoteReply,
} from '../contract/index.ts';
import type { CheckerMemory } from './checkers.ts';
import type { CommandRefusal, MirrorAction, MirrorIdentity, ModuleRecord, PlanStep } from './mirror-types.ts';
import { behind, forked, includesGeneration, newVoter, sameGeneration, setBack, type VoterState } from './voter.ts';

/** Why a node that is wanted does not run the application. */
export interface WaitReason {
  readonly code: string;
  readonly message: string;
}

export type Phase =
  | { readonly name: 'stopped' }
  | { readonly name: 'wait' }
  | { readonly name: 'secondary' }
  /** The plan that mounts, raises the address and starts the application is running. */
  | { readonly name: 'activating' }
  | { readonly name: 'active' }
  /** The planned stop is running. */
  | { readonly name: 'deactivating'; readonly then: 'stopped' | 'handover' | 'restart' | 'start-failed' | 'wait' }
  | { readonly name: 'fencing'; readonly because: WaitReason; readonly then: 'wait' | 'stopped' | 'start-failed' };

/** The wish to become primary. While it lasts this node's own vote is its own. */
export interface Seek {
  readonly purpose: 'start' | 'takeover' | 'handover' | 'order';
  /** Generation to begin without the peer; null when the peer is expected to connect. */
  readonly store: Generation | null;
  readonly sinceMs: number;
  /** Made while the peer was silent, by a rule or an order that allows it to start without its vote. */
  readonly unassisted: boolean;
}

export interface Ballot {
  /** Requests in flight, newest last: the life of a grant counts from when its request was sent. */
  readonly sent: readonly { readonly number: number; readonly atMs: number }[];
  readonly deadlineMs: number;
  readonly stored: Generation | null;
  readonly reply: VoteReply | null;
  readonly replyMs: number;
  /** When the newest request was sent that was answered, whatever the answer; 0: none. */
  readonly contactMs: number;
}

export interface MirrorState {
  readonly identity: MirrorIdentity;
  readonly record: ModuleRecord;
  readonly startedMs: number;
  readonly phase: Phase;
  readonly sinceMs: number;
  readonly waiting: WaitReason;
  readonly seek: Seek | null;
  /** A new generation being asked for by an active node whose peer is gone. */
  readonly goingAlone: Generation | null;
  readonly goAloneSentMs: number;
  readonly heardMs: Readonly<Record<string, number>>;
  readonly beat: ModuleBeat | null;
  /** Modules that this one needs and that run nowhere; all of them until somebody has looked. */
  readonly missing: readonly string[];
  /** Of `beat`: what has a lower one was said before it. */
  readonly beatOrder: number;
  readonly volumes: readonly VolumeStatus[] | null;
  /** Since when the replicator has been gone under a running application; `volumes` are what it said last. Null: it is there, or nobody waits for it. */
  readonly replicatorLostMs: number | null;
  /** When it was lost under a running application, oldest first; no more than decide anything. */
  readonly replicatorLossesMs: readonly number[];
  /** When it was lost before the application had started, oldest first. A start that succeeds and an order forget them. */
  readonly lossesBeforeStartMs: readonly number[];
  readonly undecidedSinceMs: number | null;
  /** The peer has been connected since the application was started here. */
  readonly hadLink: boolean;
  /** The application's plan has mounted: what is not mounted any more was lost. */
  readonly mounted: boolean;
  readonly voter: VoterState;
  readonly ballots: { readonly peer: Ballot; readonly witness: Ballot };
  /** When the newest ping was sent that the ping witness has answered; null: it has answered none. */
  readonly reachedMs: number | null;
  /** Since when it has answered without a gap: when the first of those pings was sent. */
  readonly reachedSinceMs: number | null;
  readonly nextNumber: number;
  /** Last deadline given to the kernel and to the replicator. */
  readonly leaseMs: number;
  /** This server goes down: nothing is wanted here any more, whatever the record says. */
  readonly leaving: boolean;
  readonly runId: number;
  readonly running: boolean;
  /** Set after a planned handover, until the other one has taken over or the patience is over. */
  readonly handoverUntilMs: number;
  /** Whether the restarted control plane still has to find out if the application runs. */
  readonly resuming: boolean;
  readonly peerWasAlive: boolean;
  readonly wasProtected: boolean | null;
  /** When protection was last lost; null while it was never had, or is there. */
  readonly unprotectedSinceMs: number | null;
  readonly nextSeekMs: number;
  /** When the preferred node may take the application back by itself. */
  readonly peerReadySinceMs: number | null;
  /** By name; only those that have looked. */
  readonly checkers: Readonly<Record<string, CheckerMemory>>;
}

const noBallot: Ballot = { sent: [], deadlineMs: 0, stored: null, reply: null, replyMs: 0, contactMs: 0 };

export function freshRecord(): ModuleRecord {
  return {
    format: 1,
    wanted: 'stopped',
    maintenance: false,
    newest: null,
    contacts: null,
    grantedMs: null,
    pending: [],
    activeBoot: null,
    running: false,
    runningSinceMs: null,
    lastPrimary: false,
    startFailed: false,
    restarts: [],
    restartsBoot: null,
    gaveUp: null,
    doubted: null,
    unreachedByOrder: false,
    order: null,
  };
}

/**
 * Restarts of a former boot have an unknown age: they count from now, which keeps them rather too long. The clock itself need not have begun with this boot: that of a
 * container is its machine's.
 */
function restartsUnder(
  bootId: string,
  record: ModuleRecord,
  atMs: number,
): Pick<ModuleRecord, 'restarts' | 'restartsBoot'> {
  if (record.restartsBoot === bootId || record.restarts.length === 0)
    return { restarts: record.restarts, restartsBoot: record.restartsBoot };
  return { restarts: record.restarts.map(() => atMs), restartsBoot: bootId };
}

/** Given when nothing was depended on: what it waits for has been added since. */
function knownOrder({ dependsOn, bootId }: MirrorIdentity, { order }: ModuleRecord): ModuleRecord['order'] {
  return order === null || dependsOn.length === 0 ? order : { bootId, ...order };
}

/** A record of a version that did not note it: this node may have granted what it grants now. */
function forgottenGrantMs({ timing }: MirrorIdentity, { grantedMs }: ModuleRecord): number {
  return grantedMs ?? timing.grantMs;
}

/**
 * @param atMs CLOCK_BOOTTIME, milliseconds.
 * @param leaseMs until when the former machine of this process has the right to run; 0: there was none.
 */
export function initialMirror(identity: MirrorIdentity, record: ModuleRecord, atMs: number, leaseMs = 0): MirrorState {
  const resuming = record.activeBoot === identity.bootId;
  return {
    identity,
    record: {
      ...record,
      ...restartsUnder(identity.bootId, record, atMs),
      order: knownOrder(identity, record),
      ...(resuming ? {} : { activeBoot: null, running: false, runningSinceMs: null, unreachedByOrder: false }),
    },
    startedMs: atMs,
    phase: record.wanted === 'stopped' && !resuming ? { name: 'stopped' } : { name: 'wait' },
    sinceMs: atMs,
    waiting: { code: 'starting', message: 'The agent has just started.' },
    seek: null,
    goingAlone: null,
    goAloneSentMs: 0,
    heardMs: {},
    beat: null,
    missing: identity.dependsOn,
    beatOrder: -1,
    volumes: null,
    replicatorLostMs: null,
    replicatorLossesMs: [],
    lossesBeforeStartMs: [],
    undecidedSinceMs: null,
    hadLink: false,
    mounted: false,
    // A grant made before this start is forgotten, and only the other node can have it: it may renew it, this node waits for its end.
    // Whoever was active under this boot (resuming) had given none.
    voter: {
      ...newVoter(record.newest, 0, record.contacts),
      grant: resuming
        ? null
        : { holder: identity.peer, untilMs: atMs + forgottenGrantMs(identity, record), session: '', number: 0 },
    },
    ballots: { peer: noBallot, witness: noBallot },
    reachedMs: null,
    reachedSinceMs: null,
    nextNumber: 1,
    leaseMs: resuming ? leaseMs : 0,
    runId: 0,
    leaving: false,
    running: false,
    handoverUntilMs: 0,
    resuming,
    peerWasAlive: false,
    wasProtected: null,
    unprotectedSinceMs: null,
    nextSeekMs: 0,
    peerReadySinceMs: null,
    checkers: {},
  };
}

/** The draft that one step works on: a copy of the state, and what it asks for. */
export class Draft {
  s: Mutable<MirrorState>;
  readonly actions: MirrorAction[] = [];
  refused: CommandRefusal | null = null;
  readonly now: number;

  constructor(state: MirrorState, atMs: number) {
    this.s = { ...state };
    this.now = atMs;
  }

  persist(change: Partial<ModuleRecord>): void {
    const record = { ...this.s.record, ...change };
    if (JSON.stringify(record) === JSON.stringify(this.s.record)) return;
    this.s.record = record;
    this.actions.push({ type: 'persist', record });
  }

  enter(phase: Phase): void {
    this.s.phase = phase;
    this.s.sinceMs = this.now;
  }

  wait(code: string, message: string): void {
    if (this.s.waiting.code !== code) this.s.sinceMs = this.now;
    this.s.waiting = { code, message };
  }

  run(steps: readonly PlanStep[], preempt = false): void {
    this.s.runId += 1;
    this.s.running = true;
    this.actions.push({ type: 'run', id: this.s.runId, preempt, steps });
  }

  emit(severity: EventDraft['severity'], code: string, message: string, evidence: EventDraft['evidence'] = {}): void {
    this.actions.push({ type: 'emit', event: { module: this.s.identity.module, code, message, severity, evidence } });
  }

  refuse(code: string, message: string, remedy: string): void {
    this.refused = { code, message, remedy };
  }
}
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function lastHeardMs(state: MirrorState): number | null {
  const all = Object.values(state.heardMs);
  return all.length === 0 ? null : Math.max(...all);
}

/** By the order of a person, and as long as this server does not go down. */
export function isWanted({ record, leaving }: MirrorState): boolean {
  return record.wanted === 'started' && !leaving;
}

/** Silent for less than the detection time on at least one network. */
export function peerAlive(state: MirrorState, now: number): boolean {
  const heard = lastHeardMs(state);
  return heard !== null && now - heard < state.identity.timing.detectionMs;
}

/** The peer's own words, as long as it is alive. */
export function peerBeat(state: MirrorState, now: number): ModuleBeat | null {
  return peerAlive(state, now) ? state.beat : null;
}

/** Phases in which the application may be running here, so that nobody else may have this node's vote. */
export function mayBeActive(state: MirrorState): boolean {
  return (
    state.resuming ||
    state.phase.name === 'activating' ||
    state.phase.name === 'active' ||
    state.phase.name === 'deactivating' ||
    state.phase.name === 'fencing'
  );
}

export interface Copy {
  /** Lineage of the oldest volume. */
  readonly generation: Generation | null;
  /** Every volume is of that generation. */
  readonly whole: boolean;
  readonly initialised: boolean;
  /** Up to date by its own record. */
  readonly complete: boolean;
  /** Its disk has failed under the application, which runs here no more, and the other one may have what it lacks. */
  readonly doubted: boolean;
  /** Complete, not doubted, and this node has not promised a newer generation to the other: may be used while the other one is silent. */
  readonly usable: boolean;
  readonly peerStale: boolean;
  readonly clean: boolean;
  readonly contacts: ContactCounts;
  /** This node knows that a copy of this generation went on after this one: it was set back to an image. */
  readonly isSetBack: boolean;
  /** This server has booted since changes were acknowledged because both had them in memory: what the disk did not get is with the other one only. */
  readonly memoryLost: boolean;
  /** The same for contents of files that were closed and not synced: the other one may have more, and is not waited for. */
  readonly closedLost: boolean;
  /** What was synced until then is on this disk. */
  readonly syncedHere: boolean;
}

export function ownCopy(state: MirrorState): Copy {
  const none: Copy = {
    generation: null,
    whole: false,
    initialised: false,
    complete: false,
    doubted: false,
    usable: false,
    peerStale: false,
    clean: false,
    contacts: {},
    isSetBack: false,
    memoryLost: false,
    closedLost: false,
    syncedHere: false,
  };
  const records = (state.volumes ?? []).map((volume) => volume.record);
  if (records.length === 0 || records.some((record) => record === null)) return none;
  const known = records.filter((record) => record !== null);
  let generation: Generation | null = known[0]?.generation ?? null;
  for (const record of known) {
    if (record.generation === null || generation === null) generation = null;
    else if (record.generation.number < generation.number) generation = record.generation;
  }
  const upToDate = generation !== null && known.every((record) => record.copy === 'up-to-date');
  const whole = known.every((record) => sameGeneration(record.generation, generation));
  const { pending, newest } = state.record;
  // Who has gone on from it, be it with one volume only, has what nobody else has.
  const doubted =
    !mayBeActive(state) && upToDate && whole && sameGeneration(generation, state.record.doubted?.generation ?? null);
  const contacts = contactCounts(known);
  const isSetBack = generation !== null && setBack(generation, contacts, state.record.contacts);
  return {
    generation,
    whole,
    initialised: true,
    complete: upToDate,
    doubted,
    usable: upToDate && !isSetBack && !doubted && (!behind(generation, newest) || includesGeneration(pending, newest)),
    peerStale: known.every((record) => record.peerStale),
    clean: known.every((record) => record.cleanCheckpoint !== null),
    contacts,
    isSetBack,
    memoryLost: upToDate && known.some((record) => isLost(record.memoryBoot, record, state.identity.bootId)),
    closedLost: upToDate && known.some((record) => isLost(record.closedBoot, record, state.identity.bootId)),
    syncedHere: known.some((record) => record.syncedHere === true),
  };
}

/** Whoever was alone has nothing that the other one would have to give back. */
function isLost(boot: string | undefined, { peerStale }: VolumeRecord, bootId: string): boolean {
  return boot !== undefined && boot !== bootId && !peerStale;
}

/** A voter has stored a generation for this node that it has not written yet. */
export function committed(state: MirrorState): boolean {
  return includesGeneration(state.record.pending, state.record.newest);
}

export function allModes(state: MirrorState, ...modes: readonly VolumeStatus['mode'][]): boolean {
  return (
    state.volumes !== null &&
    state.volumes.length > 0 &&
    state.volumes.every((volume) => volume.role === 'primary' && modes.includes(volume.mode))
  );
}

export function anyMode(state: MirrorState, mode: VolumeStatus['mode']): boolean {
  return state.volumes?.some((volume) => volume.role === 'primary' && volume.mode === mode) ?? false;
}

/** A volume that was refused on contact: forked, not the same data … Null when all is well. */
export function volumeFault(state: MirrorState): { code: string; message: string } | null {
  for (const volume of state.volumes ?? [])
    if (volume.fault !== null) return { code: volume.fault.code, message: volume.fault.message };
  return null;
}

function knownGenerations(state: MirrorState): Generation[] {
  const known = [
    ownCopy(state).generation,
    state.record.newest,
    ...state.record.pending,
    state.beat?.generation ?? null,
    state.ballots.peer.reply?.newest ?? null,
    state.ballots.witness.reply?.newest ?? null,
  ];
  return known.filter((generation) => generation !== null);
}

/** One more than anything this node has heard of, with an id that nobody else can make. */
export function nextGeneration(state: MirrorState): Generation {
  const number = Math.max(0, ...knownGenerations(state).map((generation) => generation.number)) + 1;
  return { number, id: `${String(number)}.${state.identity.node}.${state.identity.session}` };
}

/** The wish made before, as long as nobody has heard of anything newer, or of another one of the same age; else a newer one. */
export function wishedGeneration(state: MirrorState): Generation {
  const next = nextGeneration(state);
  const wish = state.record.pending.at(-1);
  if (wish?.number !== next.number - 1) return next;
  return knownGenerations(state).some((generation) => forked(generation, wish)) ? next : wish;
}

/** On disk before any voter hears of it. The oldest wishes are forgotten first: a voter that stored one of those needs a person. */
export function rememberWish(draft: Draft, wish: Generation): void {
  const { pending } = draft.s.record;
  if (!includesGeneration(pending, wish)) draft.persist({ pending: [...pending, wish].slice(-pendingMax) });
}
const pendingMax = 16;
