import { expect, test } from 'vitest';
import { doneCount, hostsOf, partDone, progressOfHosts, secondsOf, type InstallationStep } from './install-progress.ts';

const step = (id: string, change: Partial<InstallationStep> = {}): InstallationStep => ({
  id,
  host: 'n1',
  kind: 'upload-agent',
  facts: {},
  title: id,
  state: 'waiting',
  doneBytes: null,
  totalBytes: null,
  startedAt: null,
  endedAt: null,
  note: null,
  ...change,
});

test('the bytes of the running step count, and none of a step that waits', () => {
  const steps = [
    step('a', { state: 'done', doneBytes: 10, totalBytes: 10 }),
    step('b', { state: 'running', doneBytes: 5, totalBytes: 10 }),
    step('c', { doneBytes: 9, totalBytes: 10 }),
    step('d'),
  ];
  expect(partDone(steps)).toBe(0.375);
  expect(doneCount(steps)).toBe(1);
  expect(partDone([])).toBe(null);
});

test('more bytes than were announced are not more than all', () => {
  expect(partDone([step('a', { state: 'running', doneBytes: 20, totalBytes: 10 })])).toBe(1);
  expect(partDone([step('a', { state: 'running', doneBytes: 0, totalBytes: 0 })])).toBe(0);
});

test('time goes on only while a step runs', () => {
  const startedAt = '2026-01-01T14:00:00Z';
  const now = Date.parse('2026-01-01T14:00:30Z');
  expect(secondsOf(step('a', { state: 'running', startedAt }), now)).toBe(30);
  expect(secondsOf(step('a', { state: 'done', startedAt, endedAt: '2026-01-01T14:00:05Z' }), now)).toBe(5);
  expect(secondsOf(step('a', { state: 'waiting', startedAt }), now)).toBe(null);
  expect(secondsOf(step('a'), now)).toBe(null);
});

test('the cluster as a whole comes after its hosts', () => {
  expect(hostsOf([step('a', { host: null }), step('b', { host: 'n2' }), step('c')])).toEqual(['n2', 'n1', null]);
});

test('what failed on a host is told before what still runs there', () => {
  const steps = [
    step('a', { state: 'done' }),
    step('b', { state: 'running' }),
    step('c', { state: 'failed' }),
    step('d', { host: 'n2' }),
  ];
  expect(progressOfHosts(steps).map(({ host, done, all, current }) => [host, done, all, current?.id ?? null])).toEqual([
    ['n1', 1, 3, 'c'],
    ['n2', 0, 1, null],
  ]);
});
