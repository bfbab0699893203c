/**
 * From a configuration to a running cluster. Looks first, refuses before anything is changed, then does only what is missing: the same call
 * installs, continues an interrupted installation, upgrades, and changes nothing when there is nothing to do.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { ClusterRecord } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { makeClusterRecord } from '../configuration/index.ts';
import type { Transport } from '../ssh/index.ts';
import { AgentLinks } from './agent-links.ts';
import type { ApplyOptions, ApplyOutcome, InstallEvent, PlannedStep } from './apply-options.ts';
import { planCluster, type ClusterStep } from './cluster-plan.ts';
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
import { connectAll, machinesOf } from './machines.ts';
import { agentPackage } from './packages.ts';
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
  runtimesFor,
  viewNodes,
  wantedHosts,
  type Machine,
} from './survey.ts';
import { readUnitTexts } from './unit-files.ts';

/** Faults: those of connecting, checks-failed (or the one check's own code), both-copies-have-data, and those of the steps. */
export async function applyCluster(options: ApplyOptions): Promise<ApplyOutcome> {
  const transports = await connectAll(machinesOf(options.configuration), options.connect, options.signal);
  try {
    return await new Apply(options, transports).run();
  } finally {
    for (const transport of transports.values()) transport.close();
  }
}

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
    const agent = await agentPackage(packages);
    const runtimes = await runtimesFor(this.#machines, packages);
    refuseFailedChecks(this.#options, this.#machines, agent, runtimes);
    const intention = await readIntention(this.#nodes, configuration.cluster);
    const previous = previousRecord(this.#nodes, configuration.cluster, intention);
    const resolved = resolveMachines(configuration, this.#machines);
    const record = makeClusterRecord(configuration, resolved, previous, randomUUID);
    const units = readUnitTexts(this.#options.resourcesDirectory);
    const wanted = wantedHosts(this.#machines, record.clusterUuid, units, agent, runtimes);
    const hostSteps = this.#machines.flatMap((machine) => planHost(machine.probe, mustGet(wanted, machine.name)));
    const rolling = this.#machines.some((machine) => replacesRunningAgent(machine.probe, stepsOf(hostSteps, machine)));

    // What can be refused is refused now, before anything is changed.
    const before = await viewNodes(this.#nodes, this.#links, record, hostSteps);
    const clusterSteps = planCluster({
      record,
      nodes: before,
      good: this.#options.good ?? null,
      remembered: intention?.good ?? {},
    });
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
          await this.#step(hostPlanned(step), (onBytes) => this.#runHostStep({ ...context, onBytes }, step, machine));
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

  async #step(step: PlannedStep, action: (onBytes: HostContext['onBytes']) => Promise<unknown>): Promise<void> {
    this.#options.signal?.throwIfAborted();
    this.#emit({ kind: 'step-started', step });
    const note = await action((doneBytes, totalBytes) =>
      this.#emit({ kind: 'step-bytes', step, doneBytes, totalBytes }),
    );
    this.#done.push(step);
    this.#emit({ kind: 'step-done', step, ...(typeof note === 'string' ? { note } : {}) });
  }

  async #setUp(
    record: ClusterRecord,
    intention: Intention | null,
    known: readonly ClusterStep[] | null,
  ): Promise<void> {
    let remembered = intention?.good ?? {};
    let steps = known;
    if (steps === null) {
      const nodes = await Promise.all(this.#nodes.map((node) => this.#links.view(node.name, record)));
      steps = planCluster({ record, nodes, good: this.#options.good ?? null, remembered });
    }
    if (steps.length === 0) return;
    this.#emit({ kind: 'phase', title: 'Setting up the cluster' });
    for (const step of steps) {
      await this.#step(clusterPlanned(step), async () => {
        switch (step.kind) {
          case 'remember-choice':
            remembered = { ...remembered, ...step.good };
            await this.#writeIntention({ record, good: remembered });
            return undefined;
          case 'configure':
            await this.#links.configure(step.node, record);
            return undefined;
          case 'initialise': {
            const { keptAt } = await this.#links.initialise(step.node, step.module, step.as, {
              keepAside: step.as === 'blank',
              replaceRecord: this.#options.replaceRecord === true,
            });
            this.#keptAt.push(...keptAt.map((place) => `${step.node}:${place}`));
            return keptAt.length === 0
              ? undefined
              : `What stood there is kept at ${keptAt.join(', ')} on ${step.node}.`;
          }
          case 'start':
            await this.#links.start(step.node, step.module);
            return undefined;
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
  return { id: `${stepId(step)}${suffix}`, host: step.host, title: step.title };
}

function clusterPlanned(step: ClusterStep): PlannedStep {
  switch (step.kind) {
    case 'remember-choice':
      return { id: 'cluster/remember-choice', host: null, title: step.title };
    case 'configure':
      return { id: `${step.node}/configure`, host: step.node, title: step.title };
    case 'initialise':
      return { id: `${step.node}/initialise:${step.module}`, host: step.node, title: step.title };
    case 'start':
      return { id: `${step.node}/start:${step.module}`, host: step.node, title: step.title };
  }
}
