/**
 * The lab's network: one namespace with a bridge per network as the switch, one namespace per host. Nothing of it is
 * in the machine's own network. Faults live in the switch, by port name, so that they survive a host's restart.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { HostDescription, LabDescription, NetworkName } from './description.ts';
import {
  addressOf,
  bridges,
  clientNumber,
  interfaces,
  networkNames,
  placesOf,
  portName,
  switchAddress,
  writeJson,
} from './description.ts';
import { must, run } from './process.ts';

export interface NetworkFaults {
  /** Cables that are pulled. */
  readonly unplugged: readonly { readonly host: string; readonly network: NetworkName }[];
  /** Frames that the switch drops, in one direction. */
  readonly blocked: readonly { readonly from: string; readonly to: string; readonly network: NetworkName }[];
  readonly lossPercent: Readonly<Record<string, number>>;
  /** In the words of `tc`: "10mbit". */
  readonly bandwidth: Readonly<Record<string, string>>;
}

const noFaults: NetworkFaults = { unplugged: [], blocked: [], lossPercent: {}, bandwidth: {} };

export function readFaults(lab: LabDescription): NetworkFaults {
  const file = placesOf(lab.name).faultsFile;
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as NetworkFaults) : noFaults;
}

export function namespaceOf(lab: { readonly id: string }, name: string): string {
  return `${lab.id}-${name}`;
}

export function inNamespace(namespace: string, argv: readonly string[]): string[] {
  return ['nsenter', `--net=/run/netns/${namespace}`, '--', ...argv];
}

async function batch(namespace: string, commands: readonly string[]): Promise<void> {
  await must(['ip', '-n', namespace, '-batch', '-'], { stdin: `${commands.join('\n')}\n` });
}

export async function makeSwitch(lab: LabDescription): Promise<void> {
  const namespace = namespaceOf(lab, 'switch');
  await must(['ip', 'netns', 'add', namespace]);
  const perNetwork = lab.networks.flatMap((network) => [
    `link add name ${bridges[network]} type bridge stp_state 0 forward_delay 0 mcast_snooping 0`,
    `link set dev ${bridges[network]} up`,
    `addr add ${switchAddress(network)}/24 dev ${bridges[network]}`,
  ]);
  await batch(namespace, ['link set dev lo up', ...perNetwork]);
  // Where the machine filters bridged frames through its IP tables, those are about other traffic than ours.
  const filters = ['iptables', 'ip6tables', 'arptables'].map((name) => `net.bridge.bridge-nf-call-${name}=0`);
  await run(inNamespace(namespace, ['sysctl', '-qw', ...filters]));
}

/** Locally administered, made of the address: the same host keeps its hardware address over restarts. */
export function hardwareAddress(address: string): string {
  const hex = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `02:00:${hex.join(':')}`;
}

/** A fresh network stack plugged into the switch; whatever an older one of that name held is gone, as after a boot. */
export async function plugIn(
  lab: LabDescription,
  host: { readonly name: string; readonly number: number },
  networks: readonly NetworkName[],
): Promise<void> {
  const hub = namespaceOf(lab, 'switch');
  const own = namespaceOf(lab, host.name);
  for (const network of networks) await run(['ip', '-n', hub, 'link', 'del', 'dev', portName(host.name, network)]);
  await run(['ip', 'netns', 'del', own]);
  await must(['ip', 'netns', 'add', own]);
  const faults = readFaults(lab);
  const pulled = (network: NetworkName): boolean =>
    faults.unplugged.some((cable) => cable.host === host.name && cable.network === network);
  await batch(
    hub,
    networks.flatMap((network) => {
      const port = portName(host.name, network);
      const mac = hardwareAddress(addressOf(host, network));
      return [
        `link add name ${port} type veth peer name ${interfaces[network]} address ${mac} netns ${own}`,
        `link set dev ${port} master ${bridges[network]}`,
        ...(pulled(network) ? [] : [`link set dev ${port} up`]),
      ];
    }),
  );
  const addresses = networks.flatMap((network) => [
    `link set dev ${interfaces[network]} up`,
    `addr add ${addressOf(host, network)}/24 dev ${interfaces[network]}`,
  ]);
  await batch(own, ['link set dev lo up', ...addresses]);
  if (faults.bandwidth[host.name] !== undefined) await applyBandwidth(lab, host.name);
}

export async function plugInClient(lab: LabDescription): Promise<void> {
  await plugIn(lab, { name: 'client', number: clientNumber }, ['lan']);
}

/** What a power cut does to the network: the link is gone before anything else can happen. */
export async function linksDown(lab: LabDescription, host: HostDescription): Promise<void> {
  const commands = lab.networks.map((network) => `link set dev ${portName(host.name, network)} down`);
  await run(['ip', '-n', namespaceOf(lab, 'switch'), '-force', '-batch', '-'], { stdin: `${commands.join('\n')}\n` });
}

export async function removeNamespaces(id: string): Promise<void> {
  if (!existsSync('/run/netns')) return;
  for (const name of readdirSync('/run/netns')) {
    if (name.startsWith(`${id}-`)) await run(['ip', 'netns', 'del', name]);
  }
}

async function change(lab: LabDescription, edit: (faults: NetworkFaults) => NetworkFaults): Promise<NetworkFaults> {
  const faults = edit(readFaults(lab));
  writeJson(placesOf(lab.name).faultsFile, faults);
  await must(inNamespace(namespaceOf(lab, 'switch'), ['nft', '-f', '-']), { stdin: filterRules(faults) });
  return faults;
}

/** The whole table each time, replaced in one transaction. */
export function filterRules(faults: NetworkFaults): string {
  const rules = faults.blocked.map(
    ({ from, to, network }) => `iifname "${portName(from, network)}" oifname "${portName(to, network)}" drop`,
  );
  for (const [host, percent] of Object.entries(faults.lossPercent)) {
    const ports = networkNames.map((network) => `"${portName(host, network)}"`).join(', ');
    rules.push(`iifname { ${ports} } numgen random mod 100 < ${percent} drop`);
    rules.push(`oifname { ${ports} } numgen random mod 100 < ${percent} drop`);
  }
  const chain = ['type filter hook forward priority 0; policy accept;', ...rules]
    .map((rule) => `    ${rule}\n`)
    .join('');
  return `table bridge faults\ndelete table bridge faults\ntable bridge faults {\n  chain forward {\n${chain}  }\n}\n`;
}

/** Pulls or plugs a host's cables. */
export async function setPlugged(
  lab: LabDescription,
  host: string,
  plugged: boolean,
  networks: readonly NetworkName[] = lab.networks,
): Promise<void> {
  const concerned = (cable: { host: string; network: NetworkName }): boolean =>
    cable.host === host && networks.includes(cable.network);
  await change(lab, (faults) => {
    const others = faults.unplugged.filter((cable) => !concerned(cable));
    return { ...faults, unplugged: plugged ? others : [...others, ...networks.map((network) => ({ host, network }))] };
  });
  const ports = networks.map((network) => portName(host, network));
  const commands = ports.map((port) => `link set dev ${port} ${plugged ? 'up' : 'down'}`);
  // -force: a host that is off has no port; it finds its cable as it was left when it starts.
  await run(['ip', '-n', namespaceOf(lab, 'switch'), '-force', '-batch', '-'], { stdin: `${commands.join('\n')}\n` });
}

export async function setBlocked(
  lab: LabDescription,
  pairs: readonly { readonly from: string; readonly to: string }[],
  blocked: boolean,
  networks: readonly NetworkName[] = lab.networks,
): Promise<void> {
  const entries = pairs.flatMap((pair) => networks.map((network) => ({ from: pair.from, to: pair.to, network })));
  const same = (a: (typeof entries)[number], b: (typeof entries)[number]): boolean =>
    a.from === b.from && a.to === b.to && a.network === b.network;
  await change(lab, (faults) => {
    const others = faults.blocked.filter((old) => !entries.some((entry) => same(entry, old)));
    return { ...faults, blocked: blocked ? [...others, ...entries] : others };
  });
}

/** Every fault between this host and any other is lifted; bandwidth and loss stay as they are. */
export async function healAll(lab: LabDescription, host: string): Promise<void> {
  await change(lab, (faults) => ({
    ...faults,
    blocked: faults.blocked.filter((pair) => pair.from !== host && pair.to !== host),
  }));
  await setPlugged(lab, host, true);
}

export async function setLoss(lab: LabDescription, host: string, percent: number): Promise<void> {
  await change(lab, (faults) => {
    const { [host]: _, ...others } = faults.lossPercent;
    return { ...faults, lossPercent: percent > 0 ? { ...others, [host]: percent } : others };
  });
}

export async function setBandwidth(lab: LabDescription, host: string, rate: string | undefined): Promise<void> {
  await change(lab, (faults) => {
    const { [host]: _, ...others } = faults.bandwidth;
    return { ...faults, bandwidth: rate === undefined ? others : { ...others, [host]: rate } };
  });
  await applyBandwidth(lab, host);
}

async function applyBandwidth(lab: LabDescription, host: string): Promise<void> {
  const rate = readFaults(lab).bandwidth[host];
  for (const network of lab.networks) {
    const ends = [
      [namespaceOf(lab, 'switch'), portName(host, network)],
      [namespaceOf(lab, host), interfaces[network]],
    ] as const;
    for (const [namespace, device] of ends) {
      if (rate === undefined) {
        await run(['tc', '-n', namespace, 'qdisc', 'del', 'dev', device, 'root']);
        continue;
      }
      // A burst of 64 KiB covers the largest segmented frame; smaller ones are dropped whole.
      const shape = ['tbf', 'rate', rate, 'burst', '64kb', 'latency', '100ms'];
      const shaped = await run(['tc', '-n', namespace, 'qdisc', 'replace', 'dev', device, 'root', ...shape]);
      if (shaped.code !== 0 && !/Cannot find device|No such file/.test(shaped.stderr)) {
        throw new Error(`tc: ${shaped.stderr.trim()}`);
      }
    }
  }
}
