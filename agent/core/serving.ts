/** Nodes with the application: starting it, holding the right, going on alone, planned stops and fencing. */
import { assertNever, type Generation } from '../contract/index.ts';
import { goAlone } from './alone.ts';
import { forgetChecks, judgeCheckers, peerSituation, unableInWords, unableOf } from './checkers.ts';
import { doubtCopy, failedDisks, isDoubted, peerHasAll, tellOfHandover } from './failed-disk.ts';
import {
  isWanted,
  ownCopy,
  peerAlive,
  peerBeat,
  wishedGeneration,
  type Draft,
  type MirrorState,
  type Phase,
  type Seek,
  type WaitReason,
} from './mirror-state.ts';
import type { MirrorEvent, PlanStep } from './mirror-types.ts';
import { endOrder } from './order.ts';
import { failedForLoss, isOneLossTooMany } from './replicator-loss.ts';
import {
  askForVotes,
  giveBack,
  overtaken,
  reachesPingWitness,
  rightUntilMs,
  silenceInWords,
  votesAsEvidence,
  votesInWords,
} from './right.ts';
import { forked, older } from './voter.ts';

export function activate(draft: Draft, wish: Seek): void {
  const { s, now } = draft;
  const { peer, node } = s.identity;
  s.seek = null;
  // A wish that some voter may have stored is carried through, or its older claim would be refused later.
  s.goingAlone = wish.store ?? unsettledWish(s);
  s.goAloneSentMs = 0;
  s.hadLink = false;
  s.mounted = false;
  s.peerReadySinceMs = null;
  s.handoverUntilMs = 0;
  // This right is a new one, whatever became of the last.
  s.leaseMs = 0;
  draft.persist({
    activeBoot: s.identity.bootId,
    running: false,
    lastPrimary: true,
    newest: wish.store ?? s.record.newest,
    unreachedByOrder: wish.purpose === 'order' && !reachesPingWitness(s, now),
  });
  s.voter = { ...s.voter, newest: s.record.newest };
  draft.enter({ name: 'activating' });
  const silentMs = now - Math.max(0, ...Object.values(s.heardMs));
  const networks = Object.keys(s.heardMs).length;
  const because = {
    takeover: silenceInWords(peer, silentMs, networks),
    handover: `${s.beat?.reason === 'disk-failed' ? `the disk of ${peer} failed, and it` : peer} handed it over`,
    start: 'the module is wanted and this copy is the newest known',
    order: `${s.record.order?.by ?? 'a person'} ordered it, accepting that data may be lost`,
  }[wish.purpose];
  draft.emit('info', 'becomes-primary', `${node} takes the application because ${because}; ${votesInWords(s, now)}.`, {
    purpose: wish.purpose,
    generation: (wish.store ?? ownCopy(s).generation)?.number ?? null,
    ...(wish.purpose === 'takeover' ? { silentMs, networks } : {}),
    ...votesAsEvidence(s, now),
  });
  extendLease(draft);
  draft.run(
    [
      { do: 'mount', order: s.record.order !== null },
      { do: 'raise-vip' },
      { do: 'script', script: 'prestart' },
      { do: 'script', script: 'start' },
    ],
    true,
  );
}

function unsettledWish(state: MirrorState): Generation | null {
  return state.record.pending.length === 0 ? null : wishedGeneration(state);
}

/** A control plane that comes back under a running application takes it over again, or ends it for good. */
export function resume(draft: Draft): void {
  const { s } = draft;
  if (s.volumes === null) {
    // Its right to run would be kept for as long as it is hoped for.
    if (draft.now - s.startedMs >= s.identity.timing.detectionMs + replicatorStartMs)
      fence(
        draft,
        'replicator-lost',
        'The replication process does not answer: the application had lost its files.',
        'wait',
      );
    return;
  }
  s.resuming = false;
  s.leaseMs = formerLeaseMs(draft);
  if (s.record.running && s.volumes.length > 0 && s.volumes.every((volume) => volume.role === 'primary')) {
    draft.enter({ name: 'active' });
    s.hadLink = true;
    draft.emit(
      'info',
      'resumed',
      `The control plane of ${s.identity.node} was restarted and goes on with the running application.`,
    );
    askForVotes(draft, null, false);
    draft.run([{ do: 'raise-vip' }]);
  } else
    fence(
      draft,
      'restarted',
      'The control plane was restarted in the middle of a change; the application is started anew.',
      'wait',
    );
}

/**
 * What is left of the right of the former life: as that handed it over, or as it told the replicator, which has forgotten it where it was started anew itself. Where
 * the right ran out, or is not known, the other one may have taken over since.
 */
function formerLeaseMs({ s, now }: Draft): number {
  const toldMs = Math.min(...(s.volumes ?? []).map((volume) => volume.answersUntilMs ?? 0));
  const leaseMs = s.leaseMs > 0 ? s.leaseMs : toldMs;
  return leaseMs > now ? Math.min(leaseMs, now + s.identity.timing.leaseMs) : now;
}

/** Beside the control plane that has just been started itself, and its configuration. */
const replicatorStartMs = 3000;

/** The right to run goes on being asked for, and nothing is begun that needs the replicator. True: there is nothing else to do now. */
function waitsForReplicator(draft: Draft): boolean {
  const { s, now } = draft;
  if (s.replicatorLostMs === null) return false;
  if (now - s.replicatorLostMs < s.identity.timing.replicatorPatienceMs) {
    if (!yieldsToPeer(draft) && !lostRight(draft)) extendLease(draft);
    return true;
  }
  s.volumes = null;
  return false;
}

export function serve(draft: Draft): void {
  const { s } = draft;
  if (waitsForReplicator(draft)) return;
  if (s.volumes === null) {
    lostFiles(draft, 'replicator-lost', 'The replication process stopped: the application had lost its files.');
    return;
  }
  const mounted = s.phase.name === 'active' || (s.phase.name === 'activating' && s.mounted);
  if (mounted && s.volumes.some((volume) => volume.role !== 'primary')) {
    lostFiles(draft, 'mount-lost', 'The replicated directory was no longer mounted.');
    return;
  }
  doubtCopy(draft);
  if (yieldsToPeer(draft) || lostRight(draft)) return;
  extendLease(draft);
  goAlone(draft);
  if (s.phase.name === 'deactivating') return;
  if (!isWanted(s)) deactivate(draft, 'stopped');
  else if (leaveFailedDisk(draft)) return;
  else if (s.phase.name === 'active' && !s.running && !followCheckers(draft)) considerFailback(draft);
}

/** Whatever plan runs: each write that the disk does not take is an error for the application. True: something was begun. */
function leaveFailedDisk(draft: Draft): boolean {
  const isWhole = failedDisks(draft.s).length === 0;
  if (isWhole || draft.s.record.maintenance || !peerReady(draft) || !peerHasAll(draft)) return false;
  tellOfHandover(draft);
  deactivate(draft, 'handover');
  return true;
}

/** What checkers ask for. True: something was begun. */
function followCheckers(draft: Draft): boolean {
  const verdict = judgeCheckers(draft);
  if (verdict === null) return false;
  switch (verdict.decision) {
    case 'restart':
      restartInPlace(draft);
      return true;
    case 'stop-start':
      deactivate(draft, 'restart');
      return true;
    case 'failover':
      deactivate(draft, 'handover');
      return true;
    case 'wait':
      deactivate(draft, verdict.situation === 'ready' ? 'handover' : 'wait');
      return true;
    case 'stop':
      deactivate(draft, 'wait');
      return true;
    default:
      return assertNever(verdict.decision);
  }
}

/** The application alone: the mount, the address and the right to run stay. Until its start script has ended it counts as not running. */
function restartInPlace(draft: Draft): void {
  draft.persist({ running: false, runningSinceMs: null });
  draft.enter({ name: 'activating' });
  draft.run([
    { do: 'script', script: 'stop' },
    { do: 'script', script: 'start' },
  ]);
}

/** Two active nodes that see each other: only possible without a witness, or while one of them has not yet noticed that its right is gone. */
function yieldsToPeer(draft: Draft): boolean {
  const { s, now } = draft;
  const beat = peerBeat(s, now);
  if (beat?.active !== true) return false;
  const copy = ownCopy(s);
  const tie = forked(copy.generation, beat.generation);
  const { prefer, node, peer } = s.identity;
  const loses = tie ? (prefer !== null ? prefer === peer : peer < node) : older(copy.generation, beat.generation);
  if (!loses) return false;
  fence(
    draft,
    tie ? 'forked' : 'peer-newer',
    `${peer} runs the application with ${tie ? 'another' : 'newer'} data; this node gives way. Its data is kept.`,
    'wait',
  );
  return true;
}

function lostRight(draft: Draft): boolean {
  const { s, now } = draft;
  const until = rightUntilMs(s, now);
  if (now < until) return false;
  const who = overtaken(s, now);
  const suspendedMs = now - Math.max(until, s.sinceMs);
  if (who === null && suspendedMs <= s.identity.timing.suspendedMaxMs) return false;
  const { peer, pingWitness } = s.identity;
  const silentS = String(Math.round((now - until + s.identity.timing.leaseMs) / 1000));
  const why =
    who ??
    (pingWitness === null
      ? `no majority for ${String(Math.round(suspendedMs / 1000))} s`
      : `neither ${peer} nor ${pingWitness} has answered it for ${silentS} s`);
  fence(
    draft,
    who !== null ? 'overtaken' : pingWitness === null ? 'no-majority' : 'cut-off',
    `This node lost the right to run the application: ${why}; ${votesInWords(s, now)}.`,
    'wait',
  );
  return true;
}

function extendLease(draft: Draft): void {
  const { s, now } = draft;
  const until = rightUntilMs(s, now);
  if (until <= s.leaseMs) return;
  s.leaseMs = until;
  draft.actions.push({ type: 'extend-lease', deadlineMs: until });
}

/** The peer could take over this instant without losing anything, and nothing is known that speaks against the application running there. */
export function peerReady(draft: Draft): boolean {
  return peerSituation(draft) === 'ready';
}

function considerFailback(draft: Draft): void {
  const { s, now } = draft;
  const { identity } = s;
  if (
    identity.failback !== 'automatic' ||
    identity.prefer !== identity.peer ||
    s.record.maintenance ||
    !peerReady(draft)
  ) {
    s.peerReadySinceMs = null;
    return;
  }
  s.peerReadySinceMs ??= now;
  if (now - s.peerReadySinceMs < identity.timing.detectionMs * 5) return;
  draft.emit(
    'info',
    'failback',
    `${identity.peer} is the preferred server and has been ready for ${String(Math.round((now - s.peerReadySinceMs) / 1000))} s: the application goes back to it.`,
  );
  deactivate(draft, 'handover');
}

const stopSteps: readonly PlanStep[] = [
  { do: 'script', script: 'stop' },
  { do: 'drop-vip' },
  { do: 'unmount' },
  { do: 'script', script: 'poststop' },
];

export function deactivate(draft: Draft, then: Extract<Phase, { name: 'deactivating' }>['then']): void {
  const preempt = draft.s.running;
  draft.enter({ name: 'deactivating', then });
  draft.run(stopSteps, preempt);
}

/** At once and always: no answer, no address, no process, no mount. What follows is `then`. */
export function fence(
  draft: Draft,
  code: string,
  message: string,
  then: Extract<Phase, { name: 'fencing' }>['then'],
): void {
  const { s } = draft;
  const because: WaitReason = { code, message };
  s.seek = null;
  s.goingAlone = null;
  s.leaseMs = 0;
  s.resuming = false;
  // Believed while it was waited for.
  if (s.replicatorLostMs !== null) s.volumes = null;
  s.replicatorLostMs = null;
  draft.enter({ name: 'fencing', because, then });
  draft.actions.push({ type: 'cut-lease' });
  draft.emit('bad', 'fenced', message, { reason: code, ...votesAsEvidence(s, draft.now) });
  draft.run([{ do: 'fence' }, { do: 'drop-vip' }], true);
}

/** A plan has ended. Plans belong to phases: what comes next is decided here, in one place. */
export function finishPlan(draft: Draft, event: Extract<MirrorEvent, { type: 'ran' }>): void {
  const { s } = draft;
  const { phase } = s;
  const { failed } = event;
  switch (phase.name) {
    case 'stopped':
      break;
    case 'wait':
    case 'secondary':
      finishSmallPlan(draft, failed?.fault.message ?? null);
      break;
    case 'activating':
      if (failed === null) started(draft);
      else if (failedForLoss(s, failed))
        lostFiles(draft, 'replicator-lost', 'The replication process stopped before the application was started.');
      else startFailed(draft, failed.step, failed.fault.message);
      break;
    case 'active':
      if (failed !== null) draft.emit('attention', failed.fault.code, failed.fault.message);
      break;
    case 'deactivating':
      if (failed === null) stopped(draft, phase.then, event.clean);
      else
        fence(
          draft,
          'stop-failed',
          `The planned stop failed at ${failed.step}: ${failed.fault.message}`,
          phase.then === 'stopped' || phase.then === 'start-failed' ? phase.then : 'wait',
        );
      break;
    case 'fencing':
      if (failed === null) fenced(draft, phase);
      else {
        draft.emit(
          'bad',
          'fence-failed',
          `Fencing failed at ${failed.step}: ${failed.fault.message}. It is tried again.`,
        );
        draft.run([{ do: 'fence' }, { do: 'drop-vip' }]);
      }
      break;
    default:
      assertNever(phase);
  }
}

function finishSmallPlan(draft: Draft, failure: string | null): void {
  const { s, now } = draft;
  if (failure !== null) {
    draft.enter({ name: 'wait' });
    draft.wait('secondary-failed', failure);
    s.nextSeekMs = now + s.identity.timing.detectionMs;
  } else if (!isWanted(s)) {
    draft.enter({ name: 'stopped' });
  } else if (s.phase.name === 'wait') {
    draft.enter({ name: 'secondary' });
    endOrder(draft, 'peer-runs');
    draft.persist({ lastPrimary: false });
    draft.emit(
      'info',
      'became-secondary',
      `${s.identity.node} is secondary: it receives the changes of ${s.identity.peer}.`,
    );
  }
}

function started(draft: Draft): void {
  const { s, now } = draft;
  forgetChecks(draft);
  s.lossesBeforeStartMs = [];
  draft.persist({ running: true, runningSinceMs: now, startFailed: false, order: null });
  const tookMs = now - s.sinceMs;
  draft.enter({ name: 'active' });
  draft.emit(
    'good',
    'became-primary',
    `${s.identity.node} runs the application; starting took ${String(Math.round(tookMs))} ms.`,
    { tookMs: Math.round(tookMs) },
  );
}

/** Tried again when the replicator is back. Where that ends at every start, it is as with an application that does not start. */
function lostFiles(draft: Draft, code: string, message: string): void {
  const { s } = draft;
  if (s.phase.name === 'activating' && isOneLossTooMany(draft)) {
    const losses = s.lossesBeforeStartMs.length;
    draft.emit(
      'bad',
      'start-failed',
      `The application did not start on ${s.identity.node}: the replication process ended ${String(losses)} times before it could.`,
      { losses },
    );
    draft.persist({ startFailed: true, order: null });
  }
  fence(draft, code, message, 'wait');
}

function startFailed(draft: Draft, step: string, message: string): void {
  draft.emit(
    'bad',
    'start-failed',
    `The application did not start on ${draft.s.identity.node}, at ${step}: ${message}`,
  );
  draft.persist({ startFailed: true, order: null });
  deactivate(draft, 'start-failed');
}

function stopped(draft: Draft, then: Extract<Phase, { name: 'deactivating' }>['then'], clean: boolean): void {
  const { s, now } = draft;
  const { node, peer } = s.identity;
  s.goingAlone = null;
  draft.persist({ activeBoot: null, running: false, runningSinceMs: null });
  draft.emit(
    'info',
    'application-stopped',
    `The application was stopped on ${node}${clean ? '; both copies are equal and on disk' : ''}.`,
    { clean },
  );
  draft.enter(then === 'stopped' ? { name: 'stopped' } : { name: 'wait' });
  if (then === 'restart' && !isDoubted(s)) {
    s.seek = { purpose: 'start', store: null, sinceMs: now, unassisted: true };
    return;
  }
  draft.persist({ unreachedByOrder: false });
  giveBack(draft);
  const handOver =
    then === 'handover' ||
    ((then === 'start-failed' || then === 'restart') &&
      peerAlive(s, now) &&
      s.beat?.state === 'secondary' &&
      s.beat.data === 'up-to-date' &&
      // Where it did not start either, it would come back at once, and so on for ever.
      (s.beat.unable ?? null) === null);
  if (handOver) {
    // From here on the other one was the last: without a witness only the last primary may start again alone.
    draft.persist({ lastPrimary: false });
    s.handoverUntilMs = now + s.identity.timing.detectionMs * 3;
    draft.wait('handing-over', `${peer} takes over.`);
  } else waitUnable(draft);
}

/** Says why this node does not take the application; false: nothing is known against it. */
export function waitUnable(draft: Draft): boolean {
  const unable = unableOf(draft.s, draft.now);
  if (unable === null) return false;
  draft.wait(unable, unableInWords(draft.s, unable));
  return true;
}

function fenced(draft: Draft, phase: Extract<Phase, { name: 'fencing' }>): void {
  const { s } = draft;
  draft.persist({ activeBoot: null, running: false, runningSinceMs: null, unreachedByOrder: false });
  giveBack(draft);
  draft.enter(phase.then === 'stopped' ? { name: 'stopped' } : { name: 'wait' });
  if (phase.then !== 'stopped') draft.wait(phase.because.code, phase.because.message);
  draft.emit('info', 'fence-complete', `${s.identity.node} has stopped everything of this module.`);
}
