/**
 * Primaries that crash, again and again: alone, together with the peer, before and after the other one took over. What is not compared at a return is
 * never compared, so that each region that is missing in a log is seen at the end of that return.
 */
import assert from 'node:assert/strict';
import { randomOf } from './application.ts';
import type { Random } from './application.ts';
import { giveRoles, goAlone, settle } from './run.ts';
import { World } from './world.ts';
import type { Mutant } from './mutants.ts';
import type { SimMachine } from './machine.ts';

const rounds = 8;

function primaryOf(world: World): SimMachine {
  // One that loses its power while it takes the role leaves none.
  for (;;) {
    giveRoles(world);
    const primary = world.machines.find((machine) => machine.role === 'primary');
    if (primary) return primary;
  }
}

function run(world: World, stepsMax: number, until: () => boolean): void {
  for (let n = 0; n < stepsMax && !until(); n++) {
    giveRoles(world);
    world.step();
  }
}

function change(world: World, count: number): void {
  for (let n = 0; n < count; n++) {
    const { requests } = primaryOf(world);
    const append = world.random(5) === 0;
    requests.push(
      append ? { kind: 'append', log: `log${world.random(3)}` } : { kind: 'random', seed: world.random(1 << 30) },
    );
  }
  run(world, 2000, () => primaryOf(world).requests.length === 0);
}

function goOnAlone(world: World): void {
  run(world, 50, () => primaryOf(world).primary?.mode === 'undecided');
  const primary = primaryOf(world);
  if (primary.primary?.mode !== 'undecided') return;
  goAlone(world, primary);
  run(world, 50, () => primary.primary?.mode === 'alone');
}

function judgeTogether(world: World): void {
  const isTogether = (): boolean => {
    const { primary, control, stream, wire } = primaryOf(world);
    // Whoever has not noticed yet that the link is gone says nothing about what was done since.
    if (wire?.broken !== false || stream?.writer.length !== 0) return false;
    return primary?.mode === 'in-sync' && control.acknowledged === control.sent;
  };
  world.connected = true;
  for (let attempt = 0; attempt < 20 && !isTogether(); attempt++) {
    run(world, 2000, isTogether);
    if (primaryOf(world).primary?.mode === 'undecided') goAlone(world, primaryOf(world));
  }
  // Not every run of faults leaves both connected at once; what follows mends it.
  if (!isTogether()) return;
  const primary = primaryOf(world);
  const [theirs, ours] = [world.other(primary).disk.describe(), primary.disk.describe()];
  const difference = ours.find((line, index) => line !== theirs[index]) ?? theirs[ours.length];
  assert.equal(difference?.slice(0, 200), undefined, 'called up to date, but different');
}

function fault(world: World): void {
  const { random } = world;
  const primary = primaryOf(world);
  const peer = world.other(primary);
  world.connected = random(4) === 0;
  const choice = random(8);
  // Power or process of the primary; of both at one instant or one after the other; of the peer; the link.
  if (choice < 4) world.crash(primary, choice > 0);
  else if (choice < 6) {
    world.crash(primary, true);
    if (random(2) === 0) world.crash(peer, random(2) === 0);
  } else if (choice === 6) world.crash(peer, random(2) === 0);
  else world.breakLink();
}

/** Now and then a disk takes no record for a while, and mostly no hot log either. */
function breakDisks(world: World, random: Random): void {
  for (const machine of world.machines) if (random(150) === 0) mendDisk(machine);
  if (random(400) > 0) return;
  const machine = world.machines[random(2)]!;
  machine.takesNoRecord = true;
  const choice = random(4);
  machine.hotDisk.isFull = choice < 2;
  machine.hotDisk.fails = choice === 2;
}
function mendDisk(machine: SimMachine): void {
  machine.takesNoRecord = false;
  machine.hotDisk.isFull = false;
  machine.hotDisk.fails = false;
}

/** The same with disks that fail. */
export function runFailingRecords(seed: number, mutant: Mutant | null = null): World {
  const random = randomOf(seed + 3);
  return runCrashes(seed, mutant, 0, (world) => {
    // A target whose record fails says so.
    world.leaves = true;
    world.beforeStep = () => {
      breakDisks(world, random);
      return false;
    };
  });
}

/** `named`: how many generations have a name already; longer names are longer messages, and other runs. */
export function runCrashes(
  seed: number,
  mutant: Mutant | null = null,
  named = 0,
  prepare: (world: World) => void = () => undefined,
): World {
  const random = randomOf(seed);
  const world = new World(random, mutant);
  world.goneAlone = named;
  world.makesLinks = seed % 4 === 0;
  if (seed % 7 === 0) world.marksBytesMax = 8000;
  prepare(world);
  primaryOf(world);
  goOnAlone(world);
  change(world, 10 + random(30));
  for (let round = 0; round < rounds; round++) {
    judgeTogether(world);
    if (random(4) > 0)
      run(world, 600, () => primaryOf(world).record.hot !== undefined && primaryOf(world).record.hot !== null);
    change(world, random(3) === 0 ? 10 + random(20) : random(6));
    if (random(4) === 0) world.takeSnapshot(primaryOf(world));
    run(world, random(200), () => false);
    change(world, random(5));
    const { requests } = primaryOf(world);
    for (let n = random(4); n > 0; n--) requests.push({ kind: 'random', seed: random(1 << 30) });
    run(world, random(12), () => false);
    fault(world);
    if (random(2) === 0) goOnAlone(world);
    for (let attempt = random(3); attempt > 0; attempt--) {
      change(world, random(3) === 0 ? 10 + random(20) : random(6));
      if (random(6) === 0) world.restoreSnapshot(world.other(primaryOf(world)));
      // A primary that is alone and crashes goes on with what its disk has.
      if (random(3) === 0) {
        world.crash(primaryOf(world), random(3) > 0);
        goOnAlone(world);
      }
      world.connected = random(3) > 0;
      run(world, 60 + random(200), () => false);
      if (random(2) === 0) fault(world);
    }
  }
  world.connected = true;
  world.beforeStep = null;
  for (const machine of world.machines) mendDisk(machine);
  settle(world);
  return world;
}
