import { expect, it } from 'vitest';
import { DiskWatch } from './disk-watch.ts';
import type { Looked } from './disk-watch.ts';

/** What a watch says after seconds in which each look was the same. */
function after(seconds: number, looked: Partial<Looked>, watch = new DiskWatch(), startMs = 5000): number {
  let saidMs = -1;
  for (let tick = 0; tick <= seconds * 10; tick++)
    saidMs = watch.look({ lane: 1, laneRests: false, question: 0, ...looked, nowMs: startMs + tick * 100 });
  return saidMs;
}

it('a lane that does not come back is told after 10 s', () => {
  expect(after(9, {})).toBe(0);
  expect(after(12, {})).toBeGreaterThan(11_000);
});

it('a lane that lives, that has not begun, or that nobody allows to answer says nothing of the disk', () => {
  expect(after(100, { lane: 0 })).toBe(0);
  expect(after(100, { laneRests: true })).toBe(0);
  const watch = new DiskWatch();
  for (let tick = 0; tick < 1000; tick++)
    expect(watch.look({ nowMs: tick * 100, lane: tick, laneRests: false, question: 0 })).toBe(0);
});

it('a question is told after a minute', () => {
  expect(after(50, { laneRests: true, question: 1 })).toBe(0);
  expect(after(62, { laneRests: true, question: 1 })).toBeGreaterThan(60_000);
});

it('another question begins anew, and what was answered is forgotten', () => {
  const watch = new DiskWatch();
  after(50, { laneRests: true, question: 1 }, watch);
  expect(after(50, { laneRests: true, question: 2 }, watch, 55_000)).toBe(0);
  expect(after(1, { laneRests: true }, watch, 105_000)).toBe(0);
});

it('a process that stood still has waited for nothing', () => {
  const watch = new DiskWatch();
  const looked = { lane: 1, laneRests: false, question: 0 };
  watch.look({ ...looked, nowMs: 0 });
  watch.look({ ...looked, nowMs: 100 });
  expect(watch.look({ ...looked, nowMs: 900_000 })).toBe(0);
});
