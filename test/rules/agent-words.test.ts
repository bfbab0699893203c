/** What agents tell by a code, in both languages: a new event or reason that the app cannot say in French fails here. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../../resources/tools.ts';
import { english } from '../../src-renderer/messages/english/index.ts';
import { french } from '../../src-renderer/messages/french/index.ts';

/** Functions that take a code, and which argument it is. */
const takesCode: Readonly<Record<string, { readonly argument: number; readonly tells: 'event' | 'reason' }>> = {
  emit: { argument: 1, tells: 'event' },
  tell: { argument: 0, tells: 'event' },
  wait: { argument: 0, tells: 'reason' },
  fence: { argument: 1, tells: 'reason' },
};

interface Codes {
  readonly events: Set<string>;
  readonly reasons: Set<string>;
}

/** `a ? 'x' : 'y'`, `b ?? 'z'`: all that may come out of it. */
function literalsOf(node: ts.Node | undefined): string[] {
  if (node === undefined) return [];
  if (ts.isStringLiteral(node)) return [node.text];
  if (ts.isConditionalExpression(node)) return [...literalsOf(node.whenTrue), ...literalsOf(node.whenFalse)];
  if (ts.isBinaryExpression(node)) return [...literalsOf(node.left), ...literalsOf(node.right)];
  return ts.isParenthesizedExpression(node) ? literalsOf(node.expression) : [];
}

function collect(source: string, into: Codes): void {
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const { expression } = node;
      const name = ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText();
      const call = Object.hasOwn(takesCode, name) ? takesCode[name] : undefined;
      if (call !== undefined)
        for (const code of literalsOf(node.arguments[call.argument]))
          (call.tells === 'event' ? into.events : into.reasons).add(code);
    }
    if (ts.isPropertyAssignment(node) && node.name.getText() === 'code') {
      // An event has a severity, a reason has not.
      const isEvent =
        ts.isObjectLiteralExpression(node.parent) &&
        node.parent.properties.some((one) => one.name?.getText() === 'severity');
      for (const code of literalsOf(node.initializer)) (isEvent ? into.events : into.reasons).add(code);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('one.ts', source, ts.ScriptTarget.Latest, true));
}

function codesOf(...folders: readonly string[]): Codes {
  const codes: Codes = { events: new Set(), reasons: new Set() };
  for (const folder of folders)
    for (const file of globSync(`${folder}/**/*.ts`, { cwd: repositoryRoot }))
      if (!file.endsWith('.test.ts')) collect(readFileSync(join(repositoryRoot, file), 'utf8'), codes);
  return codes;
}

test('codes are found wherever they stand', () => {
  const codes: Codes = { events: new Set(), reasons: new Set() };
  collect(
    `draft.emit('bad', 'one', 'x'); fence(draft, tie ? 'two' : 'three', 'x'); draft.wait(fault?.code ?? 'four', 'x');
     this.emit({ code: good ? 'five' : 'six', severity: 'info' }); return { code: 'seven', message: 'x' };`,
    codes,
  );
  expect([...codes.events].sort()).toEqual(['five', 'one', 'six']);
  expect([...codes.reasons].sort()).toEqual(['four', 'seven', 'three', 'two']);
});

test.each([
  ['English', english],
  ['French', french],
])('every event and reason of the agents has its words in %s', (_language, words) => {
  const { events, reasons } = codesOf('agent/core', 'agent/runtime');
  expect(events.size).toBeGreaterThan(20);
  expect(reasons.size).toBeGreaterThan(25);
  const known = new Set([...Object.keys(words.cluster.reasons), ...Object.keys(words.faults)]);
  const knownEvents = new Set([...Object.keys(words.cluster.events), ...known]);
  expect([...events].filter((code) => !knownEvents.has(code))).toEqual([]);
  expect([...reasons].filter((code) => !known.has(code))).toEqual([]);
});

test('every event that has words is one that agents tell', () => {
  const { events } = codesOf('agent/core', 'agent/runtime');
  expect(Object.keys(french.cluster.events).filter((code) => !events.has(code))).toEqual([]);
});
