/** A whole node in the simulator: the real mirror machine, its durable store, plans that take time, an application and a kernel that enforces the lease. */
import type { stepMirror } from '../../agent/core/index.ts';
import {
  beatOf,
  describeOwn,
  freshRecord,
  initialMirror,
  isProtected,
  type MirrorAction,
  type MirrorEvent,
  type MirrorIdentity,
  type MirrorState,
  type ModuleRecord,
  type VoterState,
} from '../../agent/core/index.ts';
import type { EventDraft, Finding, MessageBody } from '../../agent/contract/index.ts';
import type { NodeFacts } from './order-judge.ts';
import { runPlan } from './plans.ts';
import { Replica } from './replica.ts';
import type { World } from './world.ts';

const checkIntervalMs = 1000;
/** The one whose action is `wait`. */
export const waitChecker = 'surroundings';

export interface NodePorts {
  send(to: string, body: MessageBody): void;
  /** `answered` when the ping witness does. */
  ping(from: string, answered: () => void): void;
  /** The application becomes able to answer clients on this node. */
  applicationStarted(node: SimulatedNode): void;
  /** `event` null: a control plane has started or ended. */
  stepped(node: SimulatedNode, before: MirrorState | null, after: MirrorState | null, event: MirrorEvent | null): void;
  told(node: SimulatedNode, event: EventDraft): void;
  /** What its disk did not get is gone. */
  powerLost(node: SimulatedNode): void;
  /** Before it is executed. */
  acts(node: SimulatedNode, action: MirrorAction): void;
  readonly stepMirror: typeof stepMirror;
}

export class SimulatedNode {
  readonly name: string;
  readonly identity: Omit<MirrorIdentity, 'session' | 'bootId'>;
  readonly world: World;
  readonly replica: Replica;
  readonly ports: NodePorts;
  /** Rate of this node's clock against true time. */
  readonly clockRate: number;
  private readonly clockOffsetMs: number;
  /** The level is `received`. */
  acknowledgesMemory = false;
  up = false;
  frozen = false;
  boots = 0;
  private sessions = 0;
  mirror: MirrorState | null = null;
  /** On disk. */
  record: ModuleRecord = freshRecord();
  application = false;
  /** The process has ended by itself; its start script brings it back. */
  crashed = false;
  /** World time: until then it fails its checkers however often it is started. */
  brokenUntilMs = 0;
  /** World time: until then its start script fails. */
  startFailsUntilMs = 0;
  /** World time: until then something is missing that the application needs. */
  lacksUntilMs = 0;
  /** World time: until then its directory cannot be mounted. */
  mountFailsUntilMs = 0;
  /** World time: until then its replicator ends in the middle of each mount. */
  diesMountingUntilMs = 0;
  /** Ends the plan that mounts right now, as a call that has lost its connection. */
  mounting: (() => void) | null = null;
  /** The plan that is just being told of has ended because of that. */
  endedByLoss = false;
  /** World time: until then a planned stop does not get its directory unmounted. */
  unmountFailsUntilMs = 0;
  /** World time: until then fencing does not end. */
  fenceFailsUntilMs = 0;
  /** Codes of all that it has told. */
  readonly told: string[] = [];
  vip = false;
  kernelLeaseMs = 0;
  /** The control plane that runs now found its application running when it started, and has nothing to mend. */
  resumes = false;
  /** What this node's vote was given for when its control plane ended: it holds until the next one has started. */
  lastVoter: VoterState | null = null;
  private life = 0;
  /** A plan of an earlier one is abandoned. */
  planLife = 0;
  private deferred: (() => void)[] = [];

  constructor(
    name: string,
    identity: Omit<MirrorIdentity, 'session' | 'bootId'>,
    world: World,
    ports: NodePorts,
    clockRate: number,
    pathUp: (from: string, to: string) => boolean,
  ) {
    this.name = name;
    this.identity = identity;
    this.world = world;
    this.ports = ports;
    this.clockRate = clockRate;
    this.clockOffsetMs = world.random.between(0, 1e6);
    this.replica = new Replica(
      name,
      world,
      pathUp,
      () => this.localNow(),
      () => {
        this.event({ type: 'data', volumes: this.replica.alive ? this.replica.statuses() : null });
      },
    );
    this.replica.memoryLost = () => {
      this.ports.powerLost(this);
    };
  }

  localNow(): number {
    return this.clockOffsetMs + this.world.nowMs * this.clockRate;
  }

  /** Clients reach the application here: it runs, the address is up and the kernel lets it answer. */
  serving(): boolean {
    return this.up && this.application && this.vip && this.localNow() < this.kernelLeaseMs;
  }

  bootId(): string {
    return `b${String(this.boots)}`;
  }

  powerOn(): void {
    if (this.up) return;
    this.up = true;
    this.boots += 1;
    const boot = this.bootId();
    this.replica.memoryBoot = this.acknowledgesMemory ? boot : null;
    this.replica.closedBoot = this.acknowledgesMemory ? null : boot;
    this.replica.start();
    this.startControlPlane();
  }

  private startControlPlane(): void {
    this.life += 1;
    this.sessions += 1;
    const { record, replica } = this;
    this.resumes = record.running && record.activeBoot === this.bootId() && replica.alive && replica.role === 'primary';
    this.mirror = initialMirror(
      { ...this.identity, session: `s${String(this.sessions)}`, bootId: this.bootId() },
      this.record,
      this.localNow(),
    );
    this.ports.stepped(this, null, this.mirror, null);
    const { life } = this;
    this.world.at(this.world.random.between(5, 60), () => {
      if (this.life === life)
        this.event({ type: 'data', volumes: this.replica.alive ? this.replica.statuses() : null });
    });
    this.scheduleTick(life);
    for (const { name } of this.identity.checkers) this.scheduleCheck(name, life);
  }

  /** Looks as the runtime does: only while the application runs, or at what it waits for. */
  private scheduleCheck(name: string, life: number): void {
    const { world } = this;
    world.at(checkIntervalMs / this.clockRate, () => {
      if (this.life !== life) return;
      this.whenThawed(() => {
        const { mirror } = this;
        if (this.life !== life || mirror === null) return;
        const looks =
          mirror.phase.name === 'active' ||
          (name === waitChecker && (mirror.phase.name === 'wait' || mirror.phase.name === 'secondary'));
        const beganMs = this.localNow();
        const finding = this.look(name);
        if (looks)
          world.at(world.random.between(1, 200), () => {
            if (this.life === life) this.event({ type: 'checked', checker: name, beganMs, finding });
          });
        this.scheduleCheck(name, life);
      });
    });
  }

  private look(name: string): Finding {
    const { nowMs } = this.world;
    const bad = name === waitChecker ? nowMs < this.lacksUntilMs : this.crashed || nowMs < this.brokenUntilMs;
    return bad || (name !== waitChecker && !this.application)
      ? { code: 'not-running', found: '' }
      : { code: 'good', found: '' };
  }

  private scheduleTick(life: number): void {
    this.world.at(this.identity.timing.heartbeatIntervalMs / this.clockRate, () => {
      if (this.life !== life) return;
      this.whenThawed(() => {
        if (this.life !== life || this.mirror === null) return;
        this.event({ type: 'tick' });
        if (this.life !== life) return;
        if (this.identity.pingWitness !== null) this.ping(life);
        this.ports.send(this.identity.peer, {
          kind: 'heartbeat',
          agentVersion: '0',
          revision: 1,
          modules: [beatOf(this.mirror, this.localNow())],
        });
        this.scheduleTick(life);
      });
    });
  }

  private ping(life: number): void {
    const sentMs = this.localNow();
    this.ports.ping(this.name, () => {
      this.whenThawed(() => {
        if (this.life === life) this.event({ type: 'reached', sentMs });
      });
    });
  }

  whenThawed(action: () => void): void {
    if (this.frozen) this.deferred.push(action);
    else action();
  }

  powerOff(): void {
    if (!this.up) return;
    this.up = false;
    this.life += 1;
    this.planLife += 1;
    this.endMachine();
    this.frozen = false;
    this.replica.frozen = false;
    this.deferred = [];
    this.application = false;
    this.crashed = false;
    this.vip = false;
    this.kernelLeaseMs = 0;
    this.replica.losePower();
    this.ports.powerLost(this);
  }

  /** kill -9 of the control plane; systemd starts it again. */
  killControlPlane(): void {
    if (!this.up) return;
    this.life += 1;
    this.planLife += 1;
    this.endMachine();
    const { life } = this;
    this.world.at(this.world.random.between(300, 1500), () => {
      this.whenThawed(() => {
        if (this.up && this.life === life) this.startControlPlane();
      });
    });
  }

  private endMachine(): void {
    const { mirror } = this;
    if (mirror === null) return;
    this.lastVoter = mirror.voter;
    this.mirror = null;
    this.ports.stepped(this, mirror, null, null);
  }

  killReplicator(): void {
    if (!this.up || !this.replica.alive) return;
    const { mounting } = this;
    this.mounting = null;
    this.replica.loseProcess();
    // The call may be told of its loss before anybody else.
    if (mounting !== null && this.world.random.chance(0.5)) mounting();
    this.event({ type: 'data', volumes: null });
    const { boots } = this;
    this.world.at(this.world.random.between(300, 1500), () => {
      this.whenThawed(() => {
        if (this.up && this.boots === boots && !this.replica.alive) this.replica.start();
      });
    });
  }

  freeze(): void {
    if (!this.up || this.frozen) return;
    this.frozen = true;
    this.replica.freeze(true);
  }

  thaw(): void {
    if (!this.frozen) return;
    this.frozen = false;
    const waiting = this.deferred;
    this.deferred = [];
    // What waited in sockets and timers is worked off in an order nobody promises.
    for (const action of waiting) this.world.at(this.world.random.between(0, 20), action);
    this.replica.freeze(false);
  }

  /** @param order of sending: what the sender said later has a higher one. */
  receive(from: string, body: MessageBody, network: string, order: number): void {
    this.whenThawed(() => {
      if (this.mirror === null) return;
      if (body.kind === 'heartbeat') this.event({ type: 'heard', network, beat: body.modules[0] ?? null, order });
      else if (body.kind === 'vote-request') this.event({ type: 'vote-request', message: body });
      else if (body.kind === 'vote-reply')
        this.event({ type: 'vote-reply', from: from === 'w' ? 'witness' : 'peer', message: body });
      else this.event({ type: 'vote-release', message: body });
    });
  }

  command(name: 'start' | 'stop' | 'restart' | 'swap'): void {
    this.event({ type: 'command', command: { name } });
  }

  maintenance(on: boolean): void {
    this.event({ type: 'command', command: { name: 'maintenance', on } });
  }

  promote(): void {
    this.event({ type: 'command', command: { name: 'promote', orderedBy: 'person' } });
  }

  event(event: MirrorEvent): void {
    if (this.mirror === null) return;
    if (this.frozen) {
      const { life } = this;
      this.deferred.push(() => {
        if (this.life === life) this.event(event);
      });
      return;
    }
    // The connection to the replicator keeps its order: what counts is how things are when the event is worked off.
    if (event.type === 'data') event = { type: 'data', volumes: this.replica.alive ? this.replica.statuses() : null };
    const before = this.mirror;
    const { state, actions } = this.ports.stepMirror(before, { ...event, atMs: this.localNow() });
    this.mirror = state;
    this.ports.stepped(this, before, state, event);
    for (const action of actions) {
      this.execute(action);
      // A crash between any two actions.
      if (this.world.random.chance(this.crashProbability)) {
        this.world.count('crash-between-actions');
        this.world.log(this.name, 'crashes between two actions');
        this.killControlPlane();
        return;
      }
    }
  }
  crashProbability = 0;

  private execute(action: MirrorAction): void {
    this.ports.acts(this, action);
    switch (action.type) {
      case 'persist':
        this.record = action.record;
        break;
      case 'send':
        this.ports.send(action.to === 'witness' ? 'w' : this.identity.peer, action.message);
        break;
      case 'extend-lease':
        this.kernelLeaseMs = Math.max(this.kernelLeaseMs, action.deadlineMs);
        this.replica.leaseUntilMs = Math.max(this.replica.leaseUntilMs, action.deadlineMs);
        break;
      case 'cut-lease':
        this.kernelLeaseMs = 0;
        this.replica.cut();
        break;
      case 'go-alone':
        this.replica.goAlone(action.generation);
        break;
      case 'run':
        this.planLife += 1;
        runPlan(this, action.id, action.steps);
        break;
      case 'emit':
        this.world.log(this.name, `${action.event.code}: ${action.event.message}`);
        this.told.push(action.event.code);
        this.ports.told(this, action.event);
        break;
      case 'halt':
        throw new Error(`${this.name} halts: ${action.because}`);
    }
  }

  stand(): { readonly state: string; readonly data: string; readonly reason: string | null } {
    if (!this.up) return { state: 'off', data: 'unknown', reason: null };
    if (this.mirror === null) return { state: 'down', data: 'unknown', reason: null };
    const { state, data, reason } = describeOwn(this.mirror, this.localNow());
    return { state, data, reason: reason ?? null };
  }

  describe(): string {
    const { state, data, reason } = this.stand();
    return `${state}/${data}${reason === null ? '' : ` (${reason})`}${this.frozen ? ' frozen' : ''}`;
  }

  facts(storedElsewhere: NodeFacts['storedElsewhere']): NodeFacts {
    const { name, record, application, vip, replica } = this;
    return {
      name,
      record,
      bootId: this.bootId(),
      mayAnswer: (application || vip) && this.localNow() < this.kernelLeaseMs,
      leased: this.localNow() < this.kernelLeaseMs,
      idle: !application && !vip && replica.role !== 'primary',
      storedElsewhere,
    };
  }

  protected(): boolean {
    return this.mirror !== null && isProtected(this.mirror, this.localNow());
  }
}
