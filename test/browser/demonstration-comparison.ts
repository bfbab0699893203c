/** Comparisons of two copies as agents would tell of them, at every stage. */
import type { Difference, LastComparison, Verification } from '../../agent/contract/index.ts';
import type { Comparison, Estimate } from '../../src-main/app-api/index.ts';

const counted: Verification = {
  state: 'equal',
  repair: false,
  directories: 812,
  files: 48_211,
  comparedBytes: 61.4e9,
  totalBytes: null,
  bytesPerSecond: null,
  etaSeconds: null,
  differing: 0,
  minor: 0,
  unreadable: 0,
  differences: [],
};
const yesterday: LastComparison = {
  at: '2025-12-31T22:14:00Z',
  outcome: 'equal',
  files: 48_107,
  comparedBytes: 61.2e9,
  differing: 0,
};
const differences: Difference[] = [
  { path: 'base/16384/2619', kinds: ['content', 'times'], bytes: 131_072 },
  { path: 'base/16384/2619_fsm', kinds: ['size', 'content'], bytes: 24_576 },
  { path: 'pg_wal/archive_status', kinds: ['only-on-secondary'], bytes: 0, directory: true },
  { path: 'postgresql.conf', kinds: ['mode', 'owner'], bytes: 0 },
  { path: 'pg_notify/0000', kinds: ['unreadable-on-secondary'], bytes: 0 },
];

export function comparisonOf(
  verification: Verification | null,
  last: LastComparison | null = yesterday,
  primary: string | null = 'n1',
): Comparison {
  return { primary, secondary: 'n2', volumes: [{ path: '/data/db', verification, last }] };
}

export const neverCompared = comparisonOf(null, null);
export const equalComparison = comparisonOf(counted, { ...yesterday, at: '2026-01-01T14:02:05Z', files: 48_211 });
export const differentComparison = comparisonOf(
  { ...counted, state: 'different', differing: 4321, minor: 2, differences },
  { ...yesterday, at: '2026-01-01T14:02:05Z', outcome: 'different', files: 48_211, differing: 4321 },
);
export const repairedComparison = comparisonOf(
  { ...counted, state: 'repaired', repair: true, differing: 5, differences },
  { ...yesterday, at: '2026-01-01T14:02:05Z', outcome: 'repaired', files: 48_211, differing: 5 },
);
export const interruptedComparison = comparisonOf({ ...counted, state: 'interrupted', files: 312 });
export const unreadableComparison = comparisonOf({
  ...counted,
  state: 'different',
  unreadable: 1,
  minor: 1,
  differences: [{ path: 'base/16384/2619', kinds: ['unreadable-on-primary'], bytes: 0 }],
});

const running: Verification = {
  ...counted,
  state: 'running',
  files: 16_402,
  comparedBytes: 20.5e9,
  totalBytes: 74.1e9,
  bytesPerSecond: 212e6,
  etaSeconds: 253,
};
export function runningComparison({ volumes: [volume] }: Comparison, repair = false): Comparison {
  return comparisonOf({ ...running, repair }, volume?.last ?? null);
}
export function stoppedComparison({ volumes: [volume] }: Comparison): Comparison {
  return comparisonOf(
    { ...running, state: 'stopped', totalBytes: null, bytesPerSecond: null, etaSeconds: null },
    volume?.last ?? null,
  );
}
export const repairingComparison = comparisonOf({
  ...counted,
  state: 'repairing',
  repair: true,
  differing: 4321,
  differences,
});

/** n2 is away; on n1 a database goes on. */
export const changedSince: Estimate = {
  volumes: [
    {
      path: '/data/db',
      estimate: {
        scope: 'marks',
        why: null,
        objects: 312,
        names: 14,
        wholeDirectories: 0,
        bytes: 1.21e9,
        bytesPerSecond: 212e6,
        seconds: 5.7,
        files: [
          { path: 'base/16384/2619', kind: 'content', bytes: 131_072 },
          { path: 'pg_wal/000000010000000000000042', kind: 'new', bytes: 16_777_216 },
          { path: 'pg_wal', kind: 'names', bytes: 0 },
        ],
      },
    },
  ],
};
