import { describe, expect, it } from 'vitest';
import type { ClusterRecord, ModuleDefinition, VolumeStatus } from '../contract/index.ts';
import { freshRecord, initialMirror, stepMirror, timingFor } from '../core/index.ts';
import type { MirrorState } from '../core/index.ts';
import { Measurements } from './measurements.ts';
import type { StatusInput } from './status.ts';
import { nodeStatus, statusFingerprint } from './status.ts';

const script = { command: 'true', timeoutMs: 1000 };
const definition: ModuleDefinition = {
  name: 'db',
  prefer: null,
  failback: 'manual',
  dependsOn: [],
  volumes: [{ id: 'db/0', path: '/data/db', volumeUuid: 'u' }],
  cache: 'writeback',
  acknowledge: 'durable',
  vips: [],
  scripts: { prestart: null, start: script, stop: script, poststop: null, forceStop: null, transition: null },
  checkers: [],
  restartLimit: { count: 3, windowMs: 86_400_000 },
};
const record: ClusterRecord = {
  format: 1,
  revision: 1,
  cluster: 'site-a',
  clusterUuid: 'c',
  nodes: [
    { name: 'n1', addresses: ['10.0.0.1', '10.1.0.1'] },
    { name: 'n2', addresses: ['10.0.0.2', '10.1.0.2'] },
  ],
  networks: [
    { name: 'lan', subnet: '10.0.0.0/24' },
    { name: 'sync', subnet: '10.1.0.0/24' },
  ],
  witness: null,
  pingWitness: null,
  withoutWitness: 'prefer-one-copy',
  detectionMs: 3000,
  modules: [definition],
};
const bootMs = 500_000;

/** The application has been running for a hundred seconds, under this boot. */
function active(): MirrorState {
  const identity = {
    module: 'db',
    node: 'n1',
    peer: 'n2',
    prefer: null,
    failback: 'manual',
    dependsOn: [],
    witness: false,
    pingWitness: null,
    withoutWitness: 'prefer-one-copy',
    timing: timingFor(3000),
    checkers: [],
    restartLimit: { count: 3, windowMs: 86_400_000 },
    session: 's',
    bootId: 'b',
  } as const;
  const running = {
    ...freshRecord(),
    wanted: 'started',
    activeBoot: 'b',
    running: true,
    runningSinceMs: bootMs - 100_000,
  } as const;
  const volume: VolumeStatus = {
    id: 'db/0',
    path: '/data/db',
    record: {
      format: 1,
      volumeUuid: 'u',
      generation: { number: 1, id: 'g' },
      history: [],
      copy: 'up-to-date',
      peerStale: false,
      cleanCheckpoint: null,
    },
    role: 'primary',
    mode: 'in-sync',
    link: 'up',
    resync: null,
    fault: null,
  };
  const state = initialMirror(identity, running, bootMs);
  return stepMirror(state, { type: 'data', volumes: [volume], atMs: bootMs }).state;
}

function measured(bytes: number): Measurements {
  const measurements = new Measurements();
  for (const [atMs, changeBytes] of [
    [bootMs - 1000, 0],
    [bootMs, bytes],
  ] as const)
    measurements.take(atMs, [
      {
        volume: 'db/0',
        link: { address: '10.1.0.2', roundTripMs: 0.2 + bytes / 1e6 },
        primary: { role: 7, changeBytes, resyncBytes: 0, latency: [] },
      },
    ]);
  return measurements;
}

function input(measurements: Measurements, change: Partial<StatusInput> = {}): StatusInput {
  return {
    record,
    node: 'n1',
    peer: 'n2',
    agentVersion: '1.0.0',
    bootMs,
    wallMs: Date.parse('2026-01-02T00:00:00Z'),
    peerView: { agentVersion: null, heardMs: new Map(), beats: new Map() },
    witnessHeardMs: null,
    pingWitnessReachable: null,
    measurements,
    modules: [{ definition, state: active(), raised: new Set() }],
    ...change,
  };
}

describe('the status of a node', () => {
  it('tells since when the application runs here, what is measured, and which network replicates', () => {
    const status = nodeStatus(input(measured(1000)));
    expect(status.modules[0]?.own).toMatchObject({ state: 'primary', runningSince: '2026-01-01T23:58:20.000Z' });
    expect(status.modules[0]?.metrics).toMatchObject({ replicatedBytesPerSecond: 1000 });
    expect(status.peer.networks).toEqual([
      { name: 'lan', alive: false, roundTripMs: null, replicates: false },
      { name: 'sync', alive: false, roundTripMs: 0.201, replicates: true },
    ]);
  });

  it('is not told again for what changes all the time', () => {
    const before = statusFingerprint(nodeStatus(input(measured(1000))));
    // Two clocks, read one after the other: the same instant comes out a millisecond later.
    const later = nodeStatus(input(measured(5000), { wallMs: Date.parse('2026-01-02T00:00:00.001Z') }));
    expect(statusFingerprint(later)).toBe(before);
    const another = { ...active(), phase: { name: 'stopped' } } as const;
    const modules = [{ definition, state: another, raised: new Set<string>() }];
    expect(statusFingerprint(nodeStatus(input(measured(1000), { modules })))).not.toBe(before);
  });
});
