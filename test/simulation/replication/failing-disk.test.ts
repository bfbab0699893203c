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

it.each([0, 1] as const)('ends without a checkpoint that one of the records does not take (%s)', (failing) => {
  const world = inSync();
  const [n1, n2] = world.machines;
  world.machines[failing].takesNoRecord = true;
  // It ends, and says that it is not clean: nobody waits for an answer that does not come.
  n1.outbox = [];
  world.stopPrimary(n1, never);
  expect(n1.outbox).toContainEqual({ type: 'done', call: 1, clean: false, fault: null });
  expect(n2.record.cleanCheckpoint === null).toBe(failing === 1);
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

/** n1 claims a hot log, and from now on its disk takes neither that nor a record. */
function deafDisk(isFull: boolean): World {
  const world = inSync();
  const [n1] = world.machines;
  run(world, () => (n1.record.hot ?? null) !== null && n1.control.acknowledged === n1.control.sent);
  n1.takesNoRecord = true;
  n1.hotDisk.isFull = isFull;
  n1.hotDisk.fails = !isFull;
  n1.outbox = [];
  return world;
}
const failuresOf = (machine: SimMachine): unknown[] =>
  machine.outbox.filter(({ type }) => type === 'local-failure').map((told) => 'call' in told && told.call);

it.each([true, false])('refuses changes that no record knows of, and lives (full: %s)', (isFull) => {
  const world = deafDisk(isFull);
  const [n1, n2] = world.machines;
  const before = n1.disk.describe();
  for (let seed = 1; seed < 20; seed++) n1.requests.push({ kind: 'random', seed });
  run(world, () => n1.requests.length === 0);
  for (let n = 0; n < 2000; n++) world.step();
  expect(world.refusedUnrecorded).toBeGreaterThan(5);
  expect(n1.disk.describe()).toEqual(before);
  expect(n1.primary?.mode).toBe('in-sync');
  // Once, however often it is tried.
  expect(failuresOf(n1).filter((call) => call === 'write of the volume record')).toHaveLength(1);
  // The other one can go on with everything.
  world.crash(n1, true);
  world.stopSecondary(n2);
  world.servePrimary(n2);
  goAlone(world, n2);
  run(world, () => n2.primary?.mode === 'alone');
  expect(n2.disk.describe()).toEqual(before);
});

it('gives no right to go on alone that its record does not have, and lives', () => {
  const world = deafDisk(false);
  const [n1, n2] = world.machines;
  world.crash(n2, false);
  run(world, () => n1.primary?.mode === 'undecided');
  goAlone(world, n1);
  const told = (): boolean => n1.outbox.some((message) => message.type === 'done' && message.fault !== null);
  run(world, told);
  const faults = n1.outbox.map((message) => (message.type === 'done' ? message.fault?.code : undefined));
  expect(faults).toContain('disk-failed');
  expect(n1.primary?.mode).toBe('undecided');
  expect(n1.record.peerStale).toBe(false);
  n1.takesNoRecord = false;
  goAlone(world, n1);
  run(world, () => n1.primary?.mode === 'alone');
});

it('confirms no checkpoint whose record found no room, and calls that no failure', () => {
  const world = inSync();
  const [n1] = world.machines;
  n1.takesNoRecord = true;
  n1.hotDisk.isFull = false;
  Object.defineProperty(n1, 'recordFailure', { value: -E.NOSPC, configurable: true });
  n1.outbox = [];
  for (let n = 0; n < 3000; n++) world.step();
  n1.requests.push({ kind: 'append', log: 'log0' });
  run(world, () => n1.requests.length === 0);
  expect(failuresOf(n1)).toEqual([]);
  expect(world.refusedUnrecorded).toBe(0);
  expect(n1.primary?.mode).toBe('in-sync');
  Reflect.deleteProperty(n1, 'recordFailure');
  n1.takesNoRecord = false;
  run(world, () => (n1.record.hot ?? null) !== null);
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
