/** What there is before an apply: the machines, what they were told last, and what each of them is to become. Looks, changes nothing. */
import type { ClusterRecord } from '../../agent/contract/configuration.ts';
import type { VolumeInspection } from '../../agent/contract/control-api.ts';
import { Fault } from '../../agent/contract/fault.ts';
import type { Transport } from '../ssh/index.ts';
import type { AgentLinks } from './agent-links.ts';
import type { ApplyOptions } from './apply-options.ts';
import { subjectOf, type Check, type ProbedMachine } from './check.ts';
import { runChecks, type CheckNeeds } from './checks.ts';
import type { NodeView } from './cluster-plan.ts';
import { measureCopies, type CopyMeasure } from './copies.ts';
import { intentionFile, intentionSchema, type Intention } from './host-steps.ts';
import { machinesOf, noQuestions, probeHost, questionsOf } from './machines.ts';
import { runtimePackage, type Package, type PackageSources } from './packages.ts';
import type { HostStep, WantedHost } from './plan.ts';
import { sha256Hex } from './probe.ts';
import type { UnitTexts } from './unit-files.ts';

export interface Machine extends ProbedMachine {
  readonly transport: Transport;
}

export function nodesOf(machines: readonly Machine[]): Machine[] {
  return machines.filter((machine) => machine.role === 'node');
}

export function mustGet<T>(map: ReadonlyMap<string, T>, key: string): T {
  const value = map.get(key);
  if (value === undefined) throw new Fault('internal', { message: `nothing known of ${key}` });
  return value;
}

export async function probeMachines(
  options: ApplyOptions,
  transports: ReadonlyMap<string, Transport>,
): Promise<Machine[]> {
  const { configuration, signal } = options;
  const questions = questionsOf(subjectOf(configuration));
  return Promise.all(
    machinesOf(configuration).map(async ({ name, role }) => {
      const transport = mustGet(transports, name);
      const asked = role === 'node' ? questions : noQuestions;
      return { name, role, transport, ...(await probeHost(name, transport, asked, signal)) };
    }),
  );
}

export async function runtimesFor(
  machines: readonly Machine[],
  sources: PackageSources,
): Promise<Map<string, Package>> {
  const packages = new Map<string, Package>();
  for (const machine of machines) {
    const { architecture } = machine.probe;
    if (architecture !== null) packages.set(machine.name, await runtimePackage(architecture, sources));
  }
  return packages;
}

export function needsOf(
  machines: readonly ProbedMachine[],
  agent: Package,
  runtimes: ReadonlyMap<string, Package>,
): CheckNeeds {
  const space = machines.map((machine) => {
    const { installed } = machine.probe;
    const runtime = runtimes.get(machine.name);
    const missing = [
      ...(installed.agents.includes(agent.id) ? [] : [agent]),
      ...(runtime === undefined || installed.runtimes.includes(runtime.id) ? [] : [runtime]),
    ];
    return { name: machine.name, bytes: missing.reduce((sum, one) => sum + one.size + one.unpackedBytes, 0) };
  });
  return { space, agentVersion: agent.version };
}

/** Fault: checks-failed, or the one check's own code. */
export function refuseFailedChecks(
  options: ApplyOptions,
  machines: readonly Machine[],
  agent: Package,
  runtimes: ReadonlyMap<string, Package>,
  tried: readonly Check[],
): void {
  const examined = runChecks(machines, subjectOf(options.configuration), needsOf(machines, agent, runtimes));
  const checks = [...examined, ...tried];
  options.onEvent?.({ kind: 'checked', checks });
  const failed = checks.filter((check) => !check.ok);
  const [first] = failed;
  if (!first) return;
  const words = failed.map((check) => `${check.host === null ? '' : `${check.host}: `}${check.what}`);
  const alike = failed.every((check) => check.code === first.code);
  throw new Fault(
    alike ? first.code : 'checks-failed',
    {
      message: `Holdfast cannot be installed: ${words.join('; ')}. ${first.why}`,
      remedy: [...new Set(failed.map((check) => check.remedy))].join(' '),
    },
    {
      ...(alike ? first.facts : {}),
      checks: failed.map((check) => check.code),
      hosts: [...new Set(failed.map((check) => check.host ?? 'cluster'))],
    },
  );
}

/**
 * What was decided of one machine is not done to another that has come to its address. Its host key may be the same: both are copies of one image,
 * or somebody has said yes to a question. Fault: server-replaced.
 */
export function refuseOtherMachines(machineIds: ReadonlyMap<string, string>, machines: readonly Machine[]): void {
  const other = machines.find(({ name, probe }) => (machineIds.get(name) ?? probe.machineId) !== probe.machineId);
  if (!other) return;
  throw new Fault(
    'server-replaced',
    {
      message: `${other.name} (${other.transport.host}) is another machine than the one that was looked at.`,
      remedy: 'Look at the servers and at their data again, then install.',
    },
    { node: other.name, host: other.transport.host },
  );
}

export async function readIntention(nodes: readonly Machine[], cluster: string): Promise<Intention | null> {
  for (const node of nodes) {
    const { stdout } = await node.transport.command(`cat ${intentionFile} 2>/dev/null`, { elevated: true });
    if (stdout.trim() === '') continue;
    const parsed = intentionSchema.safeParse(JSON.parse(stdout));
    if (parsed.success && parsed.data.record.cluster === cluster) return parsed.data;
  }
  return null;
}

/** What the nodes have been told last. Fault: belongs-to-another-cluster. */
export function previousRecord(
  nodes: readonly Machine[],
  cluster: string,
  intention: Intention | null,
): ClusterRecord | null {
  let newest: ClusterRecord | null = null;
  for (const { name, probe } of nodes) {
    const { record } = probe.installed;
    if (record === null) continue;
    const other = newest !== null && newest.clusterUuid !== record.clusterUuid;
    if (record.cluster !== cluster || other) {
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

export function wantedHosts(
  machines: readonly Machine[],
  clusterUuid: string,
  units: UnitTexts,
  agent: Package,
  runtimes: ReadonlyMap<string, Package>,
): Map<string, WantedHost> {
  const nodes = nodesOf(machines);
  const sums = nodes.map((node) => node.probe.installed.secretSha256);
  const [first = null] = sums;
  const secretSha256 = first !== null && sums.every((sum) => sum === first) ? first : null;
  return new Map(
    machines.map((machine) => {
      const peer = machine.role === 'node' ? nodes.find((other) => other.name !== machine.name) : undefined;
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
          clusterUuid,
          createDirectories: machine.role === 'node' ? missingDirectories(nodes, machine) : [],
        },
      ];
    }),
  );
}

/** On one node only: the other one's owner and mode are taken over. Missing on both was refused by the checks. */
function missingDirectories(nodes: readonly Machine[], machine: Machine): WantedHost['createDirectories'] {
  return machine.probe.directories
    .filter((directory) => directory.type === 'missing')
    .map(({ path }) => {
      const model = nodes
        .flatMap((node) => node.probe.directories)
        .find((directory) => directory.path === path && directory.type === 'directory' && !directory.isCovered);
      return { path, owner: model?.owner ?? '0:0', mode: model?.mode ?? '755', label: model?.label ?? null };
    });
}

/** As far as it can be known without changing anything: from the agent where one answers, else from the probe. */
export async function viewNodes(
  nodes: readonly Machine[],
  links: AgentLinks,
  record: ClusterRecord,
  hostSteps: readonly HostStep[],
  signal: AbortSignal | undefined,
): Promise<NodeView[]> {
  return Promise.all(
    nodes.map(async (node): Promise<NodeView> => {
      const active = node.probe.installed.units['holdfastd.service']?.active === true;
      if (active) {
        try {
          return await links.view(node.name, record);
        } catch (error) {
          // An agent that does not answer, or speaks another version, is replaced or started by the steps; without steps it is a fault.
          if (!hostSteps.some((step) => step.host === node.name)) throw error;
        }
      }
      const inspections = await probedInspections(node, nodes, record, signal);
      return { name: node.name, status: null, inspections, fromProbe: true };
    }),
  );
}

/** Only where a person has to choose between two copies: counting takes time. */
async function countCopies(
  node: Machine,
  nodes: readonly Machine[],
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<CopyMeasure[]> {
  const filled = (machine: Machine, path: string): boolean =>
    machine.probe.directories.some((directory) => directory.path === path && (directory.entries ?? 0) > 0);
  const contested = paths.filter((path) => nodes.every((machine) => filled(machine, path)));
  return measureCopies(node.transport, contested, { signal });
}

async function probedInspections(
  node: Machine,
  nodes: readonly Machine[],
  record: ClusterRecord,
  signal: AbortSignal | undefined,
): Promise<VolumeInspection[]> {
  const installed = node.probe.installed.record;
  const volumes = record.modules.flatMap((module) => module.volumes);
  // Set up by an agent that does not run now: what stands below the cover is not for us to judge.
  const isManaged = (path: string): boolean =>
    installed?.modules.some((other) => other.volumes.some((volume) => volume.path === path)) === true;
  const paths = volumes.map(({ path }) => path).filter((path) => !isManaged(path));
  const counts = await countCopies(node, nodes, paths, signal);
  return volumes.flatMap(({ id, path }) => {
    const probe = node.probe.directories.find((directory) => directory.path === path);
    if (!probe) return [];
    const count = counts.find((one) => one.path === path);
    const newest = count?.newestFile ?? null;
    return [
      {
        id,
        path,
        exists: probe.type === 'directory',
        initialised: isManaged(path) && (probe.hasRecord || probe.isCovered),
        // One that cannot be listed is not an empty one.
        empty: probe.type !== 'directory' || probe.entries === 0,
        entries: count?.files ?? null,
        bytes: count?.bytes ?? null,
        newestFile: newest === null ? null : `${newest.path} (${newest.at})`,
        filesystem: probe.filesystem,
        generation: null,
        problems: probe.holders.length > 0 ? [inUse(path, probe.holders)] : [],
      },
    ];
  });
}

function inUse(path: string, programs: readonly string[]): VolumeInspection['problems'][number] {
  return {
    code: 'directory-in-use',
    message: `${path} is used by ${programs.join(', ')}.`,
    remedy: 'Stop the application and disable its start at boot; Holdfast starts it from now on.',
  };
}
