import { describe, expect, it, test } from 'vitest';
import { Fault, type FaultRecord, type NodeStatus } from '../../agent/contract/index.ts';
import type { NodeObservation } from '../cluster/index.ts';
import type { NodeNews } from './node-watch.ts';
import { faultOfAll, observationsOf } from './observe.ts';
import { retryDelayMs } from './retry.ts';

const paceMs = 1000;
const seen = '2026-01-01T14:01:57.000Z';

function status(node: string, hearsPeer: boolean): NodeStatus {
  const peer = node === 'n1' ? 'n2' : 'n1';
  return {
    cluster: 'site-a',
    node,
    agentVersion: '0.1.0',
    observedAt: seen,
    revision: 1,
    witness: { kind: 'none', reachable: null },
    peer: { name: peer, alive: hearsPeer, lastHeard: seen, agentVersion: '0.1.0', networks: [] },
    modules: [],
  };
}
function read(node: string, readAtMs: number, hearsPeer = true): { name: string; news: NodeNews } {
  const news = { fault: null, lastSeen: seen, agentVersion: '0.1.0', noRoute: false };
  return { name: node, news: { ...news, status: status(node, hearsPeer), readAtMs } };
}
const fault = (code: string, details: FaultRecord['details'] = {}): FaultRecord => ({
  code,
  message: code,
  remedy: '',
  details,
});
const reachable = (nodes: readonly { name: string; news: NodeNews }[], nowMs: number): string[] =>
  observationsOf(nodes, nowMs, paceMs).map((one) => one.fault?.code ?? 'reachable');

describe('what may be said of the nodes now', () => {
  it('waits for a busy server as long as the other one hears it, and no longer than five seconds', () => {
    expect(reachable([read('n1', 9000), read('n2', 5000)], 9500)).toEqual(['reachable', 'reachable']);
    expect(reachable([read('n1', 10_000), read('n2', 5000)], 10_100)).toEqual(['reachable', 'timed-out']);
  });

  it('takes the word of the other one that it is silent', () => {
    expect(reachable([read('n1', 9000, false), read('n2', 7600)], 9500)).toEqual(['reachable', 'reachable']);
    expect(reachable([read('n1', 9000, false), read('n2', 7400)], 9500)).toEqual(['reachable', 'timed-out']);
  });

  it('does not believe old news of the other one', () => {
    // n1 said six seconds ago that it hears nobody; n2 has answered since.
    expect(reachable([read('n1', 3500, false), read('n2', 7500)], 9500)).toEqual(['timed-out', 'reachable']);
  });

  it('says since when, and why not', () => {
    const refused = { name: 'n2', news: { ...read('n2', 0).news, status: null, fault: fault('agent-not-answering') } };
    const [, n2] = observationsOf([read('n1', 9000), refused], 9500, paceMs);
    expect(n2).toMatchObject({ status: null, lastSeen: seen, fault: { code: 'agent-not-answering' } });
  });

  it('has a word for who has not been asked to the end yet', () => {
    const asked = { name: 'n2', news: { ...read('n2', 0).news, status: null, lastSeen: null } };
    expect(reachable([read('n1', 9000), asked], 9500)).toEqual(['reachable', 'not-answered-yet']);
  });
});

function silent(...codes: readonly string[]): NodeObservation[] {
  return codes.map((code, index) => ({
    name: `n${index + 1}`,
    status: null,
    fault: fault(code, { node: `n${index + 1}` }),
    lastSeen: null,
    agentVersion: null,
  }));
}

test.each([
  [['ssh-unreachable', 'timed-out'], false, 'servers-unreachable'],
  [['ssh-unreachable', 'timed-out'], true, 'laptop-offline'],
  [['agent-not-answering', 'agent-not-answering'], false, 'agents-not-answering'],
  [['agent-not-answering', 'ssh-unreachable'], false, 'servers-unreachable'],
  [['ssh-unreachable', 'secret-needed'], false, 'secret-needed'],
  [['host-key-changed', 'agent-not-answering'], false, 'host-key-changed'],
  [['secret-needed', 'ssh-unreachable'], true, 'secret-needed'],
])('when nobody answers (%j, laptop offline: %s) the one thing to say is %s', (codes, offline, expected) => {
  expect(faultOfAll(silent(...codes), offline).code).toBe(expected);
});

test('a fault of all names the nodes that it is about', () => {
  expect(faultOfAll(silent('timed-out', 'timed-out'), false).details['nodes']).toEqual(['n1', 'n2']);
  expect(faultOfAll(silent('ssh-unreachable', 'secret-needed'), false).details['node']).toBe('n2');
});

describe('when a node is asked again', () => {
  const delayMs = (code: string, failures = 1, details = {}): number | null =>
    retryDelayMs(new Fault(code, { message: code }, details), failures, paceMs);

  it('soon, then ever more rarely, but never so that a server that returns is missed for long', () => {
    const delays = [1, 2, 3, 4, 9, 200].map((failures) => delayMs('ssh-unreachable', failures));
    expect(delays).toEqual([500, 1000, 2000, 3000, 3000, 3000]);
  });
  it('not by itself where sudo counts each attempt until it locks the account', () => {
    expect(delayMs('sudo-password-wrong')).toBeNull();
    expect(delayMs('secret-needed', 1, { kind: 'sudo-password' })).toBeNull();
  });
  it('rarely where somebody else mends it', () => {
    expect(delayMs('version-skew')).toBeGreaterThan(10_000);
    expect(delayMs('secret-needed', 1, { kind: 'ssh-password' })).toBeGreaterThan(10_000);
  });
});
