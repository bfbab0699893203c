/**
 * The lanes of replication under random interleaving and faults at every step; judged by the invariants of docs/replication.md: nothing
 * acknowledged is lost, a stale copy is never used, everything converges, and both copies become equal.
 */
import { describe, expect, it } from 'vitest';
import { runReturns, runSeed } from './run.ts';
import { mutants, mutantsOfMarks } from './mutants.ts';

const count = Number(process.env['HOLDFAST_SEEDS'] ?? '75');
const first = Number(process.env['HOLDFAST_SEED'] ?? '1');
const batch = 25;
const mutantSeedsMax = 60;

describe('replication under faults', () => {
  for (let from = first; from < first + count; from += batch) {
    const to = Math.min(from + batch, first + count);
    it(
      `loses nothing that was acknowledged and makes both copies equal (seeds ${from} to ${to - 1})`,
      { timeout: 300_000 },
      () => {
        for (let seed = from; seed < to; seed++) {
          try {
            runSeed(seed);
          } catch (error) {
            throw new Error(`seed ${seed}: HOLDFAST_SEEDS=1 HOLDFAST_SEED=${seed}`, { cause: error });
          }
        }
      },
    );
  }
});

describe('a peer that comes back', () => {
  it('has everything again, whatever was compared', { timeout: 300_000 }, () => {
    for (let seed = first; seed < first + Math.ceil(count / 2); seed++) {
      try {
        runReturns(seed);
      } catch (error) {
        throw new Error(`seed ${seed}: HOLDFAST_SEEDS=1 HOLDFAST_SEED=${seed}`, { cause: error });
      }
    }
  });
});

describe('the judge of this simulation', () => {
  it.each([...mutants, ...mutantsOfMarks])(
    'notices a replicator that is broken: %s',
    { timeout: 300_000 },
    (mutant) => {
      const caught = Array.from({ length: mutantSeedsMax }, (_, index) => index + 1).some((seed) => {
        try {
          (mutantsOfMarks.includes(mutant) ? runReturns : runSeed)(seed, mutant);
          return false;
        } catch {
          return true;
        }
      });
      expect(caught).toBe(true);
    },
  );
});
