/**
 * Two servers at the other end of the real main process: SSH connections that are cut, agents that die or are of another version, statuses
 * as a test lays them out. Only the edge is pretended; what the app makes of it, and what the screen says, is real.
 */
import { duplexPair, type Duplex } from 'node:stream';
import {
  controlApi,
  Fault,
  protocolMagic,
  serve,
  type ControlApi,
  type Handlers,
  type ModuleOnNode,
  type NodeStatus,
  type RpcServer,
  type TimelineEvent,
} from '../../agent/contract/index.ts';
import type { Connect } from '../../src-main/install/index.ts';
import { linePort, type Transport } from '../../src-main/ssh/index.ts';

export const nodeNames = ['n1', 'n2'] as const;
export type NodeName = (typeof nodeNames)[number];
const peerOf = (name: NodeName): NodeName => (name === 'n1' ? 'n2' : 'n1');

export interface Scene {
  readonly n1: ModuleOnNode;
  readonly n2: ModuleOnNode;
  readonly protected: boolean;
  readonly witness?: boolean;
}

const isoNow = (aheadMs = 0): string => new Date(Date.now() + aheadMs).toISOString();
const primary = (name: NodeName): ModuleOnNode => ({
  name,
  state: 'primary',
  data: 'up-to-date',
  runningSince: isoNow(),
});
const secondary = (name: NodeName): ModuleOnNode => ({ name, state: 'secondary', data: 'up-to-date' });

export const inOrder = (on: NodeName = 'n1'): Scene => ({
  n1: on === 'n1' ? primary('n1') : secondary('n1'),
  n2: on === 'n2' ? primary('n2') : secondary('n2'),
  protected: true,
});

export class ScriptedServer {
  readonly name: NodeName;
  /** What SSH does. `silent`: an answer never comes. */
  ssh: 'answers' | 'silent' | Fault = 'answers';
  agent: 'answers' | 'dead' | 'of-tomorrow' = 'answers';
  /** Powered off: the other one does not hear it either. */
  on = true;
  events: TimelineEvent[] = [];
  readonly orders: { readonly method: string; readonly params: unknown }[] = [];
  readonly #world: ScriptedCluster;
  readonly #streams = new Set<Duplex>();
  readonly #conversations = new Set<RpcServer<ControlApi>>();

  constructor(name: NodeName, world: ScriptedCluster) {
    this.name = name;
    this.#world = world;
  }

  /** Every connection to it is lost at once. */
  cut(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  emit(status: NodeStatus): void {
    for (const conversation of this.#conversations) conversation.emit('status', status);
  }

  happen(event: Omit<TimelineEvent, 'at' | 'node' | 'sequence'>): void {
    const full = { ...event, at: isoNow(this.#world.clockAheadMs), node: this.name, sequence: this.events.length + 1 };
    this.events.push(full);
    for (const conversation of this.#conversations) conversation.emit('event', full);
  }

  async connect(signal?: AbortSignal): Promise<Transport> {
    if (!this.on || this.ssh === 'silent') await never(signal);
    if (this.ssh instanceof Fault) throw this.ssh;
    const closed = Promise.withResolvers<undefined>();
    const own = new Set<Duplex>();
    const close = (): void => {
      for (const stream of own) stream.destroy();
      closed.resolve(undefined);
    };
    return {
      label: `root@${this.name}`,
      host: this.name,
      user: 'root',
      hostKeyFingerprint: 'SHA256:scripted',
      command: async () => ({ code: 0, stdout: '', stderr: '' }),
      copy: () => Promise.reject(new Fault('copy-failed', { message: 'Nothing is copied here.' })),
      connect: async () => {
        const stream = this.#answer();
        own.add(stream);
        // What cuts the server's end cuts the connection.
        stream.once('close', () => closed.resolve(undefined));
        return stream;
      },
      close,
      closed: closed.promise,
      [Symbol.asyncDispose]: async () => close(),
    };
  }

  #answer(): Duplex {
    const [ours, theirs] = duplexPair();
    this.#streams.add(ours);
    ours.once('close', () => {
      this.#streams.delete(ours);
      theirs.destroy();
    });
    if (this.agent === 'dead') ours.end();
    else if (this.agent === 'of-tomorrow') ours.write(`${this.#helloOfTomorrow()}\n`);
    else {
      const conversation = serve(controlApi, this.#handlers(), linePort(ours), '0.1.0');
      this.#conversations.add(conversation);
      ours.once('close', () => this.#conversations.delete(conversation));
    }
    return theirs;
  }

  #helloOfTomorrow(): string {
    const hello = { magic: protocolMagic, interfaceName: controlApi.name, major: 2, minor: 0, programVersion: '2.0.0' };
    return JSON.stringify(hello);
  }

  #handlers(): Handlers<ControlApi> {
    const order =
      (method: string) =>
      async (params: unknown): Promise<null> => {
        this.orders.push({ method, params });
        return null;
      };
    const refuse = (): Promise<never> => Promise.reject(new Fault('not-primary', { message: 'Not in this scene.' }));
    return {
      status: async () => this.#world.statusOf(this.name),
      events: async ({ after, limit, newest }) => {
        const wanted = this.events.filter(({ sequence }) => sequence > after);
        return newest ? wanted.slice(-limit) : wanted.slice(0, limit);
      },
      logs: async () => [],
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
      stopVerify: refuse,
      verification: refuse,
      estimate: refuse,
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

function never(signal?: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => reject(signal?.reason instanceof Error ? signal.reason : new Error('given up'));
    if (signal?.aborted === true) give();
    else signal?.addEventListener('abort', give, { once: true });
  });
}

export class ScriptedCluster {
  readonly n1 = new ScriptedServer('n1', this);
  readonly n2 = new ScriptedServer('n2', this);
  /** Of the servers' clocks against this machine's. */
  clockAheadMs = 0;
  #scene: Scene = inOrder();
  #revision = 1;

  /** The agents push the news, as they do in life. */
  show(scene: Scene): void {
    this.#scene = scene;
    this.#revision++;
    for (const name of nodeNames) if (this.#answers(name)) this[name].emit(this.statusOf(name));
  }

  get connect(): Connect {
    return (machine, signal) => {
      const server = nodeNames.find((name) => name === machine.name);
      if (!server) throw new Fault('ssh-unreachable', { message: `${machine.name} is not in this scene.` });
      return this[server].connect(signal);
    };
  }

  statusOf(name: NodeName): NodeStatus {
    const peer = peerOf(name);
    const heard = this[peer].on && this[peer].agent === 'answers';
    const scene = this.#scene;
    return {
      cluster: 'site-a',
      node: name,
      agentVersion: '0.1.0',
      observedAt: isoNow(this.clockAheadMs),
      revision: this.#revision,
      witness: { kind: 'voting', reachable: scene.witness ?? true },
      peer: {
        name: peer,
        alive: heard,
        lastHeard: isoNow(this.clockAheadMs),
        agentVersion: '0.1.0',
        networks: [{ name: 'lan', alive: heard, roundTripMs: heard ? 0.3 : null, replicates: heard }],
      },
      modules: [
        {
          name: 'db',
          protected: scene.protected,
          maintenance: false,
          generation: '7',
          vips: [{ address: '10.77.0.50', here: ['primary', 'alone'].includes(scene[name].state) }],
          metrics: null,
          own: scene[name],
          peer: scene[peer],
        },
      ],
    };
  }

  #answers(name: NodeName): boolean {
    return this[name].on && this[name].agent === 'answers';
  }
}
