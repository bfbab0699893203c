import { expect, it } from 'vitest';
import type { NodeStatus } from '../contract/index.ts';
import { StatusTeller } from './status-teller.ts';

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('tells the first change at once, those after it together, and nothing that has not changed', async () => {
  let nowMs = 1000;
  let revision = 1;
  const told: number[] = [];
  const delays: { readonly ms: number; readonly end: () => void }[] = [];
  const teller = new StatusTeller(
    {
      clock: { bootMs: () => nowMs, wallMs: () => 0 },
      timers: {
        every: () => ({ [Symbol.dispose]: () => undefined }),
        delay: (ms) => new Promise((resolve) => delays.push({ ms, end: () => resolve() })),
      },
    },
    () => ({ revision }) as NodeStatus,
    (status) => told.push(status.revision),
  );
  teller.soon();
  await endOfTurn();
  expect(told).toEqual([1]);
  nowMs += 30;
  for (revision of [2, 3]) teller.soon();
  await endOfTurn();
  expect(told).toEqual([1]);
  expect(delays.map(({ ms }) => ms)).toEqual([70]);
  nowMs += 70;
  delays[0]?.end();
  await endOfTurn();
  expect(told).toEqual([1, 3]);
  nowMs += 200;
  teller.soon();
  await endOfTurn();
  expect(told).toEqual([1, 3]);
});
