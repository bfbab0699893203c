import { describe, expect, test } from 'vitest';
import { Bench, timing, volume } from './mirror-bench.ts';
import type { MirrorIdentity } from './mirror-types.ts';

const router = '10.0.0.1';
const available: Partial<MirrorIdentity> = {
  witness: false,
  pingWitness: router,
  withoutWitness: 'prefer-availability',
};
const oneCopy: Partial<MirrorIdentity> = { ...available, withoutWitness: 'prefer-one-copy' };

/** Secondary of a primary that is heard. */
function secondary(change: Partial<MirrorIdentity> = available): Bench {
  const bench = new Bench({}, change);
  bench.event({ type: 'data', volumes: [volume()] });
  bench.peer({ active: true, state: 'primary' });
  bench.event({ type: 'data', volumes: [volume({ role: 'secondary', link: 'up' })] });
  bench.ran();
  return bench;
}

/** Primary with a secondary in sync that grants its vote. */
function primary(change: Partial<MirrorIdentity> = available): Bench {
  const bench = new Bench({ activeBoot: 'b1', running: true, lastPrimary: true }, change);
  bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up' })] });
  bench.ran();
  contact(bench);
  return bench;
}

function contact(bench: Bench): void {
  bench.peer();
  bench.event({ type: 'tick' });
  bench.reply('peer');
}

/** Time passes with nobody but the router answering, and that only where `answers`. */
function pass(bench: Bench, forMs: number, answers: boolean): void {
  for (let passedMs = 0; passedMs < forMs; passedMs += timing.heartbeatIntervalMs) {
    bench.now += timing.heartbeatIntervalMs;
    if (answers) bench.event({ type: 'reached', sentMs: bench.now - 10 });
    bench.event({ type: 'tick' });
  }
}

const fenced = (bench: Bench): boolean => bench.state.phase.name === 'fencing';
const alone = (bench: Bench): boolean => bench.actions.some((action) => action.type === 'go-alone');

describe('who does not reach the ping witness begins nothing', () => {
  test('a secondary takes over while it answers', () => {
    const bench = secondary();
    pass(bench, timing.detectionMs + 1000, true);
    expect(bench.state.phase.name).toBe('activating');
  });
  test('and waits while it does not', () => {
    const bench = secondary();
    pass(bench, timing.detectionMs * 4, false);
    expect(bench.state.phase.name).toBe('secondary');
    expect(bench.state.waiting.code).toBe('ping-witness-silent');
    // Who has just come back has heard nothing yet, whoever runs.
    pass(bench, timing.detectionMs - timing.heartbeatIntervalMs, true);
    expect(bench.state.phase.name).toBe('secondary');
    expect(bench.state.waiting.code).toBe('waiting-for-peer');
    pass(bench, timing.heartbeatIntervalMs * 2, true);
    expect(bench.state.phase.name).toBe('activating');
  });
  test('two pings that are lost in a row do not begin the listening anew; three do', () => {
    const silentFor = (lost: number): Bench => {
      const bench = secondary();
      pass(bench, timing.heartbeatIntervalMs * 3, true);
      pass(bench, timing.heartbeatIntervalMs * lost, false);
      pass(bench, timing.heartbeatIntervalMs * (4 - lost), true);
      return bench;
    };
    expect(silentFor(2).state.phase.name).toBe('activating');
    expect(silentFor(3).state.phase.name).toBe('secondary');
  });
  test('a gap that is no two lost pings begins the listening anew, short of a lease too', () => {
    const bench = secondary();
    bench.event({ type: 'reached', sentMs: bench.now });
    bench.after(timing.leaseMs - 100);
    bench.event({ type: 'reached', sentMs: bench.now });
    expect(bench.state.reachedSinceMs).toBe(bench.now);
  });
  test('an answer from before the cut is too old when the loss is noticed', () => {
    const bench = secondary();
    bench.event({ type: 'reached', sentMs: bench.now });
    bench.after(timing.detectionMs);
    expect(bench.state.seek).toBeNull();
  });
  test('an answer to a ping of the future counts for nothing', () => {
    const bench = secondary();
    bench.event({ type: 'reached', sentMs: bench.now + timing.detectionMs });
    bench.after(timing.detectionMs + 1);
    expect(bench.state.seek).toBeNull();
  });
  test('a node that starts with the peer silent', () => {
    const bench = new Bench({ lastPrimary: true }, available);
    bench.event({ type: 'data', volumes: [volume()] });
    pass(bench, timing.settleMs + timing.grantMs, false);
    expect(bench.state.waiting.code).toBe('ping-witness-silent');
    pass(bench, timing.detectionMs + timing.heartbeatIntervalMs, true);
    expect(bench.state.phase.name).toBe('activating');
  });
  test('two that see each other start without it', () => {
    const bench = new Bench({ lastPrimary: true }, available);
    bench.event({ type: 'data', volumes: [volume()] });
    bench.after(timing.grantMs);
    bench.peer({ state: 'wait' });
    bench.reply('peer');
    expect(bench.state.phase.name).toBe('activating');
  });
});

test('it is no vote: with one copy preferred nobody takes over, whatever it answers', () => {
  const bench = secondary(oneCopy);
  pass(bench, timing.detectionMs * 4, true);
  expect(bench.state.phase.name).toBe('secondary');
  expect(bench.state.waiting.code).toBe('peer-silent');
});

describe('who runs and reaches neither it nor the peer', () => {
  test('answers nothing after one lease, and stops', () => {
    const bench = primary();
    const lastMs = bench.now;
    pass(bench, timing.leaseMs, false);
    expect(bench.state.leaseMs).toBe(lastMs + timing.leaseMs);
    pass(bench, timing.suspendedMaxMs + 1000, false);
    expect(fenced(bench)).toBe(true);
    expect(bench.state.phase).toMatchObject({ because: { code: 'cut-off' } });
  });
  test('a suspended one goes on when the peer gives its vote again, and not by an answer alone: the peer may have taken over', () => {
    const bench = primary();
    const untilMs = bench.state.leaseMs;
    pass(bench, timing.leaseMs + 500, false);
    pass(bench, 500, true);
    expect(bench.state.phase.name).toBe('active');
    expect(bench.state.leaseMs).toBe(untilMs);
    bench.reply('peer', { granted: false, reason: 'lease-held', holder: 'n2' });
    expect(bench.state.leaseMs).toBe(untilMs);
    contact(bench);
    expect(bench.state.leaseMs).toBeGreaterThan(bench.now);
  });
  test('a suspended one that was alone already goes on when it answers: nobody can have taken over from it', () => {
    const bench = primary();
    const record = { ...volume().record!, peerStale: true };
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'alone', record })] });
    pass(bench, timing.leaseMs + 500, false);
    pass(bench, 500, true);
    expect(bench.state.leaseMs).toBeGreaterThan(bench.now);
  });
  test('a restart in place of the stopped application counts as a new right', () => {
    const bench = primary();
    pass(bench, timing.detectionMs + 1000, true);
    bench.event({ type: 'command', command: { name: 'restart' } });
    pass(bench, timing.leaseMs + 500, false);
    bench.event({ type: 'data', volumes: [volume()] });
    bench.ran();
    pass(bench, timing.detectionMs + 1000, true);
    expect(bench.state.phase.name).toBe('activating');
    expect(bench.state.leaseMs).toBeGreaterThan(bench.now);
  });
  test('a control plane that comes back under the application has its right from the peer, or from nobody', () => {
    const bench = new Bench({ activeBoot: 'b1', running: true, lastPrimary: true }, available);
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up' })] });
    bench.ran();
    pass(bench, 1000, true);
    expect(bench.actions.every(({ type }) => type !== 'extend-lease')).toBe(true);
    expect(bench.state.leaseMs).toBeLessThanOrEqual(bench.now);
    contact(bench);
    expect(bench.state.leaseMs).toBeGreaterThan(bench.now);
  });
  /** Comes back with so much left of its lease, as the replicator says, or its predecessor. */
  const resumed = (leftMs: number, by: 'replicator' | 'predecessor'): Bench => {
    const bench = new Bench({ activeBoot: 'b1', running: true, lastPrimary: true }, available);
    const untilMs = bench.now + leftMs;
    if (by === 'predecessor') bench.state = { ...bench.state, leaseMs: untilMs };
    const told = by === 'replicator' ? { answersUntilMs: untilMs } : {};
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', link: 'up', ...told })] });
    bench.ran();
    return bench;
  };
  test.each(['replicator', 'predecessor'] as const)(
    'one that comes back before its right has run out keeps it while the router answers, as its %s knows it',
    (by) => {
      const bench = resumed(timing.leaseMs - 500, by);
      pass(bench, timing.detectionMs * 4, true);
      expect(bench.state.phase.name).toBe('active');
      expect(bench.state.leaseMs).toBeGreaterThan(bench.now);
    },
  );
  test('what is handed over is the remainder, and never more', () => {
    const bench = resumed(800, 'replicator');
    expect(bench.state.leaseMs).toBe(bench.now + 800);
    expect(bench.actions.every(({ type }) => type !== 'extend-lease')).toBe(true);
    expect(resumed(60_000, 'predecessor').state.leaseMs).toBe(bench.now + timing.leaseMs);
    const late = resumed(-1, 'replicator');
    pass(late, timing.suspendedMaxMs + 1000, true);
    expect(fenced(late)).toBe(true);
  });
  test('a predecessor that had lost its right is believed, whatever the replicator says', () => {
    const bench = new Bench({ activeBoot: 'b1', running: true, lastPrimary: true }, available);
    bench.state = { ...bench.state, leaseMs: bench.now };
    const untilMs = bench.now + timing.leaseMs;
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'in-sync', answersUntilMs: untilMs })] });
    bench.ran();
    pass(bench, 1000, true);
    expect(bench.state.leaseMs).toBeLessThanOrEqual(bench.now);
  });
  test('either of the two is enough', () => {
    const one = primary();
    pass(one, timing.detectionMs * 4, true);
    expect(one.state.phase.name).toBe('active');
    const other = primary();
    for (let count = 0; count < 30; count += 1) {
      other.now += timing.heartbeatIntervalMs;
      contact(other);
    }
    expect(other.state.phase.name).toBe('active');
  });
  test('what is heard proves nothing: only a round trip does', () => {
    const bench = primary();
    for (let count = 0; count < 12; count += 1) {
      bench.after(timing.heartbeatIntervalMs);
      bench.peer();
    }
    expect(fenced(bench)).toBe(true);
  });
  test('a peer that refuses is there all the same', () => {
    const bench = primary();
    for (let count = 0; count < 30; count += 1) {
      bench.after(timing.heartbeatIntervalMs);
      bench.reply('peer', { granted: false, reason: 'older-generation' });
    }
    expect(bench.state.phase.name).toBe('active');
  });
});

describe('going on alone', () => {
  const lose = (bench: Bench): void => {
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'undecided' })] });
  };
  test('is not begun by an answer to what was asked in the same instant', () => {
    const bench = primary();
    bench.now += 100;
    bench.event({ type: 'reached', sentMs: bench.now });
    lose(bench);
    expect(alone(bench)).toBe(false);
  });
  test('waits for an answer to what was asked after the changes were taken no more', () => {
    const bench = primary();
    bench.event({ type: 'reached', sentMs: bench.now });
    bench.now += 100;
    lose(bench);
    expect(alone(bench)).toBe(false);
    bench.now += 100;
    bench.event({ type: 'reached', sentMs: bench.now - 50 });
    expect(alone(bench)).toBe(true);
  });
  test('does not happen without one', () => {
    const bench = primary();
    bench.now += 100;
    lose(bench);
    pass(bench, timing.leaseMs - 500, false);
    expect(bench.state.goingAlone).toBeNull();
  });
  test("the peer's vote is an answer as well", () => {
    const bench = primary();
    bench.now += 100;
    lose(bench);
    bench.now += 100;
    bench.event({ type: 'tick' });
    bench.reply('peer');
    expect(alone(bench)).toBe(true);
  });
});

describe('an order of a person asks for no answer', () => {
  const promoted = (): Bench => {
    const bench = secondary();
    pass(bench, timing.detectionMs * 2, false);
    bench.event({ type: 'command', command: { name: 'promote', orderedBy: 'somebody' } });
    return bench;
  };
  test('and its silence does not stop what was ordered', () => {
    const bench = promoted();
    expect(bench.state.phase.name).toBe('activating');
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'undecided' })] });
    bench.ran();
    pass(bench, timing.detectionMs * 4, false);
    expect(bench.state.phase.name).toBe('active');
    expect(bench.state.record.unreachedByOrder).toBe(true);
  });
  test('until it has answered once', () => {
    const bench = promoted();
    bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode: 'undecided' })] });
    bench.ran();
    pass(bench, 1000, true);
    expect(bench.state.record.unreachedByOrder).toBe(false);
    pass(bench, timing.leaseMs + timing.suspendedMaxMs + 1000, false);
    expect(fenced(bench)).toBe(true);
  });
});
