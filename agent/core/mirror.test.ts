import { describe, expect, it } from 'vitest';
import type { VolumeStatus } from '../contract/index.ts';
import { Bench, generation, secondary, timing, volume } from './mirror-bench.ts';
import type { MirrorEvent } from './mirror-types.ts';
import { beatOf, describeOwn, isProtected, stepMirror } from './mirror.ts';

describe('the mirror machine', () => {
  it('serves as secondary when the peer is active', () => {
    expect(secondary().state.phase.name).toBe('secondary');
  });

  it('takes over when the peer has been silent for the detection time and the witness stores the new generation', () => {
    const bench = secondary();
    bench.after(timing.detectionMs - 1);
    expect(bench.state.seek).toBeNull();
    bench.after(1);
    expect(bench.state.seek?.purpose).toBe('takeover');
    const first = bench.actions.findIndex((action) => action.type === 'persist');
    const sent = bench.actions.findIndex((action) => action.type === 'send');
    expect(first).toBeGreaterThanOrEqual(0);
    expect(first).toBeLessThan(sent); // a wish is on disk before any voter hears of it
    bench.reply('witness');
    expect(bench.plan()).toEqual(['mount', 'raise-vip', 'prestart', 'start']);
    expect(bench.actions.map((action) => action.type).indexOf('persist')).toBeLessThan(
      bench.actions.map((action) => action.type).indexOf('run'),
    );
  });

  it('stays secondary while the witness has given the lease to the silent peer', () => {
    const bench = secondary();
    bench.after(timing.detectionMs);
    bench.reply('witness', { granted: false, stored: null, reason: 'lease-held', holder: 'n2' });
    expect(bench.plan()).toEqual([]);
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'secondary', reason: 'peer-active' });
  });

  it('never starts a stale copy, and says so', () => {
    const bench = new Bench();
    const record = volume().record;
    if (record === null) throw new Error('no record');
    bench.event({ type: 'data', volumes: [volume({ record: { ...record, copy: 'stale' } })] });
    bench.after(timing.settleMs + 1);
    expect(bench.state.seek).toBeNull();
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'wait', data: 'stale', reason: 'copy-stale' });
  });

  it('does not call a copy up to date that the witness knows to be behind', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    bench.after(timing.settleMs + 1);
    const newest = { number: 2, id: 'of the peer' };
    bench.reply('witness', { granted: false, stored: null, reason: 'older-generation', newest, holder: null });
    bench.after(500);
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'wait', data: 'stale', reason: 'copy-stale' });
  });

  it('without a witness nothing is taken over automatically; a person may order it', () => {
    const bench = new Bench({}, { witness: false });
    bench.event({ type: 'data', volumes: [volume()] });
    bench.peer({ active: true, state: 'primary' });
    bench.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up' })] });
    bench.ran();
    for (let step = 0; step < 100; step += 1) bench.after(500);
    expect(bench.state.phase.name).toBe('secondary');
    bench.event({ type: 'command', command: { name: 'promote', orderedBy: 'Alice' } });
    expect(bench.plan()).toContain('start');
    expect(bench.state.record.order).toEqual({ by: 'Alice' });
  });

  it('an order to promote asks for a newer generation when the witness holds another one of the same age', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    bench.after(timing.settleMs + 1);
    const wish = bench.state.seek?.store;
    expect(wish?.number).toBe(2);
    const newest = { number: 2, id: 'of the peer' };
    bench.reply('witness', { granted: false, stored: null, reason: 'older-generation', newest, holder: null });
    for (let step = 0; step < 10 && bench.state.seek !== null; step += 1) bench.after(500);
    bench.event({ type: 'command', command: { name: 'promote', orderedBy: 'Alice' } });
    expect(bench.state.seek).toMatchObject({ purpose: 'order', store: { number: 3 } });
    // Nobody answers for a while: the order stands.
    for (let step = 0; step < 20; step += 1) bench.after(500);
    expect(bench.state.record.order).toEqual({ by: 'Alice' });
    expect(bench.state.seek).toMatchObject({ purpose: 'order' });
    // The other one runs the application after all: the order is void.
    bench.peer({ active: true, state: 'primary' });
    for (let step = 0; step < 20; step += 1) {
      bench.after(500);
      bench.peer({ active: true, state: 'primary' });
    }
    bench.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up' })] });
    bench.ran();
    expect(bench.state.phase.name).toBe('secondary');
    expect(bench.state.record.order).toBeNull();
  });

  it('refuses to swap to a peer that is not ready, and does not run', () => {
    const bench = secondary();
    const result = stepMirror(bench.state, { type: 'command', command: { name: 'swap' }, atMs: bench.now });
    expect(result.refused).toMatchObject({ code: 'not-primary' });
    expect(result.actions).toEqual([]);
  });

  it('goes on with a running application after its own restart, and fences one that was in the middle of starting', () => {
    const running = new Bench({ activeBoot: 'b1', running: true, runningSinceMs: 7000 });
    expect(beatOf(running.state, running.now).active).toBe(true);
    running.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up' })] });
    expect(running.state.phase.name).toBe('active');
    expect(describeOwn(running.state, running.now).runningSinceMs).toBe(7000);
    const starting = new Bench({ activeBoot: 'b1', running: false });
    starting.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up' })] });
    expect(starting.plan()).toEqual(['fence', 'drop-vip']);
    const other = new Bench({ activeBoot: 'an earlier boot', running: true, runningSinceMs: 7000 });
    expect(beatOf(other.state, other.now).active).toBe(false);
    expect(other.state.record.runningSinceMs).toBeNull();
  });

  it('leaves the start to the copy that was stopped as planned: the other one may have been set back to an image of an earlier day', () => {
    const bench = new Bench({ lastPrimary: true }, { prefer: 'n1' });
    bench.event({ type: 'data', volumes: [volume()] });
    bench.after(timing.grantMs);
    bench.peer({ state: 'wait', clean: true });
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ reason: 'waiting-for-primary' });
    bench.after(500);
    bench.peer({ state: 'wait', clean: false });
    expect(bench.state.seek?.purpose).toBe('start');
  });

  it('does not keep the start for a copy that was stopped as planned where the application does not start', () => {
    const bench = new Bench({ startFailed: true }, { prefer: 'n1' });
    bench.event({ type: 'data', volumes: [volume({ record: { ...volume().record!, cleanCheckpoint: 7 } })] });
    bench.after(timing.grantMs);
    bench.peer({ state: 'wait', clean: false });
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ reason: 'waiting-for-primary' });
  });

  it('does not take over in maintenance, even when it has asked for it before', () => {
    const bench = secondary();
    bench.after(timing.detectionMs);
    expect(bench.state.seek?.purpose).toBe('takeover');
    bench.now += 1;
    bench.reply('witness', { granted: false, stored: null, reason: 'just-started' });
    bench.event({ type: 'command', command: { name: 'maintenance', on: true } });
    bench.after(500);
    expect(bench.state.seek).toBeNull();
    for (let step = 0; step < 20; step += 1) bench.after(500);
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'secondary', reason: 'maintenance' });
  });

  it('asks for something newer than the other one has written, whatever it asked for before', () => {
    const bench = secondary();
    bench.after(timing.detectionMs);
    expect(bench.state.record.pending).toHaveLength(1);
    const { record: old } = volume();
    if (old === null) throw new Error('no record');
    const record = { ...old, generation: { number: 2, id: '2.n2.x' } };
    bench.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up', record })] });
    // What it asks for from now on is newer, and on disk.
    expect(bench.state.seek?.store).toMatchObject({ number: 3 });
    expect(bench.state.record.pending).toEqual([bench.state.seek?.store]);
  });

  it('notices while it starts the application that the replicator has lost the mount', () => {
    const bench = secondary();
    bench.after(timing.detectionMs);
    bench.reply('witness');
    bench.event({ type: 'data', volumes: [volume({ role: 'idle' })] });
    expect(bench.state.phase.name).toBe('activating');
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'alone' })] });
    bench.event({ type: 'data', volumes: [volume({ role: 'idle' })] });
    expect(bench.plan()).toEqual(['fence', 'drop-vip']);
  });

  it('is protected only when both sides say so', () => {
    const bench = new Bench({ activeBoot: 'b1', running: true });
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up' })] });
    expect(isProtected(bench.state, bench.now)).toBe(false);
    bench.peer({});
    expect(isProtected(bench.state, bench.now)).toBe(true);
    bench.peer({ data: 'resynchronising' });
    expect(isProtected(bench.state, bench.now)).toBe(false);
  });

  it('lets a secondary stop while the other one runs only if that one refused it', () => {
    const stop: MirrorEvent = { type: 'command', command: { name: 'stop' } };
    const ordinary = secondary();
    ordinary.event(stop);
    expect(ordinary.plan()).not.toContain('idle');
    const forked = secondary();
    const fault = { code: 'forked', message: 'Both were written.', remedy: '', details: {} };
    forked.event({ type: 'data', volumes: [volume({ role: 'secondary', fault })] });
    forked.event(stop);
    expect(forked.plan()).toEqual(['idle']);
    forked.event({ type: 'data', volumes: [volume({ fault })] });
    forked.ran();
    forked.after(1000);
    forked.peer({ active: true, state: 'primary' });
    expect(describeOwn(forked.state, forked.now).state).toBe('stopped');
    expect(forked.plan()).toEqual([]);
  });

  it('uses a copy of the other branch only when that has become newer than its own former one', () => {
    const bench = new Bench({ newest: { number: 2, id: '2.n1' } });
    const filledWith = (number: number): VolumeStatus => {
      const record = { ...volume().record!, generation: { number, id: `${String(number)}.n2` } };
      return volume({ role: 'secondary', link: 'up', record });
    };
    bench.event({ type: 'data', volumes: [filledWith(2)] });
    expect(describeOwn(bench.state, bench.now).data).toBe('stale');
    bench.event({ type: 'data', volumes: [filledWith(3)] });
    expect(describeOwn(bench.state, bench.now).data).toBe('up-to-date');
  });

  it('never goes to a copy that was found to differ, and says so on both sides', () => {
    const fault = { code: 'copies-differ', message: 'It differs.', remedy: '', details: {} };
    const record = { ...volume().record!, copy: 'stale' as const };
    const bench = secondary();
    bench.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up', record, fault })] });
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ data: 'stale', reason: 'copies-differ' });
    bench.after(timing.detectionMs + timing.grantMs);
    expect(bench.plan()).toEqual([]);
    const primary = new Bench({ activeBoot: 'b1', running: true });
    primary.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'resynchronising', link: 'up', fault })] });
    primary.peer({ data: 'stale', copy: 'stale' });
    expect(describeOwn(primary.state, primary.now)).toMatchObject({ state: 'primary', reason: 'copies-differ' });
    expect(isProtected(primary.state, primary.now)).toBe(false);
    const swap: MirrorEvent = { type: 'command', command: { name: 'swap' } };
    const { refused } = stepMirror(primary.state, { ...swap, atMs: primary.now });
    expect(refused?.remedy).toContain('holdfast verify db --repair');
  });

  it('tells of a disk that does not answer, once, and of nothing else while it is in sync', () => {
    const fault = { code: 'disk-silent', message: 'The disk of /data has not answered.', remedy: '', details: {} };
    const bench = new Bench({ activeBoot: 'b1', running: true });
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up' })] });
    bench.peer({ state: 'secondary', data: 'up-to-date' });
    const report = (now: typeof fault | null): number =>
      bench
        .event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up', fault: now })] })
        .filter((action) => action.type === 'emit' && action.event.code === 'disk-silent').length;
    expect([report(null), report(fault)]).toEqual([0, 1]);
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ reason: 'disk-silent' });
    expect(report(fault)).toBe(0);
  });

  it('is not protected while the disk of the primary fails, and says so on both sides', () => {
    const fault = { code: 'disk-failed', message: 'The disk of /data failed (write).', remedy: '', details: {} };
    const bench = new Bench({ activeBoot: 'b1', running: true });
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up' })] });
    // Stopped by order, so that the application stays.
    bench.peer({ state: 'secondary', data: 'up-to-date', wanted: 'stopped' });
    expect(isProtected(bench.state, bench.now)).toBe(true);
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up', fault })] });
    expect(isProtected(bench.state, bench.now)).toBe(false);
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'primary', reason: 'disk-failed' });

    const other = secondary();
    other.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up' })] });
    other.peer({ active: true, state: 'primary', data: 'up-to-date' });
    expect(isProtected(other.state, other.now)).toBe(true);
    other.peer({ active: true, state: 'primary', data: 'up-to-date', reason: 'disk-failed' });
    expect(isProtected(other.state, other.now)).toBe(false);
  });

  it.each(['copies-differ', null])('goes on alone when a resync of its own generation is lost (%s)', (code) => {
    const record = { ...volume().record!, peerStale: true };
    const fault = code === null ? null : { code, message: 'It differs.', remedy: '', details: {} };
    const bench = new Bench({ activeBoot: 'b1', running: true });
    const data = (change: Partial<VolumeStatus>): MirrorEvent => ({
      type: 'data',
      volumes: [volume({ role: 'primary', record, ...change })],
    });
    bench.peer({ data: 'stale', copy: 'stale' });
    bench.event(data({ mode: 'resynchronising', link: 'up' }));
    bench.event(data({ mode: 'undecided', fault }));
    bench.reply('witness');
    const order = bench.actions.find((action) => action.type === 'go-alone');
    expect(order).toMatchObject({ generation: { number: generation.number + 1 } });
    const next = { ...record, generation: { number: generation.number + 1, id: 'next' } };
    bench.event(data({ mode: 'alone', fault, record: next }));
    bench.peer({ data: 'stale', copy: 'stale' });
    const described = describeOwn(bench.state, bench.now);
    expect(described).toMatchObject({ state: 'alone', reason: code ?? 'peer-not-connected' });
  });

  it('starts the application only when what it depends on runs somewhere, and takes nothing over before', () => {
    const told = (bench: Bench): unknown[] =>
      bench.actions.flatMap((action) => (action.type === 'emit' ? [action.event.code, action.event.evidence] : []));
    const bench = new Bench({}, { dependsOn: ['db'] });
    bench.event({ type: 'data', volumes: [volume()] });
    bench.after(timing.grantMs);
    bench.peer({ state: 'wait' });
    expect(bench.state.seek).toBeNull();
    expect(told(bench)).toEqual(expect.arrayContaining(['module-missing', { modules: 'db' }]));
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'wait', reason: 'module-missing' });
    bench.after(500);
    bench.peer({ state: 'wait' });
    expect(told(bench)).not.toContain('module-missing');
    bench.event({ type: 'needs', missing: [] });
    expect(bench.state.seek?.purpose).toBe('start');

    const heir = secondary();
    heir.event({ type: 'needs', missing: ['db'] });
    heir.after(timing.detectionMs);
    expect(describeOwn(heir.state, heir.now)).toMatchObject({ state: 'secondary', reason: 'module-missing' });
    heir.event({ type: 'needs', missing: [] });
    expect(heir.state.seek?.purpose).toBe('takeover');
  });

  it('keeps running when what it depends on ends: that is what a checker is for', () => {
    const bench = secondary();
    bench.after(timing.detectionMs);
    bench.reply('witness');
    bench.event({ type: 'needs', missing: ['db'] });
    expect(bench.state.phase.name).toBe('activating');
  });
});
