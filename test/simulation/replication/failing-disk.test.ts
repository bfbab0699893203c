/** Disks that fail while both copies are in sync, or at their end: what is not known to be on a disk must not be called equal, nor up to date by marks. */
import { expect, it } from 'vitest';
import { E } from '../../../agent/sys/errno.ts';
import { randomOf } from './application.ts';
import { World } from './world.ts';
import type { SimMachine } from './machine.ts';

const stepsMax = 50_000;
const never = 1_000_000;
const inputOutputError = 5;

function run(world: World, until: () => boolean): void {
  for (let n = 0; n < stepsMax; n++) {
    if (until()) return;
    world.step();
  }
  throw new Error('it does not come about');
}

function serve(world: World, primary: SimMachine): void {
  world.servePrimary(primary);
  world.serveSecondary(world.other(primary));
}

function goAlone(world: World, machine: SimMachine): void {
  const number = world.generation + 1;
  machine.toPrimary.push({ type: 'go-alone', call: 0, generation: { number, id: `g${number}` } });
}

/** n1 serves, n2 has all of it, by a log of marks. */
function inSync(prepare: (world: World) => void = () => undefined): World {
  const world = new World(randomOf(1));
  prepare(world);
  const [n1] = world.machines;
  serve(world, n1);
  goAlone(world, n1);
  run(world, () => n1.primary?.mode === 'in-sync');
  n1.requests.push({ kind: 'append', log: 'log0' });
  run(world, () => (world.acknowledged.get('log0') ?? 0) > 0);
  return world;
}

it('agrees on a checkpoint while nothing has failed', () => {
  const world = inSync();
  const [n1, n2] = world.machines;
  world.stopPrimary(n1, never);
  expect(n1.record.cleanCheckpoint).not.toBeNull();
  expect(n2.record.cleanCheckpoint).toBe(n1.record.cleanCheckpoint);
});

it('agrees on no checkpoint after a write that the disk has left half done', () => {
  const world = inSync();
  const [n1, n2] = world.machines;
  const file = n1.disk.get(n1.disk.get(1).entries.get('log0') ?? 0);
  n1.disk.write(file, Buffer.from('half of what was to be written'), 0);
  n1.stream?.localFailure('write', inputOutputError);
  world.stopPrimary(n1, never);
  expect([n1.record.cleanCheckpoint, n2.record.cleanCheckpoint]).toEqual([null, null]);
});

it('writes everything again on a disk whose last sync as a primary has failed', () => {
  const world = inSync();
  const [n1, n2] = world.machines;
  n1.requests.push({ kind: 'random', seed: 5 }, { kind: 'random', seed: 6 });
  run(world, () => n1.requests.length === 0 && n1.control.acknowledged === n1.control.sent);
  n1.disk.failsNextSync = true;
  world.stopPrimary(n1, never);
  expect([n1.record.cleanCheckpoint, n2.record.cleanCheckpoint]).toEqual([null, null]);
  expect(n1.record.unwritten).toBe(true);
  world.stopSecondary(n2);
  serve(world, n2);
  // That the new target is durable, the world looks at itself: see judgeDurable.
  run(world, () => n2.primary?.mode === 'in-sync');
  world.crash(n1, true);
  run(world, () => n2.primary?.mode === 'undecided');
  goAlone(world, n2);
  world.serveSecondary(n1);
  run(world, () => n2.primary?.mode === 'in-sync');
  expect(n1.disk.describe()).toEqual(n2.disk.describe());
});

it('takes no contact before its record says that a sync has failed', () => {
  const world = inSync();
  const [n1, n2] = world.machines;
  n2.disk.failsNextSync = true;
  n2.takesNoRecord = true;
  n1.requests.push({ kind: 'append', log: 'log0' });
  run(world, () => n1.primary?.mode === 'undecided');
  goAlone(world, n1);
  for (let n = 0; n < 3000; n++) world.step();
  expect(n1.primary?.mode).toBe('alone');
  expect(n2.record.unwritten).not.toBe(true);
  n2.takesNoRecord = false;
  run(world, () => n1.primary?.mode === 'resynchronising');
  expect(n2.record.unwritten).toBe(true);
  expect(n2.record.marks).toBeNull();
  run(world, () => n1.primary?.mode === 'in-sync');
  expect(n2.disk.describeDurable()).toEqual(n1.disk.describe());
});

it('writes nothing again because the disk was full', () => {
  const world = new World(randomOf(2));
  const [n1, n2] = world.machines;
  const file = n1.disk.make(n1.disk.get(1), 'a', 0o100000, 0o600, 0, Buffer.alloc(0));
  if (typeof file === 'number') throw new Error('the file was not made');
  n1.disk.write(file, Buffer.alloc(20_000, 'a'), 0);
  n2.takesFaults = true;
  const write = n2.disk.write.bind(n2.disk);
  n2.disk.write = () => -E.NOSPC;
  serve(world, n1);
  goAlone(world, n1);
  run(world, () => n2.left > 0);
  expect(n2.record.unwritten).not.toBe(true);
  n2.disk.write = write;
  run(world, () => n1.primary?.mode === 'in-sync');
  expect(n2.disk.describe()).toEqual(n1.disk.describe());
});

it('begins another hot log after one that had no room', () => {
  const world = inSync();
  const [n1] = world.machines;
  const claims = (): boolean => n1.record.hot !== undefined && n1.record.hot !== null;
  run(world, claims);
  n1.hotDisk.isFull = true;
  for (let seed = 1; claims(); seed++) {
    n1.requests.push({ kind: 'random', seed });
    run(world, () => n1.requests.length === 0);
    for (let n = 0; n < 50; n++) world.step();
  }
  n1.hotDisk.isFull = false;
  run(world, claims);
  // What is heard of it is what it is: the other side takes over by it.
  expect(n1.stream?.hot?.kept).toBe(true);
});

it('brings back the root as the source has it, whatever has been done to it before it was covered', () => {
  const world = inSync();
  const [n1, n2] = world.machines;
  run(world, () => n1.stream?.marks.size === 0 && !n1.stream.marks.settling);
  world.crash(n2, false);
  run(world, () => n1.primary?.mode === 'undecided');
  goAlone(world, n1);
  const root = n2.disk.get(1);
  root.permissions = 0o711;
  root.xattrs.set('security.selinux', Buffer.from('relabelled'));
  world.serveSecondary(n2);
  run(world, () => n1.primary?.mode === 'in-sync');
  expect(n1.stream?.marks.stamp.checkpoint === 1).toBe(false);
  expect(n2.disk.describe()).toEqual(n1.disk.describe());
});

it.each(['sourceMinor', 'targetMinor'] as const)('keeps no marks with a %s that does not know them', (side) => {
  const [n1, n2] = inSync((world) => {
    world[side] = 0;
  }).machines;
  expect(n1.stream?.marks.kept).toBe(false);
  expect(n2.record.marks ?? null).toBeNull();
});
