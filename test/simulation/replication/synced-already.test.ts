/** Syncs of what is synced already are answered at once, and of nothing else: whatever is lost or restarted in between, an answered one is on both disks. */
import { describe, expect, it } from 'vitest';
import { randomOf } from './application.ts';
import { mutantsOfSyncs } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import { goAlone, run, together } from './run.ts';
import type { World } from './world.ts';

const count = Number(process.env['HOLDFAST_SEEDS'] ?? '60');
const first = Number(process.env['HOLDFAST_SEED'] ?? '1');

/** Records with and without a sync, and syncs that come after them, before their answer and after it; now and then the link breaks or the peer loses its power. */
function runSyncs(seed: number, mutant: Mutant | null = null): World {
  const world = together(seed, { mutant, goesOn: seed % 3 === 0 });
  const [primary, peer] = world.machines;
  const random = randomOf(seed + 3);
  for (let n = 0; n < 80; n++) {
    const choice = random(10);
    const log = `log${random(2)}`;
    if (choice === 0) primary.requests.push({ kind: 'random', seed: random(1 << 30) });
    else primary.requests.push({ kind: choice < 4 ? 'append' : choice < 6 ? 'plain' : 'sync', log });
    run(world, random(3) === 0 ? random(8) : random(120), () => false);
    const fault = random(30);
    if (fault === 0) world.breakLink();
    if (fault === 1) world.crash(peer, random(2) === 0);
    if (primary.primary?.mode === 'undecided') goAlone(world, primary);
    if (peer.role === 'idle') world.serveSecondary(peer);
  }
  run(world, 4000, () => world.waiting.size === 0);
  world.judge.data(primary);
  return world;
}

describe('a sync with nothing to do', () => {
  it('is answered at once, and loses nothing', { timeout: 300_000 }, () => {
    let already = 0;
    for (let seed = first; seed < first + count; seed++)
      try {
        already += runSyncs(seed).syncedAlready;
      } catch (error) {
        throw new Error(`seed ${seed}: HOLDFAST_SEEDS=1 HOLDFAST_SEED=${seed}`, { cause: error });
      }
    expect(already).toBeGreaterThan(count * 3);
  });

  it.each([...mutantsOfSyncs])('is judged: %s', { timeout: 300_000 }, (mutant) => {
    const reasons = Array.from({ length: 20 }, (_, index) => {
      try {
        runSyncs(index + 1, mutant);
        return '';
      } catch (error) {
        return String(error);
      }
    });
    // Only what it is about: a run that ends for another reason would let every mutant be noticed.
    expect(reasons.some((reason) => reason.includes('is acknowledged up to'))).toBe(true);
  });
});
