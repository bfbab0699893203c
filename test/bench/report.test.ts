import { describe, expect, test } from 'vitest';
import { allKept, judge, median, table } from './report.ts';

describe('a report of measurements', () => {
  test('takes the middle of an odd and of an even number of rounds', () => {
    expect(median([5, 1, 9])).toBe(5);
    expect(median([4, 1, 9, 2])).toBe(3);
    expect(median([])).toBeNull();
  });
  test('judges the worst round, not the median', () => {
    const row = judge({ what: 'x', unit: 'ms', values: [10, 20, 5001], bound: 5000 });
    expect(row).toMatchObject({ rounds: 3, median: 20, worst: 5001, kept: false });
    expect(allKept({ rows: [row], facts: {} })).toBe(false);
  });
  test('a bound that was never measured is not kept', () => {
    expect(judge({ what: 'x', unit: 'ms', values: [], bound: 1 }).kept).toBe(false);
  });
  test('what has no bound is only shown', () => {
    const row = judge({ what: 'keepalived', unit: 'ms', values: [4000], bound: null });
    expect(allKept({ rows: [row], facts: {} })).toBe(true);
    expect(table({ rows: [row], facts: { note: 'one' } })).toContain('keepalived       1  4000 ms');
  });
});
