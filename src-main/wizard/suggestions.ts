/** Networks that both servers are on, and an address for the virtual IP at which nobody answers. */
import { noQuestions, networkOf, probeHost, type ConnectedMachine, type Probe } from '../install/index.ts';
import { quoted } from '../ssh/index.ts';

export interface SharedNetwork {
  readonly name: string;
  readonly subnet: string;
  /** In the order of the nodes. */
  readonly addresses: string[];
  readonly interfaces: string[];
  /** SSH came in on it. */
  readonly ssh: boolean;
}

/** Of containers, virtual machines and tunnels: they do not lead to the other server, or not by a way of their own. */
const virtualInterfaces =
  /^(lo|docker|podman|br-|virbr|veth|vnet|cni|flannel|cali|kube|lxc|lxdbr|tun|tap|wg|zt|tailscale)/;

function isLinkLocal(address: string): boolean {
  return address.startsWith('127.') || address.startsWith('169.254.');
}

interface Place extends SharedNetwork {
  readonly speed: number;
}

/** Pure. The fastest first; of two alike the one that carries nothing but the cluster. */
export function sharedNetworks(probes: readonly Probe[]): SharedNetwork[] {
  const [first, second] = probes;
  if (!first || !second) return [];
  const usable = (probe: Probe): Probe['addresses'] =>
    probe.addresses.filter(
      (own) => !virtualInterfaces.test(own.interface) && !isLinkLocal(own.address) && own.prefixLength < 32,
    );
  const places = new Map<string, Place>();
  for (const one of usable(first)) {
    const subnet = networkOf(one.address, one.prefixLength);
    const inside = usable(second).filter((own) => networkOf(own.address, own.prefixLength) === subnet);
    const other = inside.find((own) => own.address === second.sshAddress) ?? inside[0];
    // The same address on both: a bridge of their own that is made alike everywhere.
    if (!other || other.address === one.address) continue;
    const ssh = first.sshAddress === one.address || second.sshAddress === other.address;
    if (places.get(subnet)?.ssh === true || (places.has(subnet) && !ssh)) continue;
    places.set(subnet, {
      name: '',
      subnet,
      addresses: [one.address, other.address],
      interfaces: [one.interface, other.interface],
      ssh,
      speed: Math.min(first.speeds[one.interface] ?? 0, second.speeds[other.interface] ?? 0),
    });
  }
  const sorted = [...places.values()].sort((a, b) => b.speed - a.speed || Number(a.ssh) - Number(b.ssh));
  return named(sorted);
}

/** `lan` is where the users are: the one that SSH came in on. The others are for the cluster. */
function named(places: readonly Place[]): SharedNetwork[] {
  const lan = places.find(({ ssh }) => ssh) ?? places[0];
  let others = 0;
  return places.map((place) => {
    const { subnet, addresses, interfaces, ssh } = place;
    if (place !== lan) others += 1;
    const name = place === lan ? 'lan' : others === 1 ? 'sync' : `sync-${others}`;
    return { name, subnet, addresses, interfaces, ssh };
  });
}

function numberOf(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function addressOf(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

/** High ones: what hands out addresses usually begins below, and routers stand at the ends. */
const lastNumbers = [250, 240, 230, 220, 210, 245, 235, 225, 200, 205];

/** Pure. Near to the address of the node, in its network; none that anybody is known to have. */
export function candidatesFor(address: string, prefixLength: number, taken: readonly string[]): string[] {
  const own = numberOf(address);
  const size = 2 ** (32 - prefixLength);
  const base = Math.floor(own / size) * size;
  const block = Math.floor(own / 256) * 256;
  const numbers =
    size >= 256
      ? lastNumbers.map((last) => block + last)
      : Array.from({ length: Math.min(8, size - 3) }, (_, index) => base + size - 3 - index);
  return numbers
    .filter((number) => number > base && number < base + size - 1)
    .map(addressOf)
    .filter((candidate) => !taken.includes(candidate));
}

/** Addresses of the other node that answer. */
async function answering(
  { transport }: ConnectedMachine,
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  if (addresses.length === 0) return [];
  const script = `answers() { ping -c 1 -W 1 "$1" >/dev/null 2>&1 || ip -4 neigh show to "$1" 2>/dev/null | grep -q 'lladdr.*REACHABLE' || return 0; echo "$1"; }
${addresses.map((address) => `answers ${quoted(address)} &`).join('\n')}
wait`;
  const { stdout } = await transport.command(script, { elevated: true, signal });
  return stdout.split('\n').filter((line) => line !== '');
}

async function freeAddress(
  machines: readonly ConnectedMachine[],
  candidates: readonly string[],
  signal: AbortSignal,
): Promise<string | null> {
  if (candidates.length === 0) return null;
  const looks = await Promise.all(
    machines.map(({ name, transport }) => probeHost(name, transport, { ...noQuestions, vips: candidates }, signal)),
  );
  const isFree = (candidate: string): boolean =>
    looks.every(({ probe }) => probe.vips.some(({ address, answer }) => address === candidate && answer === 'free'));
  return candidates.find(isFree) ?? null;
}

export async function suggestions(
  machines: readonly ConnectedMachine[],
  taken: readonly string[],
  signal: AbortSignal,
): Promise<{ networks: SharedNetwork[]; vip: string | null }> {
  const probes = await Promise.all(
    machines.map(async ({ name, transport }) => (await probeHost(name, transport, noQuestions, signal)).probe),
  );
  const shared = sharedNetworks(probes);
  const [first] = machines;
  const lan = shared.find(({ name }) => name === 'lan');
  if (!first || !lan) return { networks: shared, vip: null };
  const own = lan.addresses[0] ?? '';
  const prefixLength = Number(lan.subnet.split('/')[1]);
  const candidates = candidatesFor(own, prefixLength, [
    ...taken,
    ...probes.flatMap((probe) => probe.addresses.map(({ address }) => address)),
  ]);
  const [reached, free] = await Promise.all([
    answering(
      first,
      shared.flatMap(({ addresses }) => addresses.slice(1)),
      signal,
    ),
    freeAddress(machines, candidates, signal),
  ]);
  // Two networks that are numbered alike and not connected are no network; where SSH came in, a firewall may drop pings.
  const networks = shared.filter(({ ssh, addresses }) => ssh || reached.includes(addresses[1] ?? ''));
  return { networks, vip: free === null ? null : `${free}/${prefixLength}` };
}

/** Whoever answers; an address that a cluster of ours has on these nodes is in nobody's way. */
export async function addressInUse(
  machines: readonly ConnectedMachine[],
  vip: string,
  signal: AbortSignal,
): Promise<{ by: string | null; inUse: boolean }> {
  const address = vip.trim().split('/')[0] ?? '';
  const looks = await Promise.all(
    machines.map(async ({ name, transport }) => {
      const { probe } = await probeHost(name, transport, { ...noQuestions, vips: [address] }, signal);
      return { name, probe };
    }),
  );
  const ours = looks.some(({ probe }) =>
    probe.installed.record?.modules.some((module) => module.vips.some((other) => other.address === address)),
  );
  if (ours) return { by: null, inUse: false };
  const answers = looks.map(({ name, probe }) => ({
    name,
    answer: probe.vips.find((one) => one.address === address)?.answer ?? 'unchecked',
  }));
  const owner = answers.find(({ answer }) => answer === 'own');
  if (owner) return { by: owner.name, inUse: true };
  return { by: null, inUse: answers.some(({ answer }) => answer === 'answers') };
}
