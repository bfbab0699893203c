/** The explorer finds its way through the real core, and its judges can fail. */
import { expect, it } from 'vitest';
import { Breach, Draft } from './draft.ts';
import { explore } from './explore.ts';
import { rootOf } from './runs.ts';
import { isHealthy, quietUntil, situation, situations } from './roots.ts';
import { timing, type NodeModel } from './model.ts';

it.each(situations)('reaches "%s", and a quiet cluster is protected again from there', (name) => {
  const ordered = name === 'stopped';
  expect(quietUntil(situation(name, 'witness'), (world) => ordered || isHealthy(world))).not.toBeNull();
});

it('searches all of two ticks from a protected cluster, and nothing breaks', () => {
  const root = rootOf({ from: 'protected', disorder: 'any', ticks: 2, budget: {} });
  const result = explore(root, { statesMax: 100_000, depthMax: 1000 });
  expect(result.breach).toBeNull();
  expect(result.complete).toBe(true);
  expect(result.states).toBeGreaterThan(500);
});

it('notices two nodes that answer, and shows the way there', () => {
  const root = rootOf({ from: 'protected', disorder: 'named', ticks: 1, budget: {} });
  const [first, second] = root.nodes;
  const leased = second.clockMs + timing.leaseMs * 4;
  const volume = { ...second.volume, role: 'primary' as const, leaseMs: leased };
  const usurper: NodeModel = { ...second, application: true, vip: true, kernelLeaseMs: leased, volume };
  const result = explore({ ...root, nodes: [first, usurper] }, { statesMax: 1000, depthMax: 100 });
  expect(result.breach?.what).toContain('two primaries');
  expect(result.breach?.moves.length).toBeGreaterThan(0);
});

it('notices an action that comes before its record is on disk', () => {
  const draft = new Draft(situation('bare', 'witness'));
  expect(() => {
    draft.require(false, 'order');
  }).toThrow(Breach);
});
