import { describe, expect, it } from 'vitest';
import type { FaultRecord, ModuleBeat, VolumeStatus } from '../contract/index.ts';
import { beatOf, describeOwn } from './mirror.ts';
import { Bench, generation, timing, volume } from './mirror-bench.ts';
import type { MirrorEvent, ModuleRecord } from './mirror-types.ts';

const fault: FaultRecord = {
  code: 'disk-failed',
  message: 'The disk of /data/db failed (fsync).',
  remedy: '',
  details: {},
};
const running: Partial<VolumeStatus> = { role: 'primary', mode: 'in-sync', link: 'up' };

const data = (...volumes: Partial<VolumeStatus>[]): MirrorEvent => ({ type: 'data', volumes: volumes.map(volume) });

function primary(beat: Partial<ModuleBeat> = {}, record: Partial<ModuleRecord> = {}): Bench {
  const bench = new Bench({ activeBoot: 'b1', running: true, ...record });
  bench.event(data(running));
  bench.ran();
  bench.peer(beat);
  return bench;
}

/** It has left, and the other one runs the application. */
function left(): Bench {
  const bench = primary();
  bench.event(data({ ...running, fault }));
  bench.event(data({}));
  bench.ran();
  bench.peer({ active: true, state: 'primary' });
  return bench;
}

const toldBy = (bench: Bench): string[] =>
  bench.actions.flatMap((action) => (action.type === 'emit' ? [action.event.code] : []));

describe('a disk that fails under the application', () => {
  it('gives the application to the other one, and says why', () => {
    const bench = primary();
    bench.event(data({ ...running, fault }));
    expect(bench.state.phase).toEqual({ name: 'deactivating', then: 'handover' });
    expect(bench.plan()).toEqual(['stop', 'drop-vip', 'unmount', 'poststop']);
    const told = bench.actions.find((action) => action.type === 'emit' && action.event.code === 'disk-failover');
    expect(told).toMatchObject({
      event: {
        message: 'The disk of /data/db on n1 failed; n2 has everything that was confirmed, and takes over.',
        evidence: { paths: '/data/db' },
      },
    });
    expect(bench.state.record.doubted).toEqual({ generation, paths: ['/data/db'], retried: false });
  });

  it.each([
    ['its copy is stale', { data: 'stale', copy: 'stale' }],
    ['it is stopped', { wanted: 'stopped', state: 'stopped' }],
    ['the application does not run there', { unable: 'start-failed' }],
    ['it has another generation', { generation: { number: 1, id: 'other' } }],
    ['its record is not complete', { copy: 'stale' }],
  ] as const)('keeps the application when the other one is not ready: %s', (_why, beat) => {
    const bench = primary(beat);
    bench.event(data({ ...running, fault }));
    expect(bench.state.phase.name).toBe('active');
    // It may run here, and is not started here again: it may lack what the other one has.
    expect(bench.state.record.doubted).toEqual({ generation, paths: ['/data/db'], retried: false });
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ reason: 'disk-failed' });
  });

  it('keeps it while somebody works on it, and while one of two volumes is not in sync', () => {
    const maintained = primary({}, { maintenance: true });
    maintained.event(data({ ...running, fault }));
    expect(maintained.state.phase.name).toBe('active');
    const bench = primary();
    bench.event(data({ ...running, fault }, { ...running, id: 'db/1', mode: 'resynchronising' }));
    expect(bench.state.phase.name).toBe('active');
  });

  it('does not wait for a start script that runs', () => {
    const starting = primary();
    starting.state = { ...starting.state, phase: { name: 'activating' }, running: true, mounted: true };
    starting.event(data({ ...running, fault }));
    expect(starting.state.phase).toEqual({ name: 'deactivating', then: 'handover' });
  });

  it('neither starts nor serves as secondary afterwards, and leaves the application to the other one', () => {
    const bench = left();
    expect(bench.plan()).toEqual([]);
    expect(describeOwn(bench.state, bench.now)).toMatchObject({ state: 'wait', data: 'stale', reason: 'disk-failed' });
    // A word that agents of an earlier version can read.
    expect(beatOf(bench.state, bench.now)).toMatchObject({ unable: 'start-failed', reason: 'disk-failed' });
    bench.after(timing.grantMs + timing.detectionMs * 4);
    bench.after(500);
    expect([bench.state.phase.name, bench.state.seek]).toEqual(['wait', null]);
  });

  it('is made equal when a person has ordered a start, and is a copy like any other when that has begun', () => {
    const bench = left();
    bench.event({ type: 'command', command: { name: 'start' } });
    expect(bench.plan()).toEqual(['serve-secondary']);
    const steps = bench.actions.flatMap((action) => (action.type === 'run' ? action.steps : []));
    // Nothing is believed of it: a bad block is in no log.
    expect(steps).toEqual([{ do: 'serve-secondary', doubted: true }]);
    bench.event(data({ role: 'secondary', link: 'up' }));
    bench.ran();
    expect(bench.state.record.doubted).toMatchObject({ retried: true });
    // The other one is lost before it has begun: nothing is started.
    bench.after(timing.grantMs + timing.detectionMs * 4);
    expect([bench.state.phase.name, bench.state.seek]).toEqual(['wait', null]);
    expect(describeOwn(bench.state, bench.now).message).toContain('promote');
    bench.event(data({ role: 'secondary', link: 'up', record: { ...volume().record!, copy: 'stale' } }));
    expect(bench.state.record.doubted).toBeNull();
  });

  it('is not lifted by an order that comes before the application has left', () => {
    const bench = primary();
    bench.event(data({ ...running, fault }));
    bench.event({ type: 'command', command: { name: 'start' } });
    expect(bench.state.record.doubted).toMatchObject({ retried: false });
  });

  it('gives nothing away while the link is down, whatever its mode was', () => {
    const bench = primary();
    bench.event(data({ ...running, link: 'down', fault }));
    expect(bench.state.phase.name).toBe('active');
  });

  it('asks for a person where the other one has no complete copy either', () => {
    const bench = left();
    bench.peer({ state: 'wait', data: 'stale', copy: 'stale' });
    expect(describeOwn(bench.state, bench.now).message).toContain('promote');
    // And the other way round: a doubted copy is complete by its record, and yet nobody starts it.
    const other = new Bench({ newest: { number: 9, id: 'newer' } });
    other.event(data({ record: { ...volume().record!, copy: 'stale' } }));
    other.peer({ state: 'wait', data: 'stale', copy: 'up-to-date', reason: 'disk-failed', unable: 'start-failed' });
    expect(describeOwn(other.state, other.now).message).toContain('promote');
  });

  it('is not started again where it has only been left to be restarted, or for no right to run', () => {
    for (const unable of [null, 'checker-wait'] as const) {
      const bench = primary({ unable }, { maintenance: true });
      bench.event(data({ ...running, fault }));
      bench.event({ type: 'command', command: { name: 'restart' } });
      bench.event(data({}));
      bench.ran();
      expect([bench.state.phase.name, bench.state.seek]).toEqual(['wait', null]);
      expect(beatOf(bench.state, bench.now).handoverTo).toBe(unable === null ? 'n2' : null);
      expect(describeOwn(bench.state, bench.now).reason).toBe('disk-failed');
    }
    const cut = primary({}, { maintenance: true });
    cut.event(data({ ...running, fault }));
    cut.after(timing.suspendedMaxMs + timing.leaseMs * 2);
    cut.event(data({}));
    cut.ran();
    cut.after(timing.grantMs + timing.detectionMs * 4);
    expect([cut.state.phase.name, cut.state.seek]).toEqual(['wait', null]);
    expect(describeOwn(cut.state, cut.now).reason).toBe('disk-failed');
  });

  it('leaves the good copy the newest one, whatever becomes of the link while the application stops', () => {
    const bench = primary();
    bench.after(500);
    bench.reply('peer');
    bench.after(1, data({ ...running, fault }));
    expect(bench.state.phase).toEqual({ name: 'deactivating', then: 'handover' });
    bench.after(200);
    bench.peer();
    const told: string[] = [];
    for (let turn = 0; turn < 16; turn += 1) {
      bench.after(500);
      told.push(...bench.actions.map(({ type }) => type));
      if (bench.actions.some((action) => action.type === 'send' && action.message.kind === 'vote-request')) {
        bench.reply('witness');
        told.push(...bench.actions.map(({ type }) => type));
      }
      bench.peer();
      bench.event(data({ ...running, mode: 'undecided', link: 'down', fault }));
      told.push(...bench.actions.map(({ type }) => type));
    }
    expect(told).not.toContain('go-alone');
    expect([bench.state.goingAlone, bench.state.record.doubted]).toEqual([null, expect.anything()]);
  });

  it('is doubted by nobody where the other one was stale already', () => {
    const bench = primary();
    bench.event(data({ ...running, mode: 'alone', fault, record: { ...volume().record!, peerStale: true } }));
    expect(bench.state.record.doubted).toBeNull();
  });

  it('is doubted no more when another disk is there, or when it has gone on alone', () => {
    const replaced = left();
    replaced.event(data({ record: { ...volume().record!, generation: null, copy: 'stale' } }));
    expect(replaced.state.record.doubted).toBeNull();
    const alone = left();
    alone.event(data({ record: { ...volume().record!, generation: { number: 2, id: 'next' } } }));
    expect(alone.state.record.doubted).toBeNull();
    // In part: the volume that has gone on has what nobody else has.
    const inPart = left();
    const next = { ...volume().record!, generation: { number: 2, id: 'next' } };
    inPart.event(data({}, { id: 'db/1', record: next }));
    expect(beatOf(inPart.state, inPart.now).unable).toBeNull();
  });

  it('is not waited for by the one that takes over', () => {
    const bench = new Bench({ activeBoot: 'b1', running: true });
    bench.event(data({ ...running, mode: 'undecided', link: 'down' }));
    bench.state = { ...bench.state, hadLink: false };
    bench.peer({ state: 'wait', data: 'stale', reason: 'disk-failed' });
    expect(bench.state.goingAlone).not.toBeNull();
    expect(toldBy(bench)).not.toContain('disk-failover');
  });
});
