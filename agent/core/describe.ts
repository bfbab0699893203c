/** What a mirror machine says of itself: to the peer, to people, to the timeline. */
import {
  assertNever,
  type CheckerStatus,
  type ModuleBeat,
  type ModuleOnNode,
  type ResyncProgress,
} from '../contract/index.ts';
import { describeCheckers, failedChecker, unableInWords, unableOf, type Unable } from './checkers.ts';
import { failedDisks } from './failed-disk.ts';
import {
  allModes,
  anyMode,
  committed,
  isWanted,
  mayBeActive,
  ownCopy,
  peerAlive,
  peerBeat,
  volumeFault,
  type Draft,
  type MirrorState,
} from './mirror-state.ts';
import { silenceInWords, votesAsEvidence, votesInWords } from './right.ts';

export interface OwnDescription {
  readonly state: ModuleOnNode['state'];
  readonly data: ModuleOnNode['data'];
  readonly reason?: string;
  readonly message?: string;
  /** CLOCK_BOOTTIME milliseconds. */
  readonly sinceMs?: number;
  /** The application runs here since then, by the same clock. */
  readonly runningSinceMs?: number;
  readonly resync?: ResyncProgress;
  readonly checkers?: CheckerStatus[];
}

export function describeOwn(state: MirrorState, atMs: number): OwnDescription {
  const data = dataOf(state);
  const resync = state.volumes?.find((volume) => volume.resync !== null)?.resync ?? null;
  const why = whyOf(state, data, atMs);
  const { running, runningSinceMs } = state.record;
  return {
    state: stateOf(state),
    data,
    ...(why === null ? {} : { reason: why.code, message: why.message, sinceMs: sinceOf(state) }),
    ...(resync === null ? {} : { resync }),
    ...(state.identity.checkers.length === 0 ? {} : { checkers: describeCheckers(state) }),
    ...(running && runningSinceMs !== null ? { runningSinceMs } : {}),
  };
}

/** A primary may have run for days before it lost its peer: what counts is when protection ended. */
function sinceOf(state: MirrorState): number {
  return state.phase.name === 'active' ? (state.unprotectedSinceMs ?? state.sinceMs) : state.sinceMs;
}

function stateOf(state: MirrorState): ModuleOnNode['state'] {
  if (state.resuming) return 'transient';
  const { name } = state.phase;
  switch (name) {
    case 'stopped':
    case 'wait':
    case 'secondary':
      return name;
    case 'active':
      return allModes(state, 'in-sync', 'resynchronising') ? 'primary' : 'alone';
    case 'activating':
    case 'deactivating':
    case 'fencing':
      return 'transient';
    default:
      return assertNever(name);
  }
}

function dataOf(state: MirrorState): ModuleOnNode['data'] {
  if (state.volumes === null) return 'unknown';
  if (state.volumes.some((volume) => volume.fault?.code === 'forked') || state.waiting.code === 'forked')
    return 'forked';
  const copy = ownCopy(state);
  if (!copy.initialised) return 'unknown';
  // It takes the changes, but nobody makes it equal.
  if (state.volumes.some((volume) => volume.role === 'secondary' && volume.fault?.code === 'copies-differ'))
    return 'stale';
  if (
    state.volumes.some(
      (volume) => volume.role === 'secondary' && volume.record?.copy === 'stale' && volume.link === 'up',
    )
  )
    return 'resynchronising';
  // Its own record does not know yet that the peer went on: the witness does.
  if (state.phase.name === 'wait' && state.waiting.code === 'copy-stale') return 'stale';
  if (state.phase.name === 'wait' && state.waiting.code === 'memory-lost') return 'stale';
  return copy.usable ? 'up-to-date' : 'stale';
}

function whyOf(state: MirrorState, data: ModuleOnNode['data'], now: number): { code: string; message: string } | null {
  const { node, peer } = state.identity;
  const { name } = state.phase;
  const fault = volumeFault(state);
  switch (name) {
    case 'stopped':
      return { code: 'stopped-by-order', message: 'Stopped by order.' };
    case 'wait':
      return state.resuming
        ? { code: 'resuming', message: 'The control plane has just been restarted.' }
        : state.waiting;
    case 'secondary':
      if (fault !== null) return fault;
      if (data === 'resynchronising')
        return { code: 'resynchronising', message: `${node} is being brought up to date.` };
      if (!peerAlive(state, now))
        return state.waiting.code === 'starting'
          ? { code: 'peer-silent', message: `${peer} is silent.` }
          : state.waiting;
      if (data !== 'up-to-date')
        return { code: 'waiting-for-resync', message: `Waits for ${peer} to bring this copy up to date.` };
      return unableReason(state, now);
    case 'active': {
      // The other copy has everything still, and this server is the one that nobody should rely on.
      if (ownDiskFailed(state)) return fault;
      if (fault?.code === 'disk-silent') return fault;
      if (allModes(state, 'in-sync')) return failedChecker(state);
      // No resync runs: it waits for a person to say that it may.
      if (allModes(state, 'in-sync', 'resynchronising') && fault?.code === 'copies-differ') return fault;
      if (allModes(state, 'in-sync', 'resynchronising'))
        return { code: 'peer-resynchronising', message: `${peer} is being brought up to date.` };
      const alive = peerBeat(state, now);
      if (anyMode(state, 'undecided'))
        return {
          code: 'deciding',
          message: `${peer} does not acknowledge any more; changes wait for the right to go on alone.`,
        };
      // Expelled, and silent since: the silence is what people have to know.
      if (fault !== null && !(fault.code === 'peer-expelled' && alive === null)) return fault;
      if (alive === null)
        return { code: 'peer-silent', message: `${peer} is silent. It will catch up by itself when it returns.` };
      return {
        code: 'peer-not-connected',
        message: `${peer} is alive but does not take the changes: ${alive.message ?? 'it is starting'}`,
      };
    }
    case 'activating':
      return { code: 'starting', message: 'The application is being started.' };
    case 'deactivating':
      return { code: 'stopping', message: 'The application is being stopped.' };
    case 'fencing':
      return state.phase.because;
    default:
      return assertNever(name);
  }
}

/** A good copy, and yet the application had better not come here. */
function unableReason(state: MirrorState, now: number): { code: string; message: string } | null {
  const unable = unableOf(state, now);
  return unable === null ? null : { code: unable, message: unableInWords(state, unable) };
}

export function beatOf(state: MirrorState, atMs: number): ModuleBeat {
  const copy = ownCopy(state);
  const own = describeOwn(state, atMs);
  return {
    module: state.identity.module,
    state: own.state,
    data: own.data,
    generation: copy.generation,
    unsettled: state.record.pending.length > 0,
    committed: committed(state),
    copy: copy.complete ? 'up-to-date' : 'stale',
    peerStale: copy.peerStale,
    clean: copy.clean,
    contacts: copy.contacts,
    memoryLost: copy.memoryLost,
    // Of the two only what the other one may need: a datagram has room for 128 modules.
    ...(copy.memoryLost ? { syncedHere: copy.syncedHere } : { closedLost: copy.closedLost }),
    ...(copy.complete && !copy.whole ? { torn: true } : {}),
    active: mayBeActive(state),
    lastPrimary: state.record.lastPrimary,
    wanted: isWanted(state) ? 'started' : 'stopped',
    maintenance: state.record.maintenance,
    unable: unableToldAs(unableOf(state, atMs)),
    handoverTo: atMs < state.handoverUntilMs ? state.identity.peer : null,
    ...(own.reason === undefined ? {} : { reason: own.reason }),
    ...(own.message === undefined ? {} : { message: own.message }),
    ...(own.resync === undefined ? {} : { resync: own.resync }),
  };
}

/** Agents of an earlier version would not read a beat with a word that they do not know. The reason says it. */
function unableToldAs(unable: Unable | null): ModuleBeat['unable'] {
  return unable === 'disk-failed' ? 'start-failed' : unable;
}

function ownDiskFailed(state: MirrorState): boolean {
  return failedDisks(state).length > 0;
}

/** An acknowledged write is on two disks now, and the loss of either server is survived without a person. */
export function isProtected(state: MirrorState, atMs: number): boolean {
  if (state.record.maintenance) return false;
  const beat = peerBeat(state, atMs);
  if (beat === null) return false;
  if (state.phase.name === 'active')
    return (
      allModes(state, 'in-sync') && !ownDiskFailed(state) && beat.state === 'secondary' && beat.data === 'up-to-date'
    );
  return (
    state.phase.name === 'secondary' &&
    beat.state === 'primary' &&
    beat.reason !== 'disk-failed' &&
    dataOf(state) === 'up-to-date' &&
    state.volumes?.every((volume) => volume.link === 'up') === true
  );
}

/** What has changed in this step that people want to know. */
export function reportChanges(draft: Draft): void {
  const { s, now } = draft;
  const { peer, timing } = s.identity;
  const alive = peerAlive(s, now);
  if (alive !== s.peerWasAlive) {
    s.peerWasAlive = alive;
    const networks = Object.keys(s.heardMs).length;
    if (alive) draft.emit('info', 'peer-heard', `${peer} is heard.`);
    else
      draft.emit(
        'attention',
        'peer-silent',
        `${silenceInWords(peer, timing.detectionMs, networks)}; ${votesInWords(s, now)}.`,
        { networks, silentMs: timing.detectionMs, ...votesAsEvidence(s, now) },
      );
  }
  const safe = isProtected(s, now);
  if (safe !== s.wasProtected) {
    if (safe) draft.emit('good', 'protected', 'Protected: both servers have every acknowledged write.');
    else if (s.wasProtected === true)
      draft.emit(
        'attention',
        'not-protected',
        `Not protected any more: ${alive ? ((unableOf(s, now) === null ? describeOwn(s, now).message : undefined) ?? 'the module is changing.') : `${peer} is silent.`}`,
      );
    s.unprotectedSinceMs = !safe && s.wasProtected === true ? now : safe ? null : s.unprotectedSinceMs;
    s.wasProtected = safe;
  }
}
