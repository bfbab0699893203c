import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkBytes, Extents } from './extents.ts';

const mib = 1 << 20;

describe('extents', () => {
  it('covers whatever was added, in sorted ranges that do not meet, and little else', () => {
    const write = fc.record({ offset: fc.nat(900 * mib), length: fc.integer({ min: 1, max: 3 * mib }) });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 30 }), fc.array(write, { maxLength: 5 }), (some, others) => {
        const [extents, other] = [new Extents(), new Extents()];
        for (const { offset, length } of some) extents.add(offset, length);
        for (const { offset, length } of others) other.add(offset, length);
        extents.merge(other);
        const ranges = extents.ranges(1000 * mib);
        for (const { offset, length } of [...some, ...others])
          expect(ranges.some(([start, end]) => start <= offset && offset + length <= end)).toBe(true);
        ranges.slice(1).forEach(([start], index) => expect(start).toBeGreaterThan(ranges[index]![1]));
        const marked = ranges.reduce((sum, [start, end]) => sum + end - start, 0);
        const written = [...some, ...others].reduce((sum, { length }) => sum + length, 0);
        expect(marked).toBeLessThanOrEqual(written + (some.length + others.length) * 2 * chunkBytes);
      }),
    );
  });

  it('becomes coarser instead of larger, and still covers everything', () => {
    const extents = new Extents();
    const step = 10 * chunkBytes;
    for (let write = 0; write < 20_000; write++) extents.add(write * step, 1);
    expect(extents.size).toBeLessThanOrEqual(4096);
    const ranges = extents.ranges(20_000 * step);
    let range = 0;
    for (let write = 0; write < 20_000; write++) {
      while (ranges[range]![1] <= write * step) range++;
      expect(ranges[range]![0]).toBeLessThanOrEqual(write * step);
    }
  });

  it('takes a truncation, and what is too much at once, as everything from there on', () => {
    const extents = new Extents();
    extents.add(0, 10);
    extents.addFrom(5 * chunkBytes + 3);
    extents.add(9 * chunkBytes, 5);
    expect(extents.ranges(20 * chunkBytes + 1)).toEqual([
      [0, chunkBytes],
      [5 * chunkBytes, 20 * chunkBytes + 1],
    ]);
    expect(extents.ranges(3 * chunkBytes)).toEqual([[0, chunkBytes]]);
    const large = new Extents();
    large.add(chunkBytes, 4096 * mib);
    expect(large.from).toBe(chunkBytes);
  });
});
