import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VolumeRecord } from '../contract/index.ts';
import { contactFault, decideContact } from './contact.ts';
import * as lineage from './volume-lineage.ts';

const generation = (number: number, id = `g${number}`): { number: number; id: string } => ({ number, id });
const good = lineage.goneAlone(lineage.freshGood('u', null), generation(1));
const after = (record: VolumeRecord): VolumeRecord => lineage.resyncedTarget(lineage.freshBlank('u'), record);

describe('contact', () => {
  it('fills a blank copy', () => {
    expect(decideContact(good, lineage.freshBlank('u'))).toEqual({ kind: 'resync' });
  });
  it('compares after a crash, and does not after a clean stop', () => {
    const source = lineage.resyncedSource(good);
    const target = after(source);
    expect(decideContact(source, target)).toEqual({ kind: 'resync' });
    const clean = [lineage.checkpointed(source, 7), lineage.checkpointed(target, 7)] as const;
    expect(decideContact(clean[0], clean[1])).toEqual({ kind: 'in-sync' });
    expect(decideContact(clean[1], clean[0])).toEqual({ kind: 'in-sync' });
    expect(decideContact(clean[0], lineage.checkpointed(target, 8))).toEqual({ kind: 'resync' });
    expect(decideContact(clean[0], lineage.connectedClean(clean[1]))).toEqual({ kind: 'resync' });
    expect(decideContact(clean[0], { ...clean[1], copy: 'stale' })).toEqual({ kind: 'resync' });
  });
  it('never takes a copy for clean that went alone after the checkpoint', () => {
    const source = lineage.checkpointed(lineage.resyncedSource(good), 7);
    const target = lineage.checkpointed(after(source), 7);
    const alone = lineage.goneAlone(source, generation(2));
    expect(decideContact(alone, target)).toEqual({ kind: 'resync' });
    expect(decideContact(target, alone)).toEqual({ kind: 'refused', code: 'peer-is-newer' });
  });
  it('recognises a fork, other data, and a stale source', () => {
    const source = lineage.resyncedSource(good);
    const target = after(source);
    const [a, b] = [lineage.goneAlone(source, generation(2, 'a')), lineage.goneAlone(target, generation(2, 'b'))];
    expect(decideContact(a, b)).toEqual({ kind: 'refused', code: 'forked' });
    expect(decideContact({ ...a, volumeUuid: 'v' }, b)).toEqual({ kind: 'refused', code: 'not-the-same-data' });
    expect(decideContact(lineage.resyncTarget(a), b)).toEqual({ kind: 'refused', code: 'copy-stale' });
  });
  it('tells a copy that was set back to an image from one that is of the same generation, in both directions', () => {
    const meet = (source: VolumeRecord, target: VolumeRecord): readonly [VolumeRecord, VolumeRecord] => {
      const contacts = lineage.contactsOfTarget(source, target);
      const begun = lineage.inContact(lineage.connectedClean(target), contacts);
      return [
        lineage.inContact(lineage.connectedClean(source), lineage.contactsOfSource(source, target)),
        lineage.contactSettled(begun, contacts),
      ];
    };
    const source = lineage.resyncedSource(good);
    const image = after(source);
    // A contact that only the target has recorded, however often: nothing was written, and nothing is refused.
    let half = image;
    for (let count = 0; count < 5; count += 1) half = lineage.inContact(half, lineage.contactsOfTarget(source, half));
    expect(decideContact(source, half).kind).toBe('resync');
    let [one, other] = meet(source, half);
    expect(Math.abs((one.contacts ?? 0) - (other.contacts ?? 0))).toBe(1);
    [one, other] = meet(one, other);
    expect([decideContact(one, other).kind, decideContact(other, one).kind]).toEqual(['resync', 'resync']);
    expect(decideContact(one, image).kind).toBe('resync');
    const refused = { kind: 'refused', code: 'peer-is-newer' };
    expect(decideContact(image, one)).toEqual(refused);
    expect(decideContact(source, other)).toEqual(refused);
    // It went on alone before they met: each has something that the other one lacks.
    const startedOnce = lineage.goneAlone(image, generation(2));
    expect(decideContact(startedOnce, one)).toEqual({ kind: 'refused', code: 'forked' });
    expect(decideContact(lineage.goneAlone(startedOnce, generation(3)), one)).toEqual({
      kind: 'refused',
      code: 'forked',
    });
    expect(decideContact(lineage.goneAlone(lineage.goneAlone(one, generation(2)), generation(3)), other).kind).toBe(
      'resync',
    );
    expect(decideContact(lineage.goneAlone(other, generation(2)), one).kind).toBe('resync');
    // Whoever does not count is believed as before.
    const { contacts: _, ...uncounted } = image;
    expect(decideContact(uncounted, one).kind).toBe('resync');
  });
  it('tells an image that was taken in the middle of a session, from the second checkpoint after it on', () => {
    const source = lineage.resyncedSource(lineage.inContact(good, 3));
    const image = source;
    let [one, other] = [source, after(source)];
    const difference = (): number => Math.abs((one.contacts ?? 0) - (other.contacts ?? 0));
    const refusals: boolean[] = [];
    for (let checkpoint = 1; checkpoint <= 3; checkpoint += 1) {
      const told = one.contacts ?? 0;
      // The target was told, and has it or not; the source hears of it, or not. Nobody is ever called set back for that.
      other = lineage.contactsFollow(other, told);
      expect([difference(), decideContact(one, other).kind, decideContact(other, one).kind]).toEqual([
        1,
        'resync',
        'resync',
      ]);
      one = lineage.contactsLead(one, told);
      expect([difference(), decideContact(one, other).kind, decideContact(other, one).kind]).toEqual([
        1,
        'resync',
        'resync',
      ]);
      refusals.push(decideContact(image, other).kind === 'refused');
    }
    expect(refusals).toEqual([false, true, true]);
    expect(decideContact(image, other)).toEqual({ kind: 'refused', code: 'peer-is-newer' });
    expect(decideContact(lineage.goneAlone(image, generation(2)), other)).toEqual({ kind: 'refused', code: 'forked' });
    expect(decideContact(other, image)).toEqual({ kind: 'resync' });
    // Told nothing, by or to another version: it counts as before.
    expect([lineage.contactsFollow(other, 0), lineage.contactsLead(one, 0)]).toEqual([other, one]);
  });
  it('overwrites what a comparison has found to differ only by order', () => {
    const source = lineage.resyncSource(lineage.resyncedSource(good));
    const target = lineage.foundDifferent(after(source));
    const refused = { kind: 'refused', code: 'copies-differ' };
    const alone = lineage.goneAlone(source, generation(2));
    for (const one of [source, alone]) {
      expect(decideContact(one, target)).toEqual(refused);
      expect(decideContact(lineage.orderedToRepair(one), target)).toEqual({ kind: 'resync' });
    }
    // The order outlives the way to a new generation, and ends with the resync, on both sides.
    expect(decideContact(lineage.goneAlone(lineage.orderedToRepair(source), generation(2)), target).kind).toBe(
      'resync',
    );
    expect(lineage.resyncedSource(lineage.orderedToRepair(source)).repairsPeer).toBeUndefined();
    expect(decideContact(source, lineage.resyncTarget(target))).toEqual({ kind: 'resync' });
    // A person has chosen this copy: it is one like any other.
    expect(lineage.goneAlone(target, generation(3)).foundDifferent).toBeUndefined();
  });
  it('is in sync in both directions or in none, and never resyncs both ways between different generations', () => {
    const record = fc
      .record({
        generation: fc.option(fc.integer({ min: 1, max: 4 })),
        history: fc.uniqueArray(fc.integer({ min: 1, max: 4 })),
        copy: fc.constantFrom('up-to-date' as const, 'stale' as const),
        peerStale: fc.boolean(),
        cleanCheckpoint: fc.option(fc.integer({ min: 1, max: 2 })),
      })
      .map((r): VolumeRecord => ({
        ...r,
        format: 1,
        volumeUuid: 'u',
        generation: r.generation === null ? null : generation(r.generation),
        history: r.history.filter((n) => n !== r.generation).map((n) => `g${n}`),
      }));
    fc.assert(
      fc.property(record, record, (a, b) => {
        const [ab, ba] = [decideContact(a, b), decideContact(b, a)];
        if (ab.kind === 'in-sync') expect(ba.kind === 'in-sync' || a.copy !== b.copy).toBe(true);
        if (a.copy === 'stale') expect(ab.kind).toBe('refused');
        if (ab.kind === 'refused') expect(contactFault(ab.code, 'm/0', 'n2').message).not.toBe('');
        if (ab.kind === 'in-sync') expect(a.peerStale || b.peerStale).toBe(false);
      }),
    );
  });
});

describe('lineage', () => {
  it('keeps the newest 256 ancestors', () => {
    let record = lineage.freshGood('u', null);
    for (let n = 1; n <= 300; n++) record = lineage.goneAlone(record, generation(n));
    expect(record.history).toHaveLength(256);
    expect(record.history[0]).toBe('g299');
    expect(record.generation).toEqual(generation(300));
  });
  it('goes alone twice with the same generation without growing the history', () => {
    expect(lineage.goneAlone(good, generation(1))).toEqual(good);
  });
  it('does not let a stale copy that is used all the same descend from what it has only in part', () => {
    const whole = lineage.resyncedSource(lineage.goneAlone(good, generation(2)));
    const part = lineage.resyncTarget(after(whole));
    const used = lineage.goneAlone(part, generation(3));
    expect(used.history).toEqual(part.history);
    expect(decideContact(used, whole)).toEqual({ kind: 'refused', code: 'forked' });
    expect(decideContact(whole, used)).toEqual({ kind: 'refused', code: 'forked' });
  });
  it('refuses a checkpoint of copies that are not in sync', () => {
    expect(() => lineage.checkpointed(good, 1)).toThrow(/in sync/);
    expect(() => lineage.resyncSource(lineage.freshBlank('u'))).toThrow(/stale/);
  });
});
