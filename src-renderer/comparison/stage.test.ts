import { describe, expect, test } from 'vitest';
import type { ClusterStatus, ModuleOnNode, Verification } from '../../agent/contract/index.ts';
import type { Comparison } from '../../src-main/app-api/index.ts';
import { english } from '../messages/english/index.ts';
import { lastComparisonIn } from './last.ts';
import { comparedPart, comparedText, resyncText } from './progress.ts';
import { stageOf, type Stage } from './stage.ts';

const at = '2026-01-01T14:02:11Z';
const ended: Verification = {
  state: 'equal',
  repair: false,
  directories: 1,
  files: 10,
  comparedBytes: 1000,
  bytesPerSecond: null,
  differing: 0,
  minor: 0,
  differences: [],
};
const running: Verification = { ...ended, state: 'running', totalBytes: 4000, bytesPerSecond: 100, etaSeconds: 30 };
const primary: ModuleOnNode = { name: 'n1', state: 'primary', data: 'up-to-date' };
const secondary: ModuleOnNode = { name: 'n2', state: 'secondary', data: 'up-to-date' };
const differing = { reason: 'copies-differ', message: '', since: at } as const;

function stage(
  verifications: readonly (Verification | null)[],
  nodes: readonly ModuleOnNode[] = [primary, secondary],
  change: Partial<Comparison> = {},
): Stage {
  const module = { name: 'db', nodes: [...nodes] } as unknown as ClusterStatus['modules'][number];
  const status = {
    nodes: nodes.map(({ name }) => ({ name, reachable: true })),
    modules: [module],
  } as unknown as ClusterStatus;
  const volumes = verifications.map((verification, n) => ({ path: `/data/${n}`, verification, last: null }));
  return stageOf({ primary: 'n1', secondary: 'n2', volumes, ...change }, status, module);
}

describe('the stage of a module', () => {
  test.each<[Verification['state'], Stage['kind']]>([
    ['running', 'running'],
    ['equal', 'equal'],
    ['different', 'different'],
    ['repairing', 'repairing'],
    ['repaired', 'repaired'],
    ['stopped', 'stopped'],
    ['interrupted', 'interrupted'],
  ])('%s', (state, kind) => {
    expect(stage([{ ...ended, state, differing: state === 'different' ? 1 : 0 }]).kind).toBe(kind);
  });

  test('of several directories the one that needs most', () => {
    expect(stage([ended, null]).kind).toBe('not-compared');
    expect(stage([ended, { ...ended, state: 'interrupted' }]).kind).toBe('interrupted');
    expect(stage([{ ...ended, state: 'different', differing: 1 }, ended]).kind).toBe('different');
    expect(stage([{ ...ended, state: 'different', differing: 1 }, running]).kind).toBe('running');
    expect(stage([]).kind).toBe('not-compared');
  });

  test('what was found before this role, and is in no memory, is not forgotten', () => {
    const found = stage(
      [null],
      [
        { ...primary, ...differing },
        { ...secondary, data: 'stale', ...differing },
      ],
    );
    expect(found).toMatchObject({ kind: 'different', differences: [], obstacle: null, mayRepair: true });
  });

  test('a primary whose own disk does not read is not the one to repair from', () => {
    expect(stage([{ ...ended, state: 'different', unreadable: 2, minor: 2 }])).toMatchObject({
      kind: 'unreadable',
      mayRepair: false,
    });
  });
});

describe('what may be done', () => {
  test('the copies are compared only while both are connected and equal as far as is known', () => {
    expect(stage([ended]).obstacle).toBeNull();
    expect(stage([ended], [primary, { ...secondary, data: 'resynchronising' }]).obstacle).toBe('resync-runs');
    expect(
      stage(
        [ended],
        [
          { ...primary, state: 'alone' },
          { ...secondary, state: 'unknown' },
        ],
      ).obstacle,
    ).toBe('not-connected');
    expect(stage([null], [secondary, { ...secondary, name: 'n1' }], { primary: null }).obstacle).toBe('runs-nowhere');
  });

  test('a copy that waits for its repair alone is repaired at once, without another comparison', () => {
    const waits = stage(
      [null],
      [
        { ...primary, state: 'alone', ...differing },
        { ...secondary, state: 'wait' },
      ],
    );
    expect(waits).toMatchObject({ kind: 'different', obstacle: 'not-connected', mayRepair: true, repairsAtOnce: true });
    expect(stage([ended]).mayRepair).toBe(false);
  });
});

describe('how far it is', () => {
  test('several directories count together; they are compared side by side', () => {
    const { progress } = stage([running, { ...running, etaSeconds: 50 }, ended]);
    expect(progress).toEqual({ doneBytes: 3000, files: 30, totalBytes: 9000, bytesPerSecond: 200, etaSeconds: 50 });
    expect(comparedPart(progress)).toBeCloseTo(1 / 3);
  });

  test('an older agent that tells no end leaves it open', () => {
    const older = stage([{ ...ended, state: 'running', bytesPerSecond: 100 }]);
    expect(older.progress).toMatchObject({ totalBytes: null, etaSeconds: null });
    expect(comparedPart(older.progress)).toBeNull();
    expect(comparedText(english, older)).toBe(
      '1.0 kB · 10 files · 100 byte/s · how long is not known yet · nothing differs so far',
    );
  });
});

test('a resync says when it is slow for the sake of the application', () => {
  const resync = { doneBytes: 1000, totalBytes: 4000, sentBytes: 0, bytesPerSecond: 100, etaSeconds: 30 };
  expect(resyncText(english, resync)).toBe('25% · 1.0 kB of 4.0 kB · 100 byte/s, 30 s left');
  expect(resyncText(english, { ...resync, yields: true })).toMatch(/ · yields to the application$/);
});

test('the last comparison is the newest that came to its end, of this module', () => {
  const event = (code: string, time: string, module = 'db') => ({
    at: `2026-01-01T${time}:00Z`,
    node: 'n1',
    sequence: 1,
    module,
    code,
    message: '',
    severity: 'info' as const,
    evidence: {},
  });
  const events = [
    event('verify-equal', '10:00'),
    event('verify-different', '11:00'),
    event('verify-interrupted', '12:00'),
    event('verify-equal', '13:00', 'web'),
  ];
  expect(lastComparisonIn(events, 'db')).toEqual({ at: '2026-01-01T11:00:00Z', outcome: 'different' });
  expect(lastComparisonIn([], 'db')).toBeNull();
});
