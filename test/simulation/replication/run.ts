/** One run of the simulation from one seed: roles, a workload, faults; then quiet, and everything must converge. */
import assert from 'node:assert/strict';
import type { Generation } from '../../../agent/contract/index.ts';
import { randomOf } from './application.ts';
import { World } from './world.ts';
import type { Mutant, SimMachine } from './world.ts';

let goneAlone = 0;

/** Gives the right to go on, as the decision core does: only to a primary, with a generation that is new. */
function goAlone(world: World, machine: SimMachine): void {
  goneAlone += 1;
  const generation: Generation = { number: world.generation + 1, id: `g${world.generation + 1}-${goneAlone}` };
  machine.toPrimary.push({ type: 'go-alone', call: 0, generation });
}

/** Whoever may serve does; the other one takes the stream. */
function giveRoles(world: World): void {
  const primary = world.machines.find((machine) => machine.role === 'primary');
  if (primary) {
    const other = world.other(primary);
    if (other.role === 'idle') world.serveSecondary(other);
    return;
  }
  const candidates = world.machines.filter((machine) => world.mayServe(machine));
  assert.ok(candidates.length > 0, 'nobody may serve');
  const chosen = candidates[world.random(candidates.length)]!;
  if (chosen.role === 'secondary') world.stopSecondary(chosen);
  world.servePrimary(chosen);
  const other = world.other(chosen);
  if (other.role === 'idle') world.serveSecondary(other);
}

export function runSeed(seed: number, mutant: Mutant | null = null): World {
  const random = randomOf(seed);
  const world = new World(random, mutant);
  const [n1] = world.machines;
  const stale = randomOf(seed + 1);
  world.servePrimary(world.machines[0]);
  goAlone(world, n1);
  const size = random(3) === 0 ? 60 : 8;
  for (let n = 0; n < size; n++) n1.requests.push({ kind: 'random', seed: stale(1 << 30) });
  while (n1.requests.length > 0) world.step();
  const faultEvery = random(2) === 0 ? 20 + random(200) : 200 + random(600);
  const length = 600 + random(1500);
  for (let n = 0; n < length; n++) {
    giveRoles(world);
    const primary = world.machines.find((machine) => machine.role === 'primary');
    if (primary && primary.requests.length < 3) {
      if (random(3) === 0) primary.requests.push({ kind: 'append', log: `log${random(3)}` });
      else primary.requests.push({ kind: 'random', seed: random(1 << 30) });
    }
    if (primary?.primary?.mode === 'undecided' && random(30) === 0) goAlone(world, primary);
    for (let burst = random(30); burst >= 0; burst--) world.step();
    if (random(faultEvery) === 0) fault(world);
  }
  settle(world);
  return world;
}

function fault(world: World): void {
  const { random } = world;
  const machine = world.machines[random(2)]!;
  const choice = random(6);
  const primary = world.machines.find((one) => one.role === 'primary');
  if (primary && (choice === 0 || primary.primary?.mode === 'in-sync'))
    world.stopPrimary(primary, random(2) === 0 ? random(40) : 100_000);
  else if (choice < 3) world.breakLink();
  else world.crash(machine, choice > 3);
  if (choice === 5) world.crash(world.other(machine), random(2) === 0);
}

/** Faults stop: everything must converge. */
function settle(world: World): void {
  for (let n = 0; n < 40_000; n++) {
    giveRoles(world);
    const primary = world.machines.find((machine) => machine.role === 'primary')!;
    if (primary.primary?.mode === 'undecided' && n % 500 === 499) goAlone(world, primary);
    world.step();
    const secondary = world.other(primary).secondary;
    if (
      primary.primary?.mode === 'in-sync' &&
      primary.requests.length === 0 &&
      secondary?.inSync === true &&
      !world.step()
    )
      break;
  }
  const [a, b] = world.machines;
  const primary = a.role === 'primary' ? a : b;
  assert.equal(primary.primary?.mode, 'in-sync');
  world.judgeData(a);
  world.judgeData(b);
  assert.deepEqual(world.other(primary).disk.describe(), primary.disk.describe());
}
