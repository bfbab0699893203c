/** One cluster, as long as somebody looks: both nodes read side by side, their news put together into one view with its age. */
import type { ClusterStatus, Fault, FaultRecord, TimelineEvent } from '../../agent/contract/index.ts';
import type { ClusterView, Timeline } from '../app-api/index.ts';
import { mergeClusterStatus, type ChosenCluster, type NodeObservation } from '../cluster/index.ts';
import { NodeLink } from '../cluster/node-link.ts';
import { machinesOf, type Connect, type MachineAddress } from '../install/index.ts';
import type { Clock } from './clock.ts';
import type { Laptop } from './laptop.ts';
import type { LastLook, LastLooks } from './last-look.ts';
import { NodeWatch } from './node-watch.ts';
import { faultOfAll, observationsOf } from './observe.ts';
import { mergeTimeline } from './timeline.ts';

export type Attention = 'list' | 'closely';

/** What all watches share. */
export interface WatchSurroundings {
  readonly connect: Connect;
  /** This connection hangs: the next one to be a new one. Not given: none: all. */
  readonly distrust: (machine?: MachineAddress) => void;
  readonly programVersion: string;
  readonly clock: Clock;
  readonly laptop: Laptop;
  readonly lastLooks: LastLooks;
  /** A reading, for the history. */
  readonly record: (cluster: string, status: ClusterStatus) => void;
}

export interface WatchListener {
  onView(view: ClusterView): void;
  onEvents(events: TimelineEvent[]): void;
}

const paceMs: Readonly<Record<Attention, number>> = { list: 5000, closely: 1000 };
/** News of both nodes that arrive together are shown together: half a swap is not a state of the cluster. */
const gatherMs: Readonly<Record<Attention, number>> = { list: 300, closely: 80 };
/** A page that is loaded again is away for a moment. */
const lingerMs = 3000;
/** One answers and the other does not: shown without it, when it is not there after this. */
const firstLookMs = 1500;
const openTimeoutMs = 8000;
const recordIntervalMs = 900;
const keepLookIntervalMs = 10_000;

interface Running {
  readonly nodes: readonly NodeWatch[];
  readonly sinceMs: number;
  lateUntilMs: number;
}

export class ClusterWatch {
  readonly id: string;
  readonly #surroundings: WatchSurroundings;
  readonly #listener: WatchListener;
  readonly #practice: boolean;
  /** By node: found locked, and not knocked at again, whoever comes and goes, until somebody gives something or asks for it. */
  readonly #lockedDoors = new Map<string, Fault>();
  readonly #lookers = new Set<{ attention: Attention }>();
  #chosen: ChosenCluster;
  #running: Running | null = null;
  #view: ClusterView = { kind: 'reading' };
  /** What was read last, in this start of the app or before. */
  #last: LastLook | null = null;
  #cancelGather: (() => void) | null = null;
  #cancelLinger: (() => void) | null = null;
  /** Not heard by the other node. */
  readonly #silent = new Set<string>();
  #recordedAtMs = -Infinity;
  #keptAtMs = -Infinity;
  #newEvents = new Map<string, TimelineEvent[]>();

  constructor(
    id: string,
    chosen: ChosenCluster,
    practice: boolean,
    surroundings: WatchSurroundings,
    listener: WatchListener,
  ) {
    this.id = id;
    this.#chosen = chosen;
    this.#practice = practice;
    this.#surroundings = surroundings;
    this.#listener = listener;
  }

  get view(): ClusterView {
    return this.#view;
  }
  get configuration(): ChosenCluster {
    return this.#chosen;
  }

  /** Until disposed, the cluster is read. */
  look(attention: Attention): Disposable {
    const looker = { attention };
    const before = this.#attention;
    this.#lookers.add(looker);
    this.#cancelLinger?.();
    this.#cancelLinger = null;
    if (this.#running === null) this.#start();
    else if (before === 'list' && attention === 'closely') for (const node of this.#running.nodes) node.poke();
    return {
      [Symbol.dispose]: () => {
        if (!this.#lookers.delete(looker) || this.#lookers.size > 0) return;
        this.#cancelLinger = this.#surroundings.clock.after(lingerMs, () => this.stop());
      },
    };
  }

  /** The file was applied again with other servers. */
  takeConfiguration(chosen: ChosenCluster): void {
    if (chosen.text === this.#chosen.text) return;
    const sameMachines =
      JSON.stringify(machinesOf(chosen.configuration)) === JSON.stringify(machinesOf(this.#chosen.configuration));
    this.#chosen = chosen;
    if (!sameMachines) this.#lockedDoors.clear();
    if (sameMachines || this.#running === null) return;
    this.stop();
    if (this.#lookers.size > 0) this.#start();
  }

  /** Never rejects: not being able to read is something to show. */
  async refresh(signal: AbortSignal): Promise<ClusterView> {
    this.#lockedDoors.clear();
    using _look = this.look('closely');
    const nodes = this.#running?.nodes ?? [];
    await Promise.race([Promise.all(nodes.map((node) => node.readNow())), aborted(signal)]);
    this.#gathered();
    return this.#view;
  }

  /** Something was given that may have been missing. */
  unlock(): void {
    this.#lockedDoors.clear();
    this.tryAgain();
  }

  /** The way may be free again. */
  tryAgain(): void {
    for (const node of this.#running?.nodes ?? []) if (node.news.fault !== null) node.poke();
  }

  /** Everything that was read is old, every connection may be dead. */
  slept(fault: FaultRecord): void {
    const running = this.#running;
    if (running === null) return;
    this.#show({ kind: 'unreadable', fault, since: this.#lastReadAt(), last: this.#last?.status ?? null });
    this.#running = { ...running, sinceMs: this.#surroundings.clock.nowMs() };
    for (const node of running.nodes) node.startAgain();
  }

  /** Time alone makes news old. */
  tick(late: boolean): void {
    const running = this.#running;
    if (running === null) return;
    const now = this.#surroundings.clock.nowMs();
    if (late) running.lateUntilMs = now + firstLookMs;
    if (now >= running.lateUntilMs && this.#cancelGather === null) this.#compose(false);
  }

  nodeNamed(name: string): NodeWatch | undefined {
    return this.#running?.nodes.find((node) => node.name === name);
  }
  get nodeNames(): string[] {
    return this.#machines().map(({ name }) => name);
  }

  /** Of what the nodes say now, not of what is shown. */
  observe(): NodeObservation[] {
    const { nodes } = this.#running ?? { nodes: [] };
    return observationsOf(nodes, this.#surroundings.clock.nowMs(), this.#paceMs());
  }

  merge(observations: readonly NodeObservation[], observedAt: string): ClusterStatus {
    const { configuration } = this.#chosen;
    return mergeClusterStatus({ cluster: configuration.cluster, configuration, observations, observedAt });
  }

  async timeline(limit: number): Promise<Timeline> {
    const nodes = this.#running?.nodes ?? [];
    const missing: string[] = [];
    await Promise.all(
      nodes.map(async (node) => {
        // What does not answer is not waited for; its events are told when they come.
        const away = Promise.withResolvers<never>();
        const cancel = this.#surroundings.clock.after(node.news.fault === null ? firstLookMs : 0, () => {
          node.events.expect(limit);
          away.reject(new Error('away'));
        });
        await Promise.race([node.events.load(limit), away.promise]).catch(() => missing.push(node.name));
        cancel();
      }),
    );
    const events = this.#inOrder(nodes, (node) => node.events.all.slice(-limit));
    return { events: events.slice(-limit), missing: missing.sort() };
  }

  stop(): void {
    this.#cancelLinger?.();
    this.#cancelGather?.();
    this.#cancelLinger = this.#cancelGather = null;
    for (const node of this.#running?.nodes ?? []) node[Symbol.dispose]();
    if (this.#running !== null) this.#keepLook(true);
    this.#running = null;
    // What nobody has looked at for a while is not known any more.
    this.#view = { kind: 'reading' };
  }

  get #attention(): Attention {
    return [...this.#lookers].some(({ attention }) => attention === 'closely') ? 'closely' : 'list';
  }
  #paceMs(): number {
    return paceMs[this.#attention];
  }
  #machines(): MachineAddress[] {
    return machinesOf(this.#chosen.configuration).filter(({ role }) => role === 'node');
  }

  #start(): void {
    const { clock, lastLooks } = this.#surroundings;
    const nodes = this.#machines().map((machine) => this.#watchNode(machine));
    const running = { nodes, sinceMs: clock.nowMs(), lateUntilMs: 0 };
    this.#running = running;
    void lastLooks.read(this.id).then((last) => {
      if (this.#running !== running) return;
      this.#last ??= last;
      for (const node of nodes) node.start(this.#last?.lastSeen[node.name] ?? null);
    });
  }

  #watchNode(machine: MachineAddress): NodeWatch {
    const { connect, programVersion, clock, distrust } = this.#surroundings;
    const node = new NodeWatch({
      link: new NodeLink({ machine, connect, programVersion, openTimeoutMs }),
      clock,
      paceMs: () => this.#paceMs(),
      onNews: () => this.#gather(),
      onHang: () => distrust(machine),
      lockedDoor: () => this.#lockedDoors.get(machine.name) ?? null,
      onLockedDoor: (fault) => this.#lockedDoors.set(machine.name, fault),
    });
    node.events.onNew((events) => {
      this.#newEvents.set(node.name, [...(this.#newEvents.get(node.name) ?? []), ...events]);
      this.#gather();
    });
    return node;
  }

  #gather(): void {
    this.#cancelGather ??= this.#surroundings.clock.after(gatherMs[this.#attention], () => this.#gathered());
  }

  #gathered(): void {
    this.#cancelGather?.();
    this.#cancelGather = null;
    if (this.#running === null) return;
    this.#compose(true);
    this.#wakeTheReturned(this.#running);
    const fresh = this.#newEvents;
    if (fresh.size === 0) return;
    this.#newEvents = new Map();
    this.#listener.onEvents(this.#inOrder(this.#running.nodes, (node) => fresh.get(node.name) ?? []));
  }

  /** The other node hears it again: tried now, not when a pause ends. */
  #wakeTheReturned({ nodes }: Running): void {
    const peers = nodes.flatMap(({ news }) => (news.status === null ? [] : [news.status.peer]));
    for (const { name } of peers.filter(({ alive }) => alive)) {
      if (this.#silent.delete(name)) nodes.find((node) => node.name === name)?.poke();
    }
    for (const { name } of peers.filter(({ alive }) => !alive)) this.#silent.add(name);
  }

  #inOrder(nodes: readonly NodeWatch[], eventsOf: (node: NodeWatch) => readonly TimelineEvent[]): TimelineEvent[] {
    return mergeTimeline(
      nodes.map((node) => ({
        events: eventsOf(node),
        clockAheadMs: node.clockDifference?.aheadMs ?? null,
        uncertaintyMs: node.clockDifference?.uncertaintyMs ?? 0,
      })),
    );
  }

  /** `told`: something was read; otherwise only a difference is worth showing. */
  #compose(told: boolean): void {
    const running = this.#running;
    if (running === null) return;
    const { clock } = this.#surroundings;
    const waiting = running.nodes.some((node) => !node.settled) && clock.nowMs() - running.sinceMs < firstLookMs;
    if (waiting) return;
    const observations = this.observe();
    if (observations.every(({ status }) => status === null)) {
      // Nobody has answered, but somebody still may.
      if (running.nodes.some((node) => !node.settled)) return;
      this.#showSilence(observations);
      return;
    }
    const seen = observations.flatMap(({ status, lastSeen }) => (status === null ? [] : [lastSeen ?? '']));
    const status = this.merge(observations, seen.toSorted().at(-1) ?? this.#wallTime());
    const before = this.#view;
    if (!told && before.kind === 'read' && sameStatus(before.status, status)) return;
    this.#remember(status, observations);
    this.#show({ kind: 'read', status });
    this.#recordReading(status);
    this.#keepLook(false);
  }

  #showSilence(observations: readonly NodeObservation[]): void {
    const { laptop } = this.#surroundings;
    const offline =
      // The practice servers are on this computer.
      !this.#practice &&
      (laptop.addresses().length === 0 || (this.#running?.nodes ?? []).every(({ news }) => news.noRoute));
    const fault = faultOfAll(observations, offline);
    const nodes = offline ? observations.map((one) => ({ ...one, fault })) : observations;
    // The modules as they were last, the nodes as they are: nobody there.
    const unknown = this.merge(nodes, this.#last?.status.observedAt ?? this.#wallTime());
    const last = this.#last === null ? unknown : { ...this.#last.status, nodes: unknown.nodes };
    const since = this.#view.kind === 'unreadable' ? this.#view.since : this.#lastReadAt();
    const view: ClusterView = { kind: 'unreadable', fault, since, last };
    const before = this.#view;
    if (before.kind === 'unreadable' && JSON.stringify(before) === JSON.stringify(view)) return;
    this.#show(view);
    if (before.kind === 'read') this.#keepLook(true);
  }

  #show(view: ClusterView): void {
    this.#view = view;
    this.#listener.onView(view);
  }

  #remember(status: ClusterStatus, observations: readonly NodeObservation[]): void {
    const lastSeen = { ...this.#last?.lastSeen };
    for (const { name, lastSeen: at } of observations) if (at !== null) lastSeen[name] = at;
    this.#last = { status, lastSeen };
  }

  #recordReading(status: ClusterStatus): void {
    const now = this.#surroundings.clock.nowMs();
    if (now - this.#recordedAtMs < recordIntervalMs) return;
    this.#recordedAtMs = now;
    this.#surroundings.record(this.id, status);
  }

  /** `now`: this may be the last look. */
  #keepLook(now: boolean): void {
    const { clock, lastLooks } = this.#surroundings;
    if (this.#last === null || (!now && clock.nowMs() - this.#keptAtMs < keepLookIntervalMs)) return;
    this.#keptAtMs = clock.nowMs();
    void lastLooks.write(this.id, this.#last);
  }

  #lastReadAt(): string {
    return (
      Object.values(this.#last?.lastSeen ?? {})
        .toSorted()
        .at(-1) ?? this.#wallTime()
    );
  }
  #wallTime(): string {
    return new Date(this.#surroundings.clock.wallMs()).toISOString();
  }
}

function sameStatus(one: ClusterStatus, other: ClusterStatus): boolean {
  return JSON.stringify({ ...one, observedAt: '' }) === JSON.stringify({ ...other, observedAt: '' });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
