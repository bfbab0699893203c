import type { Messages } from './messages.ts';

export const english: Messages = {
  language: 'en',
  otherLanguage: 'Français',
  theme: 'Dark or light',
  refresh: 'Read again',
  reading: 'Reading the cluster …',
  noCluster: 'No cluster yet. You need two servers and ten minutes.',
  noClusterNext: 'Describe the two servers in a file, then install and start protection with',
  appLost: 'The app behind this page has stopped. Start it again; this page reconnects by itself.',
  cannotRead: (time) => `The cluster cannot be read since ${time}. What you see is older.`,
  protected: 'Protected.',
  protectedResynchronising: (left) => `Protected, resynchronising: ${left} left.`,
  notProtected: (time, reason) =>
    time === null ? `Not protected — ${reason}` : `Not protected since ${time} — ${reason}`,
  notProtectedResynchronising: (node, left) => `Not protected yet: ${node} is being brought up to date, ${left} left.`,
  maintenance: (module) => `Protection is off: ${module} is in maintenance.`,
  forked: 'Needs you: both servers changed data while they could not see each other. Nothing was erased.',
  noModules: 'No module yet: nothing is protected.',
  unreachable: (node) => `${node} cannot be reached from here.`,
  duration: (seconds) => {
    if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
    if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
    return `${Math.round(seconds / 3600)} h`;
  },
  unknownDuration: 'an unknown time',
  lastSeen: (time) => `last seen ${time}`,
  neverSeen: 'never seen from here',
  observedAt: (time) => `as of ${time}`,
  states: {
    stopped: 'stopped',
    wait: 'waits',
    alone: 'alone',
    primary: 'primary',
    secondary: 'secondary',
    up: 'up',
    unknown: 'unknown',
    transient: 'changing',
  },
  data: {
    'up-to-date': 'up to date',
    resynchronising: 'resynchronising',
    stale: 'stale',
    forked: 'forked',
    unknown: 'unknown',
  },
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
  reasons: {
    'stopped-by-order': () => 'Stopped by order.',
    'peer-silent': (_node, peer) => `${peer} is silent. It will catch up by itself when it returns.`,
  },
};
