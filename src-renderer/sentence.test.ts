import { describe, expect, test } from 'vitest';
import type { ClusterStatus, ModuleOnNode } from '../agent/contract/index.ts';
import { english } from './messages/english.ts';
import { french } from './messages/french.ts';
import { reasonText } from './messages/messages.ts';
import { clockTime, sentenceOf } from './sentence.ts';

const since = '2026-01-01T14:02:00Z';

function status(isProtected: boolean, ...nodes: readonly ModuleOnNode[]): ClusterStatus {
  return {
    schemaVersion: 1,
    cluster: 'site-a',
    observedAt: since,
    protected: isProtected,
    sentence: '',
    nodes: nodes.map(({ name, state }) => ({
      name,
      reachable: state !== 'unknown',
      lastSeen: null,
      agentVersion: null,
    })),
    witness: { kind: 'voting', reachable: true },
    modules: [
      {
        name: 'db',
        kind: 'mirror',
        protected: isProtected,
        maintenance: false,
        generation: null,
        nodes: [...nodes],
        vip: [],
      },
    ],
  };
}
const primary: ModuleOnNode = { name: 'n1', state: 'primary', data: 'up-to-date' };
const secondary: ModuleOnNode = { name: 'n2', state: 'secondary', data: 'up-to-date' };
const alone: ModuleOnNode = { ...primary, state: 'alone', reason: 'peer-silent', message: 'n2 is silent.', since };
const gone: ModuleOnNode = { name: 'n2', state: 'unknown', data: 'unknown' };

describe('the sentence on top', () => {
  const say = (one: ClusterStatus): readonly [string, string, string] => {
    const view = { kind: 'read', status: one } as const;
    return [sentenceOf(english, view).tone, sentenceOf(english, view).text, sentenceOf(french, view).text];
  };

  test('protected', () => {
    expect(say(status(true, primary, secondary))).toEqual(['good', 'Protected.', 'Protégé.']);
  });

  test('alone: since when, why, and that there is nothing to do', () => {
    const time = clockTime(english, since);
    expect(say(status(false, alone, gone))).toEqual([
      'attention',
      `Not protected since ${time} — n2 is silent.`,
      `Non protégé depuis ${time} : n2 ne répond plus. Rien à faire, il se resynchronisera seul à son retour.`,
    ]);
  });

  test('first sync: how long', () => {
    const resync = { doneBytes: 1, totalBytes: 2, sentBytes: 1, bytesPerSecond: 1, etaSeconds: 720 };
    const target: ModuleOnNode = { ...secondary, data: 'resynchronising', reason: 'resynchronising', resync };
    expect(say(status(false, primary, target))).toEqual([
      'working',
      'Not protected yet: n2 is being brought up to date, 12 min left.',
      'Pas encore protégé : n2 se resynchronise, encore 12 min.',
    ]);
  });

  test('a fork needs a person, whatever else is true', () => {
    const [tone, text] = say(status(false, { ...alone, data: 'forked' }, secondary));
    expect([tone, text.startsWith('Needs you')]).toEqual(['bad', true]);
  });

  test('the application runs nowhere: worse than running alone', () => {
    const waiting: ModuleOnNode = {
      name: 'n1',
      state: 'wait',
      data: 'stale',
      reason: 'copy-stale',
      message: 'Not complete.',
      since,
    };
    expect(say(status(false, waiting, gone))[0]).toBe('bad');
  });

  test('an unknown number is said to be unknown', () => {
    const resync = { doneBytes: 1, totalBytes: null, sentBytes: 1, bytesPerSecond: null, etaSeconds: null };
    const target: ModuleOnNode = { ...secondary, data: 'resynchronising', resync };
    expect(say(status(false, primary, target))[1]).toContain('an unknown time left');
  });
});

test('a reason of a newer agent keeps its own sentence', () => {
  expect(
    reasonText(french, { ...alone, reason: 'new-in-the-next-version', message: 'As the agent says it.' }, 'n2'),
  ).toBe('As the agent says it.');
});
