import { expect, it } from 'vitest';
import { DiskWatch } from './disk-watch.ts';
import type { Looked } from './disk-watch.ts';

/** What a watch says after seconds in which each look was the same. */
function after(seconds: number, looked: Partial<Looked>, watch = new DiskWatch(), startMs = 5000): unknown {
  let said: unknown = null;
  for (let tick = 0; tick <= seconds * 10; tick++)
    said = watch.look({ lane: 1, laneRests: false, question: null, ...looked, nowMs: startMs + tick * 100 });
  return said;
}
const beside = { waitedFor: false };
const awaited = { waitedFor: true };

it('a lane that does not come back is told after 10 s, and is a failed disk after 60 s', () => {
  expect([after(9, {}), after(12, {}), after(61, {})]).toMatchObject([null, { failed: false }, { failed: true }]);
});

it('a lane that lives, that has not begun, or that nobody allows to answer says nothing of the disk', () => {
  expect(after(100, { lane: 0 })).toBe(null);
  expect(after(100, { laneRests: true })).toBe(null);
  const watch = new DiskWatch();
  for (let tick = 0; tick < 1000; tick++)
    expect(watch.look({ nowMs: tick * 100, lane: tick, laneRests: false, question: null })).toBe(null);
});

it('a question is told after a minute, and is a failed disk where syncs wait for it', () => {
  const asked = (question: Looked['question'], seconds: number): unknown =>
    after(seconds, { laneRests: true, question });
  expect([asked(beside, 50), asked(awaited, 50)]).toEqual([null, null]);
  expect([asked(beside, 300), asked(awaited, 62)]).toMatchObject([{ failed: false }, { failed: true }]);
});

it('another question begins anew, and what was answered is forgotten', () => {
  const watch = new DiskWatch();
  after(50, { laneRests: true, question: beside }, watch);
  expect(after(50, { laneRests: true, question: { ...beside } }, watch, 55_000)).toBe(null);
  expect(after(1, { laneRests: true }, watch, 105_000)).toBe(null);
});

it('a process that stood still has waited for nothing', () => {
  const watch = new DiskWatch();
  const looked = { lane: 1, laneRests: false, question: null };
  watch.look({ ...looked, nowMs: 0 });
  watch.look({ ...looked, nowMs: 100 });
  expect(watch.look({ ...looked, nowMs: 900_000 })).toBe(null);
});
