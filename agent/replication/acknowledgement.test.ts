import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParkedRequests, parkBytes, parkedMax, reached } from './acknowledgement.ts';

const fresh = (): ParkedRequests => new ParkedRequests(new SharedArrayBuffer(parkBytes), 0);

describe('acknowledgement', () => {
  it('compares sequence numbers across the wrap of 32 bits', () => {
    expect(reached(5, 5)).toBe(true);
    expect(reached(4, 5)).toBe(false);
    expect(reached(2 ** 32 + 3, 2 ** 32 - 3)).toBe(true);
    expect(reached(2 ** 32 - 3, 2 ** 32 + 3)).toBe(false);
    expect(reached(2 ** 31 + 3, 2 ** 31 - 3)).toBe(true);
  });

  it('answers each request exactly once, never before its sequence, in any interleaving of both lanes', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('park' as const), gap: fc.integer({ min: 0, max: 2 }) }),
      fc.record({ do: fc.constant('acknowledge' as const), gap: fc.integer({ min: 0, max: 4 }) }),
      fc.record({
        do: fc.constantFrom('claim-primary' as const, 'claim-acknowledgement' as const),
        gap: fc.constant(0),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 0, max: 2 ** 33 }), (steps, first) => {
        const memory = new SharedArrayBuffer(parkBytes);
        const lanes = [new ParkedRequests(memory, 0), new ParkedRequests(memory, 0)] as const;
        let sequence = first;
        let acknowledged = first;
        let unique = 0;
        const waiting = new Map<number, number>();
        for (const one of steps) {
          if (one.do === 'park') {
            sequence += one.gap;
            unique += 1;
            waiting.set(unique, sequence);
            lanes[0].park(unique, -unique, sequence, unique);
          } else if (one.do === 'acknowledge') {
            acknowledged = Math.min(sequence, acknowledged + one.gap);
          } else {
            const lane = one.do === 'claim-primary' ? lanes[0] : lanes[1];
            if (lane.claim(acknowledged)) {
              expect(waiting.get(lane.claimed.uniqueLow)).toBeLessThanOrEqual(acknowledged);
              expect(lane.claimed.uniqueHigh).toBe(-lane.claimed.uniqueLow);
              expect(waiting.delete(lane.claimed.uniqueLow)).toBe(true);
            } else {
              expect([...waiting.values()].every((needed) => needed > acknowledged)).toBe(true);
            }
          }
          const oldest = [...waiting].find(([, needed]) => needed > acknowledged)?.[0] ?? null;
          expect(lanes[1].oldestWaitingSince(acknowledged)).toBe(oldest);
        }
        while (lanes[0].claim(null)) expect(waiting.delete(lanes[0].claimed.uniqueLow)).toBe(true);
        expect(waiting.size).toBe(0);
        expect(lanes[1].count).toBe(0);
      }),
    );
  });

  it('says when it is full, and uses every place again', () => {
    const park = fresh();
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < parkedMax; n++) park.park(n, 0, n, 0, n === 7 ? 512 : -1, n / 4);
      expect(park.full).toBe(true);
      expect(() => park.park(0, 0, 0, 0)).toThrow(/more requests parked/);
      for (let n = 0; n < parkedMax; n++) {
        expect(park.claim(null)).toBe(true);
        expect(park.claimed).toEqual({ uniqueLow: n, uniqueHigh: 0, written: n === 7 ? 512 : -1, readAtMs: n / 4 });
      }
      expect(park.claim(null)).toBe(false);
    }
  });
});
