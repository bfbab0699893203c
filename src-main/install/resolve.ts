/** Which address each node has on which network. Pure, from the probes. */
import type { Configuration } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { subnetContains, type ResolvedMachines } from '../configuration/index.ts';
import type { ProbedMachine } from './check.ts';

export function networkOf(address: string, prefixLength: number): string {
  const parts = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefixLength);
  const base = Math.floor(parts / size) * size;
  return [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.') + `/${prefixLength}`;
}

/** Without `networks:`, the one that SSH came in on. */
function defaultNetworks(nodes: readonly ProbedMachine[]): { name: string; subnet: string }[] {
  const [first] = nodes;
  const own = first?.probe.addresses.find((entry) => entry.address === first.probe.sshAddress);
  if (!own) {
    throw new Fault('networks-unknown', {
      message: 'It is not clear which network connects the two servers.',
      remedy: 'Write it: networks: [{ name: lan, subnet: 10.0.0.0/24 }]',
    });
  }
  return [{ name: 'lan', subnet: networkOf(own.address, own.prefixLength) }];
}

/** Fault: networks-unknown. */
export function networksOf(
  named: readonly { readonly name: string; readonly subnet: string }[],
  nodes: readonly ProbedMachine[],
): readonly { readonly name: string; readonly subnet: string }[] {
  return named.length > 0 ? named : defaultNetworks(nodes);
}

/** A node may have several addresses there; the one that SSH uses is known to work. */
export function nodeAddress(node: ProbedMachine, subnet: string, vips: readonly string[]): string | null {
  const candidates = node.probe.addresses.filter(
    (entry) => subnetContains(subnet, entry.address) && !vips.includes(entry.address),
  );
  const chosen = candidates.find((entry) => entry.address === node.probe.sshAddress) ?? candidates[0];
  return chosen?.address ?? null;
}

/** Fault: network-without-node, networks-unknown. */
export function resolveMachines(configuration: Configuration, machines: readonly ProbedMachine[]): ResolvedMachines {
  const nodes = machines.filter((machine) => machine.role === 'node');
  const networks = networksOf(configuration.networks ?? [], nodes);
  const vips = configuration.modules.flatMap((module) => [module.vip].flat()).map((vip) => vip.split('/')[0] ?? vip);
  const addresses = nodes.map((node) =>
    networks.map((network) => {
      const chosen = nodeAddress(node, network.subnet, vips);
      // The checks have said so already, in more words.
      if (chosen === null)
        throw new Fault('network-without-node', {
          message: `${node.name} has no address in the network ${network.name} (${network.subnet}).`,
          remedy: 'Correct `networks:`, or give the server an address there.',
        });
      return chosen;
    }),
  );
  const witness = machines.find((machine) => machine.role === 'witness');
  const witnessAddress = witness
    ? (witness.probe.addresses.find((entry) =>
        networks.some((network) => subnetContains(network.subnet, entry.address)),
      )?.address ??
      witness.probe.sshAddress ??
      null)
    : null;
  if (witness && witnessAddress === null) {
    throw new Fault('witness-without-address', {
      message: 'The address of the witness is not known.',
      remedy: 'Give the witness an address in one of the networks of the cluster.',
    });
  }
  return { networks, addresses, witnessAddress };
}
