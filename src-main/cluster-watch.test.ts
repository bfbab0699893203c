import { expect, test } from 'vitest';
import { Fault, type ClusterStatus } from '../agent/contract/index.ts';
import type { ClusterView } from './app-api/index.ts';
import { ClusterWatch } from './cluster-watch.ts';

const status: ClusterStatus = {
  schemaVersion: 1,
  cluster: 'site-a',
  observedAt: '2026-01-01T00:00:00Z',
  protected: true,
  sentence: 'Protected.',
  nodes: [],
  witness: { kind: 'none', reachable: null },
  modules: [],
};

/** The next answer of the cluster; a fault is thrown. */
function scripted(...answers: readonly (ClusterStatus | Fault)[]): () => Promise<ClusterStatus> {
  let next = 0;
  return async () => {
    const answer = answers[next++];
    if (!answer) throw new Error('asked more often than expected');
    if (answer instanceof Fault) throw answer;
    return answer;
  };
}

test('no cluster known is a view of its own, not a failure', async () => {
  using watch = new ClusterWatch(scripted(new Fault('no-cluster-known', { message: 'No cluster yet.' })));
  expect(await watch.refresh()).toEqual({ kind: 'none' });
});

test('an unreadable cluster keeps its last picture and the time since when', async () => {
  const silent = new Fault('unreachable', { message: 'Neither server answers.' });
  using watch = new ClusterWatch(scripted(status, silent, silent));
  await watch.refresh();
  const first = await watch.refresh();
  const second = await watch.refresh();
  expect(first).toMatchObject({ kind: 'unreadable', last: status, fault: { code: 'unreachable' } });
  expect(second).toEqual(first);
});

test('all who look are told; calls during a reading share it', async () => {
  let readings = 0;
  using watch = new ClusterWatch(async () => {
    readings++;
    return status;
  });
  const seen: ClusterView[] = [];
  const stop = watch.watch((view) => seen.push(view));
  await Promise.all([watch.refresh(), watch.refresh()]);
  stop();
  expect(readings).toBe(1);
  expect(seen).toEqual([{ kind: 'read', status }]);
});
