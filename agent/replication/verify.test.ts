import { expect, test } from 'vitest';
import { differencesMax } from '../contract/index.ts';
import { Answer, answerKind, encodeVerified, readAnswer } from './answer-codec.ts';
import { decodeFindings, decodeQuestion, encodeFindings, encodeQuestion } from './verify-messages.ts';
import type { ComparedAttributes, Findings } from './verify-messages.ts';
import { VerifyReport } from './verify-report.ts';
import { differingAttributes } from './verify-target.ts';

const file: ComparedAttributes = [0o100644, 1, 2, 0, 1, 1000, 50, 7];
const [yes, no] = [() => true, () => false];
const changed = (at: number, value: number): ComparedAttributes =>
  file.map((one, index) => (index === at ? value : one)) as ComparedAttributes;

test('each attribute that differs has its name; a type says it all', () => {
  expect(differingAttributes(file, file, no)).toEqual([]);
  expect(differingAttributes(file, changed(0, 0o100600), no)).toEqual(['mode']);
  expect(differingAttributes(file, changed(1, 9), no)).toEqual(['owner']);
  expect(differingAttributes(file, changed(5, 9), no)).toEqual(['size']);
  expect(differingAttributes(file, changed(7, 8), no)).toEqual(['times']);
  expect(differingAttributes(file, changed(0, 0o040755), no)).toEqual(['type']);
});

test('links count, except where a copy may have more names that are on their way out', () => {
  expect(differingAttributes(file, changed(4, 2), no)).toEqual(['links']);
  expect(differingAttributes(file, changed(4, 2), yes)).toEqual([]);
  expect(differingAttributes(changed(4, 2), file, yes)).toEqual(['links']);
});

test('a question of the peer that leads out of its directory is refused', () => {
  for (const name of ['..', 'a/b', '.']) {
    const question = { ask: 'hole', directory: 1, name, offset: 0, length: 1 } as const;
    expect(() => decodeQuestion(encodeQuestion(question))).toThrow(/name/);
  }
  expect(() => decodeQuestion(Buffer.from('{"ask":"everything"}'))).toThrow(/comparison/);
  expect(() => decodeQuestion(Buffer.from('no JSON'))).toThrow(/comparison/);
});

test('an answer fits into its frame however much was found, and nothing is forgotten in the count', () => {
  const found = Array.from({ length: 256 }, (_, n) => ({
    name: `${String(n)}-${'\u00e9'.repeat(240)}`,
    kinds: ['content', 'mode', 'owner', 'extended-attributes'] as const,
    bytes: 1,
  }));
  const findings = { found, more: 3, stale: true } as unknown as Findings;
  const into = Buffer.alloc(64 * 1024);
  const length = encodeVerified(into, 12, encodeFindings(findings));
  const answer = new Answer();
  expect(readAnswer(into, 0, length, answer)).toBe(length);
  expect(answer).toMatchObject({ kind: answerKind.verified, sequence: 12 });
  const read = decodeFindings(answer.needed);
  expect(read.found.length).toBeLessThan(256);
  expect(read.found.length + read.more).toBe(256 + 3);
  expect(read.stale).toBe(true);
});

test('nothing found takes no bytes', () => {
  const nothing = { found: [], more: 0, stale: false };
  expect(encodeFindings(nothing)).toHaveLength(0);
  expect(decodeFindings(Buffer.alloc(0))).toEqual(nothing);
});

test('one object is one difference, whatever is found about it; the list is bounded, the count is not', () => {
  const report = new VerifyReport(false, 0);
  report.differs('a', ['times'], 0);
  expect([report.differing, report.minor]).toEqual([0, 1]);
  report.differs('a', ['content'], 65536);
  report.differs('a', ['content'], 65536);
  expect([report.differing, report.minor]).toEqual([1, 0]);
  for (let n = 0; n < 200; n++) report.differs(`b${n}`, ['mode'], 0);
  const told = report.tell('different', 0);
  expect(told.differing).toBe(201);
  expect(told.differences).toHaveLength(differencesMax);
  expect(told.differences[0]).toEqual({ path: 'a', kinds: ['times', 'content'], bytes: 131072 });
});

test('what is left is an upper bound, and holes do not make it look faster', () => {
  const report = new VerifyReport(false, 0, 1000);
  expect(report.tell('running', 100)).toMatchObject({ totalBytes: 1000, bytesPerSecond: null, etaSeconds: null });
  report.comparedBytes = 5200;
  report.holeBytes = 5000;
  expect(report.tell('running', 1000)).toMatchObject({ totalBytes: 6000, bytesPerSecond: 200, etaSeconds: 4 });
  // More than the disk says it holds: compressed, or grown meanwhile.
  report.comparedBytes = 7000;
  expect(report.tell('running', 2000)).toMatchObject({ totalBytes: 7000, etaSeconds: 0 });
  expect(report.tell('equal', 3000)).toMatchObject({ totalBytes: null, bytesPerSecond: null, etaSeconds: null });
});

test('a filesystem that does not say what it holds leaves the end unknown', () => {
  const report = new VerifyReport(false, 0);
  report.comparedBytes = 100;
  expect(report.tell('running', 1000)).toMatchObject({ totalBytes: null, bytesPerSecond: 100, etaSeconds: null });
});

test('a directory that differs is told to be one', () => {
  const report = new VerifyReport(false, 0);
  report.differs('sub', ['only-on-secondary'], 0, true);
  report.differs('file', ['mode'], 0);
  expect(report.tell('different', 0).differences).toEqual([
    { path: 'sub', kinds: ['only-on-secondary'], bytes: 0, directory: true },
    { path: 'file', kinds: ['mode'], bytes: 0 },
  ]);
});
