import { describe, expect, it } from 'vitest';
import type { ModuleBeat } from '../contract/index.ts';
import { Bench, volume } from './mirror-bench.ts';
import { stepMirror } from './mirror.ts';

/** What a swap is refused with where the other server was last heard like this; null: it is taken. */
function swapWhere(change: Partial<ModuleBeat> | null, mode: 'in-sync' | 'alone' = 'in-sync') {
  const bench = new Bench({ activeBoot: 'b1', running: true, runningSinceMs: 7000 });
  bench.event({ type: 'data', volumes: [volume({ role: 'primary', mode, link: 'up' })] });
  bench.reply('witness');
  bench.ran();
  if (change !== null) bench.peer(change);
  return stepMirror(bench.state, { type: 'command', command: { name: 'swap' }, atMs: bench.now }).refused;
}

describe('a swap', () => {
  it('is taken where the other server is an up-to-date secondary', () => {
    expect(swapWhere({})).toBeNull();
  });

  it.each([
    [null, 'n2 cannot take over now: it is silent.'],
    [{ wanted: 'stopped', state: 'stopped' }, 'n2 cannot take over now: the module is stopped there.'],
    [
      { state: 'wait', message: 'Waits for a sign of n1.' },
      'n2 cannot take over now: it is not a secondary yet: Waits for a sign of n1.',
    ],
    [{ state: 'transient' }, 'n2 cannot take over now: it is not a secondary yet.'],
    [
      { data: 'resynchronising', message: 'n2 is being brought up to date.' },
      'n2 cannot take over now: its copy is not up to date: n2 is being brought up to date.',
    ],
    [
      { unable: 'start-failed', reason: 'start-failed', message: 'The application did not start here.' },
      'n2 cannot take over now: the application failed to start there before: The application did not start here.',
    ],
    // What it says of itself is about something else.
    [
      { unable: 'restart-limit', reason: 'waiting-for-resync', message: 'Waits.' },
      'n2 cannot take over now: checkers have restarted the application there as often as the limit allows.',
    ],
    [
      { unable: 'checker-wait' },
      'n2 cannot take over now: a checker has to be good again there before the application may run.',
    ],
  ] as const)('that is refused says why: %j', (change, message) => {
    expect(swapWhere(change)).toMatchObject({ code: 'peer-not-ready', message });
  });

  it('is refused while the connection of the copies is not there', () => {
    expect(swapWhere({}, 'alone')?.message).toBe(
      'n2 cannot take over now: it does not receive every change of this one yet.',
    );
  });
});
