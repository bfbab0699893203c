import { describe, expect, it } from 'vitest';
import { Fault } from '../../agent/contract/fault.ts';
import type { ClusterStatus, ModuleOnNode } from '../../agent/contract/status.ts';
import type { ClusterAccess } from '../cluster/access.ts';
import { runCommandLine, type Place } from './run.ts';
import type { Terminal } from './terminal.ts';

interface World {
  readonly status: ClusterStatus;
  readonly orders: string[];
  /** What the person types; null: nobody is there. */
  readonly answer: string | null;
  readonly failing?: Readonly<Record<string, Fault>>;
}

function clusterStatus(n1: ModuleOnNode['state'], n2: ModuleOnNode['state'], isProtected: boolean): ClusterStatus {
  return {
    schemaVersion: 1,
    cluster: 'site-a',
    observedAt: '2026-11-22T14:05:00.000Z',
    protected: isProtected,
    sentence: isProtected ? 'Protected.' : 'Not protected.',
    nodes: ['n1', 'n2'].map((name) => ({ name, reachable: true, lastSeen: null, agentVersion: '1' })),
    witness: { kind: 'none', reachable: null },
    modules: [
      {
        name: 'db',
        kind: 'mirror',
        protected: isProtected,
        maintenance: false,
        generation: null,
        nodes: [
          { name: 'n1', state: n1, data: 'up-to-date' },
          { name: 'n2', state: n2, data: 'up-to-date' },
        ],
        vip: [{ address: '10.0.0.50', on: 'n1' }],
      },
    ],
  };
}

async function run(world: World, ...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    out: (text) => (out += text),
    err: (text) => (err += text),
    interactive: world.answer !== null,
    ask: () => Promise.resolve(world.answer),
    askSecret: () => Promise.resolve(world.answer),
  };
  const access: ClusterAccess = {
    nodes: ['n1', 'n2'],
    status: () => Promise.resolve(world.status),
    client: () => Promise.reject(new Error('unused')),
    call: (node, method, params) => {
      const fault = world.failing?.[node];
      if (fault) return Promise.reject(fault);
      world.orders.push(`${node} ${method} ${JSON.stringify(params)}`);
      return Promise.resolve(null as never);
    },
    primaryOf: () => Promise.resolve('n1'),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const place: Place = { own: {}, access: () => Promise.resolve(access) };
  const code = await runCommandLine(argv, place, terminal);
  return { code, out, err };
}

function world(more: Partial<World> = {}): World {
  return { status: clusterStatus('primary', 'secondary', true), orders: [], answer: null, ...more };
}

describe('the command line', () => {
  it('tells whether the data is protected by its exit code, and prints JSON alone when asked', async () => {
    const good = await run(world(), 'status', '--json');
    expect(good.code).toBe(0);
    expect(JSON.parse(good.out)).toMatchObject({ schemaVersion: 1, protected: true });
    expect(good.err).toBe('');
    const bad = await run(world({ status: clusterStatus('alone', 'unknown', false) }), 'status');
    expect(bad.code).toBe(3);
    expect(bad.out.startsWith('▲ Not protected.')).toBe(true);
  });

  it('starts on both servers, and names the one that could not be told', async () => {
    const all = world();
    expect((await run(all, 'start', 'db')).code).toBe(0);
    expect(all.orders).toEqual(['n1 start {"module":"db"}', 'n2 start {"module":"db"}']);
    const gone = new Fault('ssh-unreachable', { message: 'no answer' });
    const half = world({ failing: { n2: gone } });
    const result = await run(half, 'start', 'db');
    expect(result.code).toBe(0);
    expect(result.err).toContain('n2 was not told: no answer');
    expect((await run(world({ failing: { n1: gone, n2: gone } }), 'start', 'db')).code).toBe(1);
  });

  it('spells out a stop and asks; without a terminal that is wrong usage', async () => {
    const silent = world();
    expect((await run(silent, 'stop', 'db')).code).toBe(2);
    const no = world({ answer: 'n' });
    expect((await run(no, 'stop', 'db')).code).toBe(1);
    expect([...silent.orders, ...no.orders]).toEqual([]);
    const yes = world();
    expect((await run(yes, 'stop', 'db', '--yes')).code).toBe(0);
    expect(yes.orders).toHaveLength(2);
  });

  it('compares the copies where the application runs, and asks before it repairs', async () => {
    const one = world();
    expect((await run(one, 'verify', 'db')).code).toBe(0);
    expect((await run(one, 'verify', 'db', '--repair')).code).toBe(2);
    expect((await run(one, 'verify', 'db', '--repair', '--yes')).code).toBe(0);
    expect((await run(one, 'verify', 'db', '--stop')).code).toBe(0);
    expect((await run(one, 'verify', 'db', '--stop', '--repair')).code).toBe(2);
    expect((await run(one, 'verify', 'db', '--estimate')).out).toContain('would be read');
    expect(one.orders).toEqual([
      'n1 verify {"module":"db","repair":false}',
      'n1 verify {"module":"db","repair":true}',
      'n1 stopVerify {"module":"db"}',
      'n1 dataBytes {"module":"db"}',
    ]);
  });

  it('swaps where the application runs', async () => {
    const one = world();
    expect((await run(one, 'swap', 'db', '--yes')).code).toBe(0);
    expect(one.orders).toEqual(['n1 swap {"module":"db"}']);
  });

  it('promotes only what is named, with the loss accepted, and the module typed', async () => {
    expect((await run(world(), 'promote', 'db', '--yes')).code).toBe(2);
    expect((await run(world(), 'promote', 'db', '--node', 'n2', '--yes')).code).toBe(2);
    const wrong = world({ answer: 'yes' });
    expect((await run(wrong, 'promote', 'db', '--node', 'n2', '--accept-data-loss')).code).toBe(1);
    expect(wrong.orders).toEqual([]);
    const right = world({ answer: 'db' });
    expect((await run(right, 'promote', 'db', '--node', 'n2', '--accept-data-loss')).code).toBe(0);
    expect(right.orders[0]).toMatch(/^n2 promote .*"acceptDataLoss":true/);
  });

  it('names what it does not know, and what comes later', async () => {
    const unknown = await run(world(), 'start', 'web', '--json');
    expect(unknown.code).toBe(1);
    expect(unknown.err).toContain('no module web');
    expect(JSON.parse(unknown.out)).toMatchObject({ fault: { code: 'no-such-module' } });
    const later = await run(world(), 'drill', 'db');
    expect(later).toMatchObject({ code: 2, out: '' });
    expect(later.err).toContain('not in this version');
  });

  it('stops waiting in time', async () => {
    const waiting = world({ status: clusterStatus('stopped', 'stopped', false) });
    const result = await run(waiting, 'start', 'db', '--wait', '--timeout', '100ms');
    expect(result.code).toBe(1);
    expect(result.err).toContain('has not happened in time');
  });
});
