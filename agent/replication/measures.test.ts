import { describe, expect, it } from 'vitest';
import { bucketCount, bucketOf, bucketStart, Measures, measuresBytes } from './measures.ts';

const fresh = (): Measures => new Measures(new SharedArrayBuffer(measuresBytes + 64), 64);

describe('buckets of latency', () => {
  it('take every time, without a gap, each at most an eighth wider than where it begins', () => {
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      const [start, end] = [bucketStart(bucket), bucketStart(bucket + 1)];
      expect(bucketOf(start)).toBe(bucket);
      expect(bucketOf(end - 0.001)).toBe(bucket);
      expect(end - start).toBeLessThanOrEqual(Math.max(1, start / 8));
    }
  });

  it('take what cannot be, at their ends', () => {
    expect(bucketOf(-5)).toBe(0);
    expect(bucketOf(Number.NaN)).toBe(bucketCount - 1);
    expect(bucketOf(Infinity)).toBe(bucketCount - 1);
    expect(bucketOf(2 ** 40)).toBe(bucketCount - 1);
  });
});

describe('measures', () => {
  it('add up what both lanes answered, and leave out empty buckets', () => {
    const measures = fresh();
    expect(measures.latency()).toEqual([]);
    measures.answered('primary', 0.05);
    measures.answered('acknowledgement', 0.0505);
    measures.answered('acknowledgement', 8);
    expect(measures.latency()).toEqual([
      [48, 52, 2],
      [7680, 8192, 1],
    ]);
  });

  it('keep bytes of changes and of a resync apart, beyond 32 bits', () => {
    const measures = fresh();
    for (let n = 0; n < 5; n++) measures.sent(2 ** 31, n);
    expect([measures.changeBytes, measures.resyncBytes]).toEqual([5 * 2 ** 31, 10]);
  });
});
