/** Statuses for the tests of the screens: what agents would answer in the situations that a person meets. */
import type { ClusterStatus, ModuleOnNode, TimelineEvent } from '../../agent/contract/index.ts';

export const at = '2026-01-01T14:02:11Z';
/** What pages of the demonstration take for the time, so that ages and screenshots are the same every day. */
export const nowOfPages = new Date('2026-01-01T14:02:15Z');

type NodeStatus = ClusterStatus['nodes'][number];
type Module = ClusterStatus['modules'][number];

const node1: NodeStatus = { name: 'n1', reachable: true, lastSeen: at, agentVersion: '0.1.0' };
const node2: NodeStatus = { name: 'n2', reachable: true, lastSeen: at, agentVersion: '0.1.0' };
const silent = (node: NodeStatus, fault?: NodeStatus['fault']): NodeStatus => ({
  ...node,
  reachable: false,
  lastSeen: '2026-01-01T14:01:57Z',
  ...(fault === undefined ? {} : { fault }),
});

const primary: ModuleOnNode = {
  name: 'n1',
  state: 'primary',
  data: 'up-to-date',
  runningSince: '2025-12-28T11:51:11Z',
};
const secondary: ModuleOnNode = { name: 'n2', state: 'secondary', data: 'up-to-date' };
const unseen: ModuleOnNode = { name: 'n2', state: 'unknown', data: 'unknown' };

const database: Module = {
  name: 'db',
  kind: 'mirror',
  protected: true,
  maintenance: false,
  generation: '7',
  nodes: [primary, secondary],
  vip: [{ address: '10.77.0.50', on: 'n1' }],
  metrics: {
    replicatedBytesPerSecond: 41e6,
    writeLatencyP50Ms: 0.4,
    writeLatencyP99Ms: 1.9,
    changesPerSecond: 812,
  },
};

export const protectedCluster: ClusterStatus = {
  schemaVersion: 1,
  cluster: 'site-a',
  observedAt: at,
  protected: true,
  sentence: 'Protected.',
  nodes: [node1, node2],
  witness: { kind: 'voting', reachable: true },
  networks: [
    { name: 'lan', alive: true, roundTripMs: 0.3, replicates: true },
    { name: 'sync', alive: true, roundTripMs: 0.2, replicates: false },
  ],
  modules: [database],
};

function variant(change: Partial<ClusterStatus>, module: Partial<Module> = {}): ClusterStatus {
  const isProtected = module.protected ?? false;
  return {
    ...protectedCluster,
    protected: isProtected,
    sentence: '',
    ...change,
    modules: [{ ...database, protected: isProtected, ...module }],
  };
}

const darkNetworks = protectedCluster.networks?.map((network) => ({
  ...network,
  alive: false,
  roundTripMs: null,
  replicates: false,
}));
const withoutNetworks = darkNetworks === undefined ? {} : { networks: darkNetworks };

/** n2 has lost its power. */
export const aloneCluster = variant(
  { nodes: [node1, silent(node2)], ...withoutNetworks },
  {
    nodes: [
      {
        ...primary,
        state: 'alone',
        reason: 'peer-silent',
        message: 'n2 is silent. It will catch up by itself when it returns.',
        since: at,
      },
      unseen,
    ],
  },
);

/** n2 is back and is being brought up to date. */
export const resynchronisingCluster = variant(
  {},
  {
    nodes: [
      { ...primary, reason: 'peer-resynchronising', message: 'n2 is being brought up to date.', since: at },
      {
        ...secondary,
        data: 'resynchronising',
        reason: 'resynchronising',
        message: 'n2 is being brought up to date.',
        since: at,
        resync: { doneBytes: 1e9, totalBytes: 3e9, sentBytes: 4e8, bytesPerSecond: 41e6, etaSeconds: 48 },
      },
    ],
  },
);

/** A comparison has found that the copies differ: nobody makes them equal without an order. */
export const differingCluster = variant(
  {},
  {
    nodes: [
      { ...primary, reason: 'copies-differ', message: 'The secondary’s copy differs.', since: at },
      { ...secondary, data: 'stale', reason: 'copies-differ', message: 'The copy differs.', since: at },
    ],
  },
);

/** Both servers changed data while they could not see each other. */
export const forkedCluster = variant(
  {},
  {
    nodes: [
      {
        ...primary,
        state: 'alone',
        data: 'forked',
        reason: 'forked',
        message: 'Both servers changed data.',
        since: at,
      },
      {
        ...secondary,
        state: 'wait',
        data: 'forked',
        reason: 'forked',
        message: 'Both servers changed data.',
        since: at,
      },
    ],
  },
);

/** After a double outage n2 has come back first, with the older copy. */
export const waitingCluster = variant(
  { nodes: [silent(node1), node2], ...withoutNetworks },
  {
    nodes: [
      { ...unseen, name: 'n1' },
      {
        ...secondary,
        state: 'wait',
        data: 'stale',
        reason: 'copy-stale',
        message: 'This copy is not complete. Bring n1 back; promote only if its data is lost.',
        since: at,
      },
    ],
    vip: [{ address: '10.77.0.50', on: null }],
  },
);

/** Stopped by order on both servers. */
export const stoppedCluster = variant(
  {},
  {
    nodes: [
      {
        name: 'n1',
        state: 'stopped',
        data: 'up-to-date',
        reason: 'stopped-by-order',
        message: 'Stopped by order.',
        since: at,
      },
      {
        name: 'n2',
        state: 'stopped',
        data: 'up-to-date',
        reason: 'stopped-by-order',
        message: 'Stopped by order.',
        since: at,
      },
    ],
    vip: [{ address: '10.77.0.50', on: null }],
    metrics: null,
  },
);

export const maintenanceCluster = variant({}, { maintenance: true });

/** Protected, but a second failure would stop the application. */
export const witnessLostCluster = variant({ witness: { kind: 'voting', reachable: false } }, { protected: true });

/** SSH to n2 works, but nobody answers there. */
export const agentDeadCluster = variant(
  {
    nodes: [
      node1,
      silent(node2, {
        code: 'agent-not-answering',
        message: 'SSH to n2 works, but the agent does not answer.',
        remedy: 'Look at its journal: journalctl -u holdfastd.',
      }),
    ],
  },
  {
    nodes: [{ ...primary, state: 'alone', reason: 'peer-silent', message: 'n2 is silent.', since: at }, { ...unseen }],
  },
);

/** Neither server can be reached from the laptop. */
export const bothUnreachableCluster = variant(
  {
    nodes: [
      silent(node1, { code: 'ssh-unreachable', message: 'n1 cannot be reached by SSH.' }),
      silent(node2, { code: 'ssh-unreachable', message: 'n2 cannot be reached by SSH.' }),
    ],
    witness: { kind: 'voting', reachable: null },
    ...withoutNetworks,
  },
  {
    nodes: [{ ...unseen, name: 'n1' }, unseen],
    vip: [{ address: '10.77.0.50', on: null }],
    metrics: null,
  },
);

/** The disk of the secondary is full. */
export const diskFullCluster = variant(
  {},
  {
    nodes: [
      {
        ...primary,
        state: 'alone',
        reason: 'peer-expelled',
        message: 'n2 could not record a change: its disk is full.',
        since: at,
      },
      {
        ...secondary,
        state: 'wait',
        data: 'stale',
        reason: 'disk-full',
        message: 'The file system of /data/db on n2 is full.',
        since: at,
      },
    ],
  },
);

/** As agents tell them: a failover, and the return of the other server. */
export const timelineEvents: readonly TimelineEvent[] = [
  {
    at: '2026-01-01T13:40:02Z',
    node: 'n1',
    sequence: 41,
    module: 'db',
    code: 'peer-silent',
    message: 'n2 has been silent for 3.0 s on both networks; n2 is silent, the witness grants the lease.',
    severity: 'attention',
    evidence: { networks: 2, silentMs: 3000, peerVote: 'silent', witnessVote: 'granted' },
  },
  {
    at: '2026-01-01T13:40:03Z',
    node: 'n1',
    sequence: 42,
    module: 'db',
    code: 'becomes-primary',
    message:
      'n1 takes the application because n2 has been silent for 3.0 s on both networks; n2 is silent, the witness grants the lease.',
    severity: 'info',
    evidence: {
      purpose: 'takeover',
      generation: 7,
      silentMs: 3012,
      networks: 2,
      peerVote: 'silent',
      witnessVote: 'granted',
    },
  },
  {
    at: '2026-01-01T13:40:04Z',
    node: 'n1',
    sequence: 43,
    module: 'db',
    code: 'became-primary',
    message: 'n1 runs the application; starting took 812 ms.',
    severity: 'good',
    evidence: { tookMs: 812 },
  },
  {
    at: '2026-01-01T13:41:23Z',
    node: 'n1',
    sequence: 44,
    module: 'db',
    code: 'peer-heard',
    message: 'n2 is heard.',
    severity: 'info',
    evidence: {},
  },
  {
    at: '2026-01-01T13:41:24Z',
    node: 'n2',
    sequence: 13,
    module: 'db',
    code: 'became-secondary',
    message: 'n2 is secondary: it receives the changes of n1.',
    severity: 'info',
    evidence: {},
  },
  {
    at: '2026-01-01T13:42:01Z',
    node: 'n1',
    sequence: 45,
    module: 'db',
    code: 'protected',
    message: 'Protected: both servers have every acknowledged write.',
    severity: 'good',
    evidence: {},
  },
];
