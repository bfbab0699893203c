/** What the nodes are told: the configuration with every name resolved. Pure: identities and the revision come from outside. */
import { restartLimitDefault } from '../../agent/contract/checkers.ts';
import {
  durationMs,
  pingWitnessOf,
  ports,
  type ClusterRecord,
  type Configuration,
  type ModuleDefinition,
  type ScriptText,
} from '../../agent/contract/configuration.ts';
import { checkerDefinition } from './checkers.ts';

export interface ResolvedMachines {
  readonly networks: readonly { readonly name: string; readonly subnet: string }[];
  /** Per node, in the order of the configuration: its address on each network, in the order of `networks`. */
  readonly addresses: readonly (readonly string[])[];
  readonly witnessAddress: string | null;
}

export function makeClusterRecord(
  configuration: Configuration,
  machines: ResolvedMachines,
  /** What stands on the nodes: identities and, when nothing else changed, the revision are kept. */
  previous: ClusterRecord | null,
  makeUuid: () => string,
): ClusterRecord {
  const record: ClusterRecord = {
    format: 1,
    revision: (previous?.revision ?? 0) + 1,
    cluster: configuration.cluster,
    clusterUuid: previous?.clusterUuid ?? makeUuid(),
    nodes: configuration.nodes.map((node, index) => ({
      name: node.name,
      addresses: [...(machines.addresses[index] ?? [])],
    })),
    networks: machines.networks.map(({ name, subnet }) => ({ name, subnet })),
    witness: machines.witnessAddress === null ? null : { address: machines.witnessAddress, port: ports.witness },
    pingWitness: pingWitnessOf(configuration),
    withoutWitness: configuration.withoutWitness,
    detectionMs: durationMs(configuration.detection),
    modules: configuration.modules.map((module): ModuleDefinition => {
      const before = previous?.modules.find((other) => other.name === module.name);
      const vips = Array.isArray(module.vip) ? module.vip : [module.vip];
      return {
        name: module.name,
        prefer: module.prefer ?? null,
        failback: module.failback,
        dependsOn: [...module.dependsOn],
        volumes: module.replicate.map(({ path }, index) => ({
          id: `${module.name}/${index}`,
          path,
          // The data keeps its identity as long as the directory does; another directory is other data.
          volumeUuid: before?.volumes.find((volume) => volume.path === path)?.volumeUuid ?? makeUuid(),
        })),
        cache: module.cache,
        acknowledge: module.acknowledge,
        vips: vips.map((vip) => {
          const [address = '', prefix = '32'] = vip.split('/');
          return { address, prefixLength: Number(prefix), interface: module.interface ?? null };
        }),
        scripts: {
          prestart: script(module.prestart),
          start: requiredScript(module.start),
          stop: requiredScript(module.stop),
          poststop: script(module.poststop),
          forceStop: script(module.forceStop),
          transition: script(module.transition),
        },
        checkers: module.checkers.map(checkerDefinition),
        restartLimit:
          module.restartLimit === undefined
            ? { ...restartLimitDefault }
            : { count: module.restartLimit.count, windowMs: durationMs(module.restartLimit.within) },
      };
    }),
  };
  return previous !== null && sameRecord({ ...record, revision: previous.revision }, previous)
    ? { ...record, revision: previous.revision }
    : record;
}

export function sameRecord(a: ClusterRecord, b: ClusterRecord): boolean {
  return canonical(a) === canonical(b);
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

const scriptTimeoutMs = 60_000;

function requiredScript(text: ScriptText): { command: string; timeoutMs: number } {
  return typeof text === 'string'
    ? { command: text, timeoutMs: scriptTimeoutMs }
    : { command: text.command, timeoutMs: durationMs(text.timeout) };
}

function script(text: ScriptText | undefined): { command: string; timeoutMs: number } | null {
  return text === undefined ? null : requiredScript(text);
}
