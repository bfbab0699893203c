import { expect, test } from 'vitest';
import { ResyncPace } from './resync-pace.ts';

const mib = 1024 * 1024;

test('a quiet application leaves the resync all of the line, and no rest', () => {
  const pace = new ResyncPace(0);
  expect(pace.windowBytes).toBe(4 * mib);
  pace.stepped(0, 5);
  expect(pace.dueInMs(5)).toBe(0);
  expect(pace.yields(5)).toBe(false);
});

test('with the first request little is under way at once, and each step is followed by a rest', () => {
  const pace = new ResyncPace(0);
  pace.served(2000);
  expect(pace.windowBytes).toBeLessThanOrEqual(mib / 2);
  pace.stepped(2000, 2002);
  expect(pace.dueInMs(2002)).toBe(2);
  expect(pace.dueInMs(2004)).toBe(0);
  expect(pace.yields(2002)).toBe(true);
  pace.stepped(2000, 2900);
  expect(pace.dueInMs(2900)).toBe(50);
});

test('slow answers halve what is under way, down to a few steps; quick ones let it grow, never to what would hold up changes', () => {
  const pace = new ResyncPace(0);
  pace.served(1000);
  for (let n = 0; n < 10; n++) pace.answered(200, 1001);
  const least = pace.windowBytes;
  expect(least).toBe(mib / 4);
  for (let n = 0; n < 1000; n++) pace.answered(2, 1001);
  expect(pace.windowBytes).toBe(mib);
  // A request soon after the last is no new beginning.
  pace.served(1050);
  expect(pace.windowBytes).toBe(mib);
});

test('when the application falls quiet it is soon all of the line again, however slow the answers', () => {
  const pace = new ResyncPace(0);
  pace.served(1000);
  for (let n = 0; n < 10; n++) pace.answered(200, 1001);
  let answers = 0;
  while (pace.windowBytes < 4 * mib) {
    pace.answered(200, 2200);
    answers += 1;
  }
  expect(answers).toBeLessThan(10);
  expect(pace.yields(2200)).toBe(false);
});

test('an application that never lets go does not stop the resync', () => {
  const pace = new ResyncPace(0);
  pace.stepped(0, 1);
  expect(pace.isStarved(15)).toBe(false);
  expect(pace.isStarved(60)).toBe(true);
});

test('a target that flushes for long gets fewer steps, once for each flush, until it has been quick for a while', () => {
  const pace = new ResyncPace(0);
  const rest = (nowMs: number): number => {
    pace.served(nowMs);
    pace.stepped(nowMs, nowMs + 1);
    return pace.dueInMs(nowMs + 1);
  };
  expect(rest(2000)).toBe(1);
  for (let n = 0; n < 20; n++) pace.answered(300, 2100 + n);
  expect(rest(2200)).toBe(2);
  for (let n = 1; n < 10; n++) {
    pace.served(2200 + n * 900);
    pace.answered(300, 2200 + n * 900);
  }
  const most = rest(10_400);
  expect(most).toBeGreaterThan(2);
  expect(most).toBeLessThan(8);
  for (let n = 0; n < 10; n++) {
    pace.served(10_500 + n * 900);
    pace.answered(3, 10_500 + n * 900);
  }
  expect(rest(20_000)).toBe(1);
});
