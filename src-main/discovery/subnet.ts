/** IPv4 subnets as people write them. */
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { Fault } from '../../agent/contract/fault.ts';

/** A /22: 1022 addresses, some seconds. More is somebody's whole site. */
export const prefixLengthMin = 22;

export interface Subnet {
  readonly network: number;
  readonly prefixLength: number;
}

export function parseAddress(text: string): number | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  const bytes = match?.slice(1).map(Number);
  if (bytes === undefined || bytes.some((byte) => byte > 255)) return null;
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

function networkOf(address: number, prefixLength: number): number {
  const size = 2 ** (32 - prefixLength);
  return Math.floor(address / size) * size;
}

/** `10.0.0.0/24`, or any address in it with the length; one address alone is itself. Faults: subnet-invalid, subnet-too-large. */
export function parseSubnet(text: string): Subnet {
  const [addressText = '', lengthText = '32', ...rest] = text.trim().split('/');
  const address = parseAddress(addressText);
  const prefixLength = /^\d{1,2}$/.test(lengthText) ? Number(lengthText) : Number.NaN;
  if (address === null || !(prefixLength >= 0 && prefixLength <= 32) || rest.length > 0) {
    throw new Fault(
      'subnet-invalid',
      { message: `"${text}" is not an IPv4 subnet.`, remedy: 'Write it as 10.0.0.0/24.' },
      { subnet: text },
    );
  }
  if (prefixLength < prefixLengthMin) {
    throw new Fault(
      'subnet-too-large',
      {
        message: `${text} has ${2 ** (32 - prefixLength)} addresses.`,
        remedy: `Look in a part of it, at most a /${prefixLengthMin}.`,
      },
      { subnet: text, prefixLengthMin },
    );
  }
  return { network: networkOf(address, prefixLength), prefixLength };
}

/** Without the addresses of the network and of everybody. */
export function hostAddresses({ network, prefixLength }: Subnet): string[] {
  const size = 2 ** (32 - prefixLength);
  const [first, last] = size <= 2 ? [0, size - 1] : [1, size - 2];
  return Array.from({ length: last - first + 1 }, (_, index) => formatAddress(network + first + index));
}

type Interfaces = NodeJS.Dict<readonly NetworkInterfaceInfo[]>;

/** Bridges of containers and the like hold no servers that anybody wants to protect. */
const innerInterfaces = /^(docker|br-|veth|virbr|cni|flannel|cali|lxc|podman|vmnet|vboxnet|tun|tap|wg|utun|zt)/;

/** Those that this machine is on, larger ones as the /22 around its own address. */
export function ownSubnets(interfaces: Interfaces = networkInterfaces()): string[] {
  const subnets = Object.entries(interfaces)
    .filter(([name]) => !innerInterfaces.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'))
    .flatMap(({ address, cidr }) => {
      const value = parseAddress(address);
      const length = Number(cidr?.split('/')[1] ?? 24);
      // A /31 or a single address is a line to a provider.
      if (value === null || length > 30) return [];
      const prefixLength = Math.max(length, prefixLengthMin);
      return [`${formatAddress(networkOf(value, prefixLength))}/${prefixLength}`];
    });
  return [...new Set(subnets)];
}
