/** The promise of each level, taken at its word: whatever was answered is where the level says, and survives what the level says. */
import { describe, expect, it } from 'vitest';
import type { AcknowledgeLevel } from '../../../agent/contract/index.ts';
import { randomOf } from './application.ts';
import { goAlone, run } from './run.ts';
import { World } from './world.ts';
import type { SimMachine } from './machine.ts';

const seeds = 60;

function together(world: World): SimMachine {
  const [primary] = world.machines;
  world.servePrimary(primary);
  goAlone(world, primary);
  run(world, 40_000, () => primary.primary?.mode === 'in-sync');
  expect(primary.primary?.mode).toBe('in-sync');
  return primary;
}

/** Plain and synced records and changes of all kinds, cut off at any step. */
function work(world: World, primary: SimMachine): void {
  const { random } = world;
  for (let n = 10 + random(30); n > 0; n--) {
    const choice = random(4);
    const log = `log${random(3)}`;
    if (choice === 0) primary.requests.push({ kind: 'random', seed: random(1 << 30) });
    else primary.requests.push({ kind: choice === 1 ? 'append' : 'plain', log });
  }
  run(world, random(3) === 0 ? 4000 : 20 + random(300), () => false);
}

/** One of both loses its power, the other one goes on: everything that was answered is there, and both become equal again. */
function loseOne(seed: number, level: AcknowledgeLevel, kept: AcknowledgeLevel = level): World {
  const world = new World(randomOf(seed));
  world.level = level;
  world.kept = kept;
  world.makesLinks = false;
  const primary = together(world);
  work(world, primary);
  const other = world.other(primary);
  if (seed % 2 === 0) {
    world.crash(other, true);
    run(world, 2000, () => primary.primary?.mode === 'undecided');
    if (primary.primary?.mode === 'undecided') goAlone(world, primary);
  } else if (world.mayServe(other)) {
    world.crash(primary, true);
    world.stopSecondary(other);
    // Judges what it has.
    world.servePrimary(other);
    goAlone(world, other);
  }
  const survivor = world.machines.find((machine) => machine.role === 'primary')!;
  world.judge.data(survivor);
  const isEqual = (): boolean => {
    const { control } = survivor;
    return (
      survivor.primary?.mode === 'in-sync' && survivor.requests.length === 0 && control.acknowledged === control.sent
    );
  };
  run(world, 40_000, isEqual);
  expect(world.acknowledged.size + world.steps).toBeGreaterThan(0);
  world.judge.data(world.machines[0]);
  world.judge.data(world.machines[1]);
  return world;
}

describe.each(['received', 'durable', 'write-through'] as const)('%s', (level) => {
  it('keeps what was answered when either server loses its power', { timeout: 60_000 }, () => {
    let answered = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      try {
        answered += loseOne(seed, level).acknowledged.size;
      } catch (error) {
        throw new Error(`${level}: seed ${seed}`, { cause: error });
      }
    }
    expect(answered).toBeGreaterThan(seeds);
  });
});

it.each([
  ['received', 'durable'],
  ['write-through', 'received'],
  ['write-through', 'durable'],
  ['durable', 'received'],
] as const)('the judge of %s notices lanes that keep %s only', { timeout: 60_000 }, (level, kept) => {
  expect(() => {
    for (let seed = 1; seed <= seeds; seed++) loseOne(seed, level, kept);
  }).toThrow(/acknowledged|could take over/);
});
