import { expect, test } from 'vitest';
import type { ClusterStatus, ModuleOnNode } from '../../agent/contract/index.ts';
import { arrowOf, linesOf } from './flow.ts';

const primary: ModuleOnNode = { name: 'n1', state: 'primary', data: 'up-to-date' };
const secondary: ModuleOnNode = { name: 'n2', state: 'secondary', data: 'up-to-date' };

function status(modules: readonly (readonly [ModuleOnNode, ModuleOnNode, number | null])[]): ClusterStatus {
  return {
    schemaVersion: 1,
    cluster: 'a',
    observedAt: '2026-01-01T00:00:00Z',
    protected: true,
    sentence: '',
    nodes: ['n1', 'n2'].map((name) => ({ name, reachable: true, lastSeen: null, agentVersion: null })),
    witness: { kind: 'none', reachable: null },
    modules: modules.map(([one, two, rate], index) => ({
      name: `m${index}`,
      kind: 'mirror',
      protected: true,
      maintenance: false,
      generation: null,
      nodes: [one, two],
      vip: [],
      metrics: {
        replicatedBytesPerSecond: rate,
        writeLatencyP50Ms: null,
        writeLatencyP99Ms: null,
        changesPerSecond: null,
      },
    })),
  };
}
const reversed: readonly [ModuleOnNode, ModuleOnNode] = [
  { ...secondary, name: 'n1' },
  { ...primary, name: 'n2' },
];

test('in sync, from the one that runs it', () => {
  expect(arrowOf(status([[primary, secondary, 41e6]]))).toMatchObject({
    kind: 'sync',
    direction: 'right',
    bytesPerSecond: 41e6,
  });
  expect(arrowOf(status([[...reversed, null]]))).toMatchObject({
    kind: 'sync',
    direction: 'left',
    bytesPerSecond: null,
  });
});
test('two modules, each on its server: both ways, and the rates add up; an unknown rate adds nothing', () => {
  expect(
    arrowOf(
      status([
        [primary, secondary, 1],
        [...reversed, 2],
        [primary, secondary, null],
      ]),
    ),
  ).toMatchObject({
    direction: 'both',
    bytesPerSecond: 3,
  });
});
test('a resync shows how long', () => {
  const target: ModuleOnNode = {
    ...secondary,
    data: 'resynchronising',
    resync: { doneBytes: 1, totalBytes: 2, sentBytes: 1, bytesPerSecond: 9, etaSeconds: 5 },
  };
  expect(arrowOf(status([[primary, target, 1]]))).toEqual({
    kind: 'resync',
    direction: 'right',
    bytesPerSecond: 9,
    etaSeconds: 5,
  });
});
test('nobody follows: nothing flows', () => {
  const gone: ModuleOnNode = { name: 'n2', state: 'unknown', data: 'unknown' };
  expect(arrowOf(status([[{ ...primary, state: 'alone' }, gone, null]])).kind).toBe('none');
});
test('without networks there is one line; of several the replicating one carries, else the first that is alive', () => {
  const one = status([[primary, secondary, null]]);
  expect(linesOf(one)).toMatchObject([{ name: null, carries: true }]);
  const network = (name: string, alive: boolean, replicates: boolean) => ({ name, alive, replicates, roundTripMs: 1 });
  const carrying = (networks: ClusterStatus['networks']): unknown =>
    linesOf({ ...one, networks }).find(({ carries }) => carries)?.name;
  expect(carrying([network('a', true, false), network('b', true, true)])).toBe('b');
  expect(carrying([network('a', false, false), network('b', true, false)])).toBe('b');
  expect(carrying([network('a', false, false), network('b', false, false)])).toBe('a');
});
