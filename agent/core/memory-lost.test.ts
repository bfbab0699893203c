import { describe, expect, it } from 'vitest';
import type { ModuleBeat, VolumeRecord } from '../contract/index.ts';
import { Bench, generation, requestOfPeer, timing, volume } from './mirror-bench.ts';
import { beatOf, describeOwn } from './mirror.ts';
import type { ModuleRecord, MirrorIdentity } from './mirror-types.ts';

function copy(change: Partial<VolumeRecord> = {}): ReturnType<typeof volume> {
  const status = volume();
  return { ...status, record: status.record && { ...status.record, ...change } };
}

/** Was primary, in sync at the level `received`, and has booted since. */
function booted(
  change: Partial<VolumeRecord> = {},
  record: Partial<ModuleRecord> = {},
  identity: Partial<MirrorIdentity> = {},
): Bench {
  const bench = new Bench({ lastPrimary: true, ...record }, identity);
  bench.event({ type: 'data', volumes: [copy({ memoryBoot: 'an earlier boot', ...change })] });
  bench.after(timing.grantMs);
  return bench;
}

const waiting: Partial<ModuleBeat> = { state: 'wait', memoryLost: false };
const reasonOf = (bench: Bench): string | undefined => describeOwn(bench.state, bench.now).reason;
const asksForVotes = (bench: Bench): boolean =>
  bench.actions.some((action) => action.type === 'send' && action.message.kind === 'vote-request');

describe('a server that has lost the memory in which acknowledged changes were', () => {
  it('leaves the application to the other one, which has them', () => {
    const bench = booted();
    bench.peer(waiting);
    expect([reasonOf(bench), asksForVotes(bench)]).toEqual(['waiting-for-primary', false]);
    expect(beatOf(bench.state, bench.now).memoryLost).toBe(true);

    const other = new Bench();
    other.event({ type: 'data', volumes: [copy({ memoryBoot: 'b1' })] });
    other.after(timing.grantMs);
    other.peer({ ...waiting, memoryLost: true, lastPrimary: true });
    expect(other.state.seek?.purpose).toBe('start');
    expect(beatOf(other.state, other.now).memoryLost).toBe(false);
  });
  it('does not start while the other one is silent, with any vote or policy, and says why', () => {
    for (const identity of [
      {},
      { witness: false },
      { witness: false, withoutWitness: 'prefer-availability' as const },
    ]) {
      const bench = booted({}, {}, identity);
      bench.after(timing.settleMs + timing.detectionMs);
      expect(asksForVotes(bench)).toBe(false);
      expect(describeOwn(bench.state, bench.now)).toMatchObject({
        state: 'wait',
        data: 'stale',
        reason: 'memory-lost',
      });
      expect(bench.state.waiting.message).toContain('promote');
      bench.event({ type: 'command', command: { name: 'promote', orderedBy: 'person' } });
      expect(bench.actions).toContainEqual(
        expect.objectContaining({ event: expect.objectContaining({ code: 'ordered-promote' }) as unknown }),
      );
    }
  });
  it('does not take a copy that is not known yet, or not whole by its record, for worse than its own', () => {
    for (const beat of [
      { data: 'unknown', copy: 'stale', generation: null },
      { data: 'stale', copy: 'stale', generation },
    ] as const) {
      const bench = booted();
      bench.peer({ ...waiting, ...beat });
      expect([reasonOf(bench), asksForVotes(bench)]).toEqual(['memory-lost', false]);
    }
    const bench = booted();
    bench.peer({ ...waiting, data: 'stale', copy: 'stale', generation: null });
    expect(bench.state.seek?.purpose).toBe('start');
  });
  it('starts where both have lost it and what was synced is on its disk, whoever was primary last or is preferred', () => {
    const bench = booted({ syncedHere: true }, { lastPrimary: false }, { prefer: 'n2' });
    bench.peer({ ...waiting, memoryLost: true, syncedHere: false, lastPrimary: true });
    expect(bench.state.seek?.purpose).toBe('start');
    const second = booted({ syncedHere: false }, { lastPrimary: true }, { prefer: 'n1' });
    second.peer({ ...waiting, memoryLost: true, syncedHere: true });
    expect([reasonOf(second), asksForVotes(second)]).toEqual(['waiting-for-primary', false]);
  });
  it('starts as ever where it was alone, was stopped cleanly, has not booted, or the other one does not say', () => {
    for (const record of [
      { peerStale: true },
      { memoryBoot: 'b1' },
      { memoryBoot: undefined },
      { memoryBoot: undefined, cleanCheckpoint: 7 },
    ]) {
      const bench = booted(record);
      bench.after(timing.settleMs);
      expect(bench.state.seek?.purpose).toBe('start');
    }
    const bench = booted();
    bench.peer({ state: 'wait' });
    expect(bench.state.seek?.purpose).toBe('start');
  });
  it('takes over nothing as a secondary before it is in sync again', () => {
    const bench = booted({}, { lastPrimary: false });
    bench.peer({ active: true, state: 'primary' });
    bench.event({ type: 'data', volumes: [{ ...copy({ memoryBoot: 'an earlier boot' }), role: 'secondary' }] });
    bench.ran();
    expect(bench.state.phase.name).toBe('secondary');
    bench.after(timing.detectionMs);
    expect([bench.state.phase.name, reasonOf(bench), asksForVotes(bench)]).toEqual(['wait', 'memory-lost', false]);
  });
  it('gives way with what a voter has stored for it and it never wrote', () => {
    const wish = { number: 2, id: '2.n1.x' };
    const bench = booted({}, { newest: wish, pending: [wish] });
    bench.peer(waiting);
    bench.event({ type: 'vote-request', message: requestOfPeer({ store: { number: 3, id: '3.n2.x' } }) });
    const reply = bench.actions.find((action) => action.type === 'send');
    expect(reply).toMatchObject({ message: { granted: true, givenUp: [wish] } });
  });
});

describe('a server that has lost the memory in which closed files were, at the level durable', () => {
  const closed = { memoryBoot: undefined, closedBoot: 'an earlier boot' };
  const present: Partial<ModuleBeat> = { state: 'wait', memoryLost: false, closedLost: false };

  it('leaves the application to the other one where that may run it, whoever was primary last', () => {
    const bench = booted(closed);
    bench.peer(present);
    expect([reasonOf(bench), asksForVotes(bench)]).toEqual(['waiting-for-primary', false]);
    expect(beatOf(bench.state, bench.now)).toMatchObject({ memoryLost: false, closedLost: true });

    const other = new Bench();
    other.event({ type: 'data', volumes: [copy({ closedBoot: 'b1' })] });
    other.after(timing.grantMs);
    other.peer({ ...present, closedLost: true, lastPrimary: true });
    expect(other.state.seek?.purpose).toBe('start');
  });
  it('starts where the other one is silent, cannot or may not run it, has lost it too, or does not say', () => {
    const silent = booted(closed);
    silent.after(timing.settleMs + timing.detectionMs);
    expect(silent.state.seek?.purpose).toBe('start');
    for (const beat of [
      { ...present, wanted: 'stopped' as const },
      { ...present, reason: 'start-failed' as const },
      { ...present, closedLost: true },
      { state: 'wait' as const, memoryLost: false },
      { ...present, data: 'stale' as const, copy: 'stale' as const },
    ]) {
      const bench = booted(closed);
      bench.peer(beat);
      expect([beat, bench.state.seek?.purpose]).toEqual([beat, 'start']);
    }
  });

  it('goes on with the copy of which a part went on alone, and with none where another part may be complete on the other one only', () => {
    const next = { generation: { number: 2, id: 'next' }, peerStale: true };
    const inPart = (memory: Partial<VolumeRecord>): Bench => {
      const bench = new Bench({ newest: next.generation, pending: [next.generation] });
      bench.event({ type: 'data', volumes: [copy(next), { ...copy(memory), id: 'db/1' }] });
      bench.after(timing.grantMs);
      return bench;
    };
    const kept = inPart({ memoryBoot: 'b1' });
    kept.peer({ ...waiting, memoryLost: true, syncedHere: true });
    expect(kept.state.seek?.purpose).toBe('start');
    expect(beatOf(kept.state, kept.now).torn).toBe(true);
    const lost = inPart({ memoryBoot: 'an earlier boot' });
    lost.peer({ ...waiting, memoryLost: true, syncedHere: true });
    expect([reasonOf(lost), lost.state.seek]).toEqual(['copies-torn', null]);

    const other = booted({ syncedHere: true });
    other.peer({ ...waiting, memoryLost: true, syncedHere: false, torn: true });
    expect([reasonOf(other), other.state.seek]).toEqual(['copies-torn', null]);
    other.peer({ ...waiting, memoryLost: false, torn: true });
    expect(reasonOf(other)).toBe('waiting-for-primary');
  });
});
