/** Statuses for the tests of the screens: what agents would answer in the situations that a person meets. */
import type { ClusterStatus, ModuleOnNode } from '../../agent/contract/index.ts';

export const at = '2026-01-01T14:02:11Z';

const primary: ModuleOnNode = { name: 'n1', state: 'primary', data: 'up-to-date' };
const secondary: ModuleOnNode = { name: 'n2', state: 'secondary', data: 'up-to-date' };

function cluster(isProtected: boolean, one: ModuleOnNode, two: ModuleOnNode, reachable = true): ClusterStatus {
  return {
    schemaVersion: 1,
    cluster: 'site-a',
    observedAt: at,
    protected: isProtected,
    sentence: '',
    nodes: [
      { name: 'n1', reachable: true, lastSeen: at, agentVersion: '0.1.0' },
      { name: 'n2', reachable, lastSeen: '2026-01-01T14:01:57Z', agentVersion: '0.1.0' },
    ],
    witness: { kind: 'voting', reachable: true },
    modules: [
      {
        name: 'db',
        kind: 'mirror',
        protected: isProtected,
        maintenance: false,
        generation: '7',
        nodes: [one, two],
        vip: [{ address: '10.77.0.50', on: 'n1' }],
      },
    ],
  };
}

export const protectedCluster = cluster(true, primary, secondary);

export const aloneCluster = cluster(
  false,
  {
    ...primary,
    state: 'alone',
    reason: 'peer-silent',
    message: 'n2 is silent. It will catch up by itself when it returns.',
    since: at,
  },
  { name: 'n2', state: 'unknown', data: 'unknown' },
  false,
);

export const resynchronisingCluster = cluster(
  false,
  { ...primary, reason: 'peer-resynchronising', message: 'n2 is being brought up to date.', since: at },
  {
    ...secondary,
    data: 'resynchronising',
    reason: 'resynchronising',
    message: 'n2 is being brought up to date.',
    since: at,
    resync: { doneBytes: 1e9, totalBytes: 3e9, sentBytes: 4e8, bytesPerSecond: 41e6, etaSeconds: 48 },
  },
);
