/** This node's own view, as the control interface answers it. Pure. */
import type { ClusterRecord, ModuleBeat, ModuleDefinition, ModuleOnNode, NodeStatus } from '../contract/index.ts';
import type { MirrorState } from '../core/index.ts';
import { beatOf, describeOwn, isProtected } from '../core/index.ts';
import { peerOf } from './cluster-record.ts';
import type { Measurements } from './measurements.ts';

export interface PeerView {
  readonly agentVersion: string | null;
  /** By network name, boot time. */
  readonly heardMs: ReadonlyMap<string, number>;
  readonly beats: ReadonlyMap<string, ModuleBeat>;
}
export interface StatusInput {
  readonly record: ClusterRecord;
  readonly node: string;
  readonly peer: string;
  readonly agentVersion: string;
  readonly bootMs: number;
  readonly wallMs: number;
  readonly peerView: PeerView;
  readonly witnessHeardMs: number | null;
  /** Null: there is none, or nobody knows yet. */
  readonly pingWitnessReachable: boolean | null;
  readonly measurements: Pick<Measurements, 'ofModule' | 'links'>;
  readonly modules: readonly {
    readonly definition: ModuleDefinition;
    readonly state: MirrorState;
    readonly raised: ReadonlySet<string>;
  }[];
}

export function nodeStatus(input: StatusInput): NodeStatus {
  const { record, peerView, bootMs, wallMs } = input;
  const wallTime = (atBootMs: number): string => new Date(wallMs - (bootMs - atBootMs)).toISOString();
  const alive = (heardMs: number | null): boolean => heardMs !== null && bootMs - heardMs < record.detectionMs;
  const links = input.measurements.links(bootMs);
  const peerAddresses = peerOf(record, input.node).addresses;
  const lastHeardMs = peerView.heardMs.size === 0 ? null : Math.max(...peerView.heardMs.values());
  return {
    cluster: record.cluster,
    node: input.node,
    agentVersion: input.agentVersion,
    observedAt: new Date(wallMs).toISOString(),
    revision: record.revision,
    witness: witnessStatus(input, alive(input.witnessHeardMs)),
    peer: {
      name: input.peer,
      alive: alive(lastHeardMs),
      lastHeard: lastHeardMs === null ? null : wallTime(lastHeardMs),
      agentVersion: peerView.agentVersion,
      networks: record.networks.map(({ name }, index) => {
        const address = peerAddresses[index] ?? '';
        return {
          name,
          alive: alive(peerView.heardMs.get(name) ?? null),
          roundTripMs: links.get(address) ?? null,
          replicates: links.has(address),
        };
      }),
    },
    modules: input.modules.map(({ definition, state, raised }) => {
      const beat = peerView.beats.get(definition.name);
      const { generation, state: shown } = beatOf(state, bootMs);
      const runsHere = shown === 'primary' || shown === 'alone';
      const volumes = definition.volumes.map(({ id }) => id);
      return {
        name: definition.name,
        protected: isProtected(state, bootMs),
        maintenance: state.record.maintenance,
        generation: generation === null ? null : `${generation.number}.${generation.id}`,
        vips: definition.vips.map(({ address }) => ({ address, here: raised.has(address) })),
        metrics: runsHere ? input.measurements.ofModule(volumes, bootMs) : null,
        own: ownModule(input.node, state, bootMs, wallTime),
        peer: beat === undefined ? null : peerModule(input.peer, beat),
      };
    }),
  };
}

function witnessStatus({ record, pingWitnessReachable }: StatusInput, votingAnswers: boolean): NodeStatus['witness'] {
  const { withoutWitness } = record;
  if (record.witness !== null) return { kind: 'voting', reachable: votingAnswers };
  if (record.pingWitness === null) return { kind: 'none', reachable: null, withoutWitness };
  return { kind: 'ping', reachable: pingWitnessReachable, address: record.pingWitness, withoutWitness };
}

function ownModule(
  node: string,
  state: MirrorState,
  bootMs: number,
  wallTime: (atBootMs: number) => string,
): ModuleOnNode {
  const { sinceMs, runningSinceMs, ...own } = describeOwn(state, bootMs);
  return {
    name: node,
    ...own,
    ...(sinceMs === undefined ? {} : { since: wallTime(sinceMs) }),
    ...(runningSinceMs === undefined ? {} : { runningSince: wallTime(runningSinceMs) }),
  };
}

/** As the peer told it last. */
function peerModule(peer: string, beat: ModuleBeat): ModuleOnNode {
  return {
    name: peer,
    state: beat.state,
    data: beat.data,
    ...(beat.reason === undefined ? {} : { reason: beat.reason }),
    ...(beat.message === undefined ? {} : { message: beat.message }),
    ...(beat.since === undefined ? {} : { since: beat.since }),
    ...(beat.resync === undefined ? {} : { resync: beat.resync }),
  };
}

/** Times that are computed from two clocks differ by a hair each time, and what is measured changes all the time: whoever wants it asks for it. */
const restless: ReadonlySet<string> = new Set([
  'observedAt',
  'lastHeard',
  'since',
  'runningSince',
  'metrics',
  'roundTripMs',
]);

/** What makes two views worth telling apart. A resync's progress does: it comes twice a second, and is watched. */
export function statusFingerprint(status: NodeStatus): string {
  return JSON.stringify(status, (key, value: unknown) => (restless.has(key) ? undefined : value));
}
