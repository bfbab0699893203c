import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TimelineEvent } from '../../agent/contract/index.ts';
import { mergeTimeline, type NodeHistory } from './timeline.ts';

const beginMs = Date.parse('2026-01-01T14:00:00Z');

function history(node: string, atMs: readonly number[], clockAheadMs: number | null = null): NodeHistory {
  const events = atMs.map((ms, index): TimelineEvent => ({
    at: new Date(beginMs + ms).toISOString(),
    node,
    sequence: index + 1,
    module: null,
    code: 'test',
    message: '',
    severity: 'info',
    evidence: {},
  }));
  return { events, clockAheadMs, uncertaintyMs: 5 };
}
const order = (...histories: readonly NodeHistory[]): string =>
  mergeTimeline(histories)
    .map(({ node, sequence }) => `${node}#${sequence}`)
    .join(' ');

describe('the events of both nodes', () => {
  it('stand in the order of time', () => {
    expect(order(history('n1', [0, 100, 300]), history('n2', [50, 200]))).toBe('n1#1 n2#1 n1#2 n2#2 n1#3');
  });

  it('of one node never change places, whatever its clock did', () => {
    expect(order(history('n1', [0, 5000, 1000, 6000]), history('n2', [2000]))).toBe('n1#1 n2#1 n1#2 n1#3 n1#4');
    const times = fc.array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 20 });
    fc.assert(
      fc.property(times, times, fc.option(fc.integer({ min: -9000, max: 9000 })), (one, two, ahead) => {
        const merged = mergeTimeline([history('n1', one, 0), history('n2', two, ahead)]);
        expect(merged).toHaveLength(one.length + two.length);
        for (const node of ['n1', 'n2']) {
          const own = merged.filter((event) => event.node === node).map(({ sequence }) => sequence);
          expect(own).toEqual(own.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it('are put right by the measured difference of the clocks, when it is certain', () => {
    // n2 is an hour ahead: what it did just after n1#1 is dated long after n1#2.
    const [n1, n2] = [history('n1', [0, 500], 0), history('n2', [3_600_200], 3_600_000)];
    expect(order(n1, n2)).toBe('n1#1 n2#1 n1#2');
    expect(order(n1, { ...n2, clockAheadMs: null })).toBe('n1#1 n1#2 n2#1');
    // 20 ms may as well be the network.
    expect(order(history('n1', [0, 100], 0), history('n2', [90], 20))).toBe('n1#1 n2#1 n1#2');
  });
});
