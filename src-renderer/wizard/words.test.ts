import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../src-main/app-api/index.ts';
import { english } from '../messages/english/index.ts';
import { french } from '../messages/french/index.ts';
import { checkText, problemText, stepText } from '../messages/wizard-words.ts';
import { memoryText } from './amounts.ts';
import { labelOfPath } from './labels.ts';

const check: CheckResult = {
  code: 'kernel',
  host: 'n1',
  ok: false,
  attention: false,
  title: 'Kernel',
  what: 'Linux 3.10',
  why: 'Too old.',
  remedy: 'Update.',
  facts: { kernel: '3.10', needed: '4.18' },
};

describe('a check', () => {
  test('in French from its facts, in English as the check says it', () => {
    expect(checkText(english, check)).toEqual({
      title: 'Kernel',
      what: 'Linux 3.10',
      why: 'Too old.',
      remedy: 'Update.',
    });
    expect(checkText(french, check)).toMatchObject({ title: 'Noyau', what: 'Linux 3.10' });
  });
  test('of a newer version keeps its own sentences', () => {
    expect(checkText(french, { ...check, code: 'of-the-next-version' }).what).toBe('Linux 3.10');
  });
  test('that passed asks for nothing', () => {
    expect(checkText(english, { ...check, ok: true }).remedy).toBe('');
  });
  test('is never worded from the prototype of an object', () => {
    expect(checkText(french, { ...check, code: 'constructor' }).title).toBe('Kernel');
  });
});

test('a problem and a step that this version does not know keep their own sentences', () => {
  const problem = { path: 'vip', code: 'of-the-next-version', message: 'It is wrong.', remedy: 'Mend it.', facts: {} };
  expect(problemText(french, problem)).toBe('It is wrong. Mend it.');
  const step = { id: 'n1/x', host: 'n1', kind: 'of-the-next-version', facts: {}, title: 'Do it' };
  expect(stepText(french, step)).toBe('Do it');
});

test.each([
  [8 * 1024 ** 3, '8 GB', '8 Go'],
  [1.9 * 1024 ** 3, '1.9 GB', '1,9 Go'],
  [512 * 1024 ** 2, '512 MB', '512 Mo'],
])('%d bytes of memory', (bytes, inEnglish, inFrench) => {
  expect(memoryText(english, bytes).replace(/\s/g, ' ')).toBe(inEnglish);
  expect(memoryText(french, bytes).replace(/\s/g, ' ')).toBe(inFrench);
});

test('a problem in the review is named as its field is', () => {
  const said = (path: string): string => labelOfPath(english.wizard, path);
  expect(said('application.directories.1')).toBe('Directory 2');
  expect(said('nodes.1.machine.destination')).toBe('Second server');
  expect(said('nodes.0.name')).toBe('First server, Name in the cluster');
  expect(said('goodNode')).toBe('Good data');
});
