import { describe, expect, it } from 'vitest';
import { Bench, timing, volume } from './mirror-bench.ts';

const serving = volume({ role: 'primary', mode: 'in-sync', link: 'up' });

const lost = { code: 'connection-lost', message: 'The connection was lost.', remedy: '', details: {} };
const failing = { ...lost, code: 'failed', message: 'It failed.' };

/** The application runs here, the other one is in sync. */
function active(): Bench {
  const bench = new Bench({ activeBoot: 'b1', running: true, runningSinceMs: 7000 });
  bench.event({ type: 'data', volumes: [serving] });
  bench.reply('witness');
  bench.ran();
  expect(bench.state.phase.name).toBe('active');
  return bench;
}

/** The other one and the witness go on as if nothing had happened. */
function tick(bench: Bench, milliseconds: number): void {
  bench.after(milliseconds);
  bench.reply('witness');
  bench.peer();
}

function untilActivating(bench: Bench): void {
  for (let beat = 0; beat < 40 && bench.state.phase.name !== 'activating'; beat++) {
    const asked = bench
      .after(timing.heartbeatIntervalMs)
      .some((action) => action.type === 'send' && action.to === 'witness');
    if (asked) bench.reply('witness');
  }
  expect(bench.state.phase.name).toBe('activating');
}

describe('a replicator that ends under a running application', () => {
  it('is waited for, under a right that is renewed, and gone on with', () => {
    const bench = active();
    bench.event({ type: 'data', volumes: null });
    expect([bench.state.phase.name, bench.plan()]).toEqual(['active', []]);
    const before = bench.state.leaseMs;
    tick(bench, timing.heartbeatIntervalMs);
    tick(bench, timing.heartbeatIntervalMs);
    expect(bench.state.leaseMs).toBeGreaterThan(before);
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'undecided' })] });
    expect(bench.actions).toContainEqual({
      type: 'emit',
      event: expect.objectContaining({ code: 'replicator-restarted' }) as unknown,
    });
    expect([bench.state.phase.name, bench.plan()]).toEqual(['active', []]);
    // As after a lost link: a new generation, promised elsewhere first.
    expect(bench.state.goingAlone).not.toBeNull();
    bench.reply('witness');
    expect(bench.actions).toContainEqual({ type: 'go-alone', generation: bench.state.goingAlone });
  });

  it('ends the application at once when it comes back without its mount', () => {
    const bench = active();
    bench.event({ type: 'data', volumes: null });
    bench.event({ type: 'data', volumes: [volume()] });
    expect([bench.state.phase.name, bench.plan()]).toEqual(['fencing', ['fence', 'drop-vip']]);
  });

  it('ends it when it does not come back within its time, and is not believed any more then', () => {
    const bench = active();
    bench.event({ type: 'data', volumes: null });
    let waitedMs = 0;
    for (; bench.state.phase.name === 'active' && waitedMs < 60_000; waitedMs += 250) tick(bench, 250);
    expect(waitedMs).toBeGreaterThanOrEqual(timing.replicatorPatienceMs);
    expect(waitedMs).toBeLessThan(timing.replicatorPatienceMs + 500);
    expect([bench.state.phase.name, bench.state.volumes]).toEqual(['fencing', null]);
  });

  it('is not waited for when it ends again and again', () => {
    const bench = active();
    for (let loss = 0; loss < 5; loss++) {
      tick(bench, 500);
      bench.event({ type: 'data', volumes: null });
      tick(bench, 500);
      bench.event({ type: 'data', volumes: [serving] });
      expect(bench.state.phase.name).toBe('active');
    }
    tick(bench, 500);
    bench.event({ type: 'data', volumes: null });
    expect(bench.state.phase.name).toBe('fencing');
  });

  it('is not waited for by an application whose directory was not mounted yet', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    bench.after(timing.grantMs);
    bench.after(timing.settleMs);
    bench.reply('witness');
    if (bench.state.phase.name !== 'activating') bench.after(timing.heartbeatIntervalMs);
    if (bench.state.phase.name !== 'activating') bench.reply('witness');
    expect(bench.state.phase.name).toBe('activating');
    bench.event({ type: 'data', volumes: null });
    expect(bench.state.phase.name).toBe('fencing');
  });

  it('leaves nothing behind against the application when it ends in the middle of the mount', () => {
    const bench = new Bench();
    bench.event({ type: 'data', volumes: [volume()] });
    untilActivating(bench);
    // The call fails before the loss of the connection has been told.
    bench.event({ type: 'ran', id: bench.state.runId, failed: { step: 'mount', fault: lost }, clean: false });
    expect([bench.state.phase.name, bench.state.record.startFailed]).toEqual(['fencing', false]);
    bench.event({ type: 'data', volumes: null });
    bench.ran();
    bench.event({ type: 'data', volumes: [volume()] });
    untilActivating(bench);
    // What the mount itself says against it counts as before.
    bench.event({ type: 'ran', id: bench.state.runId, failed: { step: 'mount', fault: failing }, clean: false });
    expect(bench.state.record.startFailed).toBe(true);
  });

  it('may make a start script fail, which says nothing against the application either', () => {
    const bench = active();
    bench.event({ type: 'command', command: { name: 'restart' } });
    bench.event({ type: 'data', volumes: [volume()] });
    bench.ran();
    untilActivating(bench);
    bench.event({ type: 'data', volumes: [serving] });
    bench.event({ type: 'data', volumes: null });
    bench.event({ type: 'ran', id: bench.state.runId, failed: { step: 'script', fault: failing }, clean: false });
    expect([bench.state.phase.name, bench.state.record.startFailed]).toEqual(['fencing', false]);
  });

  it('before every start ends at rest, and says so', () => {
    const bench = new Bench();
    const codes: string[] = [];
    for (let loss = 0; loss < 5; loss++) {
      expect(bench.state.record.startFailed).toBe(false);
      bench.event({ type: 'data', volumes: [volume()] });
      untilActivating(bench);
      // Either of the two may be heard first.
      if (loss % 2 === 0) bench.event({ type: 'data', volumes: null });
      else bench.event({ type: 'ran', id: bench.state.runId, failed: { step: 'mount', fault: lost }, clean: false });
      codes.push(...bench.actions.flatMap((action) => (action.type === 'emit' ? [action.event.code] : [])));
      bench.event({ type: 'data', volumes: null });
      bench.ran();
    }
    expect(bench.state.record.startFailed).toBe(true);
    expect(codes.filter((code) => code === 'start-failed')).toHaveLength(1);
    bench.event({ type: 'data', volumes: [volume()] });
    for (let beat = 0; beat < 40; beat++) bench.after(timing.heartbeatIntervalMs);
    expect([bench.state.phase.name, bench.state.waiting.code]).toEqual(['wait', 'start-failed']);
    // An order begins anew.
    bench.event({ type: 'command', command: { name: 'start' } });
    untilActivating(bench);
    bench.event({ type: 'data', volumes: null });
    expect(bench.state.record.startFailed).toBe(false);
  });

  it('now and then before a start is nothing that adds up', () => {
    const bench = new Bench();
    for (let loss = 0; loss < 8; loss++) {
      bench.event({ type: 'data', volumes: [volume()] });
      untilActivating(bench);
      bench.event({ type: 'data', volumes: null });
      bench.ran();
      bench.after(200_000);
    }
    expect(bench.state.record.startFailed).toBe(false);
  });

  it('is not waited for without end by a control plane that was started anew as well', () => {
    const bench = new Bench({ activeBoot: 'b1', running: true, runningSinceMs: 7000 });
    let waitedMs = 0;
    for (; bench.state.phase.name !== 'fencing' && waitedMs < 60_000; waitedMs += 500) bench.after(500);
    expect(waitedMs).toBeLessThan(7000);
  });

  it('loses the right to run while it is away as it would otherwise', () => {
    const bench = active();
    bench.event({ type: 'data', volumes: null });
    bench.peer({ active: true, state: 'alone', generation: { number: 9, id: '9.n2.x' } });
    expect(bench.state.phase.name).toBe('fencing');
  });
});
