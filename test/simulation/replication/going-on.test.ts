/** A link that loses its network, and goes on over another one. */
import { describe, expect, it } from 'vitest';
import { mutantsOfMoves } from './mutants.ts';
import { run, runMoves, together } from './run.ts';

const count = Number(process.env['HOLDFAST_SEEDS'] ?? '40');
const first = Number(process.env['HOLDFAST_SEED'] ?? '1');

describe('a link whose network is lost', () => {
  it.each([1, 2, 3, 4])('goes on over the other one, and nobody decides anything (luck %i)', (seed) => {
    const world = together(seed, { goesOn: true });
    const [primary, secondary] = world.machines;
    for (let moves = 0; moves < 6; moves += 1) {
      primary.requests.push({ kind: 'append', log: 'log0' });
      run(world, 3 + world.random(60), () => false);
      world.breakLink();
      run(world, 4000, () => world.wentOn > moves && primary.control.acknowledged === primary.control.sent);
      expect([primary.primary?.mode, primary.record.peerStale]).toEqual(['in-sync', false]);
      expect(secondary.record.copy).toBe('up-to-date');
    }
    expect(world.wentOn).toBe(6);
    run(world, 2000, () => world.waiting.size === 0);
    expect(world.waiting.size).toBe(0);
  });

  it('is as lost as ever where the other one is lost too', () => {
    const world = together(1, { goesOn: true });
    world.connected = false;
    world.breakLink();
    run(world, 400, () => world.machines[0].primary?.mode === 'undecided');
    expect(world.machines[0].primary?.mode).toBe('undecided');
  });

  it('loses nothing, whatever was under way', { timeout: 300_000 }, () => {
    let moves = 0;
    for (let seed = first; seed < first + count; seed++)
      try {
        moves += runMoves(seed).wentOn;
      } catch (error) {
        throw new Error(`seed ${seed}: HOLDFAST_SEEDS=1 HOLDFAST_SEED=${seed}`, { cause: error });
      }
    expect(moves).toBeGreaterThan(count * 8);
  });

  it.each([...mutantsOfMoves])('is judged: %s', { timeout: 300_000 }, (mutant) => {
    const isNoticed = Array.from({ length: 20 }, (_, index) => index + 1).some((seed) => {
      try {
        runMoves(seed, mutant);
        return false;
      } catch {
        return true;
      }
    });
    expect(isNoticed).toBe(true);
  });
});
