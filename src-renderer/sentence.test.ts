import { describe, expect, test } from 'vitest';
import type { ClusterStatus, ModuleOnNode } from '../agent/contract/index.ts';
import type { ClusterView } from '../src-main/app-api/index.ts';
import { findingsOf, usualCircumstances, type Circumstances, type FindingKind } from './cluster/findings.ts';
import { offersOf } from './cluster/orders.ts';
import { primaryAction } from './cluster/primary-action.ts';
import { english } from './messages/english/index.ts';
import { french } from './messages/french/index.ts';
import { eventText, reasonWords } from './messages/messages.ts';
import { sayAll, sentenceOf } from './sentence.ts';
import { clockTime } from './ui/format.ts';

const since = '2026-01-01T14:02:00Z';
const time = clockTime(english, since);
const primary: ModuleOnNode = { name: 'n1', state: 'primary', data: 'up-to-date' };
const secondary: ModuleOnNode = { name: 'n2', state: 'secondary', data: 'up-to-date' };
const alone: ModuleOnNode = { ...primary, state: 'alone', reason: 'peer-silent', message: 'n2 is silent.', since };
const gone: ModuleOnNode = { name: 'n2', state: 'unknown', data: 'unknown' };
const waits = (reason: string, more: Partial<ModuleOnNode> = {}): ModuleOnNode => ({
  name: 'n2',
  state: 'wait',
  data: 'stale',
  reason,
  message: 'As the agent says it.',
  since,
  ...more,
});

type Node = ClusterStatus['nodes'][number];
interface Variation {
  readonly protected?: boolean;
  readonly maintenance?: boolean;
  /** By node name. */
  readonly node?: Readonly<Record<string, Partial<Node>>>;
  readonly more?: Partial<ClusterStatus>;
}

function status(on: readonly ModuleOnNode[], variation: Variation = {}): ClusterStatus {
  const isProtected = variation.protected ?? false;
  return {
    schemaVersion: 1,
    cluster: 'site-a',
    observedAt: since,
    protected: isProtected,
    sentence: '',
    nodes: on.map(({ name, state }) => ({
      name,
      reachable: state !== 'unknown',
      lastSeen: since,
      agentVersion: '0.1.0',
      ...variation.node?.[name],
    })),
    witness: { kind: 'voting', reachable: true },
    networks: [
      { name: 'lan', alive: true, roundTripMs: 0.3, replicates: true },
      { name: 'sync', alive: true, roundTripMs: 0.2, replicates: false },
    ],
    modules: [
      {
        name: 'db',
        kind: 'mirror',
        protected: isProtected,
        maintenance: variation.maintenance ?? false,
        generation: null,
        nodes: [...on],
        vip: [],
      },
    ],
    ...variation.more,
  };
}

const read = (one: ClusterStatus): ClusterView => ({ kind: 'read', status: one });
const fault = (code: string): Partial<Node> => ({
  reachable: false,
  fault: { code, message: `${code}.`, details: { host: '10.0.0.12', user: 'root', kind: 'ssh-password' } },
});
const protectedStatus = status([primary, secondary], { protected: true });

function kinds(view: ClusterView, circumstances: Circumstances = usualCircumstances): FindingKind[] {
  return findingsOf(view, circumstances).map(({ kind }) => kind);
}

describe('the sentence on top', () => {
  const say = (one: ClusterStatus): readonly [string, string, string] => {
    const sentences = [english, french].map((words) => sentenceOf(words, read(one), usualCircumstances));
    return [sentences[0]!.tone, sentences[0]!.text, sentences[1]!.text.replaceAll('\u00a0', ' ')];
  };

  test('protected', () => {
    expect(say(protectedStatus)).toEqual(['good', 'Protected.', 'Protégé.']);
  });

  test('alone: since when and why; what to do stands below', () => {
    expect(say(status([alone, gone]))).toEqual([
      'attention',
      `Not protected since ${time} — n2 has been silent since then on both networks.`,
      `Non protégé depuis ${time} : n2 ne répond plus sur les deux réseaux.`,
    ]);
    const [top] = sayAll(english, read(status([alone, gone])), usualCircumstances);
    expect([top.cause, top.remedy]).toEqual([
      'It may have no power.',
      'Nothing to do: it will catch up by itself when it returns.',
    ]);
  });

  test('first sync: how long', () => {
    const resync = { doneBytes: 1, totalBytes: 2, sentBytes: 1, bytesPerSecond: 1e6, etaSeconds: 720 };
    const target: ModuleOnNode = { ...secondary, data: 'resynchronising', reason: 'resynchronising', resync };
    expect(say(status([primary, target]))).toEqual([
      'working',
      'Not protected yet: n2 is being brought up to date, 12 min left.',
      'Pas encore protégé : n2 se resynchronise, encore 12 min.',
    ]);
  });

  test('of a resync the side that knows how much there is tells', () => {
    const target: ModuleOnNode = {
      ...secondary,
      data: 'resynchronising',
      resync: { doneBytes: 5, totalBytes: null, sentBytes: 0, bytesPerSecond: null, etaSeconds: null },
    };
    const source = { doneBytes: 4, totalBytes: 9, sentBytes: 2, bytesPerSecond: 1e6, etaSeconds: 30 };
    expect(say(status([{ ...primary, resync: source }, target]))[1]).toContain('30 s left');
  });

  test('what the partner still tells of a server that was primary before it fell silent is no second primary', () => {
    const back: ModuleOnNode = { name: 'n1', state: 'primary', data: 'up-to-date' };
    const two = status([back, { ...alone, name: 'n2' }], { node: { n1: { reachable: false } } });
    expect(say(two)[1]).toBe(`Not protected since ${time} — n1 has been silent since then on both networks.`);
  });

  test('a resync that stands still is not called working', () => {
    const resync = { doneBytes: 1, totalBytes: 2, sentBytes: 1, bytesPerSecond: 3, etaSeconds: null };
    const [tone, text] = say(status([primary, { ...secondary, data: 'resynchronising', resync }]));
    expect([tone, text]).toEqual(['attention', 'Not protected yet: the resync of n2 stands still.']);
  });

  test('an unknown number is said to be unknown', () => {
    const resync = { doneBytes: 1, totalBytes: null, sentBytes: 1, bytesPerSecond: null, etaSeconds: null };
    const [, text] = say(status([primary, { ...secondary, data: 'resynchronising', resync }]));
    expect(text).toBe('Not protected yet: n2 is being brought up to date; how long is not known yet.');
  });

  test('a fork needs a person, whatever else is true', () => {
    const [tone, text] = say(status([{ ...alone, data: 'forked' }, secondary]));
    expect([tone, text.startsWith('Needs you')]).toEqual(['bad', true]);
  });

  test('the application runs nowhere: worse than running alone', () => {
    const [tone, text] = say(status([{ ...gone, name: 'n1' }, waits('copy-stale')]));
    expect([tone, text]).toEqual(['bad', `Not running since ${time} — the copy on n2 is not known to be complete.`]);
  });

  test('what endangers the protection is said with it', () => {
    const lost = status([primary, secondary], {
      protected: true,
      more: { witness: { kind: 'voting', reachable: false } },
    });
    expect(say(lost)).toEqual([
      'attention',
      'Protected, but the witness does not answer.',
      'Protégé, mais le témoin ne répond pas.',
    ]);
  });

  test('with several modules it names the one it speaks of', () => {
    const one = status([alone, gone]);
    const [module] = one.modules;
    const two = {
      ...one,
      modules: [{ ...module!, name: 'web', protected: true, nodes: [primary, secondary] }, module!],
    };
    expect(say(two)[1]).toMatch(/^db · Not protected/);
  });
});

describe('every state has its own finding', () => {
  const silentNetworks = [{ name: 'lan', alive: false, roundTripMs: null, replicates: false }];
  const cases: readonly [string, ClusterView, FindingKind, Partial<Circumstances>?][] = [
    ['being read', { kind: 'reading' }, 'reading'],
    [
      'unreadable configuration',
      { kind: 'unreadable', fault: { code: 'x', message: 'x.', remedy: '', details: {} }, since, last: null },
      'unreadable',
    ],
    [
      'laptop offline, nothing read yet',
      {
        kind: 'unreadable',
        fault: { code: 'laptop-offline', message: 'x.', remedy: '', details: {} },
        since,
        last: null,
      },
      'offline',
    ],
    [
      'laptop offline, as the main process found',
      read(status([gone], { node: { n2: fault('laptop-offline') } })),
      'offline',
    ],
    ['nobody answers', read(status([gone, { ...gone, name: 'n1' }])), 'nobody-answers'],
    ['no agent answers', read(status([gone], { node: { n2: fault('agent-not-answering') } })), 'agents-dead'],
    ['one node silent', read(status([alone, gone])), 'alone'],
    ['agent dead', read(status([alone, gone], { node: { n2: fault('agent-not-answering') } })), 'agent-dead'],
    [
      'the network between them is cut',
      read(status([alone, waits('peer-silent', { data: 'up-to-date' })])),
      'link-cut',
    ],
    [
      'both stopped',
      read(
        status([
          waits('stopped-by-order', { name: 'n1', state: 'stopped' }),
          waits('stopped-by-order', { state: 'stopped' }),
        ]),
      ),
      'stopped',
    ],
    ['partner stopped', read(status([alone, waits('stopped-by-order', { state: 'stopped' })])), 'peer-stopped'],
    ['wait', read(status([waits('no-majority', { name: 'n1' }), gone])), 'waiting'],
    ['starting', read(status([waits('starting', { name: 'n1', state: 'transient' }), secondary])), 'changing'],
    [
      'nobody gives a reason: between two states',
      read(status([primary, { ...secondary, state: 'transient' }])),
      'settling',
    ],
    ['disk full on one side', read(status([alone, waits('disk-full')])), 'not-following'],
    ['maintenance', read(status([primary, secondary], { maintenance: true })), 'maintenance'],
    ['forked', read(status([{ ...alone, data: 'forked' }, secondary])), 'forked'],
    ['no modules', read({ ...protectedStatus, protected: false, modules: [] }), 'no-modules'],
    [
      'login needed',
      read(status([primary, secondary], { protected: true, node: { n2: fault('secret-needed') } })),
      'login',
    ],
    [
      'host key changed',
      read(status([alone, gone], { protected: false, node: { n2: fault('host-key-changed') } })),
      'alone',
    ],
    [
      'version skew',
      read(status([primary, secondary], { protected: true, node: { n2: { agentVersion: '0.2.0' } } })),
      'version-skew',
    ],
    [
      'clock wrong',
      read(status([primary, secondary], { protected: true, node: { n2: { clockAheadMs: -312_000 } } })),
      'clock-wrong',
    ],
    [
      'a checker fails',
      read(status([{ ...primary, reason: 'checker-failed', message: 'x', since }, secondary], { protected: true })),
      'protected-unwell',
    ],
    [
      'a good copy where the application failed too often',
      read(status([primary, { ...secondary, reason: 'restart-limit', message: 'x', since }], { protected: true })),
      'protected-unwell',
    ],
    ['install interrupted', read(protectedStatus), 'install-interrupted', { interruptedDraft: 'd1' }],
    [
      'one network lost',
      read(
        status([primary, secondary], {
          protected: true,
          more: { networks: [...silentNetworks, { name: 'sync', alive: true, roundTripMs: 1, replicates: true }] },
        }),
      ),
      'network-lost',
    ],
  ];
  test.each(cases.map(([name, view, kind, more = {}]) => ({ name, view, kind, more })))(
    '$name',
    ({ view, kind, more }) => {
      const circumstances: Circumstances = { ...usualCircumstances, ...more };
      expect(kinds(view, circumstances)[0]).toBe(kind);
      for (const words of [english, french])
        for (const said of sayAll(words, view, circumstances)) {
          expect(said.what).toMatch(/^\S.*[.…]$/);
          expect(said.what).not.toMatch(/undefined|null|\[object/);
        }
    },
  );

  test('a changed host key is said besides the silence, which it may explain', () => {
    expect(kinds(read(status([alone, gone], { node: { n2: fault('host-key-changed') } })))).toEqual([
      'alone',
      'host-key',
    ]);
  });
  test('a server that only the laptop cannot reach does not cost the word protected', () => {
    const view = read(status([primary, secondary], { protected: true, node: { n2: fault('ssh-unreachable') } }));
    expect(kinds(view)).toEqual(['protected', 'node-unreachable']);
  });
  test('when nobody can be asked because a password is missing, that comes first', () => {
    const view = read(
      status([{ ...gone, name: 'n1' }, gone], { node: { n1: fault('secret-needed'), n2: fault('ssh-unreachable') } }),
    );
    expect(kinds(view)).toEqual(['login', 'nobody-answers']);
  });
  test('the name of a server is written as it is, also where a sentence begins', () => {
    const view = read(status([alone, gone], { node: { n2: fault('host-key-changed') } }));
    const all = sayAll(english, view, usualCircumstances);
    expect(all[1]?.what).toBe('n2 shows another host key than the one on record here.');
    // What to do is said of the door: that the server comes back by itself would not be true.
    expect(all[0].remedy).toBeUndefined();
  });
  test('an old reading says nothing of now', () => {
    const circumstances = { ...usualCircumstances, nowMs: Date.parse(since) + 3_600_000 };
    expect(kinds(read(protectedStatus), circumstances)).toEqual(['old']);
    expect(sentenceOf(english, read(protectedStatus), circumstances).tone).toBe('unknown');
  });
});

describe('nobody answers: the main process says why', () => {
  const unreadable = (code: string): ClusterView => ({
    kind: 'unreadable',
    fault: {
      code,
      message: 'x.',
      remedy: '',
      details: { host: '10.0.0.12', kind: 'ssh-password', nodes: ['n1', 'n2'] },
    },
    since,
    last: protectedStatus,
  });
  test.each([
    ['laptop-offline', 'offline', 'read-again'],
    ['laptop-slept', 'slept', undefined],
    ['agents-not-answering', 'agents-dead', 'terminal'],
    ['servers-unreachable', 'nobody-answers', 'read-again'],
    ['secret-needed', 'login', 'login'],
    ['host-key-changed', 'host-key', 'compare'],
    ['configuration-unreadable', 'unreadable', 'read-again'],
  ])('%s', (code, kind, action) => {
    const view = unreadable(code);
    expect(kinds(view)).toEqual([kind]);
    expect(primaryAction(view)?.kind).toBe(action);
    for (const words of [english, french]) expect(sayAll(words, view, usualCircumstances)[0].what).toMatch(/[.…]$/);
  });
  test('an installation that was cut off may be why', () => {
    const view = unreadable('agents-not-answering');
    const interrupted = { ...usualCircumstances, interruptedDraft: 'd1' };
    expect(primaryAction(view, interrupted)?.kind).toBe('continue-installation');
    expect(kinds(view, interrupted)).toEqual(['agents-dead', 'install-interrupted']);
  });
});

describe('the one action', () => {
  const action = (one: ClusterStatus, circumstances: Partial<Circumstances> = {}): unknown =>
    primaryAction(read(one), { ...usualCircumstances, ...circumstances });
  const stopped = (name: string): ModuleOnNode =>
    waits('stopped-by-order', { name, state: 'stopped', data: 'up-to-date' });

  test('protected: a quiet swap from where it runs', () => {
    expect(action(protectedStatus)).toEqual({
      kind: 'order',
      order: { kind: 'swap', module: 'db', from: 'n1', to: 'n2' },
      quiet: true,
    });
  });
  test('stopped: start', () => {
    expect(action(status([stopped('n1'), stopped('n2')]))).toMatchObject({ order: { kind: 'start', module: 'db' } });
  });
  test('maintenance: end it', () => {
    const one = status([primary, secondary], { maintenance: true });
    expect(action(one)).toMatchObject({ order: { kind: 'maintenance-off' }, quiet: false });
  });
  test('a start that failed: start again; a stale copy: nothing, since only a person on site can help', () => {
    expect(action(status([waits('start-failed', { name: 'n1' }), gone]))).toMatchObject({ order: { kind: 'start' } });
    expect(action(status([waits('copy-stale', { name: 'n1' }), gone]))).toBeNull();
  });
  test('silent partner: nothing to do', () => {
    expect(action(status([alone, gone]))).toBeNull();
  });
  test.each([
    ['secret-needed', 'login'],
    ['login-refused', 'login'],
    ['host-key-changed', 'compare'],
    ['host-key-unknown', 'compare'],
    ['agent-not-answering', 'terminal'],
  ])('%s: %s', (code, kind) => {
    expect(action(status([alone, gone], { node: { n2: fault(code) } }))).toMatchObject({ kind, node: 'n2' });
  });
  test('disk full: a terminal where it is full', () => {
    expect(action(status([alone, waits('disk-full')]))).toEqual({ kind: 'terminal', node: 'n2' });
  });
  test('an interrupted installation is gone on with', () => {
    expect(action(protectedStatus, { interruptedDraft: 'd1' })).toEqual({ kind: 'continue-installation', draft: 'd1' });
  });
  test('copies that differ: look at what does, whoever tells it', () => {
    const differs = { data: 'stale' } as const;
    const compare = { kind: 'compare-copies', module: 'db' };
    expect(action(status([{ ...alone, reason: 'copies-differ' }, gone]))).toEqual(compare);
    expect(action(status([primary, waits('copies-differ', { state: 'secondary', ...differs })]))).toEqual(compare);
  });
  test('fork: how to choose', () => {
    expect(action(status([{ ...alone, data: 'forked' }, secondary]))).toEqual({ kind: 'choose-copy', module: 'db' });
  });
});

describe('what may be ordered', () => {
  const offered = (one: ClusterStatus): Record<string, unknown> =>
    Object.fromEntries(
      offersOf(one, one.modules[0]!).map(({ order, obstacle }) => [order.kind, obstacle?.kind ?? 'now']),
    );
  test('protected', () => {
    expect(offered(protectedStatus)).toEqual({
      start: 'runsAlready',
      swap: 'now',
      restart: 'now',
      'maintenance-on': 'now',
      stop: 'now',
      promote: 'somebodyRuns',
    });
  });
  test('no swap to a partner that is not up to date', () => {
    expect(offered(status([alone, gone]))).toMatchObject({ swap: 'partnerNotReady', promote: 'somebodyRuns' });
  });
  test('promote where nothing runs, on a server that can be told', () => {
    const one = status([{ ...gone, name: 'n1' }, waits('copy-stale')]);
    expect(offersOf(one, one.modules[0]!).filter(({ order }) => order.kind === 'promote')).toEqual([
      {
        order: { kind: 'promote', module: 'db', node: 'n1', peer: 'n2' },
        obstacle: { kind: 'notReachable', node: 'n1' },
      },
      { order: { kind: 'promote', module: 'db', node: 'n2', peer: 'n1' }, obstacle: null },
    ]);
  });
});

test('a reason or an event of a newer agent keeps its own sentence', () => {
  const reason = { ...alone, reason: 'new-in-the-next-version', message: 'As the agent says it.' };
  expect(reasonWords(french, reason, 'n2').what).toBe('As the agent says it.');
  const event = { at: since, node: 'n1', sequence: 1, module: 'db', message: 'As the agent says it.', evidence: {} };
  expect(eventText(french, { ...event, code: 'new-in-the-next-version', severity: 'info' }, 'n2')).toBe(
    'As the agent says it.',
  );
  expect(eventText(french, { ...event, code: 'disk-full', severity: 'attention' }, 'n2')).toBe(
    'Le disque de n1 est plein.',
  );
});
