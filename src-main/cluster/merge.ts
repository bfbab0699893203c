/** The views of both agents → one status of the cluster. Pure. Nothing is invented: what nobody tells is unknown, with the reason. */
import { pingWitnessOf, votingWitnessOf, type Configuration } from '../../agent/contract/configuration.ts';
import type { FaultRecord } from '../../agent/contract/fault.ts';
import type { ClusterStatus, ModuleOnNode, NodeStatus } from '../../agent/contract/status.ts';
import { sentenceOf } from './sentence.ts';

/** What is known of one node from here. */
export interface NodeObservation {
  readonly name: string;
  readonly status: NodeStatus | null;
  /** Why there is no status. */
  readonly fault: FaultRecord | null;
  /** When its agent last answered us. */
  readonly lastSeen: string | null;
  readonly agentVersion: string | null;
}

export interface MergeInput {
  readonly cluster: string;
  /** For the modules and addresses, as long as no agent tells them. */
  readonly configuration: Configuration | null;
  readonly observations: readonly NodeObservation[];
  readonly observedAt: string;
}

function told({ code, message, remedy, details }: FaultRecord): NonNullable<ClusterStatus['nodes'][number]['fault']> {
  return {
    code,
    message,
    ...(remedy === '' ? {} : { remedy }),
    ...(Object.keys(details).length === 0 ? {} : { details }),
  };
}

function clockAheadMs({ status, lastSeen }: NodeObservation): number | null {
  return status === null || lastSeen === null ? null : Date.parse(status.observedAt) - Date.parse(lastSeen);
}

/** These say at length why nobody could log in; they stand once, below, beside what to do. */
const longFaults = ['host-key-changed', 'host-key-unknown', 'host-key-revoked'];

function unreachable(observation: NodeObservation, informant: NodeStatus | null): ModuleOnNode {
  const peer = informant?.peer.name === observation.name ? informant.peer : null;
  const since = peer?.lastHeard ?? observation.lastSeen ?? undefined;
  // Whoever could log in knows better than the other node, which only hears nothing.
  const silent = peer !== null && !peer.alive && observation.fault?.code !== 'agent-not-answering';
  return {
    name: observation.name,
    state: 'unknown',
    data: 'unknown',
    reason: silent ? 'node-silent' : (observation.fault?.code ?? 'node-unreachable'),
    message: silent
      ? `${observation.name} is silent on ${peer.networks.length > 1 ? 'all networks' : 'the network'}; it may have no power. Nothing to do: it will catch up by itself`
      : observation.fault === null || longFaults.includes(observation.fault.code)
        ? `${observation.name} cannot be reached from here`
        : observation.fault.message,
    ...(since === undefined ? {} : { since }),
  };
}

function moduleOnNode(name: string, observation: NodeObservation, informant: NodeStatus | null): ModuleOnNode {
  const own = observation.status?.modules.find((module) => module.name === name)?.own;
  // The agent names its entry after the node or the module; here it is always the node.
  if (own) return { ...own, name: observation.name };
  const told = informant?.modules.find((module) => module.name === name)?.peer;
  if (told && informant.peer.alive) return { ...told, name: observation.name };
  if (observation.status !== null) {
    return {
      name: observation.name,
      state: 'unknown',
      data: 'unknown',
      reason: 'module-unknown',
      message: `${observation.name} does not know ${name} yet; apply the configuration again`,
      since: observation.status.observedAt,
    };
  }
  return unreachable(observation, informant);
}

type ModuleStatus = ClusterStatus['modules'][number];

function mergeModule(name: string, input: MergeInput): ModuleStatus {
  const { observations, configuration } = input;
  const views = observations.flatMap((observation) => {
    const view = observation.status?.modules.find((module) => module.name === name);
    return view ? [{ node: observation.name, view }] : [];
  });
  const nodes = observations.map((observation) => {
    const informant = observations.find((other) => other.name !== observation.name)?.status ?? null;
    return moduleOnNode(name, observation, informant);
  });
  const leading = views.find(({ view }) => view.own.state === 'primary' || view.own.state === 'alone') ?? views[0];
  // The address goes with the application: a node that nobody here can ask, and that told its peer that it is primary, has it.
  const toldPrimary = nodes.find(
    (node) => (node.state === 'primary' || node.state === 'alone') && !views.some((view) => view.node === node.name),
  )?.name;
  const configured = configuration?.modules.find((module) => module.name === name);
  const addresses = new Set([
    ...views.flatMap(({ view }) => view.vips.map((vip) => vip.address)),
    ...(views.length === 0 ? [configured?.vip ?? []].flat().map((vip) => vip.split('/')[0] ?? vip) : []),
  ]);
  return {
    name,
    kind: 'mirror',
    protected: views.length > 0 && views.every(({ view }) => view.protected),
    maintenance: views.some(({ view }) => view.maintenance),
    generation: leading?.view.generation ?? null,
    nodes,
    vip: [...addresses].map((address) => ({
      address,
      on:
        views.find(({ view }) => view.vips.some((vip) => vip.address === address && vip.here))?.node ??
        toldPrimary ??
        null,
    })),
    metrics: leading?.view.metrics ?? null,
  };
}

/** Alive where all who can be asked hear the other one; who measures its round trip is the one that replicates. */
function mergeNetworks(input: MergeInput, views: readonly NodeStatus[]): NonNullable<ClusterStatus['networks']> {
  const told = views.flatMap((view) => view.peer.networks);
  const names = new Set([...told, ...(input.configuration?.networks ?? [])].map(({ name }) => name));
  return [...names].map((name) => {
    const same = told.filter((network) => network.name === name);
    return {
      name,
      alive: same.length === 0 ? null : same.every((network) => network.alive),
      roundTripMs: same.map((network) => network.roundTripMs ?? null).find((time) => time !== null) ?? null,
      replicates: same.some((network) => network.replicates === true),
    };
  });
}

function configuredWitness(configuration: MergeInput['configuration']): ClusterStatus['witness'] {
  if (configuration === null) return { kind: 'none', reachable: null };
  if (votingWitnessOf(configuration) !== null) return { kind: 'voting', reachable: null };
  const address = pingWitnessOf(configuration);
  const { withoutWitness } = configuration;
  return address === null
    ? { kind: 'none', reachable: null, withoutWitness }
    : { kind: 'ping', reachable: null, address, withoutWitness };
}

/** A witness that votes is there for both when one of them reaches it. Of a router each asks for himself alone: whoever does not reach it starts nothing. */
function mergeWitness(
  configuration: MergeInput['configuration'],
  views: readonly NodeStatus[],
): ClusterStatus['witness'] {
  const witness = views[0]?.witness ?? configuredWitness(configuration);
  const answers = views.map((view) => view.witness.reachable).filter((answer) => answer !== null);
  if (witness.kind === 'none' || answers.length === 0) return { ...witness, reachable: null };
  const reachable = witness.kind === 'ping' ? answers.every((answer) => answer) : answers.some((answer) => answer);
  return { ...witness, reachable };
}

export function mergeClusterStatus(input: MergeInput): ClusterStatus {
  const { observations, configuration } = input;
  const views = observations.flatMap((observation) => (observation.status ? [observation.status] : []));
  const names = [
    ...new Set([
      ...(configuration?.modules.map((module) => module.name) ?? []),
      ...views.flatMap((view) => view.modules.map((module) => module.name)),
    ]),
  ];
  const modules = names.map((name) => mergeModule(name, input));
  const status: Omit<ClusterStatus, 'sentence'> = {
    schemaVersion: 1,
    cluster: input.cluster,
    observedAt: input.observedAt,
    protected: modules.length > 0 && modules.every((module) => module.protected),
    nodes: observations.map((observation) => ({
      name: observation.name,
      reachable: observation.status !== null,
      lastSeen: observation.lastSeen,
      agentVersion: observation.agentVersion,
      clockAheadMs: clockAheadMs(observation),
      ...(observation.fault === null ? {} : { fault: told(observation.fault) }),
    })),
    witness: mergeWitness(configuration, views),
    networks: mergeNetworks(input, views),
    modules,
  };
  return { ...status, sentence: sentenceOf(status) };
}
