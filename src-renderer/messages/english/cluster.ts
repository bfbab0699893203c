/** Of a cluster: its sentence, its picture, its modules. */
import type { ModuleOnNode } from '../../../agent/contract/index.ts';

export const cluster = {
  refresh: 'Read again',
  reading: 'Reading the cluster …',
  cannotRead: (time: string) => `The cluster cannot be read since ${time}. What you see is older.`,
  protected: 'Protected.',
  protectedResynchronising: (left: string) => `Protected, resynchronising: ${left} left.`,
  notProtected: (time: string | null, reason: string) =>
    time === null ? `Not protected — ${reason}` : `Not protected since ${time} — ${reason}`,
  notProtectedResynchronising: (node: string, left: string) =>
    `Not protected yet: ${node} is being brought up to date, ${left} left.`,
  maintenance: (module: string) => `Protection is off: ${module} is in maintenance.`,
  forked: 'Needs you: both servers changed data while they could not see each other. Nothing was erased.',
  noModules: 'No module yet: nothing is protected.',
  unreachable: (node: string) => `${node} cannot be reached from here.`,
  lastSeen: (time: string) => `last seen ${time}`,
  neverSeen: 'never seen from here',
  observedAt: (time: string) => `as of ${time}`,
  states: {
    stopped: 'stopped',
    wait: 'waits',
    alone: 'alone',
    primary: 'primary',
    secondary: 'secondary',
    up: 'up',
    unknown: 'unknown',
    transient: 'changing',
  } satisfies Readonly<Record<ModuleOnNode['state'], string>>,
  data: {
    'up-to-date': 'up to date',
    resynchronising: 'resynchronising',
    stale: 'stale',
    forked: 'forked',
    unknown: 'unknown',
  } satisfies Readonly<Record<ModuleOnNode['data'], string>>,
  witness: 'witness',
  noWitness: 'no witness',
  witnessLost: 'witness silent',
  inSync: 'in sync',
  notConnected: 'no replication',
  modules: 'Modules',
  moduleProtected: 'protected',
  moduleNotProtected: 'not protected',
  moduleMaintenance: 'maintenance',
  virtualAddress: 'virtual IP',
  nowhere: 'on no server',
  /** By reason code; `peer` is the other node. English agents say more themselves. */
  reasons: {
    'stopped-by-order': () => 'Stopped by order.',
    'peer-silent': (_node, peer) => `${peer} is silent. It will catch up by itself when it returns.`,
  } as Readonly<Record<string, (node: string, peer: string) => string>>,
};
