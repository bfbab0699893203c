import { expect, test } from 'vitest';
import type { TimelineEvent } from '../../agent/contract/index.ts';
import { filterEvents, keyOf, mergeEvents, rowsOf } from './events.ts';

function event(node: string, sequence: number, at: string, module: string | null = 'db'): TimelineEvent {
  return { node, sequence, at: `2026-01-01T${at}Z`, module, code: 'x', message: '', severity: 'info', evidence: {} };
}
const keys = (events: readonly TimelineEvent[]): string[] => events.map(keyOf);

test('both nodes in one order, the newest first, each event once', () => {
  const one = [event('n1', 1, '10:00:00'), event('n1', 2, '10:00:02')];
  const two = [event('n2', 7, '10:00:01'), event('n1', 2, '10:00:02')];
  expect(keys(mergeEvents(one, two))).toEqual(['n1 2', 'n2 7', 'n1 1']);
});
test('a clock that goes back does not turn the order of a node around', () => {
  const events = [event('n1', 1, '10:00:05'), event('n1', 2, '10:00:01'), event('n2', 1, '10:00:03')];
  expect(keys(mergeEvents([], events))).toEqual(['n1 2', 'n1 1', 'n2 1']);
});
test('filtered by module what concerns all modules stays', () => {
  const events = [event('n1', 3, '10:00:00', 'web'), event('n1', 2, '10:00:00'), event('n2', 1, '10:00:00', null)];
  expect(keys(filterEvents(events, { module: 'db', node: '' }))).toEqual(['n1 2', 'n2 1']);
  expect(keys(filterEvents(events, { module: '', node: 'n2' }))).toEqual(['n2 1']);
});
test('what both servers saw alike is told once, with what stands between the two; later it is news again', () => {
  const said = (one: TimelineEvent, message: string): TimelineEvent => ({ ...one, message });
  const events = [
    said(event('n1', 9, '10:01:00'), 'Protected.'),
    said(event('n2', 4, '10:00:02'), 'Protected.'),
    said(event('n1', 2, '10:00:01'), 'n1 runs the application.'),
    said(event('n1', 1, '10:00:01'), 'Protected.'),
  ];
  expect(rowsOf(events).map((row) => [keyOf(row.event), row.also && keyOf(row.also)])).toEqual([
    ['n1 9', null],
    ['n2 4', 'n1 1'],
    ['n1 2', null],
  ]);
});
