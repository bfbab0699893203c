/** What only all machines together tell: different servers, one cluster, addresses, the application on both. Pure. */
import { Fault } from '../../agent/contract/fault.ts';
import { subnetContains } from '../configuration/index.ts';
import {
  failed,
  passed,
  remarked,
  type Check,
  type CheckedModule,
  type CheckSubject,
  type ProbedMachine,
} from './check.ts';
import { sharedDirectoryChecks } from './directory-checks.ts';
import { sameMachine } from './machine-checks.ts';
import type { ApplicationUnitProbe } from './probe.ts';
import { networksOf, nodeAddress } from './resolve.ts';
import { containerStartChecks } from './surroundings-checks.ts';

function differentServers(machines: readonly ProbedMachine[]): Check[] {
  return machines.flatMap((machine, index) =>
    machines
      .slice(0, index)
      .filter((other) => sameMachine(machine.probe, other.probe))
      .map((other) =>
        failed(
          'same-server-twice',
          null,
          'Different servers',
          {
            what: `${other.name} and ${machine.name} are the same server`,
            why: 'A server cannot survive its own loss.',
            remedy: 'Give the addresses of different machines.',
          },
          { one: other.name, other: machine.name },
        ),
      ),
  );
}

function membership(nodes: readonly ProbedMachine[], cluster: string | null): Check[] {
  if (cluster === null) return [];
  return nodes.flatMap(({ name, probe }) => {
    const other = probe.installed.record?.cluster;
    if (other === undefined || other === cluster) return [];
    return [
      failed(
        'belongs-to-another-cluster',
        name,
        'Cluster',
        {
          what: `${name} belongs to the cluster ${other} already`,
          why: 'A server is in one cluster only.',
          remedy: `Take it out of there first: holdfast uninstall, with the configuration of ${other}.`,
        },
        { node: name, cluster: other },
      ),
    ];
  });
}

/** Every node has to have an address on every network that was chosen. */
function networkChecks(nodes: readonly ProbedMachine[], subject: CheckSubject): Check[] {
  const title = 'Networks';
  const vips = subject.modules.flatMap((module) => module.vips.map((vip) => vip.split('/')[0] ?? vip));
  try {
    const networks = networksOf(subject.networks, nodes);
    const missing = networks.flatMap((network) =>
      nodes
        .filter((node) => nodeAddress(node, network.subnet, vips) === null)
        .map(({ name, probe }) => {
          const present = probe.addresses.map((entry) => `${entry.address}/${entry.prefixLength}`);
          return failed(
            'network-without-node',
            name,
            title,
            {
              what: `${name} has no address in the network ${network.name} (${network.subnet}); it has ${present.join(', ')}`,
              why: 'Heartbeats and replication go over every network that is named.',
              remedy: 'Correct the networks, or give the server an address there.',
            },
            { node: name, network: network.name, subnet: network.subnet, addresses: present },
          );
        }),
    );
    return missing;
  } catch (error) {
    const fault = Fault.from(error);
    if (fault.code !== 'networks-unknown') throw error;
    return [
      failed('networks-unknown', null, title, {
        what: 'it is not clear which network connects the two servers',
        why: 'SSH did not come in on an address that the server knows as its own.',
        remedy: fault.remedy,
      }),
    ];
  }
}

export function clusterChecks(machines: readonly ProbedMachine[], subject: CheckSubject): Check[] {
  const nodes = machines.filter((machine) => machine.role === 'node');
  return [
    ...differentServers(machines),
    ...membership(nodes, subject.cluster),
    ...(nodes.length > 1 ? networkChecks(nodes, subject) : []),
    ...sharedUnitChecks(subject.modules),
    ...subject.modules.flatMap((module) => [
      ...sharedDirectoryChecks(nodes, module),
      ...module.vips.flatMap((vip) => vipChecks(nodes, vip, module.interface)),
      ...unitChecks(nodes, module),
      ...libvirtChecks(nodes, module),
      ...containerStartChecks(module),
    ]),
  ];
}

function vipChecks(nodes: readonly ProbedMachine[], vip: string, wanted: string | undefined): Check[] {
  const [address = ''] = vip.split('/');
  const ours = nodes.some((node) =>
    node.probe.installed.record?.modules.some((module) => module.vips.some((other) => other.address === address)),
  );
  const answers = nodes.map(
    (node) => node.probe.vips.find((probe) => probe.address === address)?.answer ?? 'unchecked',
  );
  const title = `Virtual IP ${address}`;
  const checks: Check[] = [];
  if (!ours && answers.some((answer) => answer === 'answers' || answer === 'own')) {
    const own = nodes.find((_node, index) => answers[index] === 'own');
    checks.push(
      failed(
        'vip-in-use',
        null,
        title,
        {
          what: own ? `${address} is already an address of ${own.name}` : `somebody answers at ${address} already`,
          why: 'Two machines with the same address cut each other off.',
          remedy: 'Choose a free address, or take this one away from the machine that has it.',
        },
        { address, by: own?.name ?? null },
      ),
    );
  } else {
    const what = ours ? 'belongs to this cluster' : 'nobody answers there';
    checks.push(passed('vip-free', null, title, what, { address, ours }));
  }
  for (const node of nodes) checks.push(...vipPlaceChecks(node, address, wanted, title));
  return checks;
}

function vipPlaceChecks(
  { name, probe }: ProbedMachine,
  address: string,
  wanted: string | undefined,
  title: string,
): Check[] {
  const reachable = probe.addresses.some(
    (own) =>
      (wanted === undefined || own.interface === wanted) &&
      subnetContains(`${own.address}/${own.prefixLength}`, address),
  );
  if (reachable) return [];
  if (wanted === undefined) {
    return [
      failed(
        'vip-network',
        name,
        title,
        {
          what: `${name} has no interface in the network of ${address}`,
          why: 'The address could not be reached there.',
          remedy: 'Choose an address of a network that both servers are in, or name the interface.',
        },
        { address },
      ),
    ];
  }
  if (probe.addresses.some((own) => own.interface === wanted)) return [];
  const interfaces = [...new Set(probe.addresses.map((own) => own.interface))];
  return [
    failed(
      'vip-interface',
      name,
      title,
      {
        what: `${name} has no interface ${wanted} with an IPv4 address`,
        why: 'The virtual IP is to be raised there.',
        remedy: `Name one of: ${interfaces.join(', ')}.`,
      },
      { address, interface: wanted, interfaces },
    ),
  ];
}

function unitChecks(nodes: readonly ProbedMachine[], module: CheckedModule): Check[] {
  return module.units.flatMap((unit) =>
    nodes.flatMap((node) => {
      const found = node.probe.units.find((other) => other.unit === unit);
      if (found === undefined) return [];
      if (!found.known) return [unitMissing(node, unit, module)];
      return found.startsByItself
        ? [unitStartsByItself(node, found)]
        : [passed('unit', node.name, unit, 'starts only when the module starts it', { unit })];
    }),
  );
}

/** Fencing one of these modules must not end the other: such a service is guarded and ended by none of them. */
function sharedUnitChecks(modules: readonly CheckedModule[]): Check[] {
  const units = new Set(modules.flatMap((module) => module.started));
  return [...units].flatMap((unit) => {
    const users = modules.filter((module) => module.started.includes(unit)).map((module) => module.name);
    if (users.length < 2) return [];
    return [
      remarked(
        'unit-shared',
        null,
        unit,
        {
          what: `${unit} is named by the start commands of several modules: ${users.join(', ')}`,
          why: 'It is neither cut off from the network nor ended by force with one of them, because that would hit the others.',
          remedy: 'Give each module a service of its own, or put what belongs together into one module.',
        },
        { unit, modules: users },
      ),
    ];
  });
}

function unitMissing({ name }: ProbedMachine, unit: string, module: CheckedModule): Check {
  return failed(
    'unit-missing',
    name,
    unit,
    {
      what: `${name} has no ${unit}`,
      why: `After a failover, ${module.name} could not start there.`,
      remedy: 'Install the application on both servers, in the same version, or correct the start command.',
    },
    { unit, module: module.name },
  );
}

function unitStartsByItself({ name }: ProbedMachine, { unit, startFile }: ApplicationUnitProbe): Check {
  const command =
    startFile === null
      ? `systemctl disable ${unit}`
      : `sed -i 's/^auto/manual/' ${startFile} && systemctl daemon-reload`;
  return remarked(
    'unit-starts-by-itself',
    name,
    unit,
    {
      what: `${unit} starts by itself when ${name} boots`,
      why: 'From now on the module decides where the application runs; a start at boot fails, or runs before its data is there.',
      remedy: `Leave the start to the module: ${command}`,
    },
    { unit, command },
  );
}

/** Without it the checker counts for nothing, and nobody would notice before the guest hangs. */
function libvirtChecks(nodes: readonly ProbedMachine[], { domains }: CheckedModule): Check[] {
  if (domains.length === 0) return [];
  return nodes
    .filter(({ probe }) => !probe.tools.includes('virsh'))
    .map(({ name }) =>
      remarked(
        'virsh-missing',
        name,
        'Virtual machines',
        {
          what: `virsh is missing, by which the checker of ${domains.join(' and ')} asks libvirt`,
          why: 'This server could not look whether the virtual machine hangs: the checker would count for nothing here.',
          remedy:
            'Install it: apt-get install libvirt-clients (RHEL: dnf install libvirt-client; SUSE: zypper install libvirt-client).',
        },
        { domains: [...domains] },
      ),
    );
}
