/**
 * From a configuration to a running cluster. Looks first, refuses before anything is changed, then does only what is missing: the same call
 * installs, continues an interrupted installation, upgrades, and changes nothing when there is nothing to do.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { ClusterRecord, Configuration } from '../../agent/contract/configuration.ts';
import type { VolumeInspection } from '../../agent/contract/control-api.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { makeClusterRecord } from '../configuration/index.ts';
import type { Transport } from '../ssh/index.ts';
import { AgentLinks } from './agent-links.ts';
import { runChecks, type Check, type ProbedMachine } from './checks.ts';
import { planCluster, type ClusterStep, type NodeView } from './cluster-plan.ts';
import {
  intentionFile,
  intentionSchema,
  mustRun,
  removeOldVersions,
  returnToVersion,
  runHostStep,
  writeFile,
  type HostContext,
  type Intention,
} from './host-steps.ts';
import { layout } from './layout.ts';
import { connectAll, machinesOf, probeHost, type Connect } from './machines.ts';
import { agentPackage, runtimePackage, type Package, type PackageSources } from './packages.ts';
import { planHost, replacesRunningAgent, stepId, type HostStep, type Phase, type WantedHost } from './plan.ts';
import { sha256Hex } from './probe.ts';
import { resolveMachines } from './resolve.ts';
import { makeRoom, waitUntilProtected } from './rolling.ts';
import { readUnitTexts } from './unit-files.ts';

export interface PlannedStep {
  readonly id: string;
  readonly host: string | null;
  readonly title: string;
}

export type InstallEvent =
  | { readonly kind: 'phase'; readonly title: string }
  | { readonly kind: 'checked'; readonly checks: readonly Check[] }
  | { readonly kind: 'planned'; readonly steps: readonly PlannedStep[] }
  | { readonly kind: 'step-started'; readonly step: PlannedStep }
  | { readonly kind: 'step-bytes'; readonly step: PlannedStep; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly kind: 'step-done'; readonly step: PlannedStep; readonly note?: string };

export interface ApplyOptions {
  readonly configuration: Configuration;
  readonly connect: Connect;
  readonly packages: PackageSources;
  readonly resourcesDirectory: string;
  readonly programVersion: string;
  /** `--good`: which copy is the good one when both servers have data. */
  readonly good?: string | null;
  /** `--replace-record`: the directory carries the record of another cluster, and is to belong to this one. */
  readonly replaceRecord?: boolean;
  /** Plan, report, and change nothing. */
  readonly planOnly?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: (event: InstallEvent) => void;
}

export interface ApplyOutcome {
  readonly steps: readonly PlannedStep[];
  /** False: everything was as it should be. */
  readonly changed: boolean;
  readonly record: ClusterRecord;
  /** Where former content of directories was put. */
  readonly keptAt: readonly string[];
}

interface Machine extends ProbedMachine {
  readonly transport: Transport;
}

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
    const { configuration } = this.#options;
    this.#emit({ kind: 'phase', title: 'Looking at the servers' });
    this.#machines = await this.#probe();
    const agent = await agentPackage(this.#options.packages);
    const runtimes = await this.#runtimes();
    this.#check(agent, runtimes);
    const intention = await this.#readIntention();
    const previous = this.#previousRecord(intention);
    const record = makeClusterRecord(
      configuration,
      resolveMachines(configuration, this.#machines),
      previous,
      randomUUID,
    );
    const wanted = this.#wantedHosts(record, agent, runtimes);
    const hostSteps = this.#machines.flatMap((machine) => planHost(machine.probe, mustGet(wanted, machine.name)));
    const rolling = this.#machines.some((machine) => replacesRunningAgent(machine.probe, stepsOf(hostSteps, machine)));

    // What can be refused is refused now, before anything is changed.
    const before = await this.#views(record, hostSteps);
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
    return this.#machines.filter((machine) => machine.role === 'node');
  }

  async #probe(): Promise<Machine[]> {
    const { configuration, signal } = this.#options;
    const questions = {
      directories: configuration.modules.flatMap((module) => module.replicate.map(({ path }) => path)),
      vips: configuration.modules.flatMap((module) => [module.vip].flat()).map((vip) => vip.split('/')[0] ?? vip),
    };
    return Promise.all(
      machinesOf(configuration).map(async ({ name, role }) => {
        const transport = mustGet(this.#transports, name);
        const asked = role === 'node' ? questions : { directories: [], vips: [] };
        return { name, role, transport, ...(await probeHost(name, transport, asked, signal)) };
      }),
    );
  }

  async #runtimes(): Promise<Map<string, Package>> {
    const packages = new Map<string, Package>();
    for (const machine of this.#machines) {
      const { architecture } = machine.probe;
      if (architecture !== null) packages.set(machine.name, await runtimePackage(architecture, this.#options.packages));
    }
    return packages;
  }

  #check(agent: Package, runtimes: ReadonlyMap<string, Package>): void {
    const needed = this.#machines.map((machine) => {
      const { installed } = machine.probe;
      const runtime = runtimes.get(machine.name);
      const missing = [
        ...(installed.agents.includes(agent.id) ? [] : [agent]),
        ...(runtime === undefined || installed.runtimes.includes(runtime.id) ? [] : [runtime]),
      ];
      return { name: machine.name, bytes: missing.reduce((sum, one) => sum + one.size + one.unpackedBytes, 0) };
    });
    const checks = runChecks(this.#machines, this.#options.configuration, needed);
    this.#emit({ kind: 'checked', checks });
    const failed = checks.filter((check) => !check.ok);
    const [first] = failed;
    if (!first) return;
    const words = failed.map((check) => `${check.host === null ? '' : `${check.host}: `}${check.what}`);
    throw new Fault(
      failed.every((check) => check.code === first.code) ? first.code : 'checks-failed',
      {
        message: `Holdfast cannot be installed: ${words.join('; ')}. ${first.why}`,
        remedy: [...new Set(failed.map((check) => check.remedy))].join(' '),
      },
      {
        checks: failed.map((check) => check.code),
        hosts: [...new Set(failed.map((check) => check.host ?? 'cluster'))],
      },
    );
  }

  async #readIntention(): Promise<Intention | null> {
    for (const node of this.#nodes) {
      const { stdout } = await node.transport.command(`cat ${intentionFile} 2>/dev/null`, { elevated: true });
      if (stdout.trim() === '') continue;
      const parsed = intentionSchema.safeParse(JSON.parse(stdout));
      if (parsed.success && parsed.data.record.cluster === this.#options.configuration.cluster) return parsed.data;
    }
    return null;
  }

  /** Faults: belongs-to-another-cluster, different-clusters. */
  #previousRecord(intention: Intention | null): ClusterRecord | null {
    const { configuration } = this.#options;
    let newest: ClusterRecord | null = null;
    for (const { name, probe } of this.#nodes) {
      const { record } = probe.installed;
      if (record === null) continue;
      const other = newest !== null && newest.clusterUuid !== record.clusterUuid;
      if (record.cluster !== configuration.cluster || other) {
        throw new Fault(
          'belongs-to-another-cluster',
          {
            message: other
              ? `The two servers belong to two different clusters of the name ${record.cluster}.`
              : `${name} belongs to the cluster ${record.cluster} already.`,
            remedy: `Take it out of there first: holdfast uninstall, with the configuration of ${record.cluster}.`,
          },
          { node: name, cluster: record.cluster },
        );
      }
      if (newest === null || record.revision > newest.revision) newest = record;
    }
    return newest ?? intention?.record ?? null;
  }

  #wantedHosts(record: ClusterRecord, agent: Package, runtimes: ReadonlyMap<string, Package>): Map<string, WantedHost> {
    const units = readUnitTexts(this.#options.resourcesDirectory);
    const sums = this.#nodes.map((node) => node.probe.installed.secretSha256);
    const [first = null] = sums;
    const secretSha256 = first !== null && sums.every((sum) => sum === first) ? first : null;
    return new Map(
      this.#machines.map((machine) => {
        const peer = machine.role === 'node' ? this.#nodes.find((other) => other.name !== machine.name) : undefined;
        const certificate = peer?.probe.installed.node === peer?.name ? peer?.probe.installed.certificate : null;
        return [
          machine.name,
          {
            name: machine.name,
            role: machine.role,
            runtime: mustGet(runtimes, machine.name),
            agent,
            units,
            peer: peer?.name ?? null,
            peerCertificateSha256: typeof certificate === 'string' ? sha256Hex(certificate) : null,
            secretSha256,
            clusterUuid: record.clusterUuid,
            createDirectories: machine.role === 'node' ? this.#missingDirectories(machine) : [],
          },
        ];
      }),
    );
  }

  /** On one node only: the other one's owner and mode are taken over. Missing on both was refused by the checks. */
  #missingDirectories(machine: Machine): WantedHost['createDirectories'] {
    return machine.probe.directories
      .filter((directory) => directory.type === 'missing')
      .map(({ path }) => {
        const model = this.#nodes
          .flatMap((node) => node.probe.directories)
          .find((directory) => directory.path === path && directory.type === 'directory');
        return { path, owner: model?.owner ?? '0:0', mode: model?.mode ?? '755' };
      });
  }

  /** As far as it can be known without changing anything: from the agent where one answers, else from the probe. */
  async #views(record: ClusterRecord, hostSteps: readonly HostStep[]): Promise<NodeView[]> {
    return Promise.all(
      this.#nodes.map(async (node): Promise<NodeView> => {
        const active = node.probe.installed.units['holdfastd.service']?.active === true;
        if (active) {
          try {
            return await this.#links.view(node.name, record);
          } catch (error) {
            // An agent that does not answer, or speaks another version, is replaced or started by the steps; without steps it is a fault.
            if (!hostSteps.some((step) => step.host === node.name)) throw error;
          }
        }
        return { name: node.name, status: null, inspections: this.#probedInspections(node, record) };
      }),
    );
  }

  #probedInspections(node: Machine, record: ClusterRecord): VolumeInspection[] {
    const installed = node.probe.installed.record;
    return record.modules.flatMap((module) =>
      module.volumes.flatMap(({ id, path }) => {
        const probe = node.probe.directories.find((directory) => directory.path === path);
        // Set up by an agent that does not run now: what stands below the cover is not for us to judge.
        const managed =
          installed?.modules.some((other) => other.volumes.some((volume) => volume.path === path)) === true;
        if (!probe) return [];
        return [
          {
            id,
            path,
            exists: probe.type === 'directory',
            initialised: managed && (probe.hasRecord || probe.isCovered),
            empty: (probe.entries ?? 0) === 0,
            entries: null,
            bytes: null,
            newestFile: null,
            filesystem: probe.filesystem,
            generation: null,
            problems: [],
          },
        ];
      }),
    );
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

function mustGet<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key);
  if (value === undefined) throw new Fault('internal', { message: `nothing known of ${key}` });
  return value;
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
