import { expect, test } from 'vitest';
import type { CheckResult } from '../../src-main/app-api/index.ts';
import { columnsOf, linesOf, toneOfCheck } from './check-table.ts';

const check = (code: string, host: string | null, change: Partial<CheckResult> = {}): CheckResult => ({
  code,
  host,
  ok: true,
  attention: false,
  title: code,
  what: '',
  why: '',
  remedy: '',
  facts: {},
  ...change,
});
const titleOf = (one: CheckResult): string => one.title;

test('the nodes in their order, then the witness, then the cluster as a whole', () => {
  const checks = [check('vip', null), check('kernel', 'witness'), check('kernel', 'n2'), check('kernel', 'n1')];
  expect(columnsOf(checks, ['n1', 'n2'])).toEqual(['n1', 'n2', 'witness', null]);
  expect(columnsOf([check('kernel', 'n1')], ['n1', 'n2'])).toEqual(['n1']);
});

test('one line per question, and no answer hides another', () => {
  const checks = [
    check('kernel', 'n1'),
    check('port-taken', 'n1', { title: 'Ports', what: '7411' }),
    check('port-taken', 'n1', { title: 'Ports', what: '7412' }),
    check('kernel', 'n2'),
    check('ports', 'n2', { title: 'Ports', what: 'free' }),
  ];
  const lines = linesOf(checks, ['n1', 'n2'], titleOf);
  expect(lines.map((line) => [line.title, ...line.cells.map((cell) => cell?.what ?? null)])).toEqual([
    ['kernel', '', ''],
    ['Ports', '7411', 'free'],
    ['Ports', '7412', null],
  ]);
  expect(new Set(lines.map((line) => line.key)).size).toBe(lines.length);
});

test('each outcome has its own shape', () => {
  const tones = [check('a', null, { ok: false }), check('a', null, { attention: true }), check('a', null)];
  expect(tones.map(toneOfCheck)).toEqual(['bad', 'attention', 'good']);
});
