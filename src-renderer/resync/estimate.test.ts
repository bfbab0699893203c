import { expect, test } from 'vitest';
import type { ModuleOnNode, ResyncEstimate } from '../../agent/contract/index.ts';
import type { Estimate } from '../../src-main/app-api/index.ts';
import type { Finding } from '../cluster/findings.ts';
import { english } from '../messages/english/index.ts';
import { french } from '../messages/french/index.ts';
import { awaitedIn, changedIn, estimateText, totalOf } from './estimate.ts';

const marked: ResyncEstimate = {
  scope: 'marks',
  why: null,
  objects: 312,
  names: 4,
  wholeDirectories: 0,
  bytes: 1.2e9,
  bytesPerSecond: null,
  seconds: null,
  files: [{ path: 'a', kind: 'new', bytes: 7 }],
};
const of = (...all: Partial<ResyncEstimate>[]): Estimate => ({
  volumes: all.map((one, n) => ({ path: `/data/${n}`, estimate: { ...marked, ...one } })),
});
const text = (...all: Partial<ResyncEstimate>[]): string | null => estimateText(english, of(...all), 'n2');

test('what is marked is told as a bound, with its time when a rate is known', () => {
  expect(text({})).toBe('When n2 returns, at most 1.2 GB in 312 files and directories are compared.');
  expect(text({ seconds: 12 })).toContain('that takes at most 12 s.');
  expect(text({ seconds: 0.2 })).not.toContain('takes');
  expect(text({ bytes: 0 })).toContain('no contents');
  expect(text({ wholeDirectories: 2 })).toContain('2 moved directories');
  expect(text({ objects: 0, names: 0, bytes: 0 })).toBe('Nothing has been changed since n2 left.');
  expect(estimateText(french, of({}), 'n2')).toContain('Au retour de n2');
});

test('in sync there is nothing to say', () => {
  expect(text({ scope: 'nothing' })).toBeNull();
});

test.each(['no-log', 'too-many-changes', 'unwritten', 'copies-differ'] as const)('everything: %s', (why) => {
  for (const words of [english, french]) {
    const reason = words.cluster.estimate.reasons[why];
    expect(estimateText(words, of({ scope: 'everything', why }), 'n2')).toContain(reason);
    expect(estimateText(words, of({ scope: 'everything', why, bytes: null }), 'n2')).not.toContain('–');
  }
});

test('several directories count together, and the one of which least is known decides', () => {
  const total = totalOf(of({}, { scope: 'everything', why: 'no-log', bytes: 1e9, objects: null }));
  expect(total).toMatchObject({ scope: 'everything', why: 'no-log', bytes: 2.2e9, objects: null });
  expect(changedIn(of({}, {})).map(({ under }) => under)).toEqual(['/data/0', '/data/1']);
});

test('the server that is awaited is the one that is away, whoever tells of it', () => {
  const on = { name: 'n1' } as ModuleOnNode;
  const finding = (kind: string, more: object): Finding => ({ kind, module: 'db', on, peer: 'n2', ...more }) as Finding;
  expect(awaitedIn(finding('alone', {}))).toEqual({ module: 'db', node: 'n2' });
  expect(awaitedIn(finding('link-cut', {}))).toEqual({ module: 'db', node: 'n2' });
  expect(awaitedIn(finding('peer-stopped', {}))).toEqual({ module: 'db', node: 'n1' });
  expect(awaitedIn(finding('agent-dead', { node: 'n2' }))).toEqual({ module: 'db', node: 'n2' });
  expect(awaitedIn(finding('agent-dead', { node: 'n2', module: null }))).toBeNull();
  expect(awaitedIn(finding('maintenance', {}))).toBeNull();
});
