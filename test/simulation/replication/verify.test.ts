/** The comparison of both copies: what it must find, what it must not, and what follows from it. */
import { describe, expect, it } from 'vitest';
import type { Difference, Verification } from '../../../agent/contract/index.ts';
import { Attributes } from '../../../agent/sys/attributes.ts';
import type { Inode } from './memory-disk.ts';
import { change, run, runSeed, together } from './run.ts';
import type { SimMachine } from './machine.ts';
import type { World } from './world.ts';

function last(machine: SimMachine): Verification | null {
  const statuses = machine.outbox.filter((one) => one.type === 'status').filter((one) => 'verification' in one);
  return statuses.at(-1)?.verification ?? null;
}

function compare(world: World, repair = false): Verification {
  const [primary] = world.machines;
  primary.outbox = [];
  world.verify(primary, repair);
  const ended = (): boolean => !['running', undefined].includes(last(primary)?.state);
  run(world, 100_000, ended);
  const verification = last(primary);
  if (!verification || !ended()) throw new Error(`it does not end: ${JSON.stringify(verification)}`);
  return verification;
}

/** Some file of the secondary with a content, below the root. */
function someFile(machine: SimMachine): { name: string; inode: Inode } {
  const root = machine.disk.get(1);
  for (const [name, number] of root.entries) {
    const inode = machine.disk.get(number);
    if (inode.type === 0o100000 && inode.data.length > 0) return { name, inode };
  }
  throw new Error('no file with a content');
}

const seed = 6;

const tampering: Readonly<Record<string, { kinds: Difference['kinds']; tamper: (machine: SimMachine) => string }>> = {
  'a bit of a content': {
    kinds: ['content'],
    tamper: (machine) => {
      const { name, inode } = someFile(machine);
      inode.data = Buffer.from(inode.data);
      inode.data.writeUInt8(inode.data.readUInt8(0) ^ 1, 0);
      return name;
    },
  },
  'the size': {
    kinds: ['size', 'content'],
    tamper: (machine) => {
      const { name, inode } = someFile(machine);
      inode.data = inode.data.subarray(0, inode.data.length - 1);
      return name;
    },
  },
  'the mode': {
    kinds: ['mode'],
    tamper: (machine) => {
      const { name, inode } = someFile(machine);
      inode.permissions ^= 0o001;
      return name;
    },
  },
  'the owner': {
    kinds: ['owner'],
    tamper: (machine) => {
      const { name, inode } = someFile(machine);
      inode.uid += 1;
      return name;
    },
  },
  'an extended attribute': {
    kinds: ['extended-attributes'],
    tamper: (machine) => {
      const { name, inode } = someFile(machine);
      inode.xattrs.set('user.more', Buffer.from('x'));
      return name;
    },
  },
  'a name that is missing': {
    kinds: ['only-on-primary'],
    tamper: (machine) => {
      const { name } = someFile(machine);
      machine.disk.unlink(machine.disk.get(1), name, false);
      return name;
    },
  },
  'a name too many': {
    kinds: ['only-on-secondary'],
    tamper: (machine) => {
      machine.disk.make(machine.disk.get(1), 'more', 0o100000, 0o600, 0, Buffer.alloc(0));
      return 'more';
    },
  },
};

describe('a comparison', () => {
  it('finds copies that are written to all the time equal, through every fault', { timeout: 120_000 }, () => {
    let foundEqual = 0;
    for (let one = 3; one < 36; one += 3) foundEqual += runSeed(one).foundEqual;
    expect(foundEqual).toBeGreaterThan(8);
  });

  it('finds equal copies equal, and counts what it has looked at', () => {
    const world = together(seed);
    const { state, files, directories, comparedBytes } = compare(world);
    expect(state).toBe('equal');
    expect(files).toBeGreaterThan(3);
    expect(directories).toBeGreaterThan(1);
    expect(comparedBytes).toBeGreaterThan(0);
  });

  it.each(Object.keys(tampering))('finds %s, and the copy is not used any more', (what) => {
    const world = together(seed);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    const { kinds, tamper } = tampering[what]!;
    const path = Buffer.from(tamper(secondary), 'latin1').toString();
    const { state, differing, differences } = compare(world);
    expect(state).toBe('different');
    expect(differing).toBe(1);
    const found = differences.find((one) => one.path === path);
    expect(found?.kinds.filter((kind) => kind !== 'times')).toEqual(kinds);
    expect(secondary.record).toMatchObject({ copy: 'stale', peerStale: false });
    expect(primary.record).toMatchObject({ copy: 'up-to-date', peerStale: true });
    expect(world.mayServe(secondary)).toBe(false);
    // What is changed there next is what the secondary cannot do: it leaves, and comes back to be made equal.
    if (kinds.includes('only-on-primary')) return;
    // The application goes on, and its syncs are on both disks still.
    change(world, 10);
    expect(primary.primary?.mode).toBe('resynchronising');
  });

  it('tells of a time only, and leaves the copy one that may be used', () => {
    const world = together(seed);
    const [, secondary] = world.machines;
    world.tampered = true;
    someFile(secondary).inode.modified = { seconds: 1, nanoseconds: 1 };
    expect(compare(world)).toMatchObject({ state: 'equal', differing: 0, minor: 1 });
    expect(world.mayServe(secondary)).toBe(true);
  });

  it.each(Object.keys(tampering))('repairs %s on the secondary when it is told to', (what) => {
    const world = together(seed);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    tampering[what]!.tamper(secondary);
    expect(compare(world, true)).toMatchObject({ state: 'repairing', differing: 1 });
    change(world, 20);
    run(world, 100_000, () => last(primary)?.state === 'repaired');
    run(world, 5000, () => primary.control.acknowledged === primary.control.sent);
    expect(last(primary)).toMatchObject({ state: 'repaired' });
    expect(secondary.disk.describe()).toEqual(primary.disk.describe());
    expect(secondary.record.copy).toBe('up-to-date');
    expect(primary.record.peerStale).toBe(false);
  });

  it('repairs a copy that was found to differ before, whatever it finds now', () => {
    const world = together(seed);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    const { inode } = someFile(secondary);
    const before = inode.permissions;
    inode.permissions ^= 1;
    compare(world);
    inode.permissions = before;
    expect(compare(world)).toMatchObject({ state: 'different', differing: 0 });
    expect(secondary.record.copy).toBe('stale');
    expect(compare(world, true)).toMatchObject({ state: 'repairing' });
    run(world, 100_000, () => primary.primary?.mode === 'in-sync');
    expect(secondary.record.copy).toBe('up-to-date');
  });

  it('says nothing of what was not compared when the link is lost', () => {
    const world = together(seed);
    const [primary] = world.machines;
    world.verify(primary, false);
    run(world, 1000, () => last(primary)?.state === 'running');
    world.breakLink();
    run(world, 1000, () => last(primary)?.state !== 'running');
    expect(last(primary)).toMatchObject({ state: 'interrupted' });
  });

  it(
    'can be stopped and begun again at any place: late answers belong to the one that was stopped',
    { timeout: 60_000 },
    () => {
      for (let at = 1; at < 120; at += 3) {
        const world = together(seed);
        const [primary] = world.machines;
        world.verify(primary, false);
        run(world, at, () => false);
        primary.toPrimary.push({ type: 'stop-verify', call: 0 });
        expect(compare(world)).toMatchObject({ state: 'equal', differing: 0 });
      }
    },
  );

  it('knows of what the target has recorded, also when it was stopped before the answer came', () => {
    for (let at = 1; at < 120; at += 3) {
      const world = together(seed);
      const [primary, secondary] = world.machines;
      world.tampered = true;
      someFile(secondary).inode.uid += 1;
      world.verify(primary, false);
      run(world, at, () => false);
      primary.toPrimary.push({ type: 'stop-verify', call: 0 });
      run(world, 5000, () => primary.toPrimary.length === 0 && primary.control.acknowledged === primary.control.sent);
      run(world, 200, () => false);
      expect(primary.record.peerStale).toBe(secondary.record.copy === 'stale');
    }
  });

  it('ends a planned stop without a checkpoint while the answer is still on its way', () => {
    const world = together(seed);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    someFile(secondary).inode.uid += 1;
    world.verify(primary, false);
    for (let n = 0; n < 20_000 && secondary.record.copy === 'up-to-date'; n++) world.step();
    world.leaves = true;
    world.stopPrimary(primary, 100_000);
    expect(primary.record.cleanCheckpoint).toBeNull();
    expect(secondary.record.cleanCheckpoint).toBeNull();
  });

  it.each(['stop', 'stop and begin again'])('hears what was found of a comparison that ended: %s', (what) => {
    const world = together(seed);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    someFile(secondary).inode.uid += 1;
    world.verify(primary, false);
    for (let n = 0; n < 20_000 && secondary.record.copy === 'up-to-date'; n++) world.step();
    expect(primary.record.peerStale).toBe(false);
    primary.toPrimary.push({ type: 'stop-verify', call: 0 });
    if (what !== 'stop') world.verify(primary, false);
    run(world, 1000, () => primary.record.peerStale);
    expect(primary.record.peerStale).toBe(true);
    expect(primary.primary?.mode).toBe('resynchronising');
  });

  it('asks nothing behind the checkpoint of a planned stop', () => {
    for (let steps = 1; steps < 60; steps += 7) {
      const world = together(seed);
      const [primary, secondary] = world.machines;
      world.tampered = world.leaves = true;
      world.judge.identical = () => undefined;
      someFile(secondary).inode.uid += 1;
      world.verify(primary, false);
      for (let n = 0; n < steps; n++) world.step();
      world.stopPrimary(primary, 100_000);
      expect(last(primary)?.state).not.toBe('running');
      const agreed = primary.record.cleanCheckpoint;
      // Found in time: no checkpoint. Not found: nothing is found afterwards either.
      expect(secondary.record).toMatchObject({
        copy: agreed === null ? 'stale' : 'up-to-date',
        cleanCheckpoint: agreed,
      });
    }
  });

  it('answers what nobody has asked: the link ends, and not the process', () => {
    const world = together(seed);
    const [primary] = world.machines;
    world.verify(primary, false);
    const answer = { sequence: 1_000_000, findings: { found: [], more: 0, stale: false } };
    run(world, 10_000, () => {
      if (world.steps % 50 === 0)
        for (let session = 1; session < 9; session++) primary.toPrimary.push({ type: 'verified', session, ...answer });
      return last(primary)?.state === 'interrupted';
    });
    expect(last(primary)).toMatchObject({ state: 'interrupted' });
  });

  it('does not repair from a disk that does not read: the other copy may be the only good one', () => {
    const world = together(seed);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    const { tree } = primary;
    const bad = tree!.read.bind(tree);
    let failed = 0;
    tree!.read = (...call) => (failed++ === 0 ? -5 : bad(...call));
    expect(compare(world, true)).toMatchObject({ state: 'different', differing: 0, unreadable: 1 });
    expect(secondary.record.copy).toBe('up-to-date');
    expect(primary.primary?.mode).toBe('in-sync');
  });

  it('overwrites nothing without an order, and the primary works alone meanwhile', () => {
    const world = together(seed);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    const { inode, name } = someFile(secondary);
    const theirs = Buffer.from(inode.data);
    theirs.writeUInt8(theirs.readUInt8(0) ^ 1, 0);
    inode.data = theirs;
    expect(compare(world)).toMatchObject({ state: 'different' });
    expect(secondary.record).toMatchObject({ copy: 'stale', foundDifferent: true });
    for (const restarted of [false, true]) {
      if (restarted) world.crash(secondary, false);
      else world.breakLink();
      run(world, 5000, () => primary.primary?.mode === 'undecided');
      primary.toPrimary.push({ type: 'go-alone', call: 0, generation: { number: world.generation + 1, id: 'next' } });
      run(world, 20_000, () => false);
      expect(primary.primary?.mode).toBe('alone');
      expect(secondary.disk.get(secondary.disk.get(1).entries.get(name)!).data).toEqual(theirs);
    }
    const { answered } = primary;
    change(world, 10);
    run(world, 1000, () => primary.answered >= answered + 10);
    expect(primary.answered).toBe(answered + 10);
    primary.outbox = [];
    world.verify(primary, false);
    run(world, 1000, () => primary.outbox.some((one) => one.type === 'done'));
    const done = primary.outbox.find((one) => one.type === 'done');
    expect(done?.fault).toMatchObject({ code: 'verify-not-possible' });
    expect(done?.fault?.remedy).toContain('--repair');
    world.verify(primary, true);
    run(world, 100_000, () => primary.primary?.mode === 'in-sync');
    run(world, 5000, () => primary.control.acknowledged === primary.control.sent);
    expect(last(primary)).toMatchObject({ state: 'repaired' });
    expect(secondary.disk.describe()).toEqual(primary.disk.describe());
    expect([primary.record.repairsPeer, secondary.record.foundDifferent]).toEqual([undefined, undefined]);
  });

  it('takes what is left over on the primary from its time as a secondary for no difference', () => {
    const world = together(seed);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    const { disk } = primary;
    const { inode } = someFile(primary);
    const { modified } = disk.get(1);
    const directory = (parent: Inode, name: string): Inode => {
      const number = parent.entries.get(name);
      if (number !== undefined) return disk.get(number);
      const made = disk.make(parent, name, 0o040000, 0o700, 0, Buffer.alloc(0));
      if (typeof made === 'number') throw new Error(name);
      return made;
    };
    const trash = directory(directory(disk.get(1), '.holdfast'), 'trash');
    expect(disk.link(inode, trash, '7')).toBe(0);
    disk.get(1).modified = modified;
    expect(compare(world)).toMatchObject({ state: 'equal', differing: 0, minor: 0 });
    expect(secondary.record.copy).toBe('up-to-date');
  });

  it.each(['primary', 'secondary'])('condemns no copy for want of memory or descriptors on the %s', (side) => {
    const world = together(seed);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    const failing = side === 'primary' ? primary.tree! : secondary.tree!;
    const attributes = failing.attributes.bind(failing);
    let asked = 0;
    failing.attributes = (...call) => (++asked === 3 ? -24 : attributes(...call));
    expect(compare(world)).toMatchObject({ state: 'interrupted', differing: 0 });
    expect(secondary.record.copy).toBe('up-to-date');
    expect(primary.primary?.mode).toBe('in-sync');
    expect(compare(world)).toMatchObject({ state: 'equal' });
  });

  it('repairs when that was ordered while it ran already', () => {
    const world = together(seed);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    someFile(secondary).inode.uid += 1;
    world.verify(primary, false);
    world.verify(primary, true);
    run(world, 100_000, () => last(primary)?.state === 'repairing');
    expect(last(primary)).toMatchObject({ state: 'repairing', repair: true });
  });

  it('holds nothing when it has ended: ids are given back', () => {
    const world = together(seed);
    const [primary] = world.machines;
    const attributes = new Attributes();
    const known = (): number => {
      let count = 0;
      for (let id = 1; id < 5000; id++) if (primary.tree?.attributes(id, attributes) === 0) count++;
      return count;
    };
    compare(world);
    const before = known();
    compare(world);
    compare(world);
    expect(known()).toBe(before);
  });
});
