import { expect, it } from 'vitest';
import { Fault } from '../contract/index.ts';
import { LeaseOutbox } from './lease-outbox.ts';

/** A replicator that notes what it is told. */
function makeClient(knowsMany: boolean): { client: never; calls: unknown[] } {
  const calls: unknown[] = [];
  const client = {
    call: async (method: string, params: unknown) => {
      calls.push([method, params]);
      if (method === 'setLeases' && !knowsMany) throw new Fault('unknown-method', { message: 'of an earlier version' });
      return null;
    },
  };
  return { client: client as never, calls };
}
const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('tells the leases of one turn in one call, the later of two of one module', async () => {
  const { client, calls } = makeClient(true);
  const outbox = new LeaseOutbox();
  outbox.add(client, { module: 'a', deadlineMs: 1 });
  outbox.add(client, { module: 'b', deadlineMs: 2 });
  outbox.add(client, { module: 'a', deadlineMs: 0 });
  await endOfTurn();
  const leases = [
    { module: 'a', deadlineMs: 0 },
    { module: 'b', deadlineMs: 2 },
  ];
  expect(calls).toEqual([['setLeases', { leases }]]);
});

it('tells a replicator of an earlier version one by one, and asks it once only', async () => {
  const { client, calls } = makeClient(false);
  const outbox = new LeaseOutbox();
  const lease = { module: 'a', deadlineMs: 1 };
  for (let turn = 0; turn < 2; turn++) {
    outbox.add(client, lease);
    await endOfTurn();
  }
  expect(calls).toEqual([
    ['setLeases', { leases: [lease] }],
    ['setLease', lease],
    ['setLease', lease],
  ]);
});

it('a replicator that came back is not told what its predecessor was to be told', async () => {
  const former = makeClient(true);
  const next = makeClient(true);
  const outbox = new LeaseOutbox();
  outbox.add(former.client, { module: 'a', deadlineMs: 1 });
  outbox.add(next.client, { module: 'b', deadlineMs: 2 });
  await endOfTurn();
  expect(former.calls).toEqual([]);
  expect(next.calls).toEqual([['setLeases', { leases: [{ module: 'b', deadlineMs: 2 }] }]]);
});
