/** Syncs that are made together on the primary: what becomes of those that a failed one stood for, and of those that a lost link leaves. */
import { expect, it } from 'vitest';
import { goAlone, run, together } from './run.ts';

it('a failed sync is an error for every request that it stood for, and is recorded', { timeout: 60_000 }, () => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = together(seed);
    const [primary] = world.machines;
    run(world, 200, () => false);
    const before = world.acknowledged.get('log1') ?? 0;
    const answered = primary.answered;
    // More in one go than are read one after the other: what came first must not be synced before the others are there.
    primary.disk.failsNextSync = true;
    for (let n = 0; n < 3; n++) primary.requests.push({ kind: 'append', log: 'log1' });
    run(world, 4000, () => primary.answered === answered + 3);
    expect([seed, primary.answered]).toEqual([seed, answered + 3]);
    expect(world.acknowledged.get('log1') ?? 0).toBe(before);
    run(world, 400, () => primary.record.unwritten === true);
    expect(primary.record.unwritten).toBe(true);
  }
});

it(
  'a sync whose link is lost on the way is answered once, when the record says that the peer is stale',
  { timeout: 60_000 },
  () => {
    for (let seed = 1; seed <= 30; seed++) {
      const world = together(seed);
      const [primary, peer] = world.machines;
      const answered = primary.answered;
      for (let n = 0; n < 5; n++) primary.requests.push({ kind: 'append', log: `log${n % 3}` });
      // Anywhere between the reading of the first and the acknowledgement of the last.
      run(world, seed, () => false);
      world.connected = false;
      if (seed % 2 === 0) world.breakLink();
      else world.crash(peer, true);
      run(world, 4000, () => primary.primary?.mode === 'undecided');
      if (primary.primary?.mode === 'undecided') goAlone(world, primary);
      run(world, 4000, () => primary.answered >= answered + 5);
      run(world, 200, () => false);
      expect([seed, primary.answered]).toEqual([seed, answered + 5]);
      world.judge.data(primary);
    }
  },
);
