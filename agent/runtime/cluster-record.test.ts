import { expect, it } from 'vitest';
import { replicatorApi } from '../contract/index.ts';
import type { ClusterRecord } from '../contract/index.ts';
import { replicatorConfiguration, sameCircumstances, stopOrder } from './cluster-record.ts';

function record(acknowledge: ClusterRecord['modules'][number]['acknowledge']): ClusterRecord {
  const script = { command: 'true', timeoutMs: 1000 };
  return {
    format: 1,
    revision: 1,
    cluster: 'c',
    clusterUuid: 'u',
    nodes: [
      { name: 'n1', addresses: ['10.0.0.1'] },
      { name: 'n2', addresses: ['10.0.0.2'] },
    ],
    networks: [{ name: 'lan', subnet: '10.0.0.0/24' }],
    witness: null,
    pingWitness: null,
    withoutWitness: 'prefer-one-copy',
    detectionMs: 3000,
    modules: [
      {
        name: 'db',
        prefer: null,
        failback: 'manual',
        dependsOn: [],
        volumes: [{ id: 'db/0', path: '/data', volumeUuid: 'v' }],
        cache: 'none',
        acknowledge,
        vips: [],
        scripts: {
          prestart: null,
          start: script,
          stop: script,
          poststop: null,
          forceStop: null,
          transition: null,
        },
        checkers: [],
        restartLimit: { count: 3, windowMs: 1000 },
      },
    ],
  };
}

it('the level of a module reaches the replicator, and is nothing that changes under a running one', () => {
  const configured = replicatorConfiguration(record('write-through'), 'n1');
  expect(replicatorApi.methods.configure.params.parse(configured).volumes[0]?.acknowledge).toBe('write-through');
  expect(sameCircumstances(record('received'), record('received'), 'db')).toBe(true);
  expect(sameCircumstances(record('received'), record('durable'), 'db')).toBe(false);
  const needy = record('received');
  needy.modules[0] = { ...needy.modules[0]!, dependsOn: ['files'] };
  expect(sameCircumstances(record('received'), needy, 'db')).toBe(false);
});

it('stops what depends on another module before it', () => {
  const module = (name: string, ...dependsOn: string[]): { name: string; dependsOn: string[] } => ({ name, dependsOn });
  expect(stopOrder([module('db'), module('web', 'app', 'files'), module('files'), module('app', 'db')])).toEqual([
    ['web'],
    ['files', 'app'],
    ['db'],
  ]);
  // Never written by the installer; nobody waits for ever.
  expect(stopOrder([module('a', 'b'), module('b', 'a')])).toEqual([['a', 'b']]);
});
