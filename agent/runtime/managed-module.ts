/** One configured module with everything that belongs to it: machine, plans, lease. */
import type { ClusterRecord, EventDraft, ModuleDefinition, VolumeStatus, Vote } from '../contract/index.ts';
import { Fault } from '../contract/index.ts';
import type { MirrorIdentity } from '../core/index.ts';
import { describeOwn, freshRecord, initialMirror, timingFor } from '../core/index.ts';
import { checkerRules, peerOf } from './cluster-record.ts';
import { CheckerWatch } from './checker-watch.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { ModuleMachine } from './module-machine.ts';
import { PlanExecutor } from './plan-executor.ts';
import type { RuntimePorts } from './ports.ts';

const raiseMs = 10_000;

export interface ModuleSurroundings {
  readonly ports: RuntimePorts;
  readonly session: string;
  readonly emit: (event: EventDraft) => void;
  readonly send: (to: 'peer' | 'witness', message: Vote) => void;
  readonly changed: () => void;
  /** Whether a module of this cluster runs somewhere; null: there is none of that name. */
  readonly moduleRuns: (module: string) => boolean | null;
  /** Whether this node runs the application of another module. */
  readonly othersRun: (module: string) => boolean;
}

export class ManagedModule {
  definition: ModuleDefinition;
  readonly identity: MirrorIdentity;
  readonly machine: ModuleMachine;
  readonly plans: PlanExecutor;
  readonly lease: LeaseKeeper;
  readonly raised: Set<string>;
  private readonly watch: CheckerWatch;
  private readonly moduleRuns: ModuleSurroundings['moduleRuns'];
  private readonly ports: RuntimePorts;

  private constructor(
    definition: ModuleDefinition,
    identity: MirrorIdentity,
    record: ReturnType<typeof freshRecord>,
    around: ModuleSurroundings,
    raised: Set<string>,
    leaseMs: number,
  ) {
    const { ports } = around;
    this.ports = ports;
    this.moduleRuns = around.moduleRuns;
    this.definition = definition;
    this.identity = identity;
    this.raised = raised;
    this.lease = new LeaseKeeper(ports, () => this.definition, record.activeBoot === ports.bootId);
    this.plans = new PlanExecutor(ports, {
      definition: () => this.definition,
      peer: identity.peer,
      emit: around.emit,
      leaseRuns: () => this.lease.runs(),
      applicationStarts: () => this.lease.engage(),
      applicationChanged: () => this.lease.guardNow(),
      applicationFenced: () => this.lease.condemn(),
      applicationEnded: () => this.lease.release(),
      othersRun: () => around.othersRun(definition.name),
      raised,
    });
    this.machine = new ModuleMachine(initialMirror(identity, record, ports.clock.bootMs(), leaseMs), {
      nowMs: ports.clock.bootMs,
      save: (next) => ports.modules.save(definition.name, next),
      send: around.send,
      extendLease: (deadlineMs) => {
        if (this.lease.isEngaged()) this.plans.learnAgain(ports.clock.bootMs());
        return this.lease.extend(deadlineMs);
      },
      cutLease: () => this.lease.cut(),
      emit: around.emit,
      plans: this.plans,
      changed: around.changed,
      halt: ports.halt,
    });
    this.watch = new CheckerWatch(ports, {
      definition: () => this.definition,
      state: () => this.machine.published,
      moduleRuns: around.moduleRuns,
      checked: (checker, beganMs, finding) => this.machine.checked(checker, beganMs, finding),
    });
  }

  /** `leaseMs`: until when the former machine of this process has the right to run; 0: there was none. */
  static async load(
    definition: ModuleDefinition,
    record: ClusterRecord,
    around: ModuleSurroundings,
    raised: Set<string>,
    leaseMs: number,
  ): Promise<ManagedModule> {
    const { ports } = around;
    const stored = (await ports.modules.load(definition.name)) ?? freshRecord();
    // An address without a recorded owner of this boot is a leftover. The kernel's fence keeps it silent in any case.
    if (stored.activeBoot !== ports.bootId) for (const { address } of definition.vips) await ports.vip.drop(address);
    for (const { address } of definition.vips) if (await ports.vip.present(address)) raised.add(address);
    const identity = identityOf(definition, record, ports, around.session);
    return new ManagedModule(definition, identity, stored, around, raised, leaseMs);
  }

  tick(): void {
    this.machine.needs(this.definition.dependsOn.filter((name) => this.moduleRuns(name) !== true));
    this.machine.tick();
  }

  /** All volumes of this module, or null while any of them is unknown. */
  data(all: ReadonlyMap<string, VolumeStatus> | null): void {
    const volumes = this.definition.volumes.map(({ id }) => all?.get(id));
    this.machine.data(volumes.every((volume) => volume !== undefined) ? volumes : null);
  }

  /** Scripts and addresses changed under the running machine. An address that is new is raised at once where the application runs. */
  async redefine(definition: ModuleDefinition): Promise<void> {
    this.definition = definition;
    this.watch.follow();
    if (!this.lease.runs() || !this.machine.published.record.running) return;
    for (const vip of definition.vips.filter(({ address }) => !this.raised.has(address)))
      try {
        await this.ports.vip.raise(vip, () => this.lease.runs(), AbortSignal.timeout(raiseMs));
        this.raised.add(vip.address);
      } catch (error) {
        this.ports.journal.warning(`${definition.name}: ${Fault.from(error).message}`);
      }
  }

  /** For its successor. One that has no right says so: what the replicator said last may be from before. */
  get rightUntilMs(): number {
    const { leaseMs } = this.machine.published;
    return leaseMs > 0 ? leaseMs : this.ports.clock.bootMs();
  }

  stopWatching(): void {
    this.watch[Symbol.dispose]();
  }

  /** For a changed configuration: takes no further event, a new machine goes on from the same record. */
  async retire(): Promise<void> {
    this.stopWatching();
    await this.machine.retire();
    await this.plans.abandon();
  }

  /**
   * Ends everything of this module on this node: for withdrawal, for a module that left the configuration, for a host that goes down.
   * The machine itself stops the application, because it keeps the lease alive meanwhile: without it the stop script would hang.
   */
  async windDown(by: 'stop' | 'leave'): Promise<void> {
    const { machine } = this;
    await machine.command({ name: by });
    const untilMs = this.ports.clock.bootMs() + this.stopPatienceMs();
    const stopped = (): boolean => describeOwn(machine.published, this.ports.clock.bootMs()).state === 'stopped';
    while (!stopped() && this.ports.clock.bootMs() < untilMs) await this.ports.timers.delay(50);
    await this.retire();
    const held = machine.published.volumes?.some((one) => one.role === 'primary' || one.role === 'fenced') ?? false;
    const rest = held ? ({ do: 'fence' } as const) : ({ do: 'idle' } as const);
    const { failed } = await this.plans.finish([{ do: 'drop-vip' }, rest]);
    if (failed !== null) this.ports.journal.notice(`${machine.module}: ${failed.fault.message}`);
    await this.lease.cut();
  }

  /** Every script that a stop may have to wait for, and the killing of holders. */
  private stopPatienceMs(): number {
    const { stop, poststop, forceStop } = this.definition.scripts;
    return stop.timeoutMs + (poststop?.timeoutMs ?? 0) + (forceStop?.timeoutMs ?? 0) + 20_000;
  }
}

function identityOf(
  definition: ModuleDefinition,
  record: ClusterRecord,
  ports: RuntimePorts,
  session: string,
): MirrorIdentity {
  return {
    module: definition.name,
    node: ports.node,
    peer: peerOf(record, ports.node).name,
    prefer: definition.prefer,
    failback: definition.failback,
    dependsOn: definition.dependsOn,
    witness: record.witness !== null,
    withoutWitness: record.withoutWitness,
    pingWitness: record.pingWitness,
    timing: timingFor(record.detectionMs),
    checkers: checkerRules(definition),
    restartLimit: definition.restartLimit,
    session,
    bootId: ports.bootId,
  };
}
