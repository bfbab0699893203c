import { expect, test, vi } from 'vitest';
import type { EventDraft, ModuleDefinition } from '../contract/index.ts';
import { Fault } from '../contract/index.ts';
import type { PlanStep } from '../core/index.ts';
import { lineJournal } from './journal.ts';
import type { PlanOutcome } from './plan-executor.ts';
import { PlanExecutor } from './plan-executor.ts';
import type { LeftProcess } from '../scripts/index.ts';

const script = (command: string) => ({ command, timeoutMs: 1000 });
const definition: ModuleDefinition = {
  name: 'db',
  prefer: null,
  failback: 'manual',
  dependsOn: [],
  volumes: [
    { id: 'db/0', path: '/data/a', volumeUuid: 'a' },
    { id: 'db/1', path: '/data/b', volumeUuid: 'b' },
  ],
  cache: 'none',
  acknowledge: 'durable',
  vips: [{ address: '10.0.0.50', prefixLength: 24, interface: null }],
  scripts: {
    prestart: null,
    start: script('start'),
    stop: script('stop'),
    poststop: null,
    forceStop: script('force'),
    transition: null,
  },
  checkers: [],
  restartLimit: { count: 3, windowMs: 86_400_000 },
};

/** A host that writes down what it is told, and fails or waits where the test says so. */
class Host {
  readonly done: string[] = [];
  readonly events: EventDraft[] = [];
  readonly raised = new Set<string>();
  definition: ModuleDefinition = definition;
  /** Still running after the stop script. */
  left: LeftProcess[] = [];
  /** In the kernel for good. */
  immortal: LeftProcess[] = [];
  /** Whether what is killed is started again at once by somebody else. */
  returning = false;
  othersRun = false;
  groups: readonly bigint[] = [7n];
  readonly journal: string[] = [];
  learned: readonly string[] = [];
  fail: (what: string) => Error | null = () => null;
  waitFor: (what: string) => Promise<unknown> | null = () => null;

  async act(what: string, signal?: AbortSignal): Promise<void> {
    this.done.push(what);
    const waiting = this.waitFor(what);
    if (waiting !== null) {
      const aborted = new Promise((_, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error));
      });
      await Promise.race([waiting, aborted]);
    }
    const failure = this.fail(what);
    if (failure !== null) throw failure;
  }

  executor(): PlanExecutor {
    return new PlanExecutor(
      {
        node: 'n1',
        timers: { every: () => ({ [Symbol.dispose]: () => undefined }), delay: () => this.act('wait') },
        journal: lineJournal((line) => this.journal.push(line), false),
        replicator: {
          call: async (method, params, signal) => {
            const { volume } = params as { volume: string };
            await this.act(`${method} ${volume}`, signal);
            return { clean: true, killedPids: [] } as never;
          },
          configure: async () => undefined,
          onVolumes: () => undefined,
          onSilent: () => undefined,
          close: () => undefined,
        },
        vip: {
          raise: ({ address }, _, signal) => this.act(`raise ${address}`, signal),
          drop: (address) => this.act(`drop ${address}`),
          present: async () => false,
        },
        scripts: {
          run: (order, signal) => this.act(`script ${order.script}`, signal),
          killLeftovers: async () => {
            await this.act('kill leftovers');
            return this.left.splice(0);
          },
          leftovers: async () => this.left,
          learn: async (_, units) => {
            this.learned = units;
          },
          knows: () => this.learned.length > 0,
          groups: () => this.groups,
          killApplication: async () => {
            await this.act('kill application');
            if (!this.returning) return this.immortal;
            return [{ pid: this.done.length, name: 'returned', startTicks: '1' }];
          },
          boundOutputs: async () => undefined,
        },
        rescue: {
          endReplicator: async () => 'not-found',
          abortMounts: (path) => this.act(`abort ${path}`),
          killHolders: async (path) => {
            await this.act(`kill holders of ${path}`);
            return [{ pid: 7, name: 'postgres' }];
          },
        },
        reset: () => this.act('reset'),
      },
      {
        definition: () => this.definition,
        peer: 'n2',
        emit: (event) => this.events.push(event),
        leaseRuns: () => true,
        applicationStarts: () => void this.done.push('application starts'),
        applicationChanged: () => this.act('application changed'),
        applicationFenced: () => this.act('application fenced'),
        othersRun: () => this.othersRun,
        applicationEnded: () => this.act('application ended'),
        raised: this.raised,
      },
    );
  }

  run(steps: readonly PlanStep[]): Promise<PlanOutcome> {
    return new Promise((resolve) => this.executor().start(steps, false, resolve));
  }
}

const startPlan: readonly PlanStep[] = [
  { do: 'mount', order: false },
  { do: 'raise-vip' },
  { do: 'script', script: 'prestart' },
  { do: 'script', script: 'start' },
];

test('a plan goes step by step; a script that is not configured is nothing', async () => {
  const host = new Host();
  expect(await host.run(startPlan)).toEqual({ failed: null, clean: false });
  expect(host.done).toEqual([
    ...['servePrimary db/0', 'servePrimary db/1', 'raise 10.0.0.50'],
    ...['application starts', 'application starts', 'script start', 'application changed'],
  ]);
  expect([...host.raised]).toEqual(['10.0.0.50']);
});

test('a step that fails ends the plan and is reported with its fault', async () => {
  const host = new Host();
  host.fail = (what) => (what.startsWith('raise') ? new Fault('vip-already-used', { message: 'taken' }) : null);
  expect((await host.run(startPlan)).failed).toMatchObject({ step: 'raise-vip', fault: { code: 'vip-already-used' } });
  expect(host.done).not.toContain('script start');
});

test('every step of a plan can be preempted: what was begun is over before the fence begins', async () => {
  for (const at of ['servePrimary db/0', 'servePrimary db/1', 'raise 10.0.0.50', 'script start']) {
    const host = new Host();
    const reached = Promise.withResolvers<undefined>();
    host.waitFor = (what) => {
      if (what !== at) return null;
      reached.resolve(undefined);
      return new Promise(() => undefined);
    };
    const executor = host.executor();
    const reports: string[] = [];
    executor.start(startPlan, false, () => reports.push('first'));
    await reached.promise;
    await new Promise<void>((resolve) => {
      executor.start([{ do: 'fence' }, { do: 'drop-vip' }], true, () => {
        reports.push('fence');
        resolve();
      });
    });
    expect(reports).toEqual(['fence']);
    expect(host.done.slice(host.done.indexOf(at) + 1)).toEqual([
      ...['fence db/0', 'fence db/1', 'script stop', 'kill application', 'application fenced'],
      'drop 10.0.0.50',
    ]);
  }
});

test('a stop that fails is escalated, told, and the plan goes on', async () => {
  const host = new Host();
  host.fail = (what) => (what === 'script stop' ? new Fault('script-timed-out', { message: 'too slow' }) : null);
  const outcome = await host.run([{ do: 'script', script: 'stop' }, { do: 'drop-vip' }, { do: 'unmount' }]);
  expect(outcome).toEqual({ failed: null, clean: true });
  expect(host.done).toEqual([
    ...['script stop', 'script forceStop', 'kill application', 'application ended'],
    ...['drop 10.0.0.50', 'stop db/0', 'stop db/1'],
  ]);
  expect(host.events.map((event) => event.code)).toEqual(['stop-escalated']);
});

test('what still runs after a stop script that ended well is given a moment, then it is ended and told', async () => {
  const host = new Host();
  host.left = [{ pid: 9, name: 'worker', startTicks: '1' }];
  expect(await host.run([{ do: 'script', script: 'stop' }])).toEqual({ failed: null, clean: false });
  expect(host.done.filter((what) => what === 'wait')).toHaveLength(50);
  expect(host.done.slice(-2)).toEqual(['kill leftovers', 'application ended']);
  expect(host.events).toMatchObject([{ code: 'leftovers-killed', severity: 'attention' }]);
  const quick = new Host();
  quick.left = [{ pid: 9, name: 'worker', startTicks: '1' }];
  quick.waitFor = (what) => (what === 'wait' && quick.left.length > 0 ? (quick.left.splice(0), null) : null);
  await quick.run([{ do: 'script', script: 'stop' }]);
  expect(quick.done).toEqual(['script stop', 'wait', 'application ended']);
});

test('transition scripts run one after the other beside the plan, and one that fails is told', async () => {
  const host = new Host();
  host.definition = { ...definition, scripts: { ...definition.scripts, transition: script('tell') } };
  host.fail = (what) => (what === 'script transition' ? new Error('no mail server') : null);
  const executor = host.executor();
  executor.transition('secondary', 'alone');
  executor.transition('alone', 'primary');
  await vi.waitFor(() =>
    expect(host.events.map(({ code }) => code)).toEqual(['transition-failed', 'transition-failed']),
  );
});

test('whoever still uses the directory after the stop script is ended, then it is tried again', async () => {
  const host = new Host();
  let tries = 0;
  host.fail = (what) => (what === 'stop db/0' && ++tries < 3 ? new Fault('mount-busy', { message: 'busy' }) : null);
  expect(await host.run([{ do: 'unmount' }])).toEqual({ failed: null, clean: true });
  expect(host.done.filter((what) => what === 'kill holders of /data/a')).toHaveLength(2);
  expect(host.events[0]).toMatchObject({ code: 'holders-killed', severity: 'attention' });
  const stubborn = new Host();
  stubborn.fail = (what) => (what === 'stop db/0' ? new Fault('mount-busy', { message: 'busy' }) : null);
  expect((await stubborn.run([{ do: 'unmount' }])).failed).toMatchObject({ step: 'unmount' });
});

test('a fence always ends: without the replicator the mounts are aborted here, and failing scripts are ignored', async () => {
  const host = new Host();
  host.fail = (what) =>
    what.startsWith('fence') || what.startsWith('script') ? new Fault('replicator-down', { message: 'gone' }) : null;
  expect((await host.run([{ do: 'fence' }])).failed).toBeNull();
  expect(host.done).toEqual([
    ...['fence db/0', 'fence db/1', 'abort /data/a', 'abort /data/b'],
    ...['script stop', 'script forceStop', 'kill application', 'application fenced'],
  ]);
});

const stuck: LeftProcess = { pid: 9, name: 'stuck', startTicks: '1' };

test('an application that cannot be ended after a fence takes the whole node with it, and has not ended before', async () => {
  const host = new Host();
  host.immortal = [stuck];
  // The reset was refused, or the test would not go on: then nothing may count as ended.
  for (let tries = 0; tries < 2; tries++)
    expect((await host.run([{ do: 'fence' }])).failed).toMatchObject({ fault: { code: 'reset-refused' } });
  expect(host.done.filter((what) => what === 'wait')).toHaveLength(2 * 19);
  expect(host.done.slice(-2)).toEqual(['kill application', 'reset']);
  expect(host.done.filter((what) => /ended|fenced/.test(what))).toEqual([]);
  expect(host.events.every(({ code, severity }) => code === 'node-reset' && severity === 'bad')).toBe(true);
  const late = new Host();
  late.immortal = [{ ...stuck }];
  late.waitFor = (what) => (what === 'wait' ? (late.immortal.splice(0), null) : null);
  await late.run([{ do: 'fence' }]);
  expect(late.done).not.toContain('reset');
  expect(late.done.at(-1)).toBe('application fenced');
  expect(late.events).toEqual([]);
});

test('whoever starts the application again as often as it is ended does not make this node reset itself', async () => {
  const host = new Host();
  host.returning = true;
  expect((await host.run([{ do: 'fence' }])).failed).toMatchObject({ fault: { code: 'application-returns' } });
  expect(host.done).not.toContain('reset');
  expect(host.done.filter((what) => /ended|fenced/.test(what))).toEqual([]);
  // What is new is cut off as well.
  expect(host.done.filter((what) => what === 'application changed')).toHaveLength(19);
});

test('a node that runs another module is not reset for one that is stuck', async () => {
  const host = new Host();
  host.immortal = [stuck];
  host.othersRun = true;
  expect((await host.run([{ do: 'fence' }])).failed).toMatchObject({ fault: { code: 'reset-refused' } });
  expect(host.done).not.toContain('reset');
  expect(host.done.filter((what) => /ended|fenced/.test(what))).toEqual([]);
});

test('a planned stop that leaves somebody alive has failed: the core fences instead', async () => {
  const host = new Host();
  host.immortal = [stuck];
  host.fail = (what) => (what === 'script stop' ? new Fault('script-timed-out', { message: 'too slow' }) : null);
  expect((await host.run([{ do: 'script', script: 'stop' }])).failed).toMatchObject({
    fault: { code: 'stop-unfinished' },
  });
  expect(host.done.filter((what) => /ended|fenced/.test(what))).toEqual([]);
});

test('a service manager that did not answer is asked again, beside the lease and not at once', async () => {
  const host = new Host();
  host.definition = { ...definition, scripts: { ...definition.scripts, start: script('systemctl start app') } };
  const executor = host.executor();
  executor.learnAgain(10_000);
  await vi.waitFor(() => expect(host.done).toEqual(['application changed']));
  host.learned = [];
  executor.learnAgain(10_500);
  expect(host.learned).toEqual([]);
  executor.learnAgain(15_000);
  expect(host.learned).toEqual(['app.service']);
});

test('where the services of the application run is asked when it is started', async () => {
  const host = new Host();
  host.definition = { ...definition, scripts: { ...definition.scripts, start: script('systemctl start app db@1') } };
  await host.run(startPlan);
  expect(host.learned).toEqual(['app.service', 'db@1.service']);
});

test('an application that is nowhere to be guarded is told in the journal', async () => {
  const told = (host: Host): boolean => host.journal.join('').includes('not its own connections');
  const host = new Host();
  await host.run(startPlan);
  expect(told(host)).toBe(false);
  host.groups = [];
  await host.run(startPlan);
  expect(told(host)).toBe(true);
});

test('a second plan without the right to preempt is a broken invariant', () => {
  const host = new Host();
  host.waitFor = () => new Promise(() => undefined);
  const executor = host.executor();
  executor.start(startPlan, false, () => undefined);
  expect(() => executor.start(startPlan, false, () => undefined)).toThrow(
    expect.objectContaining({ code: 'invariant-broken' }) as Error,
  );
});

test('going on alone is asked for again and again, and why it fails is written once', async () => {
  const host = new Host();
  let code = 'disk-silent';
  host.fail = (what) => (what.startsWith('goAlone') ? new Fault(code, { message: code }) : null);
  const executor = host.executor();
  const ask = async (): Promise<void> => {
    executor.goAlone({ number: 2, id: '2.n1.x' });
    await new Promise((resolve) => setImmediate(resolve));
  };
  for (let times = 0; times < 3; times++) await ask();
  expect(host.done.filter((what) => what === 'goAlone db/0')).toHaveLength(3);
  expect(host.journal).toEqual([
    'db/0 could not go on alone: disk-silent\n',
    'db/1 could not go on alone: disk-silent\n',
  ]);
  code = 'replicator-down';
  await ask();
  expect(host.journal).toHaveLength(4);
});
