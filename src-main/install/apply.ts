/**
 * From a configuration to a running cluster. Looks first, refuses before anything is changed, then does only what is missing: the same call
 * installs, continues an interrupted installation, upgrades, and changes nothing when there is nothing to do.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { pingWitnessOf, type ClusterRecord } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { makeClusterRecord } from '../configuration/index.ts';
import type { Transport } from '../ssh/index.ts';
import { AgentLinks } from './agent-links.ts';
import type { ApplyOptions, ApplyOutcome, InstallEvent, PlannedStep } from './apply-options.ts';
import { planCluster, type ClusterPlanInput, type ClusterStep, type NodeView } from './cluster-plan.ts';
import {
  intentionFile,
  mustRun,
  removeOldVersions,
  returnToVersion,
  runHostStep,
  writeFile,
  type HostContext,
  type Intention,
} from './host-steps.ts';
import { layout } from './layout.ts';
import { withInstallLock } from './lock.ts';
import { connectAll, machinesOf } from './machines.ts';
import { freedViews, runModuleScript } from './module-script.ts';
import { agentPackage } from './packages.ts';
import { tryPingWitness } from './ping-witness.ts';
import { planHost, replacesRunningAgent, stepId, type HostStep, type Phase, type WantedHost } from './plan.ts';
import { resolveMachines } from './resolve.ts';
import { makeRoom, waitUntilProtected } from './rolling.ts';
import {
  mustGet,
  nodesOf,
  previousRecord,
  probeMachines,
  readIntention,
  refuseFailedChecks,
  refuseOtherMachines,
  runtimesFor,
  viewNodes,
  wantedHosts,
  type Machine,
} from './survey.ts';
import { readUnitTexts } from './unit-files.ts';

/**
 * Faults: those of connecting, installation-running-elsewhere, checks-failed (or the one check's own code), both-copies-have-data, and those of
 * the steps.
 */
export async function applyCluster(options: ApplyOptions): Promise<ApplyOutcome> {
  const transports = await connectAll(machinesOf(options.configuration), options.connect, options.signal);
  try {
    if (options.planOnly === true) return await new Apply(options, transports).run();
    const nodes = options.configuration.nodes.map(({ name }) => ({ name, transport: mustGet(transports, name) }));
    return await withInstallLock(nodes, options.signal, (signal) =>
      new Apply({ ...options, signal }, transports).run(),
    );
  } finally {
    for (const transport of transports.values()) transport.close();
  }
}

type StepOutcome = Pick<Extract<InstallEvent, { kind: 'step-done' }>, 'note' | 'keptAt'>;

class Apply {
  readonly #options: ApplyOptions;
  readonly #transports: ReadonlyMap<string, Transport>;
  readonly #links: AgentLinks;
  readonly #done: PlannedStep[] = [];
  readonly #keptAt: string[] = [];
  #machines: readonly Machine[] = [];

  constructor(options: ApplyOptions, transports: ReadonlyMap<string, Transport>) {
    this.#options = options;
    this.#transports = transports;
    this.#links = new AgentLinks(transports, options.programVersion, options.signal);
  }

  async run(): Promise<ApplyOutcome> {
    const { configuration, packages } = this.#options;
    this.#emit({ kind: 'phase', title: 'Looking at the servers' });
    this.#machines = await probeMachines(this.#options, this.#transports);
    refuseOtherMachines(this.#options.machineIds ?? new Map(), this.#machines);
    const agent = await agentPackage(packages);
    const runtimes = await runtimesFor(this.#machines, packages);
    const pings = await tryPingWitness(this.#machines, pingWitnessOf(configuration), this.#options.signal);
    refuseFailedChecks(this.#options, this.#machines, agent, runtimes, pings);
    const intention = await readIntention(this.#nodes, configuration.cluster);
    const previous = previousRecord(this.#nodes, configuration.cluster, intention);
    const resolved = resolveMachines(configuration, this.#machines);
    const record = makeClusterRecord(configuration, resolved, previous, randomUUID);
    const units = readUnitTexts(this.#options.resourcesDirectory);
    const wanted = wantedHosts(this.#machines, record.clusterUuid, units, agent, runtimes);
    const hostSteps = this.#machines.flatMap((machine) => planHost(machine.probe, mustGet(wanted, machine.name)));
    const rolling = this.#machines.some((machine) => replacesRunningAgent(machine.probe, stepsOf(hostSteps, machine)));

    // What can be refused is refused now, before anything is changed.
    const before = await viewNodes(this.#nodes, this.#links, record, hostSteps, this.#options.signal);
    const clusterSteps = planCluster(this.#planInput(record, before, intention?.good ?? {}, true));
    const planned = [...hostSteps.map(hostPlanned), ...clusterSteps.map(clusterPlanned)];
    this.#emit({ kind: 'planned', steps: planned });
    if (this.#options.planOnly === true) {
      return { steps: planned, changed: false, record, keptAt: [] };
    }
    if (hostSteps.length > 0) await this.#install(hostSteps, wanted, record, intention, rolling);
    await this.#setUp(record, intention, hostSteps.length > 0 ? null : clusterSteps);
    if (intention !== null || this.#done.length > 0) await this.#finish(wanted, record);
    return { steps: this.#done, changed: this.#done.length > 0, record, keptAt: this.#keptAt };
  }

  #emit(event: InstallEvent): void {
    this.#options.onEvent?.(event);
  }

  #planInput(
    record: ClusterRecord,
    nodes: readonly NodeView[],
    remembered: ClusterPlanInput['remembered'],
    mayStop: boolean,
  ): ClusterPlanInput {
    return { record, nodes, good: this.#options.good ?? null, remembered, mayStop };
  }

  get #nodes(): readonly Machine[] {
    return nodesOf(this.#machines);
  }

  async #install(
    steps: readonly HostStep[],
    wanted: ReadonlyMap<string, WantedHost>,
    record: ClusterRecord,
    intention: Intention | null,
    rolling: boolean,
  ): Promise<void> {
    this.#emit({ kind: 'phase', title: 'Installing' });
    const noCluster = { secret: '', clusterUuid: record.clusterUuid, peer: null };
    await this.#phase('place', steps, (machine) => this.#context(machine, mustGet(wanted, machine.name), noCluster));
    if (steps.some((step) => step.phase === 'join')) {
      const secret = await this.#clusterSecret();
      const certificates = new Map<string, string>();
      for (const node of this.#nodes) {
        certificates.set(node.name, await mustRun(node.transport, `cat ${layout.certificate}`));
      }
      const admission = (machine: Machine): HostContext['cluster'] => {
        const peer = mustGet(wanted, machine.name).peer;
        return {
          secret,
          clusterUuid: record.clusterUuid,
          peer: peer === null ? null : { name: peer, certificate: mustGet(certificates, peer) },
        };
      };
      // Before any node counts as joined: an interrupted apply goes on with the same identities.
      if (this.#nodes.every((node) => node.probe.installed.record === null)) {
        await this.#writeIntention({ record, good: intention?.good ?? {} });
      }
      await this.#phase('join', steps, (machine) =>
        this.#context(machine, mustGet(wanted, machine.name), admission(machine)),
      );
    }
    const context = (machine: Machine): HostContext => this.#context(machine, mustGet(wanted, machine.name), noCluster);
    await this.#phase('run', steps, context, (machine) => machine.role === 'witness');
    if (rolling) await this.#roll(steps, record, context);
    else await this.#phase('run', steps, context, (machine) => machine.role === 'node');
  }

  /** One node after the other, those without a running application first; each is a full partner again before the next is touched. */
  async #roll(
    steps: readonly HostStep[],
    record: ClusterRecord,
    context: (machine: Machine) => HostContext,
  ): Promise<void> {
    const statuses = new Map(
      await Promise.all(
        this.#nodes.map(async (node) => [node.name, await this.#links.statusOrNull(node.name)] as const),
      ),
    );
    const busy = (node: Machine): number =>
      statuses.get(node.name)?.modules.filter(({ own }) => own.state === 'primary' || own.state === 'alone').length ??
      0;
    for (const node of [...this.#nodes].sort((a, b) => busy(a) - busy(b))) {
      if (!stepsOf(steps, node).some((step) => step.phase === 'run')) continue;
      const peer = this.#nodes.find((other) => other.name !== node.name);
      const stopped = await makeRoom(this.#links, node.name, peer?.name ?? '', this.#options.signal);
      this.#links.forget(node.name);
      await this.#phase('run', steps, context, (machine) => machine.name === node.name);
      await this.#links.get(node.name);
      for (const module of stopped) await this.#links.start(node.name, module);
      await waitUntilProtected(this.#links, node.name, record, statuses.get(node.name) ?? null, this.#options.signal);
    }
  }

  async #clusterSecret(): Promise<string> {
    for (const node of this.#nodes) {
      if (node.probe.installed.secretSha256 === null) continue;
      return (await mustRun(node.transport, `cat ${layout.clusterSecret}`)).trim();
    }
    return randomBytes(32).toString('hex');
  }

  async #writeIntention(intention: Intention): Promise<void> {
    const { signal } = this.#options;
    for (const { transport } of this.#nodes) {
      await writeFile({ transport, signal }, intentionFile, '0600', `${JSON.stringify(intention)}\n`);
    }
  }

  #context(machine: Machine, wanted: WantedHost, cluster: HostContext['cluster']): HostContext {
    return {
      transport: machine.transport,
      role: machine.role,
      runtime: wanted.runtime,
      agent: wanted.agent,
      units: wanted.units,
      signal: this.#options.signal,
      onBytes: () => undefined,
      cluster,
    };
  }

  /** Hosts side by side, the steps of each in order. A failure on one host lets the others end what they are at. */
  async #phase(
    phase: Phase,
    steps: readonly HostStep[],
    contextOf: (machine: Machine) => HostContext,
    concerns: (machine: Machine) => boolean = () => true,
  ): Promise<void> {
    const results = await Promise.allSettled(
      this.#machines.filter(concerns).map(async (machine) => {
        const context = contextOf(machine);
        for (const step of steps.filter((one) => one.host === machine.name && one.phase === phase)) {
          await this.#step(hostPlanned(step), async (onBytes) => {
            await this.#runHostStep({ ...context, onBytes }, step, machine);
            return {};
          });
        }
      }),
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (failure) throw failure.reason;
  }

  async #runHostStep(context: HostContext, step: HostStep, machine: Machine): Promise<void> {
    try {
      await runHostStep(context, step);
      if (step.kind === 'start-units' && machine.role === 'node') {
        this.#links.forget(machine.name);
        await this.#links.get(machine.name);
      }
    } catch (error) {
      const { current, runtimeCurrent } = machine.probe.installed;
      const replaced = current !== null && runtimeCurrent !== null && current !== context.agent.id;
      if (step.kind === 'start-units' && replaced && Fault.from(error).code === 'agent-does-not-start') {
        await returnToVersion(context, { agent: current, runtime: runtimeCurrent });
      }
      throw error;
    }
  }

  async #step(step: PlannedStep, action: (onBytes: HostContext['onBytes']) => Promise<StepOutcome>): Promise<void> {
    this.#options.signal?.throwIfAborted();
    this.#options.stopAfterStep?.throwIfAborted();
    this.#emit({ kind: 'step-started', step });
    try {
      const outcome = await action((doneBytes, totalBytes) =>
        this.#emit({ kind: 'step-bytes', step, doneBytes, totalBytes }),
      );
      this.#done.push(step);
      this.#emit({ kind: 'step-done', step, ...outcome });
    } catch (error) {
      this.#emit({ kind: 'step-failed', step });
      throw error;
    }
  }

  async #viewAll(record: ClusterRecord): Promise<NodeView[]> {
    return Promise.all(this.#nodes.map((node) => this.#links.view(node.name, record)));
  }

  /** Stops what has the directories open, and plans anew. What then keeps the cluster from being set up finds the applications running again. */
  async #makeWay(
    record: ClusterRecord,
    remembered: ClusterPlanInput['remembered'],
    steps: readonly ClusterStep[],
  ): Promise<readonly ClusterStep[]> {
    const stopped: { readonly node: Machine; readonly module: string }[] = [];
    try {
      for (const step of steps) {
        if (step.kind !== 'stop-application') continue;
        const node = this.#nodes.find(({ name }) => name === step.node);
        if (!node) continue;
        await this.#step(clusterPlanned(step), async () => {
          stopped.push({ node, module: step.module });
          await runModuleScript(node, record, step.module, 'stop', this.#options.signal);
          return {};
        });
      }
      const views = await freedViews(() => this.#viewAll(record), this.#options.signal);
      return planCluster(this.#planInput(record, views, remembered, false));
    } catch (error) {
      const again = stopped.map(({ node, module }) => runModuleScript(node, record, module, 'start', undefined));
      await Promise.allSettled(again);
      throw error;
    }
  }

  async #setUp(
    record: ClusterRecord,
    intention: Intention | null,
    known: readonly ClusterStep[] | null,
  ): Promise<void> {
    let remembered = intention?.good ?? {};
    let steps = known;
    steps ??= planCluster(this.#planInput(record, await this.#viewAll(record), remembered, true));
    if (steps.length === 0) return;
    this.#emit({ kind: 'phase', title: 'Setting up the cluster' });
    if (steps.some(({ kind }) => kind === 'stop-application')) steps = await this.#makeWay(record, remembered, steps);
    for (const step of steps) {
      await this.#step(clusterPlanned(step), async () => {
        switch (step.kind) {
          case 'stop-application':
            return {};
          case 'remember-choice':
            remembered = { ...remembered, ...step.good };
            await this.#writeIntention({ record, good: remembered });
            return {};
          case 'configure':
            await this.#links.configure(step.node, record);
            return {};
          case 'initialise': {
            const { keptAt } = await this.#links.initialise(step.node, step.module, step.as, {
              keepAside: step.as === 'blank',
              replaceRecord: this.#options.replaceRecord === true,
            });
            const places = keptAt.map((place) => `${step.node}:${place}`);
            this.#keptAt.push(...places);
            if (places.length === 0) return {};
            return { note: `What stood there is kept at ${keptAt.join(', ')} on ${step.node}.`, keptAt: places };
          }
          case 'start':
            await this.#links.start(step.node, step.module);
            return {};
        }
      });
    }
  }

  async #finish(wanted: ReadonlyMap<string, WantedHost>, record: ClusterRecord): Promise<void> {
    const cluster = { secret: '', clusterUuid: record.clusterUuid, peer: null };
    await Promise.all(
      this.#machines.map(async (machine) => {
        await removeOldVersions(this.#context(machine, mustGet(wanted, machine.name), cluster));
        await mustRun(machine.transport, `rm -f ${intentionFile}`);
      }),
    );
  }
}

function stepsOf(steps: readonly HostStep[], machine: { readonly name: string }): HostStep[] {
  return steps.filter((step) => step.host === machine.name);
}

function hostPlanned(step: HostStep): PlannedStep {
  const suffix = step.directory ? `:${step.directory.path}` : '';
  const { host, kind, facts, title } = step;
  return { id: `${stepId(step)}${suffix}`, host, kind, facts, title };
}

function clusterPlanned(step: ClusterStep): PlannedStep {
  const { kind, title } = step;
  switch (kind) {
    case 'remember-choice': {
      const facts = { modules: Object.keys(step.good), nodes: Object.values(step.good) };
      return { id: 'cluster/remember-choice', host: null, kind, facts, title };
    }
    case 'configure':
      return { id: `${step.node}/configure`, host: step.node, kind, facts: {}, title };
    case 'initialise': {
      const { node, module, as, keepsAside } = step;
      return { id: `${node}/initialise:${module}`, host: node, kind, facts: { module, as, keepsAside }, title };
    }
    case 'stop-application':
    case 'start':
      return {
        id: `${step.node}/${kind}:${step.module}`,
        host: step.node,
        kind,
        facts: { module: step.module },
        title,
      };
  }
}
