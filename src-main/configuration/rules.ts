/** Rules that span more than one value: names that must differ, names that must exist, directories that must not lie in one another. */
import type { Configuration } from '../../agent/contract/configuration.ts';
import { durationMs, pingWitnessOf, votingWitnessOf } from '../../agent/contract/configuration.ts';
import { findBrokenCheckers } from './checkers.ts';
import type { ProblemAt } from './problem.ts';

type Path = readonly (string | number)[];

interface Broken {
  readonly reason: string;
  readonly facts: Readonly<Record<string, string>>;
}

function problem(path: Path, broken: Broken, message: string, remedy: string): ProblemAt {
  return { code: 'configuration-wrong-value', ...broken, message, remedy, path };
}

/** One problem per value that stood before. */
function repeated<T>(
  values: readonly { readonly value: T; readonly path: Path }[],
  words: (value: T) => Broken & { message: string; remedy: string },
): ProblemAt[] {
  const seen = new Set<T>();
  const found: ProblemAt[] = [];
  for (const { value, path } of values) {
    if (seen.has(value)) {
      const { reason, facts, message, remedy } = words(value);
      found.push(problem(path, { reason, facts }, message, remedy));
    }
    seen.add(value);
  }
  return found;
}

function machineKey(machine: { readonly ssh: string; readonly port?: number | undefined }): string {
  const host = machine.ssh.slice(machine.ssh.indexOf('@') + 1).toLowerCase();
  return `${host}:${machine.port ?? 22}`;
}

function checkMachines(configuration: Configuration): ProblemAt[] {
  const found = repeated(
    configuration.nodes.map((node, index) => ({ value: node.name, path: ['nodes', index, 'name'] })),
    (name) => ({
      reason: 'name-repeated',
      facts: { name },
      message: `Two nodes are named ${name}.`,
      remedy: 'Give each node its own name.',
    }),
  );
  const machines = configuration.nodes.map((node, index) => ({
    value: machineKey(node),
    path: ['nodes', index, 'ssh'] as Path,
  }));
  const witness = votingWitnessOf(configuration);
  if (witness !== null) machines.push({ value: machineKey(witness), path: ['witness', 'ssh'] });
  found.push(
    ...repeated(machines, (machine) => ({
      reason: 'machine-repeated',
      facts: { machine: machine.replace(/:22$/, '') },
      message: `${machine.replace(/:22$/, '')} stands here a second time.`,
      remedy: 'The two nodes and the witness are three different machines.',
    })),
  );
  return found;
}

function checkModules(configuration: Configuration): ProblemAt[] {
  const found = repeated(
    configuration.modules.map((module, index) => ({ value: module.name, path: ['modules', index, 'name'] })),
    (name) => ({
      reason: 'name-repeated',
      facts: { name },
      message: `Two modules are named ${name}.`,
      remedy: 'Give each module its own name.',
    }),
  );
  const names = configuration.nodes.map((node) => node.name);
  configuration.modules.forEach((module, index) => {
    if (module.prefer !== undefined && !names.includes(module.prefer)) {
      found.push(
        problem(
          ['modules', index, 'prefer'],
          { reason: 'node-unknown', facts: { name: module.prefer } },
          `No node is named ${module.prefer}.`,
          `Write one of: ${names.join(', ')}.`,
        ),
      );
    }
    if (module.failback === 'automatic' && module.prefer === undefined) {
      found.push(
        problem(
          ['modules', index, 'failback'],
          { reason: 'failback-without-prefer', facts: {} },
          'Automatic failback needs to know the preferred node.',
          `Add \`prefer: ${names[0] ?? 'n1'}\` or write \`failback: manual\`.`,
        ),
      );
    }
  });
  return found;
}

function checkDependencies(configuration: Configuration): ProblemAt[] {
  const { modules } = configuration;
  const found: ProblemAt[] = [];
  modules.forEach((module, index) => {
    module.dependsOn.forEach((name, place) => {
      const path = ['modules', index, 'dependsOn', place];
      const facts = { name: module.name, other: name };
      if (!modules.some((one) => one.name === name))
        found.push(
          problem(
            path,
            { reason: 'dependency-unknown', facts },
            `No module is named ${name}.`,
            'Name another module of this file.',
          ),
        );
      const way = wayBack(modules, name, module.name);
      if (way !== null)
        found.push(
          problem(
            path,
            { reason: 'dependency-cycle', facts: { ...facts, way: way.join(' → ') } },
            `${module.name} would wait for itself: ${[module.name, ...way].join(' → ')}.`,
            'Take one of these dependencies away.',
          ),
        );
    });
  });
  return found;
}

/** The modules on the way from one to another, both included; null: none leads there. */
function wayBack(
  modules: Configuration['modules'],
  from: string,
  to: string,
  seen: readonly string[] = [],
): string[] | null {
  if (from === to) return [from];
  if (seen.includes(from)) return null;
  for (const next of modules.find((one) => one.name === from)?.dependsOn ?? []) {
    const way = wayBack(modules, next, to, [...seen, from]);
    if (way !== null) return [from, ...way];
  }
  return null;
}

const forbiddenRoots = [
  '/',
  '/bin',
  '/boot',
  '/dev',
  '/etc',
  '/lib',
  '/lib64',
  '/opt',
  '/proc',
  '/run',
  '/sbin',
  '/sys',
  '/tmp',
  '/usr',
  '/var',
];
/** Replicated, what one node knows of its copy would stand on the other one; so neither these nor what holds them. */
const ownRoots = [
  '/etc/holdfast',
  '/opt/holdfast',
  '/var/lib/holdfast',
  '/run/holdfast',
  '/usr/local/bin/holdfast',
  '/etc/systemd/system',
];

function isInside(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(outer === '/' ? '/' : `${outer}/`);
}

function checkDirectories(configuration: Configuration): ProblemAt[] {
  const found: ProblemAt[] = [];
  const before: string[] = [];
  configuration.modules.forEach((module, moduleIndex) => {
    module.replicate.forEach(({ path }, index) => {
      const at = ['modules', moduleIndex, 'replicate', index, 'path'];
      if (/\/\/|\/\.\.?(\/|$)/.test(path)) {
        found.push(
          problem(
            at,
            { reason: 'path-not-plain', facts: { path } },
            `${path} is not written plainly.`,
            'Write it without `//`, `.` and `..`.',
          ),
        );
      } else if (forbiddenRoots.includes(path) || ownRoots.some((own) => isInside(path, own) || isInside(own, path))) {
        found.push(
          problem(
            at,
            { reason: 'path-of-system', facts: { path } },
            `${path} belongs to the system and cannot be replicated.`,
            'Name the directory that holds the data of the application.',
          ),
        );
      }
      const same = before.find((other) => other === path);
      const nested = before.find((other) => isInside(path, other) || isInside(other, path));
      if (same !== undefined) {
        found.push(
          problem(
            at,
            { reason: 'path-repeated', facts: { path } },
            `${path} is replicated twice.`,
            'Remove one of the two.',
          ),
        );
      } else if (nested !== undefined) {
        found.push(
          problem(
            at,
            { reason: 'paths-nested', facts: { path, other: nested } },
            `${path} and ${nested} lie in one another.`,
            'Replicate the outer directory only, or two that are apart.',
          ),
        );
      }
      before.push(path);
    });
  });
  return found;
}

function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** 10.0.0.5 in 10.0.0.0/24. */
export function subnetContains(subnet: string, address: string): boolean {
  const [network = '', prefix = '32'] = subnet.split('/');
  const size = 2 ** (32 - Number(prefix));
  return Math.floor(ipv4Number(network) / size) === Math.floor(ipv4Number(address) / size);
}

function checkNetworks(configuration: Configuration): ProblemAt[] {
  const networks = configuration.networks ?? [];
  const found = repeated(
    networks.map((network, index) => ({ value: network.name, path: ['networks', index, 'name'] })),
    (name) => ({
      reason: 'name-repeated',
      facts: { name },
      message: `Two networks are named ${name}.`,
      remedy: 'Give each network its own name.',
    }),
  );
  networks.forEach((network, index) => {
    const other = networks.slice(0, index).find((earlier) => {
      const [here = ''] = network.subnet.split('/');
      const [there = ''] = earlier.subnet.split('/');
      return subnetContains(earlier.subnet, here) || subnetContains(network.subnet, there);
    });
    if (other) {
      found.push(
        problem(
          ['networks', index, 'subnet'],
          { reason: 'networks-overlap', facts: { subnet: network.subnet, other: other.subnet } },
          `${network.subnet} overlaps ${other.subnet}.`,
          'Heartbeats on the same network twice protect nobody: name two different networks.',
        ),
      );
    }
  });
  const vips = configuration.modules.flatMap((module, index) => {
    const list = Array.isArray(module.vip) ? module.vip : [module.vip];
    return list.map((vip, position) => ({
      value: vip.split('/')[0] ?? vip,
      path: Array.isArray(module.vip) ? ['modules', index, 'vip', position] : ['modules', index, 'vip'],
    }));
  });
  found.push(
    ...repeated(vips, (address) => ({
      reason: 'address-repeated',
      facts: { address },
      message: `The virtual IP ${address} stands here a second time.`,
      remedy: 'Each virtual IP belongs to one module.',
    })),
  );
  const hosts = configuration.nodes.map((node) => node.ssh.slice(node.ssh.indexOf('@') + 1));
  for (const { value, path } of vips) {
    if (hosts.includes(value)) {
      found.push(
        problem(
          path,
          { reason: 'address-of-node', facts: { address: value } },
          `${value} is the address of a node.`,
          'Choose a free address: the virtual IP moves between the nodes.',
        ),
      );
    }
  }
  return found;
}

function checkPingWitness(configuration: Configuration): ProblemAt[] {
  const address = pingWitnessOf(configuration);
  if (address === null) return [];
  const path = ['witness', 'ping'];
  const remedy = 'Name what neither server is and both reach: the router of the network of the clients.';
  const node = configuration.nodes.find(({ ssh }) => ssh.slice(ssh.indexOf('@') + 1) === address);
  if (node !== undefined)
    return [
      problem(
        path,
        { reason: 'ping-witness-is-node', facts: { address, name: node.name } },
        `${address} is ${node.name} itself: a server always answers its own pings.`,
        remedy,
      ),
    ];
  const module = configuration.modules.find(({ vip }) => [vip].flat().some((one) => one.split('/')[0] === address));
  if (module !== undefined)
    return [
      problem(
        path,
        { reason: 'ping-witness-is-vip', facts: { address, name: module.name } },
        `${address} is the virtual IP of ${module.name}: whoever has it answers itself.`,
        remedy,
      ),
    ];
  if (/^(0|127|22[4-9]|2[3-5]\d)\./.test(address))
    return [
      problem(
        path,
        { reason: 'ping-witness-is-nobody', facts: { address } },
        `${address} is the address of no other machine.`,
        remedy,
      ),
    ];
  return [];
}

const detectionMsMin = 1000;
const detectionMsMax = 60_000;

export function findBrokenRules(configuration: Configuration): ProblemAt[] {
  const found = [
    ...checkMachines(configuration),
    ...checkNetworks(configuration),
    ...checkPingWitness(configuration),
    ...checkModules(configuration),
    ...checkDependencies(configuration),
    ...checkDirectories(configuration),
    ...findBrokenCheckers(configuration),
  ];
  const detection = durationMs(configuration.detection);
  if (detection < detectionMsMin || detection > detectionMsMax) {
    found.push(
      problem(
        ['detection'],
        { reason: 'detection-out-of-range', facts: { value: configuration.detection } },
        `${configuration.detection} is outside of what works.`,
        'Write a time from 1s to 60s.',
      ),
    );
  }
  return found;
}
