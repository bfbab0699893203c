import { describe, expect, it } from 'vitest';
import { english } from '../messages/english/index.ts';
import { french } from '../messages/french/index.ts';
import { ticksFor, tickText, timeTicks } from './scale.ts';
import { stretches, summaryOf } from './summary.ts';
import { around, canZoom, moved, rangeMs, selected, spanMaxMs, spanMinMs, spanOf, zoomed, type View } from './view.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const live: View = { kind: 'now', range: 'hour' };
const length = (view: View): number => spanOf(view, now).toMs - spanOf(view, now).fromMs;

describe('the time that is shown', () => {
  it('moves to the past and comes back to now', () => {
    const earlier = moved(live, -0.5, now);
    expect(earlier).toEqual({ kind: 'past', fromMs: now - 1.5 * rangeMs.hour, toMs: now - 0.5 * rangeMs.hour });
    expect(moved(earlier, 0.5, now)).toEqual(live);
    expect(moved(live, 0.5, now)).toEqual(live);
  });

  it('never shows the future, nor less than can be told apart, nor more than is kept', () => {
    for (const factor of [0.001, 0.5, 2, 100_000]) {
      for (const view of [live, moved(live, -3, now), selected(now - 5000, now, now)]) {
        const next = zoomed(view, factor, now);
        expect(spanOf(next, now).toMs).toBeLessThanOrEqual(now);
        expect(length(next)).toBeGreaterThanOrEqual(spanMinMs);
        expect(length(next)).toBeLessThanOrEqual(spanMaxMs);
      }
    }
    expect(canZoom(selected(now - 1000, now, now), 0.5, now)).toBe(false);
    expect(canZoom(live, 0.5, now)).toBe(true);
  });

  it('shows a resync with what was before and after it', () => {
    const span = spanOf(around(now - 600_000, now - 500_000, now), now);
    expect(span).toEqual({ kind: 'past', fromMs: now - 630_000, toMs: now - 470_000 });
    expect(spanOf(around(now - 2000, now, now), now).toMs).toBe(now);
  });
});

describe('axes', () => {
  it('have at most four round numbers, from zero to above the highest', () => {
    for (let highest = 0.0003; highest < 1e12; highest *= 1.37) {
      for (const quantity of ['rate', 'latency'] as const) {
        const ticks = ticksFor(quantity, highest);
        expect(ticks.length).toBeLessThanOrEqual(4);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(highest);
      }
    }
    expect(ticksFor('latency', null)).toEqual([0, 0.5, 1]);
    expect(ticksFor('rate', 41e6)).toEqual([0, 20e6, 40e6, 60e6]);
    expect(ticksFor('part', 7)).toEqual([0, 0.5, 1]);
  });

  it('are written with units in both languages', () => {
    expect(ticksFor('rate', 41e6).map((tick) => tickText(english, 'rate', tick))).toEqual([
      '0',
      '20 MB/s',
      '40 MB/s',
      '60 MB/s',
    ]);
    expect(tickText(french, 'rate', 2e9)).toBe('2\u202fGo/s');
    expect(tickText(english, 'rate', 1000)).toBe('1 kB/s');
    expect(tickText(french, 'latency', 0.5)).toBe('0,5\u00a0ms');
    expect(tickText(english, 'latency', 2000)).toBe('2\u00a0s');
    expect(tickText(english, 'part', 0.5)).toBe('50%');
  });

  it('of time stand at round times, and name the day where it begins', () => {
    const from = new Date(2026, 2, 1, 22, 1, 10).getTime() / 1000;
    const ticks = timeTicks(english, from, from + 4 * 3600, 8);
    expect(ticks.map((tick) => tick.text)).toEqual([
      '22:30',
      '23:00',
      '23:30',
      '2 Mar',
      '00:30',
      '01:00',
      '01:30',
      '02:00',
    ]);
    expect(timeTicks(english, from, from + 30, 8).map((tick) => tick.text)[0]).toBe('22:01:10');
    expect(timeTicks(french, from, from + 7 * 86_400, 8).map((tick) => tick.text)).toHaveLength(7);
    // Over the nights in which clocks are changed every tick of a year is still a midnight.
    for (const tick of timeTicks(english, from, from + 365 * 86_400, 8))
      expect(new Date(tick.at * 1000).getHours()).toBe(0);
  });
});

describe('a series in a few numbers', () => {
  it('leaves gaps out', () => {
    expect(summaryOf([null, 2, 4, null])).toEqual({ highest: 4, mean: 3, last: 4 });
    expect(summaryOf([null])).toEqual({ highest: null, mean: null, last: null });
  });
  it('finds where something was going on', () => {
    expect(stretches([null, 1, 0, null, 5])).toEqual([
      { first: 1, last: 2 },
      { first: 4, last: 4 },
    ]);
  });
});
