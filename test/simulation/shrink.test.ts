import { expect, it } from 'vitest';
import { run, type RunOptions, type RunResult } from './run.ts';
import { planFaults } from './schedule.ts';
import { Seen } from './seen.ts';
import { shrink } from './shrink.ts';

const planned = planFaults(7, ['power-off', 'swap'], 60_000);

/** Breaks when the third and the seventh fault both happen. */
function fragile({ seed, only, calm }: RunOptions): RunResult {
  const happens = (number: number): boolean => only?.has(number) !== false;
  const failure =
    happens(3) && happens(7) ? `invariant 1: at ${String(only?.size)}` : happens(5) ? 'liveness: other' : null;
  const trace = [`calm ${String(calm)}`];
  return { seed, failure, trace, planned, faults: {}, seen: new Seen(), acknowledgedWrites: 0, failovers: 0 };
}

it('keeps the faults that it takes, and no failure of another kind', () => {
  const shrunk = shrink(fragile({ seed: 7, trace: false }), fragile);
  expect([...shrunk.only]).toEqual([3, 7]);
  expect(shrunk.failure).toBe('invariant 1: at 2');
  expect(shrunk.trace).toEqual(['calm true']);
});

it('plans the same for a seed, and a run is the same when it is run again', () => {
  expect(planFaults(7, ['power-off', 'swap'], 60_000)).toEqual(planned);
  expect(planned.map(({ number }) => number)).toEqual(planned.map((_, index) => index + 1));
  const only = new Set([1, 2]);
  const [one, other] = [run({ seed: 5, trace: true, only }), run({ seed: 5, trace: true, only })];
  expect(one.trace).toEqual(other.trace);
  expect(Object.values(one.faults).reduce((sum, times) => sum + times, 0)).toBeGreaterThanOrEqual(2);
});
