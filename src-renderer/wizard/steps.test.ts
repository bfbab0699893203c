import { describe, expect, test } from 'vitest';
import type {
  AnswerProblem,
  Answers,
  CheckResult,
  Copy,
  Installation,
  ServerFacts,
} from '../../src-main/app-api/index.ts';
import { wizardSteps } from '../../src-main/app-api/index.ts';
import { blankAnswers } from './answers.ts';
import type { LoginState } from './login.ts';
import {
  canJump,
  obstacleAt,
  reachedStep,
  stepOfPath,
  stepsOfCheck,
  type Asked,
  type Known,
  type ObstacleCode,
} from './steps.ts';

function facts(name: string): ServerFacts {
  return {
    suggestedName: name,
    hostname: name,
    user: 'root',
    isRoot: true,
    hostKeyFingerprint: `SHA256:${name}`,
    osName: 'Debian',
    kernel: '6.1',
    architecture: 'x86_64',
    cores: 4,
    memoryBytes: 8e9,
    machineId: name,
    addresses: [],
    cluster: null,
    agentVersion: null,
    firstContactMs: 1,
  };
}
const machine = (destination: string) => ({ destination, port: null, identity: null });
const full: Answers = {
  ...blankAnswers,
  cluster: 'site-a',
  nodes: [
    { name: 'n1', machine: machine('root@n1'), facts: facts('n1') },
    { name: 'n2', machine: machine('root@n2'), facts: facts('n2') },
  ],
  application: { ...blankAnswers.application, name: 'db', directories: ['/data'], start: 'go', stop: 'halt' },
  goodNode: 'n1',
};
const ready = (name: string): LoginState => ({ kind: 'ready', facts: facts(name) });
const none: Asked<never> = { state: 'none', answer: null };
const answered = <T>(answer: T): Asked<T> => ({ state: 'answered', answer });
const copy = (node: string, empty: boolean): Copy => ({
  node,
  path: '/data',
  exists: true,
  empty,
  files: 1,
  bytes: 1,
  newestFile: null,
  version: null,
  atLeast: false,
});
const everything: Known = {
  logins: [ready('n1'), ready('n2')],
  witness: { kind: 'idle' },
  problems: [],
  checks: answered([]),
  copies: answered([copy('n1', false), copy('n2', false)]),
  addressInUse: answered({ inUse: false, by: null }),
  addressWanted: false,
  composed: answered({ text: 'version: 1', problems: [] }),
  plan: answered([]),
  installation: null,
};
const check = (code: string, ok: boolean): CheckResult => ({
  code,
  host: 'n1',
  ok,
  attention: false,
  title: code,
  what: '',
  why: '',
  remedy: '',
  facts: {},
});
const problem = (path: string): AnswerProblem => ({ path, code: 'x', message: 'x', remedy: '', facts: {} });
const installation = (state: Installation['state'], cluster: string | null = 'id'): Installation => ({
  draft: 'd',
  state,
  steps: [],
  fault: null,
  keptAt: [],
  cluster,
  startedAt: '2026-01-01T14:00:00Z',
});

function codeAt(step: (typeof wizardSteps)[number], answers: Partial<Answers>, known: Partial<Known> = {}) {
  return obstacleAt(step, { ...full, ...answers }, { ...everything, ...known })?.code ?? null;
}

test('with everything answered, every step but the installation lets on', () => {
  const refusing = wizardSteps.filter((step) => obstacleAt(step, full, everything) !== null);
  expect(refusing).toEqual(['install']);
  expect(codeAt('install', {}, { installation: installation('done') })).toBe(null);
});

describe('servers', () => {
  const [first = full.nodes[0]!, second = full.nodes[1]!] = full.nodes;
  test.each<[LoginState['kind'], ObstacleCode | null, ObstacleCode | null]>([
    ['idle', 'not-connected', 'not-connected'],
    ['connecting', 'connecting', 'connecting'],
    ['secret-needed', 'secret-missing', 'secret-missing'],
    ['failed', 'login-failed', 'login-failed'],
    ['host-key-changed', 'host-key-changed', 'host-key-changed'],
    // Compared on the next step, and nowhere later.
    ['host-key-unknown', null, 'host-key-open'],
    ['ready', null, null],
  ])('%s', (kind, onServers, onFingerprints) => {
    const logins = [ready('n1'), { kind } as LoginState];
    expect(codeAt('servers', {}, { logins })).toBe(onServers);
    expect(codeAt('fingerprints', {}, { logins })).toBe(onFingerprints);
  });

  test('the same machine twice', () => {
    expect(codeAt('servers', { nodes: [first, { ...second, facts: facts('n1') }] })).toBe('same-machine');
  });

  test('a server of another cluster; of this one after an interrupted installation', () => {
    const nodes = [first, { ...second, facts: { ...facts('n2'), cluster: 'site-a' } }];
    expect(codeAt('servers', { nodes })).toBe('in-other-cluster');
    expect(codeAt('servers', { nodes }, { installation: installation('interrupted') })).toBe(null);
    expect(codeAt('servers', { nodes, cluster: 'other' }, { installation: installation('interrupted') })).toBe(
      'in-other-cluster',
    );
  });

  test('names', () => {
    expect(codeAt('servers', { cluster: ' ' })).toBe('cluster-name-missing');
    expect(codeAt('servers', { nodes: [{ ...first, name: '' }, second] })).toBe('node-name-missing');
    expect(codeAt('servers', {}, { problems: [problem('nodes.0.name')] })).toBe('answer-wrong');
    expect(codeAt('application', {}, { problems: [problem('nodes.0.name')] })).toBe(null);
  });
});

test('a failed check stops the step on which it can be mended, and the review', () => {
  const kernel = { checks: answered([check('kernel', false)]) };
  expect(codeAt('checks', {}, kernel)).toBe('checks-failed');
  expect(codeAt('application', {}, kernel)).toBe(null);
  const directory = { checks: answered([check('directory-is-symlink', false)]) };
  expect(codeAt('checks', {}, directory)).toBe(null);
  expect(codeAt('application', {}, directory)).toBe('checks-failed');
  expect(codeAt('review', {}, directory)).toBe('checks-failed');
});

test.each([
  ['kernel', 'witness', ['safety']],
  ['witness-port-blocked', 'witness', ['safety']],
  ['data-space', 'n2', ['data']],
  ['owner-differs', 'n2', ['application']],
  ['network-tools', 'n1', ['checks']],
  ['network-without-node', 'n1', ['networks']],
  ['peer-ports-blocked', 'n2', ['checks', 'networks']],
  ['peer-unreachable', 'n2', ['networks']],
  ['networks-unknown', null, ['networks']],
  ['vip-network', 'n1', ['address']],
])('%s of %s is mended at %s', (code, host, expected) => {
  expect(stepsOfCheck({ code, host })).toEqual(expected);
});

test('checks that run are waited for, checks that could not run are run again by a person', () => {
  expect(obstacleAt('checks', full, { ...everything, checks: { state: 'asking', answer: null } })).toEqual({
    code: 'asking',
    waits: true,
  });
  expect(codeAt('checks', {}, { checks: { state: 'failed', answer: null } })).toBe('not-asked');
});

describe('the good copy', () => {
  test('is never guessed when both have data', () => {
    expect(codeAt('data', { goodNode: null })).toBe('good-copy-missing');
    expect(codeAt('data', { goodNode: 'n3' })).toBe('good-copy-missing');
    expect(codeAt('data', { goodNode: 'n2' })).toBe(null);
  });
  test('is not the empty one when the other has data', () => {
    const copies = answered([copy('n1', true), copy('n2', false)]);
    expect(codeAt('data', { goodNode: 'n1' }, { copies })).toBe('good-copy-empty');
    expect(codeAt('data', { goodNode: 'n2' }, { copies })).toBe(null);
  });
  test('is not decided before the copies were seen', () => {
    expect(codeAt('data', {}, { copies: none })).toBe('asking');
  });
});

test('an application described by hand is chosen: the next thing that is missing is named', () => {
  const byHand = { ...blankAnswers.application, name: 'app' };
  expect(codeAt('application', { application: blankAnswers.application })).toBe('application-missing');
  expect(codeAt('application', { application: byHand })).toBe('directory-missing');
});

test('the address: free, or none at all', () => {
  const vip = '10.0.0.50/24';
  expect(codeAt('address', { vip })).toBe(null);
  expect(codeAt('address', { vip }, { addressInUse: answered({ inUse: true, by: 'n1' }) })).toBe('address-in-use');
  expect(codeAt('address', { vip }, { addressInUse: none })).toBe('asking');
  expect(codeAt('address', { vip: '' }, { addressInUse: none })).toBe(null);
  expect(codeAt('address', { vip: ' ' }, { addressInUse: none, addressWanted: true })).toBe('address-missing');
});

test('the witness is a third machine, and is let in to', () => {
  const witness = { kind: 'voting', machine: machine('root@w'), facts: facts('w') } as const;
  expect(codeAt('safety', { witness }, { witness: ready('w') })).toBe(null);
  expect(codeAt('safety', { witness }, { witness: { kind: 'connecting' } })).toBe('connecting');
  expect(codeAt('safety', { witness: { ...witness, facts: facts('n1') } }, { witness: ready('n1') })).toBe(
    'witness-is-node',
  );
  expect(codeAt('safety', { witness: { ...witness, machine: machine('') } })).toBe('witness-missing');
  expect(codeAt('safety', { witness: { ...witness, kind: 'none' } })).toBe(null);
  expect(codeAt('safety', { witness: { ...witness, kind: 'ping' } })).toBe('ping-witness-missing');
  expect(codeAt('safety', { witness: { ...witness, kind: 'ping', ping: '10.0.0.1' } })).toBe(null);
});

test('networks: at least one', () => {
  expect(codeAt('networks', { networks: [] })).toBe('network-missing');
});

test('an incomplete configuration is not installed', () => {
  const composed = answered({ text: null, problems: [problem('vip')] });
  expect(codeAt('review', {}, { composed })).toBe('configuration-incomplete');
  expect(stepOfPath('vip')).toBe('address');
});

describe('the list of steps', () => {
  test('goes back to what was reached, not beyond', () => {
    expect(canJump('checks', 'data', full, null)).toBe(true);
    expect(canJump('review', 'data', full, null)).toBe(false);
  });
  test('goes forward again only over answered questions', () => {
    expect(canJump('review', 'review', { ...full, goodNode: null }, null)).toBe(false);
    expect(canJump('data', 'review', { ...full, goodNode: null }, null)).toBe(true);
  });
  test('is closed while servers are changed', () => {
    expect(canJump('servers', 'install', full, installation('running'))).toBe(false);
    expect(canJump('servers', 'install', full, installation('failed'))).toBe(true);
    expect(canJump('install', 'sync', full, installation('done'))).toBe(true);
  });
  test('a draft that is opened again was reached as far as something was decided', () => {
    expect(reachedStep('servers', full, null)).toBe('address');
    expect(reachedStep('servers', { ...full, goodNode: null }, null)).toBe('data');
    expect(reachedStep('review', full, null)).toBe('review');
    expect(reachedStep('servers', blankAnswers, null)).toBe('servers');
  });
});
