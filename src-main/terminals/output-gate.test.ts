import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { unacknowledgedCharactersMax } from '../app-api/index.ts';
import { OutputGate } from './output-gate.ts';

let sent: string[];
let calls: string[];

function gate(): OutputGate {
  sent = [];
  calls = [];
  return new OutputGate({ pause: () => calls.push('pause'), resume: () => calls.push('resume') }, (text) =>
    sent.push(text),
  );
}
beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('an echo goes at once, and what follows within a frame goes together', () => {
  const one = gate();
  one.push('a');
  expect(sent).toEqual(['a']);
  one.push('b');
  one.push('c');
  expect(sent).toEqual(['a']);
  vi.advanceTimersByTime(16);
  expect(sent).toEqual(['a', 'bc']);
});

it('a flood travels in large pieces', () => {
  const one = gate();
  for (let index = 0; index < 64; index++) one.push('x'.repeat(1024));
  expect(sent.length).toBeLessThanOrEqual(3);
  one.close();
  expect(sent.join('')).toHaveLength(64 * 1024);
});

it('the shell waits while the screen has too much to draw, and goes on below half of it', () => {
  const one = gate();
  const half = unacknowledgedCharactersMax / 2;
  one.push('x'.repeat(unacknowledgedCharactersMax));
  expect(calls).toEqual([]);
  one.push('x');
  one.push('x');
  expect(calls).toEqual(['pause']);
  one.acknowledge(half);
  expect(calls).toEqual(['pause']);
  one.acknowledge(3);
  expect(calls).toEqual(['pause', 'resume']);
});

it('a screen that acknowledges nonsense gains nothing', () => {
  const one = gate();
  one.acknowledge(10 * unacknowledgedCharactersMax);
  one.push('x'.repeat(unacknowledgedCharactersMax + 1));
  expect(calls).toEqual(['pause']);
  one.acknowledge(-1_000_000);
  expect(calls).toEqual(['pause']);
});

it('at the end nothing is held back, and later nothing is told', () => {
  const one = gate();
  one.push('a');
  one.push('last words');
  one.close();
  one.push('too late');
  vi.advanceTimersByTime(100);
  expect(sent).toEqual(['a', 'last words']);
});
