import { describe, expect, it } from 'vitest';
import {
  clusterStatusSchema,
  type ModuleMetrics,
  type ModuleOnNode,
  type NodeStatus,
} from '../../agent/contract/status.ts';
import { parseConfiguration } from '../configuration/index.ts';
import { mergeClusterStatus, type NodeObservation } from './merge.ts';

const configuration = parseConfiguration(
  `version: 1
cluster: site-a
nodes: [{ name: n1, ssh: root@10.0.0.1 }, { name: n2, ssh: root@10.0.0.2 }]
witness: { ssh: root@10.0.0.3 }
modules:
  - { name: db, kind: mirror, replicate: [{ path: /data/db }], vip: 10.0.0.50/24, start: a, stop: b }
`,
  'site.yaml',
);
const now = '2026-11-22T14:05:00.000Z';
const earlier = '2026-11-22T14:02:00.000Z';

function moduleOn(name: string, state: ModuleOnNode['state'], more: Partial<ModuleOnNode> = {}): ModuleOnNode {
  return { name, state, data: 'up-to-date', ...more };
}

function status(
  node: string,
  own: ModuleOnNode,
  more: {
    peer?: ModuleOnNode;
    peerAlive?: boolean;
    protected?: boolean;
    here?: boolean;
    witness?: boolean;
    maintenance?: boolean;
    metrics?: ModuleMetrics;
    networks?: NodeStatus['peer']['networks'];
  } = {},
): NodeStatus {
  const peer = node === 'n1' ? 'n2' : 'n1';
  return {
    cluster: 'site-a',
    node,
    agentVersion: '0.1.0',
    observedAt: now,
    revision: 1,
    witness: { kind: 'voting', reachable: more.witness ?? true },
    peer: {
      name: peer,
      alive: more.peerAlive ?? true,
      lastHeard: more.peerAlive === false ? earlier : now,
      agentVersion: '0.1.0',
      networks: more.networks ?? [{ name: 'lan', alive: more.peerAlive ?? true }],
    },
    modules: [
      {
        name: 'db',
        protected: more.protected ?? true,
        maintenance: more.maintenance ?? false,
        generation: '3.x',
        vips: [{ address: '10.0.0.50', here: more.here ?? false }],
        metrics: more.metrics ?? null,
        own,
        peer: more.peer ?? null,
      },
    ],
  };
}

function seen(view: NodeStatus): NodeObservation {
  return { name: view.node, status: view, fault: null, lastSeen: now, agentVersion: view.agentVersion };
}
function unseen(name: string, code = 'ssh-unreachable'): NodeObservation {
  const fault = { code, message: `${name} cannot be reached on port 22: no answer.`, remedy: '', details: {} };
  return { name, status: null, fault, lastSeen: null, agentVersion: null };
}
function merge(...observations: NodeObservation[]) {
  const merged = mergeClusterStatus({ cluster: 'site-a', configuration, observations, observedAt: now });
  return clusterStatusSchema.parse(merged);
}

describe('the status of a cluster', () => {
  it('passes on what the node with the application measures, and since when it runs there', () => {
    const metrics = {
      replicatedBytesPerSecond: 9,
      writeLatencyP50Ms: 0.1,
      writeLatencyP99Ms: 0.4,
      changesPerSecond: 3,
    };
    const runningSince = earlier;
    const merged = merge(
      seen(status('n1', moduleOn('n1', 'secondary'))),
      seen(status('n2', moduleOn('n2', 'primary', { runningSince }), { metrics })),
    );
    expect(merged.modules[0]?.metrics).toEqual(metrics);
    expect(merged.modules[0]?.nodes[1]).toMatchObject({ name: 'n2', runningSince });
    expect(merge(unseen('n1'), unseen('n2')).modules[0]?.metrics).toBeNull();
  });

  it('tells of each network whether both hear each other on it, and which one replicates', () => {
    const merged = merge(
      seen(
        status('n1', moduleOn('n1', 'primary'), {
          networks: [
            { name: 'lan', alive: true, roundTripMs: 0.2, replicates: true },
            { name: 'sync', alive: true, roundTripMs: null, replicates: false },
          ],
        }),
      ),
      seen(
        status('n2', moduleOn('n2', 'secondary'), {
          networks: [
            { name: 'lan', alive: true, roundTripMs: null, replicates: true },
            { name: 'sync', alive: false },
          ],
        }),
      ),
    );
    expect(merged.networks).toEqual([
      { name: 'lan', alive: true, roundTripMs: 0.2, replicates: true },
      { name: 'sync', alive: false, roundTripMs: null, replicates: false },
    ]);
    expect(merge(unseen('n1'), unseen('n2')).networks).toEqual([]);
  });

  it('is protected when both say so, and tells where the address is', () => {
    const merged = merge(
      seen(status('n1', moduleOn('n1', 'primary'), { here: true })),
      seen(status('n2', moduleOn('n2', 'secondary'))),
    );
    expect(merged).toMatchObject({
      protected: true,
      sentence: 'Protected.',
      witness: { kind: 'voting', reachable: true },
      modules: [{ vip: [{ address: '10.0.0.50', on: 'n1' }], generation: '3.x' }],
    });
  });

  it('says that a node is silent, since when, and what that may mean', () => {
    const merged = merge(
      seen(status('n1', moduleOn('n1', 'alone'), { protected: false, peerAlive: false, here: true })),
      unseen('n2'),
    );
    expect(merged.modules[0]!.nodes[1]).toMatchObject({
      state: 'unknown',
      data: 'unknown',
      reason: 'node-silent',
      since: earlier,
    });
    expect(merged.sentence).toMatch(/^Not protected since \d\d:\d\d — n2 is silent .* Nothing to do/);
    expect(merged.nodes[1]).toMatchObject({ reachable: false, lastSeen: null, agentVersion: null });
  });

  it('takes the word of the other agent for a node that only we cannot reach', () => {
    const merged = merge(
      seen(status('n1', moduleOn('n1', 'primary'), { peer: moduleOn('db', 'secondary') })),
      unseen('n2'),
    );
    expect(merged.protected).toBe(true);
    expect(merged.modules[0]!.nodes[1]).toEqual({ name: 'n2', state: 'secondary', data: 'up-to-date' });
  });

  it('has the address where the one that nobody here can ask told that it is primary', () => {
    const merged = merge(
      unseen('n1'),
      seen(status('n2', moduleOn('n2', 'secondary'), { peer: moduleOn('db', 'primary') })),
    );
    expect(merged.modules[0]!.vip).toEqual([{ address: '10.0.0.50', on: 'n1' }]);
  });

  it('invents nothing when nobody can be reached', () => {
    const merged = merge(unseen('n1'), unseen('n2', 'agent-not-answering'));
    expect(merged.protected).toBe(false);
    expect(merged.sentence).toMatch(/^Unknown: neither server can be reached/);
    expect(merged.witness.reachable).toBeNull();
    expect(merged.modules[0]).toMatchObject({ generation: null, vip: [{ address: '10.0.0.50', on: null }] });
    expect(merged.modules[0]!.nodes.map((node) => [node.state, node.reason])).toEqual([
      ['unknown', 'ssh-unreachable'],
      ['unknown', 'agent-not-answering'],
    ]);
  });

  it.each([
    [
      'a fork',
      moduleOn('n1', 'wait', { data: 'forked', message: 'x', reason: 'forked', since: now }),
      /^Needs you: both servers changed data/,
    ],
    [
      'waiting',
      moduleOn('n1', 'wait', { message: 'n1 waits for n2', reason: 'w', since: now }),
      /— n1 waits for n2\.$/,
    ],
    ['a stop', moduleOn('n1', 'stopped'), /^Stopped: db runs on neither server\.$/],
    [
      'a resync',
      moduleOn('n1', 'secondary', {
        data: 'resynchronising',
        since: now,
        resync: { doneBytes: 1, totalBytes: 2, sentBytes: 1, bytesPerSecond: 1, etaSeconds: 700 },
      }),
      /^Not protected since .*n1 resynchronises: 12 min left\. Nothing to do\.$/,
    ],
  ])('finds words for %s', (_name, own, sentence) => {
    const other = own.state === 'stopped' ? moduleOn('n2', 'stopped') : moduleOn('n2', 'primary');
    const merged = merge(
      seen(status('n1', own, { protected: false })),
      seen(status('n2', other, { protected: false })),
    );
    expect(merged.sentence).toMatch(sentence);
  });

  it('tells maintenance and a silent witness apart from danger', () => {
    const own = moduleOn('n1', 'primary');
    const peer = moduleOn('n2', 'secondary');
    const maintained = merge(
      seen(status('n1', own, { protected: false, maintenance: true })),
      seen(status('n2', peer, { protected: false, maintenance: true })),
    );
    expect(maintained.sentence).toContain('maintenance');
    const lonely = merge(seen(status('n1', own, { witness: false })), seen(status('n2', peer, { witness: false })));
    expect(lonely.sentence).toMatch(/^Protected, but the witness does not answer/);
    const unwell = moduleOn('n1', 'primary', { reason: 'checker-failed', message: 'The checker "tcp 1" fails.' });
    expect(merge(seen(status('n1', unwell)), seen(status('n2', peer))).sentence).toBe(
      'Protected, but on n1: The checker "tcp 1" fails.',
    );
  });
});
