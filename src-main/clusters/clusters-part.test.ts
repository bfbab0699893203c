/** The part as screens meet it: real links and conversations, the servers at their far end and the time are the test's. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { duplexPair, type Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  controlApi,
  Fault,
  serve,
  type ClusterStatus,
  type ControlApi,
  type Handlers,
  type LastComparison,
  type NodeStatus,
  type ResyncEstimate,
  type RpcServer,
  type TimelineEvent,
  type Verification,
} from '../../agent/contract/index.ts';
import type { ClusterHandlers, ClusterView, KnownCluster } from '../app-api/index.ts';
import type { Screen } from '../app.ts';
import { rememberCluster } from '../cluster/index.ts';
import { parseConfiguration } from '../configuration/index.ts';
import type { Connect } from '../install/index.ts';
import { linePort, type Transport } from '../ssh/index.ts';
import type { Clock } from './clock.ts';
import { createClustersPart, type ClustersPart } from './clusters-part.ts';
import { tickMs } from './laptop.ts';

type Name = 'n1' | 'n2';
const refusal = (code: string, details = {}): Fault => new Fault(code, { message: code }, details);
const signalNever = new AbortController().signal;

const estimated = (files: number): ResyncEstimate => ({
  scope: 'marks',
  why: null,
  objects: files,
  names: 0,
  wholeDirectories: 0,
  bytes: 70,
  bytesPerSecond: null,
  seconds: null,
  files: [],
});

class Server {
  readonly name: Name;
  ssh: 'answers' | 'hangs' | Fault = 'answers';
  /** What stands hangs as well, as after a power cut. */
  hangs = false;
  agentIsDead = false;
  asked = 0;
  runs: boolean;
  hearsPeer = true;
  readonly orders: string[] = [];
  orderFault: Fault | null = null;
  events: TimelineEvent[] = [];
  verification: Verification | null = null;
  last: LastComparison | null = null;
  connections = 0;
  knocks = 0;
  readonly streams = new Set<Duplex>();
  readonly #closes = new Set<() => void>();
  readonly #conversations = new Set<RpcServer<ControlApi>>();

  constructor(name: Name) {
    this.name = name;
    this.runs = name === 'n1';
  }
  /** Every connection ends, as when the machine is started again. */
  cut(): void {
    for (const close of this.#closes) close();
  }
  powerOff(): void {
    this.hangs = true;
    this.ssh = 'hangs';
  }
  happen(code: string): void {
    const event: TimelineEvent = {
      at: new Date().toISOString(),
      node: this.name,
      sequence: this.events.length + 1,
      module: 'db',
      code,
      message: code,
      severity: 'info',
      evidence: {},
    };
    this.events.push(event);
    for (const conversation of this.#conversations) conversation.emit('event', event);
  }
  status(): NodeStatus {
    const peer = this.name === 'n1' ? 'n2' : 'n1';
    const at = new Date().toISOString();
    return {
      cluster: 'site-a',
      node: this.name,
      agentVersion: '0.1.0',
      observedAt: at,
      revision: 1,
      witness: { kind: 'none', reachable: null },
      peer: { name: peer, alive: this.hearsPeer, lastHeard: at, agentVersion: '0.1.0', networks: [] },
      modules: [
        {
          name: 'db',
          protected: this.hearsPeer,
          maintenance: false,
          generation: '1',
          vips: [],
          own: { name: this.name, state: this.runs ? 'primary' : 'secondary', data: 'up-to-date' },
          peer: { name: peer, state: this.runs ? 'secondary' : 'primary', data: 'up-to-date' },
        },
      ],
    };
  }
  async connect(signal: AbortSignal | undefined): Promise<Transport> {
    this.knocks++;
    if (this.ssh === 'hangs') await new Promise((_, reject) => signal?.addEventListener('abort', reject));
    if (this.ssh instanceof Fault) throw this.ssh;
    this.connections++;
    const closed = Promise.withResolvers<undefined>();
    const own: Duplex[] = [];
    const close = (): void => {
      for (const stream of own) stream.destroy();
      closed.resolve(undefined);
    };
    this.#closes.add(close);
    return {
      label: this.name,
      host: this.name,
      user: 'root',
      hostKeyFingerprint: '',
      command: async () => ({ code: 0, stdout: 'found in the journal\n', stderr: '' }),
      copy: () => Promise.reject(refusal('copy-failed')),
      connect: async () => {
        const stream = this.#converse();
        own.push(stream);
        return stream;
      },
      close,
      closed: closed.promise,
      [Symbol.asyncDispose]: async () => close(),
    };
  }
  #converse(): Duplex {
    const [ours, theirs] = duplexPair();
    this.streams.add(ours);
    ours.on('close', () => {
      this.streams.delete(ours);
      theirs.destroy();
    });
    if (this.agentIsDead) {
      ours.end();
      return theirs;
    }
    const conversation = serve(controlApi, this.#handlers(), linePort(ours), '0.1.0');
    this.#conversations.add(conversation);
    ours.on('close', () => this.#conversations.delete(conversation));
    return theirs;
  }
  async #answer<T>(value: T): Promise<T> {
    return this.hangs ? new Promise<T>(() => undefined) : value;
  }
  #handlers(): Handlers<ControlApi> {
    const order = (name: string) => async () => {
      if (this.orderFault) throw this.orderFault;
      this.orders.push(name);
      return this.#answer(null);
    };
    const refuse = (): Promise<never> => Promise.reject(refusal('internal'));
    return {
      status: () => {
        this.asked++;
        return this.#answer(this.status());
      },
      events: ({ after, limit, newest }) => {
        const wanted = this.events.filter(({ sequence }) => sequence > after);
        return this.#answer(newest ? wanted.slice(-limit) : wanted.slice(0, limit));
      },
      logs: () => this.#answer(['told by the agent']),
      configure: refuse,
      inspect: refuse,
      initialise: refuse,
      start: order('start'),
      stop: order('stop'),
      restart: order('restart'),
      swap: order('swap'),
      maintenance: order('maintenance'),
      promote: order('promote'),
      verify: order('verify'),
      stopVerify: order('stopVerify'),
      verification: () =>
        this.#answer([
          { volume: 'db/0', path: '/data/db', verification: this.runs ? this.verification : null, last: this.last },
        ]),
      estimate: ({ files }) => this.#answer([{ volume: 'db/0', path: '/data/db', estimate: estimated(files) }]),
      kept: refuse,
      compareKept: refuse,
      restoreKept: refuse,
      discardKept: refuse,
      dataBytes: refuse,
      volumeSpace: refuse,
      withdraw: refuse,
    };
  }
}

/** Time passes only when a test says so. */
class ManualClock implements Clock {
  #now = 0;
  #wallAhead = Date.parse('2026-01-01T14:00:00Z');
  readonly #timers = new Set<{ readonly atMs: number; readonly then: () => void }>();
  nowMs(): number {
    return this.#now;
  }
  wallMs(): number {
    return this.#now + this.#wallAhead;
  }
  after(delayMs: number, then: () => void): () => void {
    const timer = { atMs: this.#now + delayMs, then };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
  /** The clock on the wall goes on while nothing else does. */
  sleep(ms: number): void {
    this.#wallAhead += ms;
  }
  advance(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers].sort((a, b) => a.atMs - b.atMs)) {
      if (timer.atMs > this.#now || !this.#timers.delete(timer)) continue;
      timer.then();
    }
  }
}

class Page implements Screen {
  readonly views: ClusterView[] = [];
  readonly lists: KnownCluster[][] = [];
  readonly told: string[] = [];
  readonly #close: (() => void)[] = [];
  readonly ask: ClusterHandlers;
  constructor(part: ClustersPart) {
    this.ask = part.serve(this);
  }
  emit: Screen['emit'] = (event, data) => {
    const heard: unknown = data;
    if (event === 'cluster') this.views.push((heard as { view: ClusterView }).view);
    if (event === 'clusters') this.lists.push(heard as KnownCluster[]);
    if (event === 'timeline')
      this.told.push(...(heard as { events: TimelineEvent[] }).events.map(({ node, code }) => `${node} ${code}`));
  };
  onClose(listener: () => void): void {
    this.#close.push(listener);
  }
  close(): void {
    for (const listener of this.#close) listener();
  }
  get view(): ClusterView {
    return this.views.at(-1) ?? { kind: 'reading' };
  }
  /** As a person sees it: reachable, or why not. */
  get seen(): string {
    const { view } = this;
    if (view.kind === 'reading') return 'reading';
    const status = view.kind === 'read' ? view.status : view.last;
    const nodes = status?.nodes.map(({ name, fault }) => `${name}:${fault?.code ?? 'ok'}`).join(' ') ?? '';
    return view.kind === 'read' ? nodes : `${view.fault.code} | ${nodes}`;
  }
}

const text = `version: 1
cluster: site-a
nodes: [{ name: n1, ssh: root@10.0.0.1 }, { name: n2, ssh: root@10.0.0.2 }]
modules:
  - { name: db, kind: mirror, replicate: [{ path: /data/db }], vip: 10.0.0.50/24, start: a, stop: b }
`;

let directory: string;
let servers: Record<Name, Server>;
let clock: ManualClock;
let addresses: string[];
let recorded: ClusterStatus[];
let given: (() => void)[];
let distrusted: string[];
const parts: ClustersPart[] = [];

const connect: Connect = (machine, signal) => servers[machine.name as Name].connect(signal);

function startPart(): ClustersPart {
  const part = createClustersPart({
    stateDirectory: directory,
    connect,
    clock,
    laptop: { addresses: () => addresses },
    record: (_cluster, status) => recorded.push(status),
    onGiven: (listener) => {
      given.push(listener);
      return () => undefined;
    },
    distrust: (machine) => distrusted.push(machine?.name ?? 'all'),
  });
  parts.push(part);
  return part;
}
async function remember(): Promise<string> {
  return rememberCluster(parseConfiguration(text, 'site.yaml'), path.join(directory, 'site.yaml'), text, {
    stateDirectory: directory,
  });
}

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-clusters-'));
  servers = { n1: new Server('n1'), n2: new Server('n2') };
  clock = new ManualClock();
  addresses = ['10.0.0.100'];
  recorded = [];
  given = [];
  distrusted = [];
});
afterEach(async () => {
  for (const part of parts.splice(0)) await part[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

/** Time passes until it is so; returns how much. Everything that is in flight arrives between two steps. */
async function until(fact: () => boolean, limitMs = 20_000): Promise<number> {
  const beganMs = clock.nowMs();
  while (!fact()) {
    if (clock.nowMs() - beganMs > limitMs) throw new Error(`not within ${limitMs} ms of the test's time`);
    clock.advance(tickMs / 5);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return clock.nowMs() - beganMs;
}

async function look(part = startPart()): Promise<{ page: Page; cluster: string }> {
  const cluster = await remember();
  const page = new Page(part);
  await page.ask.lookAt({ cluster }, signalNever);
  await until(() => page.seen === 'n1:ok n2:ok');
  return { page, cluster };
}

describe('a cluster that is looked at', () => {
  it('is read over connections that stay open, and told to the history about once a second', async () => {
    const { page } = await look();
    const before = recorded.length;
    await until(() => recorded.length >= before + 10, 15_000);
    expect([servers.n1.connections, servers.n2.connections]).toEqual([1, 1]);
    expect(page.view).toMatchObject({ kind: 'read', status: { protected: true } });
  });

  it('a power cut is seen within five seconds, and the other server goes on being read', async () => {
    const { page } = await look();
    servers.n2.powerOff();
    const silentAfterMs = 3000;
    clock.after(silentAfterMs, () => (servers.n1.hearsPeer = false));
    const tookMs = await until(() => page.seen === 'n1:ok n2:timed-out');
    expect(tookMs).toBeLessThanOrEqual(5000);
    const observed = page.view.kind === 'read' ? page.view.status.observedAt : '';
    await until(() => page.view.kind === 'read' && page.view.status.observedAt > observed, 2000);
    expect(page.view).toMatchObject({
      status: { modules: [{ nodes: [{ state: 'primary' }, { state: 'unknown', reason: 'node-silent' }] }] },
    });
  });

  it('both off: the last picture stays, each server says when it was seen, and a new start of the app knows it', async () => {
    const part = startPart();
    const { page, cluster } = await look(part);
    servers.n1.powerOff();
    servers.n2.powerOff();
    await until(() => page.seen === 'servers-unreachable | n1:timed-out n2:timed-out', 7000);
    expect(page.view).toMatchObject({ last: { modules: [{ nodes: [{ state: 'primary' }, { state: 'secondary' }] }] } });
    const lastSeen = page.view.kind === 'unreadable' ? page.view.last?.nodes.map((node) => node.lastSeen) : null;
    await part[Symbol.asyncDispose]();
    for (const server of Object.values(servers)) server.ssh = refusal('ssh-unreachable');
    const next = new Page(startPart());
    await next.ask.lookAt({ cluster }, signalNever);
    await until(() => next.seen === 'servers-unreachable | n1:ssh-unreachable n2:ssh-unreachable');
    const remembered = next.view.kind === 'unreadable' ? next.view.last?.nodes.map((node) => node.lastSeen) : null;
    expect(remembered).toEqual(lastSeen);
    expect(lastSeen?.every((at) => at !== null)).toBe(true);
  });

  it('is read again as soon as the other server hears the one that returns', async () => {
    const { page } = await look();
    servers.n2.ssh = refusal('ssh-unreachable');
    servers.n2.cut();
    servers.n1.hearsPeer = false;
    await until(() => page.seen === 'n1:ok n2:ssh-unreachable');
    // The pauses between two attempts have become long.
    await until(() => clock.nowMs() > 20_000, 30_000);
    servers.n2.ssh = 'answers';
    servers.n1.hearsPeer = true;
    // Within one reading of the other one.
    await until(() => page.seen === 'n1:ok n2:ok', 1500);
  });

  it('says which door is locked, with what opens it, and tries it again when that is given', async () => {
    servers.n2.ssh = refusal('secret-needed', { kind: 'ssh-password', user: 'root', host: '10.0.0.2' });
    const cluster = await remember();
    const page = new Page(startPart());
    await page.ask.lookAt({ cluster }, signalNever);
    await until(() => page.seen === 'n1:ok n2:secret-needed');
    expect(page.view).toMatchObject({
      status: { nodes: [{}, { fault: { details: { node: 'n2', kind: 'ssh-password', user: 'root' } } }] },
    });
    servers.n2.ssh = 'answers';
    for (const listener of given) listener();
    await until(() => page.seen === 'n1:ok n2:ok', 2000);
  });

  it('does not knock at a door again that sudo counts, however often somebody comes to look', async () => {
    servers.n2.ssh = refusal('secret-needed', { kind: 'sudo-password', user: 'admin', host: '10.0.0.2' });
    const cluster = await remember();
    const part = startPart();
    for (let visit = 0; visit < 3; visit++) {
      const page = new Page(part);
      await page.ask.clusters({}, signalNever);
      await page.ask.lookAt({ cluster }, signalNever);
      await until(() => page.seen === 'n1:ok n2:secret-needed');
      page.close();
      await until(() => servers.n1.streams.size === 0, 5000);
    }
    expect(servers.n2.knocks).toBe(1);
    const page = new Page(part);
    await page.ask.lookAt({ cluster }, signalNever);
    for (const listener of given) listener();
    await until(() => servers.n2.knocks === 2, 2000);
  });

  it('an agent that is restarted is not called away', async () => {
    const { page } = await look();
    const views = page.views.length;
    // It is asked and has not answered yet when it stops.
    servers.n2.hangs = true;
    const asked = servers.n2.asked;
    await until(() => servers.n2.asked > asked);
    for (const stream of servers.n2.streams) stream.destroy();
    servers.n2.hangs = false;
    await until(() => servers.n2.connections > 0 && servers.n2.streams.size > 0 && page.views.length > views + 3);
    const seen = page.views.slice(views).map((view) => view.kind === 'read' && view.status.nodes[1]?.reachable);
    expect(new Set(seen)).toEqual(new Set([true]));
  });
});

describe('the laptop', () => {
  it('has slept: nothing old is shown as new, and connections are made afresh', async () => {
    const { page } = await look();
    const views = page.views.length;
    const at = new Date(clock.wallMs());
    const sleptFrom = `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
    clock.sleep(3_600_000);
    await until(() => page.views.length > views, tickMs);
    expect(page.view).toMatchObject({
      kind: 'unreadable',
      fault: { code: 'laptop-slept', details: { from: sleptFrom } },
    });
    expect(distrusted).toContain('all');
    await until(() => page.seen === 'n1:ok n2:ok', 3000);
    expect([servers.n1.connections, servers.n2.connections]).toEqual([2, 2]);
  });

  it('has no network: that is said instead of blaming both servers, and the servers are tried when it returns', async () => {
    const { page } = await look();
    for (const server of Object.values(servers)) {
      server.ssh = refusal('ssh-unreachable');
      server.cut();
    }
    addresses = [];
    await until(() => page.seen === 'laptop-offline | n1:laptop-offline n2:laptop-offline', 7000);
    // The pauses between two attempts have become long.
    await until(() => clock.nowMs() > 20_000, 30_000);
    for (const server of Object.values(servers)) server.ssh = 'answers';
    addresses = ['10.0.0.101'];
    await until(() => page.seen === 'n1:ok n2:ok', 1000);
  });
});

describe('who looks', () => {
  it('two pages share one reading; when the last has gone, the connections end', async () => {
    const part = startPart();
    const { page, cluster } = await look(part);
    const other = new Page(part);
    await other.ask.lookAt({ cluster }, signalNever);
    expect(other.seen).toBe('n1:ok n2:ok');
    page.close();
    await until(() => other.views.length > 5);
    expect(servers.n1.connections).toBe(1);
    other.close();
    await until(() => servers.n1.streams.size === 0 && servers.n2.streams.size === 0, 5000);
  });

  it('who sees the list has all of them read, slowly, and learns of a cluster that another process adds', async () => {
    const page = new Page(startPart());
    expect(await page.ask.clusters({}, signalNever)).toEqual([]);
    const id = await remember();
    await until(() => page.lists.at(-1)?.[0]?.view.kind === 'read');
    expect(page.lists.at(-1)?.[0]).toMatchObject({ id, practice: false });
    await page.ask.forgetCluster({ cluster: id }, signalNever);
    expect(page.lists.at(-1)).toEqual([]);
    await expect(page.ask.lookAt({ cluster: id }, signalNever)).rejects.toMatchObject({ code: 'cluster-unknown' });
  });
});

describe('the timeline', () => {
  it('is merged, pushed as it goes on, and completed when a server returns', async () => {
    servers.n2.ssh = refusal('ssh-unreachable');
    servers.n1.happen('one');
    servers.n2.happen('two');
    const cluster = await remember();
    const page = new Page(startPart());
    await page.ask.lookAt({ cluster }, signalNever);
    await until(() => page.seen === 'n1:ok n2:ssh-unreachable');
    const timeline = page.ask.timeline({ cluster, limit: 100 }, signalNever);
    let answer: Awaited<typeof timeline> | null = null;
    void timeline.then((one) => (answer = one));
    await until(() => answer !== null);
    expect(await timeline).toMatchObject({ events: [{ code: 'one' }], missing: ['n2'] });
    servers.n1.happen('three');
    await until(() => page.told.includes('n1 three'), 1000);
    servers.n2.ssh = 'answers';
    await until(() => page.told.includes('n2 two'), 5000);
  });
});

describe('orders', () => {
  const swap = (cluster: string) => ({ kind: 'swap' as const, module: 'db', cluster, from: 'n1' });

  it('a swap goes away from where the person saw it run, and is done once however often it is ordered', async () => {
    const { page, cluster } = await look();
    await page.ask.order(swap(cluster), signalNever);
    expect([servers.n1.orders, servers.n2.orders]).toEqual([['swap'], []]);
    servers.n1.runs = false;
    servers.n2.runs = true;
    servers.n1.orderFault = refusal('not-primary');
    await until(() => page.view.kind === 'read' && page.view.status.modules[0]?.nodes[1]?.state === 'primary');
    await expect(page.ask.order(swap(cluster), signalNever)).resolves.toBeNull();
    expect(servers.n2.orders).toEqual([]);
  });

  it('promoting wants the name of the module', async () => {
    const { page, cluster } = await look();
    const promote = { kind: 'promote' as const, module: 'db', cluster, node: 'n2' };
    await expect(page.ask.order({ ...promote, confirmed: 'DB' }, signalNever)).rejects.toMatchObject({
      code: 'confirmation-wrong',
    });
    expect(servers.n2.orders).toEqual([]);
    await page.ask.order({ ...promote, confirmed: 'db' }, signalNever);
    expect(servers.n2.orders).toEqual(['promote']);
  });

  it('a stop that did not reach a server that is alive says so; one that is dead needs no order', async () => {
    servers.n2.ssh = refusal('ssh-unreachable');
    const cluster = await remember();
    const page = new Page(startPart());
    await page.ask.lookAt({ cluster }, signalNever);
    await until(() => page.seen === 'n1:ok n2:ssh-unreachable');
    const stop = { kind: 'stop' as const, module: 'db', cluster };
    await expect(page.ask.order(stop, signalNever)).rejects.toMatchObject({
      code: 'order-incomplete',
      details: { told: ['n1'], notTold: ['n2'] },
    });
    servers.n1.hearsPeer = false;
    await until(() => page.view.kind === 'read' && !page.view.status.protected);
    await expect(page.ask.order(stop, signalNever)).resolves.toBeNull();
    expect(servers.n1.orders).toEqual(['stop', 'stop']);
  });

  it('a refusal of an agent is the answer', async () => {
    const { page, cluster } = await look();
    servers.n2.orderFault = refusal('peer-not-ready');
    await expect(
      page.ask.order({ kind: 'maintenance', on: true, module: 'db', cluster }, signalNever),
    ).rejects.toMatchObject({ code: 'peer-not-ready' });
  });
});

describe('the journal of a server', () => {
  it('comes from its agent, or over SSH when that does not answer', async () => {
    const { page, cluster } = await look();
    const logs = (node: string) => page.ask.logs({ cluster, node, lines: 10 }, signalNever);
    expect(await logs('n2')).toEqual(['told by the agent']);
    servers.n2.agentIsDead = true;
    for (const stream of servers.n2.streams) stream.destroy();
    await until(() => page.seen === 'n1:ok n2:agent-not-answering');
    expect(await logs('n2')).toEqual(['found in the journal']);
    await expect(logs('n3')).rejects.toMatchObject({ code: 'no-such-node' });
  });
});

describe('the comparison of the copies', () => {
  const last = (time: string, outcome: LastComparison['outcome']): LastComparison => ({
    at: `2026-01-01T${time}:00Z`,
    outcome,
    files: 7,
    comparedBytes: 70,
    differing: 0,
  });

  it('is that of whoever runs the application; the newer of what both remember is the last one', async () => {
    const { page, cluster } = await look();
    servers.n1.last = last('10:00', 'equal');
    servers.n2.last = last('11:00', 'repaired');
    const told = await page.ask.comparison({ cluster, module: 'db' }, signalNever);
    expect(told).toEqual({
      primary: 'n1',
      secondary: 'n2',
      volumes: [{ path: '/data/db', verification: null, last: servers.n2.last }],
    });
  });

  it('is told also when the other server cannot be asked', async () => {
    const { page, cluster } = await look();
    servers.n2.ssh = refusal('ssh-unreachable');
    servers.n2.cut();
    await until(() => page.seen === 'n1:ok n2:ssh-unreachable');
    const told = await page.ask.comparison({ cluster, module: 'db' }, signalNever);
    expect(told).toMatchObject({ primary: 'n1', volumes: [{ path: '/data/db' }] });
  });

  it('tells what the next resync has to compare, of whoever runs the application', async () => {
    const { page, cluster } = await look();
    const told = await page.ask.estimate({ cluster, module: 'db' }, signalNever);
    expect(told).toEqual({ volumes: [{ path: '/data/db', estimate: estimated(50) }] });
  });

  it('is ordered where the person saw the application run, and nowhere else', async () => {
    const { page, cluster } = await look();
    const order = { cluster, module: 'db', repair: true };
    await page.ask.compareCopies({ ...order, primary: 'n1' }, signalNever);
    await page.ask.stopComparing({ cluster, module: 'db' }, signalNever);
    expect(servers.n1.orders).toEqual(['verify', 'stopVerify']);
    const elsewhere = page.ask.compareCopies({ ...order, primary: 'n2' }, signalNever);
    await expect(elsewhere).rejects.toMatchObject({ code: 'not-primary' });
    expect(servers.n2.orders).toEqual([]);
  });
});
