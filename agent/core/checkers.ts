/**
 * What follows from checkers: failures in a row, grace after a start, nothing in maintenance or while the application is started or stopped, and the
 * limit of restarts (H6). Checkers never touch the right to be primary: what they ask for goes the way of planned stops and handovers, and
 * every start, stop or move that they cause counts against the limit of this node. So two nodes that both fail end at rest.
 */
import {
  assertNever,
  type CheckerAction,
  type CheckerStatus,
  type Finding,
  type ModuleBeat,
} from '../contract/index.ts';
import { decisionInWords, findingInWords, spanInWords } from './checker-words.ts';
import { doubtInWords, isDoubted } from './failed-disk.ts';
import { allModes, peerBeat, type Draft, type MirrorState } from './mirror-state.ts';
import type { CheckerRule, MirrorEvent } from './mirror-types.ts';

/** How one checker stands. */
export interface CheckerMemory {
  /** In a row. */
  readonly failures: number;
  readonly finding: Finding | null;
  /** It was good since the application started: the grace is over. */
  readonly armed: boolean;
  /** What was last told of this row of failures: the same is not told twice. */
  readonly told: CheckerDecision | null;
}
export type CheckerDecision = 'tell' | 'restart' | 'stop-start' | 'failover' | 'wait' | 'keep-running' | 'stop';
/** `ready`: could take over this instant without losing anything, and nothing speaks against the application running there. */
export type PeerSituation = 'ready' | 'silent' | 'stopped' | 'behind' | 'unable';

const unknown: CheckerMemory = { failures: 0, finding: null, armed: false, told: null };
export type Unable = NonNullable<ModuleBeat['unable']> | 'disk-failed';

/** Instants of the restarts that count now, oldest first. */
export function recentRestarts(state: MirrorState, now: number): readonly number[] {
  return state.record.restarts.filter((atMs) => now - atMs < state.identity.restartLimit.windowMs);
}

function isFailed(state: MirrorState, rule: CheckerRule): boolean {
  return (state.checkers[rule.name]?.failures ?? 0) >= rule.failures;
}

/** The checker because of which this node waits until it is good again. */
export function blockedBy(state: MirrorState): CheckerRule | null {
  if (state.record.maintenance) return null;
  return state.identity.checkers.find((rule) => rule.action === 'wait' && isFailed(state, rule)) ?? null;
}

/** Why the application had better run on the other node. A restart limit that was reached is over with its time, unless a person is waited for. */
export function unableOf(state: MirrorState, now: number): Unable | null {
  const { startFailed, gaveUp } = state.record;
  if (isDoubted(state)) return 'disk-failed';
  if (startFailed) return 'start-failed';
  if (gaveUp === 'stopped' || (gaveUp === 'moved' && recentRestarts(state, now).length > 0)) return 'restart-limit';
  return blockedBy(state) === null ? null : 'checker-wait';
}

export function unableInWords(state: MirrorState, unable: Unable): string {
  const { node, restartLimit } = state.identity;
  switch (unable) {
    case 'disk-failed':
      return doubtInWords(state);
    case 'start-failed':
      return 'The application did not start here. `holdfast logs` shows what the start script said; mend it, and give the order to start again.';
    case 'restart-limit':
      return `Checkers restarted the application ${restartLimit.count} times within ${spanInWords(restartLimit.windowMs)} on ${node}, which is the limit. Mend it, and give the order to start again.`;
    case 'checker-wait': {
      const rule = blockedBy(state);
      const finding = rule === null ? null : state.checkers[rule.name]?.finding;
      return `Waits until the checker "${rule?.name ?? ''}" is good again${finding ? `: ${findingInWords(finding)}` : ''}.`;
    }
    default:
      return assertNever(unable);
  }
}

export function peerSituation(draft: Draft): PeerSituation {
  const beat = peerBeat(draft.s, draft.now);
  if (beat === null) return 'silent';
  if (beat.wanted === 'stopped') return 'stopped';
  if ((beat.unable ?? null) !== null) return 'unable';
  return beat.state === 'secondary' && beat.data === 'up-to-date' && allModes(draft.s, 'in-sync') ? 'ready' : 'behind';
}

/** Pure arithmetic of H6: what an action comes to. `left`: restarts that the limit still allows on this node. */
export function decisionFor(action: CheckerAction, left: number, peer: PeerSituation): CheckerDecision {
  if (action === 'none') return 'tell';
  if (left <= 0) {
    if (peer === 'ready') return action === 'wait' ? 'wait' : 'failover';
    if (action === 'wait') return 'wait';
    return peer === 'unable' ? 'stop' : 'keep-running';
  }
  switch (action) {
    case 'restart':
    case 'stop-start':
    case 'wait':
      return action;
    case 'failover':
      return peer === 'ready' ? 'failover' : 'restart';
    default:
      return assertNever(action);
  }
}

export function absorbCheck(draft: Draft, event: Extract<MirrorEvent, { type: 'checked' }>): void {
  const { s } = draft;
  const rule = s.identity.checkers.find((one) => one.name === event.checker);
  const active = s.phase.name === 'active' && !s.resuming;
  if (rule === undefined || (!active && rule.action !== 'wait')) return;
  // Whoever looked before the application was started has seen another one.
  if (active && event.beganMs < s.sinceMs) return;
  const before = s.checkers[rule.name] ?? unknown;
  s.checkers = { ...s.checkers, [rule.name]: remembered(draft, rule, before, event, active) };
}

function remembered(
  draft: Draft,
  rule: CheckerRule,
  before: CheckerMemory,
  { finding, beganMs }: Extract<MirrorEvent, { type: 'checked' }>,
  active: boolean,
): CheckerMemory {
  const { s } = draft;
  const { node } = s.identity;
  if (finding.code === 'not-checked') {
    if (before.finding?.code !== 'not-checked')
      draft.emit(
        'attention',
        'checker-unusable',
        `The checker "${rule.name}" cannot look on ${node}: ${finding.found}. It counts for nothing.`,
        { checker: rule.name, found: finding.found },
      );
    return { ...before, finding };
  }
  if (finding.code === 'good') {
    if (before.failures >= rule.failures)
      draft.emit('good', 'checker-recovered', `The checker "${rule.name}" is good again on ${node}.`, {
        checker: rule.name,
        failures: before.failures,
      });
    return { failures: 0, finding, armed: true, told: null };
  }
  const graceUntilMs = (s.record.runningSinceMs ?? s.sinceMs) + rule.gracePeriodMs;
  const counts = !active || before.armed || beganMs >= graceUntilMs;
  return { ...before, finding, failures: counts ? before.failures + 1 : 0 };
}

/** Another application than the one that was looked at. What a node waits for goes on being looked at. */
export function forgetChecks(draft: Draft): void {
  const { s } = draft;
  const waits = s.identity.checkers.filter((rule) => rule.action === 'wait').map((rule) => rule.name);
  s.checkers = Object.fromEntries(
    Object.entries(s.checkers)
      .filter(([name]) => waits.includes(name))
      .map(([name, memory]) => [name, { ...memory, armed: false, told: null }]),
  );
}

export interface CheckerVerdict {
  readonly decision: Exclude<CheckerDecision, 'tell' | 'keep-running'>;
  readonly situation: PeerSituation;
}

/** Of an active node that has nothing else under way: what has to be done now, already told and recorded; null: nothing. */
export function judgeCheckers(draft: Draft): CheckerVerdict | null {
  const { s, now } = draft;
  if (s.record.maintenance) return null;
  const failed = s.identity.checkers.filter((rule) => isFailed(s, rule));
  for (const rule of failed.filter((one) => one.action === 'none')) tell(draft, rule, 'tell', 'silent', 0);
  const [worst] = failed.filter((one) => one.action !== 'none').sort((a, b) => strength(b) - strength(a));
  if (worst === undefined) return null;
  const recent = recentRestarts(s, now);
  const situation = peerSituation(draft);
  const decision = decisionFor(worst.action, s.identity.restartLimit.count - recent.length, situation);
  if (decision === 'tell' || decision === 'keep-running') {
    tell(draft, worst, decision, situation, recent.length);
    return null;
  }
  const limitReached = recent.length >= s.identity.restartLimit.count;
  const restarts = limitReached ? recent : [...recent, now];
  tell(draft, worst, decision, situation, restarts.length);
  draft.persist({
    restarts,
    restartsBoot: s.identity.bootId,
    ...(limitReached ? { gaveUp: situation === 'ready' ? ('moved' as const) : ('stopped' as const) } : {}),
  });
  return { decision, situation };
}

function strength(rule: CheckerRule): number {
  return ['none', 'restart', 'stop-start', 'failover', 'wait'].indexOf(rule.action);
}

function tell(
  draft: Draft,
  rule: CheckerRule,
  decision: CheckerDecision,
  situation: PeerSituation,
  restarts: number,
): void {
  const { s, now } = draft;
  const memory = s.checkers[rule.name];
  if (memory === undefined || memory.finding === null || memory.told === decision) return;
  s.checkers = { ...s.checkers, [rule.name]: { ...memory, told: decision } };
  const { count: limit, windowMs: withinMs } = s.identity.restartLimit;
  const limitReached = decision !== 'tell' && recentRestarts(s, now).length >= limit;
  const { node, peer } = s.identity;
  const facts = { node, peer, checker: rule.name, failures: memory.failures, finding: memory.finding, decision };
  draft.emit(
    decision === 'stop' || decision === 'keep-running' ? 'bad' : 'attention',
    'checker-failed',
    decisionInWords({
      ...facts,
      ...{ situation, restarts, limit, withinMs, limitReached },
      wantsFailover: rule.action === 'failover',
    }),
    {
      checker: rule.name,
      failures: memory.failures,
      finding: memory.finding.code,
      found: memory.finding.found,
      action: rule.action,
      decision,
      ...(decision === 'tell' ? {} : { peer: situation, restarts, limit, withinMs, limitReached }),
    },
  );
}

/** The first failed checker of a node that runs the application, as the reason why all is not well. */
export function failedChecker(state: MirrorState): { code: string; message: string } | null {
  const rule = state.identity.checkers.find((one) => isFailed(state, one));
  const memory = rule === undefined ? undefined : state.checkers[rule.name];
  if (rule === undefined || memory === undefined || memory.finding === null) return null;
  return { code: 'checker-failed', message: `The checker "${rule.name}" fails: ${findingInWords(memory.finding)}.` };
}

export function describeCheckers(state: MirrorState): CheckerStatus[] {
  return state.identity.checkers.map((rule): CheckerStatus => {
    const memory = state.checkers[rule.name] ?? unknown;
    const { finding, failures } = memory;
    const seen = finding !== null && finding.code !== 'not-checked';
    return {
      name: rule.name,
      action: rule.action,
      state: failures >= rule.failures ? 'failed' : !seen ? 'unknown' : finding.code === 'good' ? 'good' : 'failing',
      failures,
      finding: finding?.code ?? null,
      found: finding?.found ?? '',
      ...(finding?.output === undefined || finding.code === 'good' ? {} : { output: finding.output }),
    };
  });
}
