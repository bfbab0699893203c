/** Every place of the protocol with every fault, at the first and the last step that comes by it; `npm run sim -- --matrix` takes all steps. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { mutants } from './mutants.ts';
import { crashAt, faults, placesOf, representatives } from './crash-matrix.ts';

const seed = Number(process.env['HOLDFAST_SEED'] ?? '3');
const places = placesOf(seed);
const chosen = representatives(places);

/** What no life without a failing disk or an ending lease comes by, and where it is tried instead. */
const elsewhere: Record<string, string> = {
  waitForPermission: 'the lease: agent/runtime and the story of frozen hosts',
  persistIfPossible: 'a disk that fails: failing-disk.test.ts',
  replyAgain: 'a mount outlives its replicator: kept-requests.test.ts and the suites of restarts',
  syncTouched: 'the level write-through: levels.test.ts',
  'secondary readHot': 'a former primary that comes back as the secondary: crashes.test.ts',
  sendAgain: 'another network: going-on.test.ts',
  goOn: 'another network: going-on.test.ts',
  goesOn: 'another network: going-on.test.ts',
  pause: 'waits between two attempts to connect, and holds nothing',
};

/** The fields of a lane's ports that are operations, as its source declares them. */
function operationsOf(file: string): string[] {
  const source = readFileSync(path.join(import.meta.dirname, '../../../agent/replication', file), 'utf8');
  return [...source.matchAll(/^ {2}readonly (\w+): Operation\b/gm)].map(([, name]) => name ?? '');
}
/** `beginSync` is called `begin syncfs` where it runs; the words are the same otherwise. */
const spoken: Record<string, string> = { syncAll: 'syncfs', beginSync: 'begin syncfs' };
const inWords = (name: string): string =>
  spoken[name] ?? name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

describe('the crash matrix', () => {
  it('comes by every operation of every lane', () => {
    const seen = new Set(places.map(({ what }) => what.replace(/ while .*/, '')));
    for (const [lane, file] of [
      ['primary', 'primary-context.ts'],
      ['secondary', 'secondary-lane.ts'],
      ['acknowledgement', 'acknowledgement-lane.ts'],
    ] as const) {
      const operations = operationsOf(file);
      expect(operations.length, file).toBeGreaterThan(4);
      const missing = operations
        .filter((name) => !seen.has(`${lane} lane: ${inWords(name)}`))
        .filter((name) => !(name in elsewhere) && !(`${lane} ${name}` in elsewhere));
      expect(missing, `${lane} lane`).toEqual([]);
    }
  });

  it.each(faults)('loses nothing and converges: %s', { timeout: 1_200_000 }, (fault) => {
    for (const { step, what } of chosen) {
      try {
        crashAt(seed, step, fault);
      } catch (error) {
        throw new Error(`seed ${seed}, step ${step}, ${what}: ${fault}`, { cause: error });
      }
    }
  });
});

describe('the judge of the matrix', () => {
  it.each(mutants)('notices a replicator that is broken: %s', { timeout: 120_000 }, (mutant) => {
    const caught = (fault: (typeof faults)[number]): boolean => {
      try {
        for (const { step } of representatives(placesOf(seed, mutant))) crashAt(seed, step, fault, mutant);
        return false;
      } catch {
        return true;
      }
    };
    expect(faults.some(caught)).toBe(true);
  });
});
