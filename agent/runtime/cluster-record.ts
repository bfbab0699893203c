/** What a node makes of the cluster record. Pure. */
import type { ClusterRecord, ModuleDefinition, Params, ReplicatorApi } from '../contract/index.ts';
import { Fault, invariant, ports as portNumbers } from '../contract/index.ts';
import type { CheckerRule } from '../core/index.ts';
import type { HeartbeatNetwork } from '../network/index.ts';

type Node = ClusterRecord['nodes'][number];

/** Where the installer puts keys and certificates. */
const keyDirectory = '/etc/holdfast';

/** Fault: node-not-in-cluster. */
export function ownOf(record: ClusterRecord, node: string): Node {
  const own = record.nodes.find((one) => one.name === node);
  if (own !== undefined) return own;
  throw new Fault('node-not-in-cluster', {
    message: `This server is called ${node}; the configuration does not name it.`,
    remedy: 'Apply the configuration from the laptop again.',
  });
}

export function peerOf(record: ClusterRecord, node: string): Node {
  const peer = record.nodes.find((one) => one.name !== node);
  invariant(peer !== undefined, 'a cluster has another node');
  return peer;
}

/** Networks on which both nodes have an address. */
export function heartbeatNetworks(record: ClusterRecord, node: string): readonly HeartbeatNetwork[] {
  const own = ownOf(record, node);
  const peer = peerOf(record, node);
  return record.networks.flatMap(({ name }, index) => {
    const ownAddress = own.addresses[index];
    const peerAddress = peer.addresses[index];
    return ownAddress === undefined || peerAddress === undefined ? [] : [{ name, ownAddress, peerAddress }];
  });
}

/** What the machine decides by; where and how a checker looks may change under it. */
export function checkerRules({ checkers }: ModuleDefinition): readonly CheckerRule[] {
  return checkers.map(({ name, action, failures, gracePeriodMs }) => ({ name, action, failures, gracePeriodMs }));
}

/** Scripts and addresses may change under a running machine; what it decides by may not. */
export function sameCircumstances(former: ClusterRecord, next: ClusterRecord, name: string): boolean {
  const essence = (record: ClusterRecord): string => {
    const definition = record.modules.find((one) => one.name === name);
    const { clusterUuid, nodes, networks, witness, pingWitness, withoutWitness, detectionMs } = record;
    return JSON.stringify([
      { clusterUuid, nodes, networks, witness, pingWitness, withoutWitness, detectionMs },
      { volumes: definition?.volumes, prefer: definition?.prefer, failback: definition?.failback },
      definition?.cache,
      definition?.acknowledge,
      definition === undefined ? null : [checkerRules(definition), definition.restartLimit, definition.dependsOn],
    ]);
  };
  return essence(former) === essence(next);
}

/** In waves: whatever depends on another module is stopped before it. */
export function stopOrder(modules: readonly Pick<ModuleDefinition, 'name' | 'dependsOn'>[]): string[][] {
  const waves: string[][] = [];
  for (let left = modules; left.length > 0;) {
    const free = left.filter(({ name }) => !left.some(({ dependsOn }) => dependsOn.includes(name)));
    // Refused where it is written; should one come here all the same, nobody waits for ever.
    const wave = free.length > 0 ? free : left;
    waves.push(wave.map(({ name }) => name));
    left = left.filter((one) => !wave.includes(one));
  }
  return waves;
}

export function replicatorConfiguration(record: ClusterRecord, node: string): Params<ReplicatorApi, 'configure'> {
  const own = ownOf(record, node);
  const peer = peerOf(record, node);
  const endpoint = (address: string) => ({ address, port: portNumbers.peerLink });
  return {
    node,
    volumes: record.modules.flatMap((definition) =>
      definition.volumes.map((volume) => {
        const { name: module, cache, acknowledge } = definition;
        return { ...volume, module, cache, acknowledge };
      }),
    ),
    listen: own.addresses.map(endpoint),
    peer: {
      name: peer.name,
      endpoints: peer.addresses.map(endpoint),
      certificateFile: `${keyDirectory}/peers/${peer.name}.crt`,
    },
    certificateFile: `${keyDirectory}/node.crt`,
    keyFile: `${keyDirectory}/node.key`,
    acknowledgeTimeoutMs: record.detectionMs,
  };
}
