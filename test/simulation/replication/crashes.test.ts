/** Primaries that lose their power or their process: what their logs on disk name is all that differs, and the judge notices when it is not. */
import { describe, expect, it } from 'vitest';
import { runCrashes, runFailingRecords } from './crashes.ts';
import { mutantsOfHotLogs, mutantsOfRecords } from './mutants.ts';

const count = Number(process.env['HOLDFAST_SEEDS'] ?? '75');
const runs = Math.ceil(count / 2);
const first = Number(process.env['HOLDFAST_SEED'] ?? '1');
const mutantSeedsMax = 200;
/** Where the search begins, for those that few seeds notice. */
const noticedAt: ReadonlyMap<string, number> = new Map([
  ['an-older-hot-log-is-believed', 74],
  ['further-names-are-as-good-as-any', 188],
]);

describe('a primary that crashes', () => {
  it('is equal again, whatever was compared', { timeout: 240_000 }, () => {
    let byHotLogs = 0;
    for (let seed = first; seed < first + runs; seed++) {
      try {
        byHotLogs += runCrashes(seed).byHotLogs;
      } catch (error) {
        throw new Error(`seed ${seed}: HOLDFAST_SEEDS=1 HOLDFAST_SEED=${seed}`, { cause: error });
      }
    }
    // Else nothing of this is looked at.
    expect(byHotLogs).toBeGreaterThan(runs);
  });
});

/** A name below a directory that was not reached; marks that ended in the middle of their walk. */
it.each([533, 322])('a life in which something was found once: seed %i', { timeout: 60_000 }, (seed) => {
  runCrashes(seed);
});

describe('a primary whose disk takes no record, and which crashes', () => {
  it(
    'makes no change that neither its hot log nor its record could be told of, and goes on',
    { timeout: 240_000 },
    () => {
      let [byHotLogs, refused] = [0, 0];
      const failing = Math.ceil(runs / 2);
      for (let seed = first; seed < first + failing; seed++) {
        try {
          const world = runFailingRecords(seed);
          byHotLogs += world.byHotLogs;
          refused += world.refusedUnrecorded;
        } catch (error) {
          throw new Error(`seed ${seed}: HOLDFAST_SEEDS=1 HOLDFAST_SEED=${seed}`, { cause: error });
        }
      }
      // Else nothing of this is looked at.
      expect(byHotLogs).toBeGreaterThan(failing / 2);
      expect(refused).toBeGreaterThan(failing / 2);
    },
  );
});

describe('the judge of crashes', () => {
  it.each([...mutantsOfHotLogs, ...mutantsOfRecords])(
    'notices a replicator that is broken: %s',
    { timeout: 240_000 },
    (mutant) => {
      const start = noticedAt.get(mutant) ?? 1;
      const caught = Array.from({ length: mutantSeedsMax }, (_, index) => index + start).some((seed) => {
        try {
          (mutantsOfRecords.some((one) => one === mutant) ? runFailingRecords : runCrashes)(seed, mutant);
          return false;
        } catch (error) {
          // Only what it is about: a run that ends for another reason would let every mutant be noticed.
          return error instanceof Error && error.message.startsWith('called up to date, but different');
        }
      });
      expect(caught).toBe(true);
    },
  );
});
