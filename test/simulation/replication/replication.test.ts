/**
 * The lanes of replication under random interleaving and faults at every step; judged by the invariants of docs/replication.md: nothing
 * acknowledged is lost, a stale copy is never used, everything converges, and both copies become equal.
 */
import { describe, it } from 'vitest';
import { runSeed } from './run.ts';

const count = Number(process.env['HOLDFAST_SEEDS'] ?? '100');
const first = Number(process.env['HOLDFAST_SEED'] ?? '1');
const batch = 25;

describe('replication under faults', () => {
  for (let from = first; from < first + count; from += batch) {
    const to = Math.min(from + batch, first + count);
    it(
      `loses nothing that was acknowledged and makes both copies equal (seeds ${from} to ${to - 1})`,
      { timeout: 120_000 },
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
