import { describe, expect, test } from 'vitest';
import { judgeRounds, ratioOf } from './judge.ts';

describe('ratios', () => {
  test('are the median of the ratios within the rounds: what drifts cancels', () => {
    const rounds = { holdfast: [100, 50, 10], glusterfs: [50, 25, 5] };
    expect(ratioOf(rounds, 'glusterfs', 2)).toEqual({ ratio: 2, floor: 2, kept: true });
    expect(ratioOf(rounds, 'glusterfs', 2.1)).toMatchObject({ kept: false });
  });

  test('are not told when the rounds contradict each other, or when nothing was measured', () => {
    expect(ratioOf({ holdfast: [100, 10], glusterfs: [10, 100] }, 'glusterfs', 2)).toBeNull();
    expect(ratioOf({ holdfast: [100] }, 'glusterfs', 2)).toBeNull();
    expect(ratioOf({ holdfast: [100], glusterfs: [0] }, 'glusterfs', 2)).toBeNull();
  });

  test('stand beside the limit only where there is one', () => {
    const what = { name: 'x', words: 'x', unit: '/s', glusterfsFloor: 2 };
    const rounds = { holdfast: [6, 7, 8], twin: [10, 10, 10] };
    expect(judgeRounds({ ...what, limit: 'twin', limitFloor: 0.7 }, rounds)).toMatchObject({
      rates: { holdfast: 7, twin: 10 },
      besideLimit: { ratio: 0.7, kept: true },
      besideGlusterfs: null,
    });
    expect(judgeRounds({ ...what, limit: null, limitFloor: null }, rounds).besideLimit).toBeNull();
  });
});
