/** One run of the simulation from one seed: roles, a workload, faults; then quiet, and everything must converge. */
import assert from 'node:assert/strict';
import type { Generation } from '../../../agent/contract/index.ts';
import { randomOf } from './application.ts';
import { World } from './world.ts';
import type { Mutant } from './mutants.ts';
import type { SimMachine } from './machine.ts';

/** Gives the right to go on, as the decision core does: only to a primary, with a generation that is new. */
export function goAlone(world: World, machine: SimMachine): void {
  world.goneAlone += 1;
  const generation: Generation = { number: world.generation + 1, id: `g${world.generation + 1}-${world.goneAlone}` };
  machine.toPrimary.push({ type: 'go-alone', call: 0, generation });
}

/** Whoever may serve does; the other one takes the stream. */
export function giveRoles(world: World): void {
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
  // Power may have been lost meanwhile.
  if (!world.mayServe(chosen)) return;
  world.servePrimary(chosen);
  const other = world.other(chosen);
  if (other.role === 'idle') world.serveSecondary(other);
}

export function runSeed(seed: number, mutant: Mutant | null = null): World {
  const random = randomOf(seed);
  const world = new World(random, mutant);
  const [n1] = world.machines;
  const stale = randomOf(seed + 1);
  world.makesLinks = seed % 4 !== 0;
  // As with a kernel that cannot.
  world.keepsHotLogs = seed % 5 !== 0;
  const person = randomOf(seed + 2);
  const compares = seed % 3 === 0;
  world.goesOn = seed % 3 !== 1;
  world.servePrimary(world.machines[0]);
  goAlone(world, n1);
  const size = random(3) === 0 ? 60 : 8;
  for (let n = 0; n < size; n++) n1.requests.push({ kind: 'random', seed: stale(1 << 30) });
  while (n1.requests.length > 0) world.step();
  // What a primary knows of its peer ends with it: half of the runs give it the time to use that.
  const primarySurvives = seed % 2 === 0;
  const faultEvery = random(2) === 0 ? 20 + random(primarySurvives ? 60 : 200) : 200 + random(600);
  const length = 600 + random(1500);
  for (let n = 0; n < length; n++) {
    giveRoles(world);
    const primary = world.machines.find((machine) => machine.role === 'primary');
    if (primary && primary.requests.length < 3) {
      if (random(3) === 0) primary.requests.push({ kind: 'append', log: `log${random(3)}` });
      else primary.requests.push({ kind: 'random', seed: random(1 << 30) });
    }
    if (primary?.primary?.mode === 'undecided' && random(30) === 0) goAlone(world, primary);
    if (compares && primary && person(20) === 0) world.verify(primary, person(4) === 0);
    for (let burst = random(30); burst >= 0; burst--) world.step();
    if (!world.connected && random(60) === 0) world.connected = true;
    if (random(faultEvery) !== 0) continue;
    if (primarySurvives) faultOfPeer(world);
    else fault(world);
  }
  world.connected = true;
  settle(world);
  return world;
}

function fault(world: World): void {
  const { random } = world;
  const machine = world.machines[random(2)]!;
  if (random(4) === 0) world.takeSnapshot(machine);
  if (random(4) === 0 && world.restoreSnapshot(world.machines[random(2)]!)) return;
  const choice = random(6);
  const primary = world.machines.find((one) => one.role === 'primary');
  if (primary && (choice === 0 || (primary.primary?.mode === 'in-sync' && random(3) === 0)))
    world.stopPrimary(primary, random(2) === 0 ? random(40) : 100_000);
  else if (choice < 3) world.breakLink();
  else world.crash(machine, choice > 3);
  if (choice === 5) world.crash(world.other(machine), random(2) === 0);
}

/** The primary goes on, its peer or the link does not; mostly when there is something to lose. */
function faultOfPeer(world: World): void {
  const { random } = world;
  const primary = world.machines.find((one) => one.role === 'primary');
  if (!primary || (primary.primary?.mode !== 'in-sync' && random(8) > 0)) return;
  const peer = world.other(primary);
  if (random(4) === 0) world.takeSnapshot(peer);
  // Sometimes for long: much is done alone.
  world.connected = random(2) === 0;
  const choice = random(5);
  if (choice === 0 && world.restoreSnapshot(peer)) return;
  if (choice < 3) world.breakLink();
  else world.crash(peer, choice === 4);
}

/**
 * One primary whose peer goes and comes back, again and again: a few changes while both are there, some alone, and a return that is
 * interrupted or not. What is not compared then is never compared, so that each mark that is missing is seen at the end.
 */
export function runReturns(seed: number, mutant: Mutant | null = null): World {
  const random = randomOf(seed);
  const world = new World(random, mutant);
  world.makesLinks = seed % 3 === 0;
  world.keepsHotLogs = seed % 4 !== 0;
  // Now and then there are too many.
  if (seed % 5 === 0) world.marksBytesMax = 8000;
  const [primary, peer] = world.machines;
  world.servePrimary(primary);
  goAlone(world, primary);
  change(world, 10 + random(30));
  for (let round = 0; round < 8; round++) {
    const isTogether = (): boolean => primary.primary?.mode === 'in-sync';
    world.connected = true;
    run(world, 20_000, isTogether);
    const { control } = primary;
    run(world, 2000, () => control.acknowledged === control.sent);
    // A later return may compare everything, and mend what this one left.
    if (isTogether() && control.acknowledged === control.sent)
      assert.deepEqual(peer.disk.describe(), primary.disk.describe());
    run(world, random(400), () => false);
    change(world, random(3) === 0 ? 10 + random(20) : random(6));
    if (random(2) === 0) world.takeSnapshot(peer);
    // Only the checkpoint makes it durable there.
    if (random(2) === 0) change(world, 3, false);
    const marks = primary.stream!.marks;
    if (random(2) === 0) run(world, 2000, () => marks.size === 0 && !marks.settling);
    if (random(seed % 4 === 3 ? 1 : 8) === 0) {
      // Found by the next sync: of a file, of a checkpoint, or at the end of a resync.
      peer.disk.failsNextSync = true;
      run(world, random(300), () => !peer.disk.failsNextSync);
      // A process that is killed before it has recorded what it was told takes that with it.
      run(world, 500, () => peer.disk.failsNextSync || peer.record.unwritten === true);
      peer.disk.failsNextSync = false;
    }
    for (let attempt = random(3); attempt >= 0; attempt--) {
      world.connected = false;
      if (random(3) === 0) world.breakLink();
      else world.crash(peer, random(3) > 0);
      run(world, 50, () => primary.primary?.mode === 'undecided');
      if (primary.primary?.mode === 'undecided') goAlone(world, primary);
      change(world, random(3) === 0 ? 10 + random(20) : random(6));
      if (random(6) === 0) world.restoreSnapshot(peer);
      world.connected = true;
      run(world, 60 + random(200), isTogether);
    }
  }
  settle(world);
  return world;
}

/** One network after the other is lost under changes that are under way: the stream goes on over the other one, or the link is lost as ever. */
export function runMoves(seed: number, mutant: Mutant | null = null): World {
  const world = together(seed, { goesOn: true, mutant });
  const { random } = world;
  const [primary, peer] = world.machines;
  const isTogether = (): boolean => primary.primary?.mode === 'in-sync' && primary.control.mayGoOn;
  for (let round = 0; round < 30; round++) {
    run(world, 20_000, isTogether);
    for (let n = random(6); n >= 0; n--)
      primary.requests.push(
        random(2) === 0 ? { kind: 'append', log: `log${random(3)}` } : { kind: 'random', seed: random(1 << 30) },
      );
    if (random(10) === 0) world.verify(primary, false);
    run(world, random(80), () => false);
    if (random(12) === 0) world.crash(peer, random(2) === 0);
    else world.breakLink();
    world.connected = random(10) > 0;
    run(world, random(60), () => primary.primary?.mode === 'undecided');
    if (primary.primary?.mode === 'undecided' && random(2) === 0) goAlone(world, primary);
    world.connected = true;
    // Lost again, while it goes on.
    if (random(3) === 0) world.breakLink();
    run(world, 2000, () => primary.primary?.mode === 'undecided');
    if (primary.primary?.mode === 'undecided') goAlone(world, primary);
  }
  settle(world);
  return world;
}

/** Both copies equal and connected, with something in them. */
export function together(seed: number, { goesOn = false, mutant = null as Mutant | null } = {}): World {
  const world = new World(randomOf(seed), mutant);
  world.goesOn = goesOn;
  const [primary] = world.machines;
  world.servePrimary(primary);
  goAlone(world, primary);
  change(world, 40);
  run(
    world,
    40_000,
    () => primary.primary?.mode === 'in-sync' && primary.control.acknowledged === primary.control.sent,
  );
  assert.equal(primary.primary?.mode, 'in-sync');
  return world;
}

export function run(world: World, stepsMax: number, until: () => boolean): void {
  for (let n = 0; n < stepsMax && !until(); n++) {
    giveRoles(world);
    world.step();
  }
}

export function change(world: World, count: number, appends = true): void {
  const [primary] = world.machines;
  for (let n = 0; n < count; n++) {
    const append = appends && world.random(5) === 0;
    primary.requests.push(
      append ? { kind: 'append', log: `log${world.random(3)}` } : { kind: 'random', seed: world.random(1 << 30) },
    );
  }
  run(world, 2000, () => primary.requests.length === 0);
}

/** Faults stop: everything must converge. */
export function settle(world: World): void {
  // What waits for a moment of quiet goes on at random: only long silence is the end.
  let quiet = 0;
  for (let n = 0; n < 40_000 && quiet < 400; n++) {
    giveRoles(world);
    const primary = world.machines.find((machine) => machine.role === 'primary')!;
    if (primary.primary?.mode === 'undecided' && n % 500 === 499) goAlone(world, primary);
    world.step();
    const isTogether =
      primary.primary?.mode === 'in-sync' &&
      primary.requests.length === 0 &&
      world.other(primary).secondary?.inSync === true;
    quiet = isTogether && !world.step() ? quiet + 1 : 0;
  }
  const [a, b] = world.machines;
  const primary = a.role === 'primary' ? a : b;
  assert.equal(primary.primary?.mode, 'in-sync');
  world.judge.data(a);
  world.judge.data(b);
  assert.deepEqual(world.other(primary).disk.describe(), primary.disk.describe());
}
