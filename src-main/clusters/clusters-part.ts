/** The part of the app that knows clusters: the list, the one that a screen looks at, orders to it, what happened on it. */
import { Fault, type ClusterStatus } from '../../agent/contract/index.ts';
import type { ClusterHandlers, ClusterView, Order, Timeline } from '../app-api/index.ts';
import type { AppPart, Screen } from '../app.ts';
import { unknownCluster } from '../cluster/index.ts';
import { giveOrder, refusalIn, type GivenOrder } from '../cluster/orders.ts';
import { machinesOf, programVersion, type Connect, type MachineAddress } from '../install/index.ts';
import { systemClock, type Clock } from './clock.ts';
import type { ClusterWatch, WatchListener } from './cluster-watch.ts';
import { compareCopies, readComparison, readEstimate, stopComparing } from './comparison.ts';
import { KnownWatches } from './known-watches.ts';
import { thisLaptop, Ticker, type Laptop, type Tick } from './laptop.ts';
import { lastLooksIn, type LastLooks } from './last-look.ts';
import { readLogs } from './logs.ts';
import { addCluster, forgetRegistered } from './registry.ts';
import { LookingScreen } from './screens.ts';
import { WatchAccess } from './watch-access.ts';

export interface ClustersPartOptions {
  readonly stateDirectory: string;
  /** Never asks; what is missing is a fault. */
  readonly connect: Connect;
  /** A connection hangs (none given: all may): the next one to be a new one. */
  readonly distrust?: (machine?: MachineAddress) => void;
  /** A secret or a host key was given: what was refused may go well now. */
  readonly onGiven?: (listener: () => void) => () => void;
  /** At each reading of a cluster. */
  readonly record?: (cluster: string, status: ClusterStatus) => void;
  /** Nothing of this cluster is to be kept. */
  readonly onForgotten?: (cluster: string) => void;
  readonly clock?: Clock;
  readonly laptop?: Laptop;
}

export interface ClustersPart extends AppPart<ClusterHandlers> {
  /** How a node of a known cluster is reached. Faults: cluster-unknown, no-such-node. */
  machineOf(cluster: string, node: string): Promise<MachineAddress>;
  /** A cluster was remembered or forgotten by another part. */
  knownChanged(): Promise<void>;
  /** All that were made by the practice mode. */
  forgetPractice(): Promise<void>;
}

const listIntervalMs = 500;
/** Between two looks into the state directory, which others write to as well. */
const registryTicks = 4;

export function createClustersPart(options: ClustersPartOptions): ClustersPart {
  return new Clusters(options);
}

class Clusters implements ClustersPart {
  readonly #options: ClustersPartOptions;
  readonly #clock: Clock;
  readonly #laptop: Laptop;
  readonly #lastLooks: LastLooks;
  readonly #known: KnownWatches;
  readonly #screens = new Set<LookingScreen>();
  #ticker: Ticker | null = null;
  #ticks = 0;
  #addresses: string;
  #tickedAtMs = 0;
  #cancelList: (() => void) | null = null;
  readonly #forgetGiven: () => void;

  constructor(options: ClustersPartOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#laptop = options.laptop ?? thisLaptop;
    this.#addresses = this.#laptop.addresses().join(' ');
    this.#lastLooks = lastLooksIn(options.stateDirectory);
    const surroundings = {
      connect: options.connect,
      distrust: options.distrust ?? (() => undefined),
      programVersion: programVersion(),
      clock: this.#clock,
      laptop: this.#laptop,
      lastLooks: this.#lastLooks,
      record: options.record ?? (() => undefined),
    };
    this.#known = new KnownWatches(options.stateDirectory, surroundings, (cluster) => this.#listenerOf(cluster));
    this.#forgetGiven = options.onGiven?.(() => this.#unlock()) ?? (() => undefined);
  }

  serve(screen: Screen): ClusterHandlers {
    const looking = new LookingScreen(screen);
    this.#screens.add(looking);
    this.#startTicking();
    screen.onClose(() => {
      this.#screens.delete(looking);
      looking.leave();
      if (this.#screens.size === 0) this.#stopTicking();
    });
    return {
      clusters: async () => {
        await this.#readKnown();
        looking.askForList(this.#known.watches);
        return this.#known.list();
      },
      lookAt: async ({ cluster }) => {
        await this.#lookAt(looking, cluster);
        return null;
      },
      refresh: async ({ cluster }, signal) => (await this.#known.watch(cluster)).refresh(signal),
      addCluster: async ({ text, file }) => {
        const cluster = await addCluster(this.#options.stateDirectory, text, file);
        await this.#readKnown();
        return { cluster };
      },
      forgetCluster: async ({ cluster }) => {
        await this.#forget(cluster);
        return null;
      },
      configuration: async ({ cluster }) => {
        const { file, text } = (await this.#known.watch(cluster)).configuration;
        return { file, text };
      },
      timeline: ({ cluster, limit }) => this.#timeline(cluster, limit),
      order: async (order, signal) => {
        await this.#order(order, signal);
        return null;
      },
      comparison: async ({ cluster, module }, signal) => {
        await using access = new WatchAccess(await this.#known.watch(cluster), signal);
        return await readComparison(access, module);
      },
      compareCopies: async ({ cluster, ...order }, signal) => {
        await using access = new WatchAccess(await this.#known.watch(cluster), signal);
        await compareCopies(access, order);
        return null;
      },
      stopComparing: async ({ cluster, module }, signal) => {
        await using access = new WatchAccess(await this.#known.watch(cluster), signal);
        await stopComparing(access, module);
        return null;
      },
      estimate: async ({ cluster, module }, signal) => {
        await using access = new WatchAccess(await this.#known.watch(cluster), signal);
        return await readEstimate(access, module);
      },
      logs: async ({ cluster, node, lines }, signal) => {
        const watch = await this.#known.watch(cluster);
        using _look = watch.look('list');
        const watched = watch.nodeNamed(node);
        if (!watched) throw unknownNode(watch, node);
        return await readLogs(watched, lines, signal);
      },
    };
  }

  async machineOf(cluster: string, node: string): Promise<MachineAddress> {
    const watch = await this.#known.watch(cluster);
    const machine = machinesOf(watch.configuration.configuration).find(({ name }) => name === node);
    if (machine) return machine;
    throw unknownNode(watch, node);
  }

  knownChanged(): Promise<void> {
    return this.#readKnown();
  }

  async forgetPractice(): Promise<void> {
    await this.#known.read();
    for (const { id, practice } of this.#known.list()) if (practice) await this.#forget(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#forgetGiven();
    this.#stopTicking();
    this.#cancelList?.();
    this.#known.stop();
    await this.#lastLooks.settled();
  }

  #listenerOf(cluster: string): WatchListener {
    return {
      onView: (view) => {
        for (const { cluster: looked, screen } of this.#screens)
          if (looked === cluster) screen.emit('cluster', { cluster, view });
        this.#tellListSoon();
      },
      onEvents: (events) => {
        for (const { cluster: looked, screen } of this.#screens)
          if (looked === cluster) screen.emit('timeline', { cluster, events });
      },
    };
  }

  async #lookAt(looking: LookingScreen, cluster: string | null): Promise<void> {
    const list = await this.#viewOf(cluster);
    looking.lookAt(cluster, this.#known.watches);
    if (cluster === null) this.#tellListSoon();
    else if (list !== null) looking.screen.emit('cluster', { cluster, view: list });
  }

  /** Also of one whose configuration cannot be used: then the view says why. */
  async #viewOf(cluster: string | null): Promise<ClusterView | null> {
    if (cluster === null) return null;
    const find = (): ClusterView | undefined => this.#known.list().find(({ id }) => id === cluster)?.view;
    const known = find();
    if (known) return known;
    await this.#readKnown();
    const found = find();
    if (found) return found;
    throw unknownCluster(cluster);
  }

  async #timeline(cluster: string, limit: number): Promise<Timeline> {
    const watch = await this.#known.watch(cluster);
    using _look = watch.look('list');
    return await watch.timeline(limit);
  }

  async #order(order: Order, signal: AbortSignal): Promise<void> {
    if (order.kind === 'promote' && order.confirmed !== order.module) {
      throw new Fault(
        'confirmation-wrong',
        { message: 'What was typed is not the name of the module.', remedy: `Type ${order.module}.` },
        { module: order.module },
      );
    }
    const watch = await this.#known.watch(order.cluster);
    await using access = new WatchAccess(watch, signal);
    const given = await giveOrder(access, order).catch((error: unknown) => {
      if (order.kind === 'swap' && isWhereItShouldBe(watch, order)) return { told: [], notTold: [] };
      throw error;
    });
    const refusal = refusalIn(given);
    if (refusal) throw refusal;
    const incomplete = notTold(watch, given);
    if (incomplete) throw incomplete;
  }

  async #forget(cluster: string): Promise<void> {
    await forgetRegistered(this.#options.stateDirectory, cluster);
    // First the watch, which writes down its last look when it ends.
    await this.#readKnown();
    await this.#lastLooks.remove(cluster);
    this.#options.onForgotten?.(cluster);
  }

  async #readKnown(): Promise<void> {
    if (!(await this.#known.read())) return;
    for (const looking of this.#screens) looking.follow(this.#known.watches);
    const list = this.#known.list();
    for (const { knowsList, screen } of this.#screens) if (knowsList) screen.emit('clusters', list);
  }

  #tellListSoon(): void {
    this.#cancelList ??= this.#clock.after(listIntervalMs, () => {
      this.#cancelList = null;
      const list = this.#known.list();
      for (const { seesList, screen } of this.#screens) if (seesList) screen.emit('clusters', list);
    });
  }

  #startTicking(): void {
    this.#tickedAtMs = this.#clock.wallMs();
    this.#ticker ??= new Ticker(this.#clock, (tick) => this.#tick(tick));
  }

  #stopTicking(): void {
    this.#ticker?.[Symbol.dispose]();
    this.#ticker = null;
  }

  #tick(tick: Tick): void {
    const watches = [...this.#known.watches.values()];
    const now = this.#clock.wallMs();
    const before = this.#tickedAtMs;
    this.#tickedAtMs = now;
    if (tick === 'slept') {
      this.#options.distrust?.();
      const fault = slept(before, now);
      for (const watch of watches) watch.slept(fault);
      return;
    }
    const addresses = this.#laptop.addresses().join(' ');
    if (addresses !== this.#addresses) {
      this.#addresses = addresses;
      this.#tryAgain();
    }
    for (const watch of watches) watch.tick(tick === 'late');
    if (++this.#ticks % registryTicks === 0) void this.#readKnown();
  }

  #unlock(): void {
    for (const watch of this.#known.watches.values()) watch.unlock();
  }

  #tryAgain(): void {
    for (const watch of this.#known.watches.values()) watch.tryAgain();
  }
}

function unknownNode(watch: ClusterWatch, node: string): Fault {
  return new Fault(
    'no-such-node',
    { message: `No node is named ${node}.`, remedy: `Write one of: ${watch.nodeNames.join(', ')}.` },
    { node },
  );
}

function clockTime(wallMs: number): string {
  const date = new Date(wallMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

function slept(fromMs: number, toMs: number): ReturnType<Fault['toRecord']> {
  const [from, to] = [clockTime(fromMs), clockTime(toMs)];
  const words = {
    message: `This computer slept from ${from} to ${to}. The servers went on without it.`,
    remedy: 'Nothing to do: it is being read again.',
  };
  return new Fault('laptop-slept', words, { from, to }).toRecord();
}

/** Somebody else ordered the same a moment before: what this person wants is done. */
function isWhereItShouldBe(watch: ClusterWatch, { module, from }: Extract<Order, { kind: 'swap' }>): boolean {
  const states = watch.observe().map(({ name, status }) => {
    const state = status?.modules.find((one) => one.name === module)?.own.state;
    return { name, runs: state === 'primary' || state === 'alone' };
  });
  return from !== undefined && states.some(({ name, runs }) => runs && name !== from);
}

/** A node that is alive and was not told goes on, or takes over what was stopped: whoever ordered has to know. */
function notTold(watch: ClusterWatch, given: GivenOrder): Fault | null {
  const missed = given.notTold.map(({ node }) => node);
  const alive = watch
    .observe()
    .flatMap(({ status }) => (status?.peer.alive === true ? [status.peer.name] : []))
    .filter((name) => missed.includes(name));
  if (alive.length === 0) return null;
  const names = alive.join(', ');
  return new Fault(
    'order-incomplete',
    {
      message: `${names} runs but could not be told: ${given.notTold[0]?.fault.message ?? ''}`,
      remedy: `Give the order again when ${names} can be reached from here.`,
    },
    { told: given.told, notTold: alive },
  );
}
