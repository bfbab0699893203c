import { expect, test } from 'vitest';
import type { TimelineEvent } from '../contract/index.ts';
import { lastComparisonsIn } from './last-comparisons.ts';

const event = (sequence: number, code: string, evidence: TimelineEvent['evidence'], module = 'db'): TimelineEvent => ({
  at: `2026-01-01T14:00:0${String(sequence)}Z`,
  node: 'n1',
  sequence,
  module,
  code,
  message: '',
  severity: 'info',
  evidence,
});
const volumes = [
  { volume: 'db/0', path: '/data/db', verification: null },
  { volume: 'db/1', path: '/data/log', verification: null },
];

test('the last one of each directory is remembered, and what is new is read once', async () => {
  const all = [
    event(1, 'verify-equal', { path: '/data/db', files: 7, comparedBytes: 70, differing: 0 }),
    event(2, 'verify-equal', { path: '/data/db', files: 8, comparedBytes: 80, differing: 0 }, 'web'),
    event(3, 'verify-interrupted', { path: '/data/db', files: 3 }),
  ];
  const asked: number[] = [];
  const last = lastComparisonsIn({
    after: async (sequence, limit) => {
      asked.push(sequence);
      return all.filter((one) => one.sequence > sequence).slice(0, limit);
    },
  });
  const [first, second] = await last.beside('db', volumes);
  expect(first?.last).toEqual({
    at: '2026-01-01T14:00:01Z',
    outcome: 'equal',
    files: 7,
    comparedBytes: 70,
    differing: 0,
  });
  expect(second?.last).toBeNull();
  all.push(event(4, 'verify-repaired', { path: '/data/log', files: 9, comparedBytes: 90, differing: 2 }));
  expect((await last.beside('db', volumes))[1]?.last).toMatchObject({ outcome: 'repaired', differing: 2 });
  expect(asked).toEqual([0, 3]);
});
