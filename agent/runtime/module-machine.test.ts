import { expect, it } from 'vitest';
import type { ModuleBeat } from '../contract/index.ts';
import { freshRecord, initialMirror } from '../core/index.ts';
import { timingFor } from '../core/index.ts';
import type { MirrorIdentity } from '../core/index.ts';
import { ModuleMachine } from './module-machine.ts';
import type { PlanExecutor } from './plan-executor.ts';

const identity: MirrorIdentity = {
  module: 'db',
  node: 'n1',
  peer: 'n2',
  prefer: null,
  failback: 'manual',
  dependsOn: [],
  witness: false,
  pingWitness: null,
  withoutWitness: 'prefer-one-copy',
  timing: timingFor(3000),
  checkers: [],
  restartLimit: { count: 3, windowMs: 86_400_000 },
  session: 's1',
  bootId: 'b1',
};
const beat: ModuleBeat = {
  module: 'db',
  state: 'wait',
  data: 'up-to-date',
  generation: { number: 1, id: 'first' },
  unsettled: false,
  committed: false,
  copy: 'up-to-date',
  peerStale: false,
  clean: false,
  active: false,
  lastPrimary: false,
  wanted: 'started',
  maintenance: false,
  handoverTo: null,
};

function makeMachine(): { machine: ModuleMachine; at: (ms: number) => void; settled: () => Promise<void> } {
  let nowMs = 1000;
  const machine = new ModuleMachine(initialMirror(identity, freshRecord(), nowMs), {
    nowMs: () => nowMs,
    save: async () => undefined,
    send: () => undefined,
    extendLease: async () => undefined,
    cutLease: async () => undefined,
    emit: () => undefined,
    plans: { transition: () => undefined, start: () => undefined, goAlone: () => undefined } as unknown as PlanExecutor,
    changed: () => undefined,
    halt: (because) => {
      throw new Error(because);
    },
  });
  return { machine, at: (ms) => (nowMs = ms), settled: () => new Promise((resolve) => setImmediate(resolve)) };
}

it('takes a beat that says nothing new along with the next step, with the time at which it was heard', async () => {
  const { machine, at, settled } = makeMachine();
  at(2000);
  machine.heard('lan', beat, 1);
  await settled();
  const first = machine.published;
  expect(first.heardMs).toEqual({ lan: 2000 });
  at(2125);
  machine.heard('lan', { ...beat }, 2);
  at(2250);
  machine.heard('lan', { ...beat }, 3);
  await settled();
  // No step was made for them.
  expect(machine.published).toBe(first);
  at(2400);
  machine.tick();
  await settled();
  expect(machine.published.heardMs).toEqual({ lan: 2250 });
  expect(machine.published.beatOrder).toBe(3);
});

it('takes each network for itself, and what is new at once', async () => {
  const { machine, at, settled } = makeMachine();
  machine.heard('lan', beat, 1);
  machine.heard('other', beat, 2);
  await settled();
  expect(machine.published.heardMs).toEqual({ lan: 1000, other: 1000 });
  at(1500);
  machine.heard('lan', beat, 3);
  at(1600);
  machine.heard('lan', { ...beat, state: 'stopped' }, 4);
  await settled();
  expect(machine.published.beat?.state).toBe('stopped');
  expect(machine.published.heardMs).toEqual({ lan: 1600, other: 1000 });
  // Nothing old comes after it.
  machine.tick();
  await settled();
  expect([machine.published.beat?.state, machine.published.beatOrder]).toEqual(['stopped', 4]);
});

it('makes no step for reports of other volumes', async () => {
  const { machine, settled } = makeMachine();
  machine.data([]);
  await settled();
  const first = machine.published;
  machine.data([]);
  await settled();
  expect(machine.published).toBe(first);
  machine.data(null);
  await settled();
  expect(machine.published.volumes).toBeNull();
});
