/** A target that has the source's own generation: what it does not get is written under another one, and is never taken for a past that it has. */
import { describe, expect, it } from 'vitest';
import type { Generation } from '../../../agent/contract/index.ts';
import { decideContact } from '../../../agent/replication/contact.ts';
import * as lineage from '../../../agent/replication/volume-lineage.ts';
import { change, run, together } from './run.ts';
import type { World } from './world.ts';

const next: Generation = { number: 7, id: 'g7' };
const promoted: Generation = { number: 8, id: 'g8' };
const forked = { kind: 'refused', code: 'forked' };

/** Both servers have crashed and are there again: a resync runs, and both records name the same generation. */
function comparedAnew(): World {
  const world = together(6);
  const [primary, secondary] = world.machines;
  world.crash(secondary, false);
  world.crash(primary, false);
  world.servePrimary(primary);
  run(world, 10_000, () => primary.primary?.mode === 'resynchronising');
  expect(lineage.shareGeneration(primary.record, secondary.record)).toBe(true);
  return world;
}

describe('a target with the generation of its source', () => {
  it('is lost in a resync: the source goes on under a new generation only', () => {
    const world = comparedAnew();
    const [primary, secondary] = world.machines;
    const former = primary.record.generation!;
    world.connected = false;
    world.breakLink();
    run(world, 1000, () => primary.primary?.mode !== 'resynchronising');
    expect(primary.primary?.mode).toBe('undecided');
    primary.toPrimary.push({ type: 'go-alone', call: 1, generation: former });
    run(world, 1000, () => primary.toPrimary.length === 0);
    expect(primary.primary?.mode).toBe('undecided');
    primary.toPrimary.push({ type: 'go-alone', call: 2, generation: next });
    run(world, 1000, () => primary.primary?.mode === 'alone');
    change(world, 5);
    expect(decideContact(primary.record, secondary.record)).toEqual({ kind: 'resync' });
    expect(decideContact(lineage.goneAlone(secondary.record, promoted), primary.record)).toEqual(forked);
  });

  it('is ordered to be used after the source has died in the resync: a fork, both versions are kept', () => {
    const world = comparedAnew();
    const [primary, secondary] = world.machines;
    expect(secondary.record.copy).toBe('stale');
    expect(decideContact(lineage.goneAlone(secondary.record, promoted), primary.record)).toEqual(forked);
  });

  it('is lost after the resync has ended', () => {
    const world = comparedAnew();
    const [primary] = world.machines;
    run(world, 40_000, () => primary.primary?.mode === 'in-sync');
    world.connected = false;
    world.breakLink();
    run(world, 1000, () => primary.primary?.mode !== 'in-sync');
    expect(primary.primary?.mode).toBe('undecided');
  });

  it('differs and is lost: the source goes on under a new generation only', () => {
    const world = together(6);
    const [primary, secondary] = world.machines;
    world.tampered = true;
    secondary.disk.make(secondary.disk.get(1), 'more', 0o100000, 0o600, 0, Buffer.alloc(0));
    world.verify(primary, false);
    run(world, 100_000, () => primary.record.peerStale);
    world.connected = false;
    world.breakLink();
    run(world, 1000, () => primary.primary?.mode !== 'resynchronising');
    expect(primary.primary?.mode).toBe('undecided');
    primary.toPrimary.push({ type: 'go-alone', call: 2, generation: next });
    run(world, 1000, () => primary.primary?.mode === 'alone');
    change(world, 5);
    expect(decideContact(lineage.goneAlone(secondary.record, promoted), primary.record)).toEqual(forked);
  });
});
