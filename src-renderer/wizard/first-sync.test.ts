import { expect, test } from 'vitest';
import type { ClusterStatus, ModuleOnNode } from '../../agent/contract/index.ts';
import { firstSyncOf } from './first-sync.ts';

const at = '2026-01-01T14:00:00Z';
function status(isProtected: boolean, ...nodes: ModuleOnNode[]): ClusterStatus {
  return {
    schemaVersion: 1,
    cluster: 'site-a',
    observedAt: at,
    protected: isProtected,
    sentence: '',
    nodes: [],
    witness: { kind: 'none', reachable: null },
    modules: [
      { name: 'db', kind: 'mirror', protected: isProtected, maintenance: false, generation: null, nodes, vip: [] },
    ],
  };
}
const primary: ModuleOnNode = { name: 'n1', state: 'primary', data: 'up-to-date' };
const target: ModuleOnNode = { name: 'n2', state: 'secondary', data: 'resynchronising' };
const resync = { doneBytes: 1, totalBytes: 4, sentBytes: 1, bytesPerSecond: 2, etaSeconds: 3 };

test('the figures stand on either side', () => {
  const expected = {
    kind: 'copying',
    from: 'n1',
    to: 'n2',
    doneBytes: 1,
    totalBytes: 4,
    bytesPerSecond: 2,
    etaSeconds: 3,
  };
  expect(firstSyncOf({ kind: 'read', status: status(false, primary, { ...target, resync }) })).toEqual(expected);
  expect(firstSyncOf({ kind: 'read', status: status(false, { ...primary, resync }, target) })).toEqual(expected);
});

test('unknown figures stay unknown, never 0', () => {
  expect(firstSyncOf({ kind: 'read', status: status(false, primary, target) })).toMatchObject({
    doneBytes: null,
    totalBytes: null,
    etaSeconds: null,
  });
});

test('it ends when the agents say protected, not before', () => {
  expect(firstSyncOf({ kind: 'read', status: status(true, primary, target) }).kind).toBe('protected');
  expect(firstSyncOf({ kind: 'read', status: status(false, primary) }).kind).toBe('waiting');
  expect(firstSyncOf({ kind: 'read', status: { ...status(true), modules: [] } }).kind).toBe('waiting');
});

test('a laptop that loses the cluster keeps what it has seen', () => {
  const fault = { code: 'ssh-unreachable', message: '', remedy: '', details: {} };
  const last = status(false, primary, { ...target, resync });
  expect(firstSyncOf({ kind: 'unreadable', fault, since: at, last }).kind).toBe('copying');
  expect(firstSyncOf({ kind: 'unreadable', fault, since: at, last: null }).kind).toBe('reading');
  expect(firstSyncOf(null).kind).toBe('reading');
});
