import { describe, expect, it } from 'vitest';
import { Bench, generation, secondary, timing, volume } from './mirror-bench.ts';
import { stepMirror } from './mirror.ts';
import type { ModuleRecord } from './mirror-types.ts';

const promote = { type: 'command', command: { name: 'promote', orderedBy: 'a person' } } as const;
const waitsForDb = { dependsOn: ['db'] } as const;

function ended(bench: Bench): unknown {
  const told = bench.actions.find((action) => action.type === 'emit' && action.event.code === 'order-ended');
  return told?.type === 'emit' ? told.event.evidence['because'] : null;
}

/** A stale copy whose use was ordered while the other one was silent and another module was missing. */
function waiting(record: Partial<ModuleRecord> = {}, copy: 'stale' | 'up-to-date' = 'stale'): Bench {
  const bench = new Bench(record, waitsForDb);
  bench.event({ type: 'data', volumes: [volume({ record: { ...volume().record!, copy } })] });
  bench.after(timing.settleMs);
  if (record.order === undefined) bench.event(promote);
  return bench;
}

describe('an order to promote that waits for another module', () => {
  it('is obeyed as soon as that runs', () => {
    const bench = waiting();
    bench.after(timing.grantMs);
    expect(bench.state.record.order).toEqual({ by: 'a person', bootId: 'b1' });
    expect(bench.state.seek).toBeNull();
    bench.event({ type: 'needs', missing: [] });
    expect(bench.state.seek?.purpose).toBe('order');
  });

  it('knows a module that was added as one that is needed only after it was given', () => {
    const order = { by: 'a person' };
    expect(waiting({ order }).state.record.order).toEqual({ ...order, bootId: 'b1' });
    expect(new Bench({ order }).state.record.order).toEqual(order);
  });

  it('is obeyed by a secondary that may not take over by itself', () => {
    const bench = secondary();
    bench.event({ type: 'needs', missing: ['db'] });
    bench.event({ type: 'command', command: { name: 'maintenance', on: true } });
    bench.after(timing.detectionMs);
    bench.event(promote);
    bench.after(timing.heartbeatIntervalMs);
    expect(bench.state.record.order).not.toBeNull();
    bench.event({ type: 'needs', missing: [] });
    expect(bench.state.seek?.purpose).toBe('order');
  });

  it('ends with words when the other one is back with what this copy lacks, and is not taken before that is stopped', () => {
    const bench = waiting();
    bench.peer({ state: 'wait', generation: { number: 2, id: 'newer' } });
    expect(ended(bench)).toBe('peer-returned');
    expect(bench.state.record.order).toBeNull();
    const again = stepMirror(bench.state, { ...promote, atMs: bench.now });
    expect(again.refused).toMatchObject({ code: 'peer-has-newer-data' });
    bench.peer({ state: 'stopped', wanted: 'stopped', generation: { number: 2, id: 'newer' } });
    bench.event(promote);
    expect(bench.state.record.order).not.toBeNull();
  });

  it.each([
    ['has no complete copy either', { copy: 'stale', data: 'stale' }, 'stale'],
    ['has an older copy', { generation: { number: 0, id: 'older' } }, 'up-to-date'],
    ['has another version of the same number', { generation: { number: generation.number, id: 'other' } }, 'stale'],
    ['has the same', {}, 'up-to-date'],
  ] as const)('stands while the other one %s', (_case, beat, copy) => {
    const bench = waiting({}, copy);
    bench.peer({ state: 'wait', ...beat });
    bench.after(timing.heartbeatIntervalMs);
    expect(bench.state.record.order).not.toBeNull();
  });

  it('ends with words when the other one runs the application', () => {
    const bench = waiting();
    bench.peer({ active: true, state: 'primary' });
    bench.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up' })] });
    bench.ran();
    expect(ended(bench)).toBe('peer-runs');
    expect(bench.state.record.order).toBeNull();
  });

  it('ends with the boot: what the other one did meanwhile is not known', () => {
    const bench = waiting({ order: { by: 'a person', bootId: 'b0' } });
    expect(bench.state.record.order).toBeNull();
    expect(waiting({ order: { by: 'a person', bootId: 'b1' } }).state.record.order).not.toBeNull();
    // One that was taken for a module that needs no other one.
    expect(waiting({ order: { by: 'a person' } }).state.record.order).not.toBeNull();
  });
});
