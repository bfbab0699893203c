import { describe, expect, test } from 'vitest';
import type { Finding, ModuleBeat, VolumeStatus } from '../contract/index.ts';
import { decisionFor } from './checkers.ts';
import { beatOf, describeOwn, freshRecord, initialMirror, stepMirror, type MirrorState } from './mirror.ts';
import type { CheckerRule, MirrorAction, MirrorEvent, ModuleRecord } from './mirror-types.ts';
import { timingFor } from './timing.ts';

const generation = { number: 1, id: 'first' };
const timing = timingFor(3000);
const windowMs = 3_600_000;
const bad: Finding = { code: 'refused', found: '' };
const good: Finding = { code: 'good', found: '' };

function volume(): VolumeStatus {
  return {
    id: 'db/0',
    path: '/data/db',
    record: {
      format: 1,
      volumeUuid: 'u',
      generation,
      history: [],
      copy: 'up-to-date',
      peerStale: false,
      cleanCheckpoint: null,
    },
    role: 'primary',
    mode: 'in-sync',
    link: 'up',
    resync: null,
    fault: null,
  };
}

/** A primary whose secondary is ready, after the grace of its checkers. */
class Primary {
  state: MirrorState;
  now = 1_000_000;
  actions: readonly MirrorAction[] = [];
  private decisions: string[] = [];

  constructor(rule: Partial<CheckerRule> = {}, record: Partial<ModuleRecord> = {}) {
    this.state = initialMirror(
      {
        module: 'db',
        node: 'n1',
        peer: 'n2',
        prefer: null,
        failback: 'manual',
        dependsOn: [],
        witness: false,
        withoutWitness: 'prefer-one-copy',
        pingWitness: null,
        timing,
        checkers: [{ name: 'tcp 5432', action: 'restart', failures: 2, gracePeriodMs: 10_000, ...rule }],
        restartLimit: { count: 2, windowMs },
        session: 's',
        bootId: 'b',
      },
      {
        ...freshRecord(),
        wanted: 'started',
        activeBoot: 'b',
        running: true,
        runningSinceMs: this.now - 60_000,
        ...record,
      },
      this.now,
    );
    this.event({ type: 'data', volumes: [volume()] });
    this.ran();
    this.peer();
  }
  event(event: MirrorEvent): void {
    const result = stepMirror(this.state, { ...event, atMs: this.now });
    this.state = result.state;
    this.actions = result.actions;
    for (const action of this.actions)
      if (action.type === 'emit' && action.event.code === 'checker-failed')
        this.decisions.push(String(action.event.evidence['decision']));
  }
  /** The application is off: so is the mount. */
  stopped(): void {
    this.event({ type: 'data', volumes: [{ ...volume(), role: 'idle', mode: null, link: 'down' }] });
    this.ran();
  }
  ran(): void {
    this.event({ type: 'ran', id: this.state.runId, failed: null, clean: true });
  }
  peer(change: Partial<ModuleBeat> = {}): void {
    const other = { ...beatOf(this.state, this.now), state: 'secondary', data: 'up-to-date', active: false } as const;
    this.event({
      type: 'heard',
      network: 'lan',
      beat: { ...other, unable: null, handoverTo: null, ...change },
      order: this.now,
    });
  }
  /** One look a second; the peer goes on as told. */
  looks(findings: readonly Finding[], peer: Partial<ModuleBeat> | null = {}): string[] {
    for (const finding of findings) {
      this.now += 1000;
      if (peer !== null) this.peer(peer);
      this.event({ type: 'checked', checker: 'tcp 5432', beganMs: this.now - 10, finding });
    }
    return this.decisions.splice(0);
  }
  plan(): string[] {
    const run = this.actions.find((action) => action.type === 'run');
    return run?.type === 'run' ? run.steps.map((step) => (step.do === 'script' ? step.script : step.do)) : [];
  }
  order(name: 'start' | 'swap'): string | null {
    const result = stepMirror(this.state, { type: 'command', command: { name }, atMs: this.now });
    this.state = result.state;
    this.actions = result.actions;
    return result.refused?.code ?? null;
  }
}

describe('a checker', () => {
  test('acts after so many failures in a row, and a success ends the row', () => {
    const primary = new Primary();
    expect(primary.looks([bad, good, bad])).toEqual([]);
    expect(primary.looks([bad])).toEqual(['restart']);
    expect(primary.plan()).toEqual(['stop', 'start']);
  });

  test('does not count in the grace after a start, unless it was good once', () => {
    const fresh = new Primary({}, { runningSinceMs: 999_000 });
    expect(fresh.looks([bad, bad, bad])).toEqual([]);
    const wasGood = new Primary({}, { runningSinceMs: 999_000 });
    expect(wasGood.looks([good, bad, bad])).toEqual(['restart']);
  });

  test('does nothing in maintenance, and what failed meanwhile is forgotten at its end', () => {
    const primary = new Primary({}, { maintenance: true });
    expect(primary.looks([bad, bad, bad])).toEqual([]);
    primary.event({ type: 'command', command: { name: 'maintenance', on: false } });
    expect(primary.looks([bad])).toEqual([]);
    expect(primary.looks([bad])).toEqual(['restart']);
  });

  test('that looked before the application was started has seen another one; while it is started nothing counts', () => {
    const primary = new Primary();
    primary.looks([bad, bad]);
    expect(primary.state.phase.name).toBe('activating');
    expect(primary.looks([bad, bad])).toEqual([]);
    primary.ran();
    expect(primary.state.phase.name).toBe('active');
    primary.event({ type: 'checked', checker: 'tcp 5432', beganMs: primary.now - 1, finding: bad });
    expect(primary.state.checkers).toEqual({});
  });

  test('that cannot look counts for nothing, and says so once', () => {
    const primary = new Primary();
    const missing: Finding = { code: 'not-checked', found: 'spawn /opt/check ENOENT' };
    primary.looks([missing]);
    expect(primary.actions).toContainEqual(
      expect.objectContaining({ event: expect.objectContaining({ code: 'checker-unusable' }) as unknown }),
    );
    expect(primary.looks([missing, missing, missing])).toEqual([]);
    expect(primary.actions.some((action) => action.type === 'emit')).toBe(false);
  });

  test('with the action none tells it once, and tells when it is good again', () => {
    const primary = new Primary({ action: 'none' });
    expect(primary.looks([bad, bad, bad, bad])).toEqual(['tell']);
    expect(describeOwn(primary.state, primary.now)).toMatchObject({
      state: 'primary',
      reason: 'checker-failed',
      checkers: [{ name: 'tcp 5432', state: 'failed', failures: 4, finding: 'refused' }],
    });
    primary.looks([good]);
    expect(primary.actions).toContainEqual(
      expect.objectContaining({ event: expect.objectContaining({ code: 'checker-recovered' }) as unknown }),
    );
  });

  test('tells its decision with the evidence', () => {
    const primary = new Primary();
    primary.looks([bad, bad]);
    const told = primary.actions.find((action) => action.type === 'emit');
    expect(told).toMatchObject({
      event: {
        message:
          'The checker "tcp 5432" failed 2 times in a row on n1: the connection was refused; the application is restarted on n1 (1 of at most 2 within 1 h).',
        evidence: { checker: 'tcp 5432', failures: 2, finding: 'refused', action: 'restart', decision: 'restart' },
      },
    });
  });
});

describe('the restart limit', () => {
  function restarted(primary: Primary, times: number): void {
    for (let time = 0; time < times; time++) {
      expect(primary.looks([bad, bad])).toEqual(['restart']);
      primary.ran();
      primary.looks([good]);
    }
  }

  test('moves the application when it is reached, and this node is not asked again', () => {
    const primary = new Primary();
    restarted(primary, 2);
    expect(primary.looks([bad, bad])).toEqual(['failover']);
    expect(primary.plan()).toEqual(['stop', 'drop-vip', 'unmount', 'poststop']);
    primary.stopped();
    const beat = beatOf(primary.state, primary.now);
    expect(beat).toMatchObject({ handoverTo: 'n2', unable: 'restart-limit', active: false });
  });

  test('stops the application when the other node could not run it either', () => {
    const primary = new Primary();
    restarted(primary, 2);
    expect(primary.looks([bad, bad], { unable: 'restart-limit' })).toEqual(['stop']);
    primary.stopped();
    expect(describeOwn(primary.state, primary.now)).toMatchObject({ state: 'wait', reason: 'restart-limit' });
    primary.looks([], {});
    primary.now += 60_000;
    primary.peer({ unable: 'restart-limit', state: 'wait' });
    expect(primary.state.phase.name).toBe('wait');
    expect(primary.order('start')).toBeNull();
    expect(primary.state.record).toMatchObject({ gaveUp: null, restarts: [] });
  });

  test('leaves the application as it is when the other node cannot take over, says so once, and moves it when it can', () => {
    const primary = new Primary();
    restarted(primary, 2);
    expect(primary.looks([bad, bad, bad], { data: 'resynchronising' })).toEqual(['keep-running']);
    expect(primary.state.phase.name).toBe('active');
    expect(primary.looks([bad])).toEqual(['failover']);
  });

  test('is over with its time, and after a boot counts from there', () => {
    const primary = new Primary();
    restarted(primary, 2);
    primary.now += windowMs;
    expect(primary.looks([bad, bad])).toEqual(['restart']);
    const { record } = primary.state;
    const booted = initialMirror({ ...primary.state.identity, bootId: 'another' }, record, 5000);
    // Not from 0: the clock may have run for days before this boot.
    expect(booted.record.restarts).toEqual([5000]);
  });

  test('a node on which the application failed too often is no target of a swap', () => {
    const primary = new Primary();
    primary.peer({ unable: 'restart-limit' });
    expect(primary.order('swap')).toBe('peer-not-ready');
  });

  test('failover without anybody to take over is a restart here; wait stops and comes back by itself', () => {
    expect(new Primary({ action: 'failover' }).looks([bad, bad], { data: 'stale' })).toEqual(['restart']);
    const waits = new Primary({ action: 'wait' });
    expect(waits.looks([bad, bad], { data: 'stale', copy: 'stale' })).toEqual(['wait']);
    waits.stopped();
    expect(describeOwn(waits.state, waits.now)).toMatchObject({ state: 'wait', reason: 'checker-wait' });
    expect(waits.looks([bad, bad], { data: 'stale', copy: 'stale' })).toEqual([]);
    expect(waits.state.seek).toBeNull();
    waits.looks([good], { data: 'stale', copy: 'stale' });
    expect(waits.state.seek).toMatchObject({ purpose: 'start' });
  });
});

test('what an action comes to, in a table', () => {
  const row = (action: CheckerRule['action'], left: number) =>
    (['ready', 'behind', 'silent', 'stopped', 'unable'] as const).map((peer) => decisionFor(action, left, peer));
  const same = (decision: string): string[] => Array.from({ length: 5 }, () => decision);
  expect(row('none', 0)).toEqual(same('tell'));
  expect(row('restart', 1)).toEqual(same('restart'));
  expect(row('stop-start', 1)).toEqual(same('stop-start'));
  expect(row('wait', 1)).toEqual(same('wait'));
  expect(row('failover', 1)).toEqual(['failover', 'restart', 'restart', 'restart', 'restart']);
  for (const action of ['restart', 'stop-start', 'failover'] as const)
    expect(row(action, 0)).toEqual(['failover', 'keep-running', 'keep-running', 'keep-running', 'stop']);
  expect(row('wait', 0)).toEqual(same('wait'));
});
