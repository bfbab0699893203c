/**
 * holdfastd without its host: one loop that turns ticks, datagrams, reports of the replicator and orders into events of the
 * modules' machines, and carries out what they ask for. Everything that touches the machine it runs on is a port.
 */
import type {
  ClusterRecord,
  EventDraft,
  Generation,
  Heartbeat,
  ModuleBeat,
  ModuleDefinition,
  NodeStatus,
  TimelineEvent,
  VolumeStatus,
  Vote,
} from '../contract/index.ts';
import { Fault } from '../contract/index.ts';
import type { MirrorCommand } from '../core/index.ts';
import { describeOwn, timingFor } from '../core/index.ts';
import { HeartbeatSocket, sealingKey } from '../network/index.ts';
import { Comparisons, type VolumeVerification } from './comparisons.ts';
import { heartbeatNetworks, ownOf, peerOf, replicatorConfiguration, stopOrder } from './cluster-record.ts';
import { journalEvent } from './journal.ts';
import type { ManagedModule, ModuleSurroundings } from './managed-module.ts';
import { Measurements } from './measurements.ts';
import { ModuleSet } from './module-set.ts';
import { PingWatch } from './ping-watch.ts';
import type { RuntimePorts } from './ports.ts';
import { SilentReplicator } from './silent-replicator.ts';
import { stillToSetUp } from './still-to-set-up.ts';
import type { PeerView } from './status.ts';
import { nodeStatus } from './status.ts';
import { StatusTeller } from './status-teller.ts';

/** Datagrams that waited in the socket while this process was frozen are not news. */
const staleDatagramsMs = 50;
/** A foreign change of the packet filter is found and mended at this pace; our own renewals find a missing table sooner. */
const fenceCheckMs = 1000;
const startAgainMs = 5000;
const droppedReportMs = 60_000;
const measureMs = 1000;
/**
 * A pause of up to 80 % of the detection time moves nothing, also where frames get lost: what is left of that time after the pause is one heartbeat
 * interval and a fifth, less what has passed since the last one before it. Whoever then loses two has been silent for too long.
 */
const pulsesPerBeat = 4;

/** What the other node said last, whatever became of it. */
class PeerMemory implements PeerView {
  agentVersion: string | null = null;
  readonly heardMs = new Map<string, number>();
  readonly beats = new Map<string, ModuleBeat>();
}

export interface RuntimeListener {
  status(status: NodeStatus): void;
  event(event: TimelineEvent): void;
}

/** What belongs to one configuration; a new one replaces it as a whole. */
interface Running {
  readonly record: ClusterRecord;
  readonly socket: HeartbeatSocket;
  readonly ticker: Disposable;
  readonly pulse: Disposable;
  readonly meter: Disposable;
  readonly pingWatch: PingWatch | null;
  readonly session: string;
}

export class Runtime {
  private readonly ports: RuntimePorts;
  private readonly modules: ModuleSet;
  private readonly comparisons: Comparisons;
  private readonly teller: StatusTeller;
  private readonly listeners = new Set<RuntimeListener>();
  private running: Running | null = null;
  private startFault: Fault | null = null;
  private volumes: ReadonlyMap<string, VolumeStatus> | null = null;
  private readonly peer = new PeerMemory();
  private readonly measurements = new Measurements();
  private measuring = false;
  private witnessHeardMs: number | null = null;
  private expiry: Disposable | null = null;
  private lastTickMs = 0;
  private ticks = 0;
  private ignoreDatagramsUntilMs = 0;
  private fenceCheckedMs = 0;
  private droppedReportedMs = 0;
  private droppedReported = '';
  private beatScheduled = false;
  /** Configuration changes come one after the other. */
  private changing: Promise<unknown> = Promise.resolve();

  constructor(ports: RuntimePorts) {
    this.ports = ports;
    this.modules = new ModuleSet(ports);
    this.teller = new StatusTeller(
      ports,
      () => (this.listeners.size === 0 || this.running === null ? null : this.status()),
      (status) => this.listeners.forEach((listener) => listener.status(status)),
    );
    this.comparisons = new Comparisons(ports.replicator, (event) => this.emit(event));
    const silent = new SilentReplicator(ports, (event) => this.emit(event));
    ports.replicator.onSilent((silence) => void silent.end(silence));
    ports.replicator.onVolumes((volumes) => {
      const returned = this.volumes === null && volumes !== null;
      this.volumes = volumes === null ? null : new Map(volumes);
      for (const module of this.modules) {
        module.data(this.volumes);
        if (returned) module.lease.repeat();
      }
      this.comparisons.look(this.modules, this.volumes);
      this.teller.soon();
    });
  }

  /** Takes up the stored configuration, if there is one. What keeps it from doing so is told by `status`, and is tried again. */
  async start(): Promise<void> {
    try {
      const record = await this.ports.configuration.load();
      if (record === null) this.ports.journal.info('Not configured yet: waiting for the installer.');
      else await this.inTurn(() => this.takeOver(record));
      this.startFault = null;
    } catch (error) {
      const fault = Fault.from(error);
      if (fault.message !== this.startFault?.message)
        this.ports.journal.error(`The cluster configuration cannot be taken up: ${fault.message}`);
      this.startFault = fault;
      void this.ports.timers.delay(startAgainMs).then(() => (this.running === null ? this.start() : undefined));
    }
  }

  listen(listener: RuntimeListener): Disposable {
    this.listeners.add(listener);
    return { [Symbol.dispose]: () => this.listeners.delete(listener) };
  }

  /** For the watchdog: no action of any module has been going on for longer than a node may be silent. */
  healthy(): boolean {
    const { running } = this;
    if (running === null) return true;
    const late = this.ports.clock.bootMs() - this.lastTickMs > running.record.detectionMs;
    return !late && ![...this.modules].some((one) => one.machine.stuckMs() > running.record.detectionMs);
  }

  /** What the replicator says of a volume; null: nothing. */
  volume(id: string): VolumeStatus | null {
    return this.volumes?.get(id) ?? null;
  }

  /** Faults: not-configured. */
  status(): NodeStatus {
    const { record } = this.mustRun();
    return nodeStatus({
      record,
      node: this.ports.node,
      peer: peerOf(record, this.ports.node).name,
      agentVersion: this.ports.agentVersion,
      bootMs: this.ports.clock.bootMs(),
      wallMs: this.ports.clock.wallMs(),
      peerView: this.peer,
      witnessHeardMs: this.witnessHeardMs,
      pingWitnessReachable: this.running?.pingWatch?.reachable() ?? null,
      measurements: this.measurements,
      modules: [...this.modules].map((one) => ({
        definition: one.definition,
        state: one.machine.published,
        raised: one.raised,
      })),
    });
  }

  /** Durable, then live. Faults: node-not-in-cluster, revision-too-old. */
  async configure(record: ClusterRecord): Promise<void> {
    ownOf(record, this.ports.node);
    await this.inTurn(async () => {
      const former = this.running?.record ?? null;
      const same = former?.clusterUuid === record.clusterUuid;
      if (former !== null && same && record.revision < former.revision)
        throw new Fault('revision-too-old', {
          message: `This node already has revision ${former.revision} of the configuration; revision ${record.revision} is older.`,
          remedy: 'Apply the current configuration file.',
        });
      await this.ports.configuration.save(record);
      await this.takeOver(record);
    });
  }

  /** Fault: what the machine says, or no-such-module. */
  async command(name: string, command: MirrorCommand): Promise<void> {
    if (command.name === 'stop') this.mustNotBeNeeded(name);
    const refusal = await this.module(name).machine.command(command);
    if (refusal !== null) throw new Fault(refusal.code, { message: refusal.message, remedy: refusal.remedy });
  }

  /** Fault: no-such-module. */
  definition(name: string): ModuleDefinition {
    return this.module(name).definition;
  }
  runsHere(name: string): boolean {
    return runsApplication(this.module(name).machine.beat());
  }

  /** Compares the copies of a module that runs here. Faults: verify-not-possible, not-primary, no-such-module. */
  async verify(name: string, repair: boolean): Promise<void> {
    await this.comparisons.begin(this.module(name).definition, repair);
  }
  async stopVerify(name: string): Promise<void> {
    await this.comparisons.stop(this.module(name).definition);
  }
  verification(name: string): VolumeVerification[] {
    return this.comparisons.of(this.module(name).definition, this.volumes);
  }

  async initialise(params: {
    readonly module: string;
    readonly as: 'good' | 'blank';
    readonly keepAside: boolean;
    readonly replaceRecord: boolean;
  }): Promise<string[]> {
    const { definition } = this.module(params.module);
    const { missing, generation: begun } = stillToSetUp(definition.volumes, this.volumes, params);
    const generation = params.as === 'good' ? (begun ?? (await this.firstGeneration(params.module))) : null;
    const keptAt: string[] = [];
    for (const { id } of missing) {
      const result = await this.ports.replicator.call('initialise', {
        volume: id,
        as: params.as,
        generation,
        keepAside: params.keepAside,
        replaceRecord: params.replaceRecord,
      });
      if (result.keptAt !== null) keptAt.push(result.keptAt);
    }
    this.emit({
      module: params.module,
      code: params.as === 'good' ? 'data-chosen' : 'data-blank',
      message:
        params.as === 'good'
          ? `The data on ${this.ports.node} is the good copy.`
          : `${this.ports.node} will be filled with the data of the other server.`,
      severity: 'info',
      evidence: { keptAt: keptAt.join(', ') },
    });
    return keptAt;
  }

  /** Stops everything, uncovers the directories, forgets the cluster. The data stays. */
  async withdraw(): Promise<void> {
    await this.inTurn(async () => {
      await this.modules.withdraw();
      this.stopListening();
      await this.ports.replicator.configure(null);
      await this.ports.fence.remove();
      await this.ports.configuration.remove();
      this.ports.journal.info('This node was withdrawn from its cluster.');
    });
  }

  /** The host goes down: the application is handed over while there is time, or at least stopped in order. */
  async leaveForShutdown(patienceMs: number): Promise<void> {
    const untilMs = this.ports.clock.bootMs() + patienceMs;
    const waves = stopOrder([...this.modules].map(({ definition }) => definition));
    for (const [index, wave] of waves.entries()) {
      const nowMs = this.ports.clock.bootMs();
      // What one wave cannot hand over must not cost the next ones their time.
      const waveUntilMs = nowMs + (untilMs - nowMs) / (waves.length - index);
      await Promise.all(wave.map((name) => this.leave(this.module(name), waveUntilMs)));
    }
  }

  /** The agent alone goes: the application runs on under the lease that it has. */
  stop(): void {
    for (const module of this.modules) module.stopWatching();
    this.stopListening();
    this.ports.replicator.close();
  }

  emit = (draft: EventDraft): void => {
    journalEvent(this.ports.journal, draft);
    const event = this.ports.events.append(draft);
    for (const listener of this.listeners) listener.event(event);
  };

  private async leave(module: ManagedModule, untilMs: number): Promise<void> {
    const { machine, definition } = module;
    const active = (): boolean => machine.published.volumes?.some((volume) => volume.role === 'primary') ?? false;
    if (!active()) return;
    if ((await machine.command({ name: 'swap' })) === null) {
      // Until the other one has its application running: leaving earlier would end its link in the middle of the start.
      const handedOver = (): boolean => !active() && runsApplication(this.peer.beats.get(definition.name));
      while (!handedOver() && this.ports.clock.bootMs() < untilMs) await this.ports.timers.delay(100);
      if (!active()) return;
    }
    await module.windDown('leave');
  }

  private async inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.changing.then(change);
    this.changing = turn.catch(() => undefined);
    return await turn;
  }

  private mustRun(): Running {
    if (this.running === null && this.startFault !== null) throw this.startFault;
    if (this.running === null)
      throw new Fault('not-configured', {
        message: `${this.ports.node} belongs to no cluster yet.`,
        remedy: 'Apply a configuration from the laptop.',
      });
    return this.running;
  }
  /** As it said itself, while it is heard: what a silent node runs is not known, and is being taken over. */
  private peerRuns(name: string): boolean {
    const silentMs = this.ports.clock.bootMs() - Math.max(0, ...this.peer.heardMs.values());
    return silentMs < this.mustRun().record.detectionMs && runsApplication(this.peer.beats.get(name));
  }
  /** By both nodes alike: the order reaches both, and the one without the application would stop alone. A copy that has forked is stopped to be set aside. Fault: module-needed. */
  private mustNotBeNeeded(name: string): void {
    const own = this.module(name).machine.beat();
    const serves = own.state === 'secondary' && own.data !== 'forked' && this.peerRuns(name);
    if (!runsApplication(own) && !serves) return;
    const above = [...this.modules]
      .filter(({ definition }) => definition.dependsOn.includes(name))
      .map(({ definition }) => definition.name)
      .filter((one) => runsApplication(this.module(one).machine.beat()) || this.peerRuns(one));
    if (above.length === 0) return;
    throw new Fault(
      'module-needed',
      {
        message: `${above.join(', ')} ${above.length === 1 ? 'runs and depends' : 'run and depend'} on ${name}.`,
        remedy: `Stop ${above.join(', ')} first.`,
      },
      { module: name, others: above.join(', ') },
    );
  }
  private module(name: string): ManagedModule {
    this.mustRun();
    return this.modules.get(name);
  }

  /** Newer than anything that this node ever promised: a voter refuses older ones. */
  private async firstGeneration(module: string): Promise<Generation> {
    const newest = (await this.ports.modules.load(module))?.newest?.number ?? 0;
    const known = [...(this.volumes?.values() ?? [])]
      .filter((volume) => volume.id.startsWith(`${module}/`))
      .map((volume) => volume.record?.generation?.number ?? 0);
    return { number: Math.max(newest, ...known, 0) + 1, id: `${this.ports.node}-${this.ports.randomId()}` };
  }

  private async takeOver(record: ClusterRecord): Promise<void> {
    const { ports } = this;
    const key = sealingKey(record.clusterUuid, await ports.configuration.secret());
    const peer = peerOf(record, ports.node);
    await this.modules.dropChanged(this.running?.record ?? null, record);
    this.stopListening();
    await ports.fence.manage(record.modules.flatMap((one) => one.vips.map(({ address }) => address)));
    const obstacle = ports.fence.guardObstacle();
    if (obstacle !== null)
      ports.journal.info(`The kernel cannot cut off whole applications, only their addresses: ${obstacle}`);
    // Numbers of requests begin anew with new machines, so the session does as well.
    const session = ports.randomId();
    const socket = new HeartbeatSocket(
      {
        key,
        session,
        node: ports.node,
        peer: peer.name,
        networks: heartbeatNetworks(record, ports.node),
        witness: record.witness,
      },
      {
        heartbeat: (network, message, order) => this.heartbeat(network, message, order),
        vote: (from, message) => {
          if (!this.afterFreeze()) this.modules.find(message.module)?.machine.vote(from, message);
        },
        heard: (from, network) => this.heard(from, network),
      },
      ports.openDatagrams,
      ports.clock.bootMs,
    );
    const { heartbeatIntervalMs } = timingFor(record.detectionMs);
    const ticker = ports.timers.every(heartbeatIntervalMs, () => this.tick(heartbeatIntervalMs));
    const pulse = ports.timers.every(heartbeatIntervalMs / pulsesPerBeat, () => {
      this.running?.pingWatch?.look();
      if (this.healthy()) socket.repeat();
    });
    const meter = ports.timers.every(measureMs, () => void this.measure());
    this.lastTickMs = ports.clock.bootMs();
    this.droppedReportedMs = this.lastTickMs;
    this.running = { record, socket, ticker, pulse, meter, pingWatch: this.watchPings(record), session };
    await this.modules.take(record, this.surroundings(session), this.volumes);
    await ports.fence.settle();
    // Faults of single directories show in their volumes' status and are tried again; they do not undo the configuration.
    await ports.replicator.configure(replicatorConfiguration(record, ports.node)).catch(() => undefined);
    ports.journal.info(
      `Cluster ${record.cluster}, revision ${record.revision}: ${ports.node} with ${peer.name}, modules ${record.modules.map((one) => one.name).join(', ')}.`,
    );
    this.teller.soon();
  }

  private stopListening(): void {
    this.running?.ticker[Symbol.dispose]();
    this.running?.pulse[Symbol.dispose]();
    this.running?.meter[Symbol.dispose]();
    this.expiry?.[Symbol.dispose]();
    this.running?.socket[Symbol.dispose]();
    this.running?.pingWatch?.[Symbol.dispose]();
    this.running = null;
  }

  private watchPings({ pingWitness, detectionMs }: ClusterRecord): PingWatch | null {
    if (pingWitness === null) return null;
    return new PingWatch({
      open: this.ports.openEcho,
      address: pingWitness,
      node: this.ports.node,
      detectionMs,
      nowMs: this.ports.clock.bootMs,
      emit: this.emit,
      reached: (sentMs) => {
        for (const { machine } of this.modules) machine.reached(sentMs);
      },
    });
  }

  private surroundings(session: string): ModuleSurroundings {
    return {
      ports: this.ports,
      session,
      emit: this.emit,
      send: (to: 'peer' | 'witness', message: Vote) => this.running?.socket.send(to, message),
      changed: () => {
        this.beatSoon();
        this.teller.soon();
      },
      othersRun: (name: string) =>
        [...this.modules].some(
          ({ definition, machine }) => definition.name !== name && runsApplication(machine.beat()),
        ),
      moduleRuns: (name: string) => {
        const module = this.modules.find(name);
        if (module === undefined) return null;
        return runsApplication(module.machine.beat()) || this.peerRuns(name);
      },
    };
  }

  private tick(intervalMs: number): void {
    const now = this.ports.clock.bootMs();
    const lateMs = now - this.lastTickMs - intervalMs;
    this.lastTickMs = now;
    this.ticks++;
    if (lateMs > intervalMs * 2) {
      this.ignoreDatagramsUntilMs = now + staleDatagramsMs;
      this.ports.journal.notice(`This process did not run for ${Math.round(lateMs)} ms.`);
    }
    this.running?.pingWatch?.ask();
    for (const module of this.modules) module.tick();
    this.beat(this.ticks % 2 === 0);
    this.checkFence(now);
    this.reportDropped(now);
    this.teller.soon();
  }

  /** For people only: one that fails or does not come back leaves everything else alone. */
  private async measure(): Promise<void> {
    if (this.measuring) return;
    this.measuring = true;
    try {
      const volumes = await this.ports.replicator.call('metrics', {});
      this.measurements.take(this.ports.clock.bootMs(), volumes);
    } catch {
      this.measurements.forget();
    }
    this.measuring = false;
  }

  /** A few are normal when an agent restarts; many are somebody who plays with the network. */
  private reportDropped(now: number): void {
    const { running } = this;
    if (running === null || now - this.droppedReportedMs < droppedReportMs) return;
    this.droppedReportedMs = now;
    const text = Object.entries(running.socket.counters)
      .filter(([, count]) => count > 0)
      .map(([cause, count]) => `${cause} ${count}`)
      .join(', ');
    if (text !== this.droppedReported && text !== '')
      this.ports.journal.info(`Datagrams dropped since the start: ${text}.`);
    this.droppedReported = text;
  }

  private beat(alsoWitness: boolean): void {
    const { running } = this;
    // A module whose disk or kernel hangs cannot act: silence lets the other node take over.
    if (running === null || !this.healthy()) return;
    running.socket.beat(
      {
        kind: 'heartbeat',
        agentVersion: this.ports.agentVersion,
        revision: running.record.revision,
        modules: [...this.modules].map((one) => this.datedBeat(one)),
      },
      alsoWitness,
    );
  }
  /** The core knows no wall clock; people want to read since when. */
  private datedBeat({ machine }: ManagedModule): ModuleBeat {
    const { bootMs, wallMs } = this.ports.clock;
    const { sinceMs } = describeOwn(machine.published, bootMs());
    if (sinceMs === undefined) return machine.beat();
    return { ...machine.beat(), since: new Date(wallMs() - (bootMs() - sinceMs)).toISOString() };
  }

  private beatSoon(): void {
    if (this.beatScheduled) return;
    this.beatScheduled = true;
    setImmediate(() => {
      this.beatScheduled = false;
      this.beat(false);
    });
  }

  private checkFence(now: number): void {
    if (now - this.fenceCheckedMs < fenceCheckMs) return;
    this.fenceCheckedMs = now;
    this.ports.fence.check().then(
      (mended) => {
        if (mended)
          this.emit({
            module: null,
            code: 'fence-restored',
            message: 'Another program removed the packet filter that enforces the leases; it was put back.',
            severity: 'attention',
            evidence: {},
          });
      },
      (error: unknown) =>
        this.ports.journal.warning(`The packet filter cannot be checked: ${Fault.from(error).message}`),
    );
  }

  /** The loss of the other node is noticed when it is due, and not at the tick after it. */
  private expectHeartbeat(): void {
    const { running } = this;
    if (running === null) return;
    this.expiry?.[Symbol.dispose]();
    this.expiry = this.ports.timers.every(running.record.detectionMs + 1, () => {
      this.expiry?.[Symbol.dispose]();
      for (const module of this.modules) module.tick();
    });
  }

  private afterFreeze(): boolean {
    return this.ports.clock.bootMs() < this.ignoreDatagramsUntilMs;
  }

  private heard(from: 'peer' | 'witness', network: string): void {
    if (this.afterFreeze()) return;
    const now = this.ports.clock.bootMs();
    if (from === 'witness') this.witnessHeardMs = now;
    else this.peer.heardMs.set(network, now);
  }

  private heartbeat(network: string, message: Heartbeat, order: number): void {
    if (this.afterFreeze()) return;
    this.peer.agentVersion = message.agentVersion;
    this.expectHeartbeat();
    for (const module of this.modules) {
      const beat = message.modules.find((one) => one.module === module.definition.name) ?? null;
      if (beat !== null) this.peer.beats.set(beat.module, beat);
      module.machine.heard(network, beat, order);
    }
  }
}

function runsApplication(beat: ModuleBeat | undefined): boolean {
  return beat?.state === 'primary' || beat?.state === 'alone';
}
