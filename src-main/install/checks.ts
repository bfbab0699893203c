/** May Holdfast be installed on these machines, and if not, what is to be mended? Pure: every answer comes from the probes. */
import type { Configuration } from '../../agent/contract/configuration.ts';
import { subnetContains } from '../configuration/index.ts';
import type { DirectoryProbe, Probe } from './probe.ts';

export interface Check {
  /** kebab-case. */
  readonly code: string;
  /** Node name, 'witness', or null for the cluster as a whole. */
  readonly host: string | null;
  readonly title: string;
  readonly ok: boolean;
  /** Ok, but worth knowing. */
  readonly attention: boolean;
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
}

export interface ProbedMachine {
  /** Node name or 'witness'. */
  readonly name: string;
  readonly role: 'node' | 'witness';
  readonly probe: Probe;
  /** Their clock minus ours when the probe ran. */
  readonly clockDifferenceMs: number;
}

interface Words {
  readonly what: string;
  readonly why?: string;
  readonly remedy?: string;
}

function check(code: string, host: string | null, title: string, ok: boolean, words: Words, attention = false): Check {
  return {
    code,
    host,
    title,
    ok,
    attention,
    what: words.what,
    why: words.why ?? '',
    remedy: ok && !attention ? '' : (words.remedy ?? ''),
  };
}

/** '5.14.0-362.el9' ≥ '4.18' */
export function versionAtLeast(version: string, least: string): boolean {
  const numbers = (text: string): number[] => (/\d+(\.\d+)*/.exec(text)?.[0] ?? '0').split('.').map(Number);
  const [have, want] = [numbers(version), numbers(least)];
  for (const [index, part] of want.entries()) {
    const own = have[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

const spaceMarginBytes = 64 * 1024 * 1024;
const clockDifferenceMsMax = 60_000;
const requiredTools = ['tar', 'gzip', 'sha256sum', 'base64', 'systemctl'] as const;

export interface NeededSpace {
  readonly name: string;
  /** In /opt; what is on the server already does not count. */
  readonly bytes: number;
}

function machineChecks(machine: ProbedMachine, neededBytes: number): Check[] {
  const { name, probe, role } = machine;
  const checks: Check[] = [];
  const add = (code: string, title: string, ok: boolean, words: Words, attention = false): void => {
    checks.push(check(code, name, title, ok, words, attention));
  };
  add('operating-system', 'Operating system', probe.system === 'Linux', {
    what: probe.osName === '' ? probe.system : probe.osName,
    why: 'The agent runs on Linux.',
    remedy: 'Use a Linux server.',
  });
  add('kernel', 'Kernel', versionAtLeast(probe.kernel, '4.18'), {
    what: `Linux ${probe.kernel}`,
    why: 'Replication and fencing need what Linux 4.18 brought.',
    remedy: 'Update the server to kernel 4.18 or later.',
  });
  add('architecture', 'Processor', probe.architecture !== null, {
    what: probe.machine,
    why: 'The runtime exists for x86-64 and arm64.',
    remedy: 'Use a server with one of these processors.',
  });
  add('libc', 'C library', /glibc|GNU|GLIBC/.test(probe.libc) && versionAtLeast(probe.libc, '2.28'), {
    what: probe.libc === '' ? 'none found' : probe.libc,
    why: 'The runtime needs glibc 2.28.',
    remedy: 'Use RHEL 8, Debian 11, Ubuntu 20.04, SLES 15 or later.',
  });
  add('systemd', 'systemd', probe.systemd, {
    what: probe.systemd ? 'runs' : 'does not run',
    why: 'systemd starts the agent and keeps it running.',
    remedy: 'Use a server that boots with systemd.',
  });
  const missing = requiredTools.filter((tool) => !probe.tools.includes(tool));
  add('tools', 'Basic commands', missing.length === 0, {
    what: missing.length === 0 ? 'present' : `missing: ${missing.join(', ')}`,
    why: 'The installation uses them.',
    remedy: `Install ${missing.join(', ')} with the package manager of the server.`,
  });
  const home = probe.space.find((space) => space.path === '/opt/holdfast');
  const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MiB`;
  add('disk-space', 'Disk space', home === undefined || home.availableBytes >= neededBytes + spaceMarginBytes, {
    what: `${mebibytes(home?.availableBytes ?? 0)} free for /opt/holdfast, ${mebibytes(neededBytes + spaceMarginBytes)} needed`,
    why: 'The runtime and the agent are unpacked there.',
    remedy: 'Make room on that file system.',
  });
  const readOnly = probe.space.filter((space) => !space.writable).map((space) => space.path);
  add('writable', 'Writable system', readOnly.length === 0, {
    what: readOnly.length === 0 ? 'yes' : `read-only: ${readOnly.join(', ')}`,
    why: 'The agent is installed there.',
    remedy: 'Mount the file system writable.',
  });
  const seconds = Math.round(Math.abs(machine.clockDifferenceMs) / 1000);
  const clockGood = Math.abs(machine.clockDifferenceMs) <= clockDifferenceMsMax;
  add(
    'clock',
    'Clock',
    true,
    {
      what: clockGood ? 'right' : `${seconds} s ${machine.clockDifferenceMs < 0 ? 'behind' : 'ahead of'} this computer`,
      why: 'Nothing is decided by the clock, but the times in the timeline would be wrong.',
      remedy: 'Set the clock, best by a time server.',
    },
    !clockGood,
  );
  if (probe.selinuxEnforcing) {
    add('selinux', 'SELinux', true, { what: 'enforcing; the agent runs unconfined as a service' }, false);
  }
  if (role === 'node') {
    add('fuse', 'FUSE', probe.fuse === 'ok', {
      what: probe.fuse === 'ok' ? 'usable' : probe.fuse,
      why: 'Replicated directories are served through FUSE.',
      remedy: 'Load the kernel module (modprobe fuse); in a container, pass /dev/fuse to it.',
    });
    const network = probe.tools.includes('ip') && probe.nft === 'ok';
    const lacking = [...(probe.tools.includes('ip') ? [] : ['ip']), ...(probe.nft === null ? ['nft'] : [])];
    add('network-tools', 'ip and nft', network, {
      what: network ? 'present' : lacking.length > 0 ? `missing: ${lacking.join(', ')}` : (probe.nft ?? ''),
      why: 'The virtual IP is raised with ip and cut off by nftables when this node loses its right to it.',
      remedy: 'Install the packages iproute2 and nftables.',
    });
  }
  return checks;
}

const refusedFilesystems = [
  'overlayfs',
  'fuseblk',
  'fuse',
  'nfs',
  'nfs4',
  'smb2',
  'cifs',
  'tmpfs',
  'ramfs',
  'squashfs',
  'iso9660',
];

function directoryChecks(machine: ProbedMachine, directory: DirectoryProbe): Check[] {
  const { name } = machine;
  const title = `Directory ${directory.path}`;
  // Below the cover only the agent sees.
  if (directory.isCovered) return [];
  const result = (code: string, ok: boolean, words: Words): Check[] => [check(code, name, title, ok, words)];
  switch (directory.type) {
    case 'symlink':
      return result('directory-is-symlink', false, {
        what: `${directory.path} is a symbolic link`,
        why: 'The directory itself is mounted over; a link leads elsewhere.',
        remedy: 'Write the path that the link points to.',
      });
    case 'other':
      return result('directory-is-file', false, {
        what: `${directory.path} is not a directory`,
        why: 'Whole directories are replicated.',
        remedy: 'Write the directory that holds it.',
      });
    case 'missing':
      return []; // judged together with the other node
    case 'directory':
      break;
  }
  if (directory.isMountPoint) {
    return result('directory-is-mount-point', false, {
      what: `${directory.path} is a mount point`,
      why: 'If its file system were not mounted one day, an empty directory would be taken for the data.',
      remedy: `Put the data into a directory below it, such as ${directory.path}/data.`,
    });
  }
  if (directory.filesystem !== null && refusedFilesystems.includes(directory.filesystem)) {
    return result('directory-filesystem', false, {
      what: `${directory.path} is on ${directory.filesystem}`,
      why: 'Replication needs a local file system that finds files again by handle, such as ext4 or XFS.',
      remedy: 'Move the data to a local disk with ext4 or XFS.',
    });
  }
  return result('directory', true, { what: `on ${directory.filesystem ?? 'a local file system'}` });
}

function sameMachine(a: Probe, b: Probe): boolean {
  return a.bootId !== '' && a.bootId === b.bootId && a.machineId === b.machineId;
}

function clusterChecks(machines: readonly ProbedMachine[], configuration: Configuration): Check[] {
  const checks: Check[] = [];
  machines.forEach((machine, index) => {
    for (const other of machines.slice(0, index)) {
      if (!sameMachine(machine.probe, other.probe)) continue;
      checks.push(
        check('same-server-twice', null, 'Different servers', false, {
          what: `${other.name} and ${machine.name} are the same server`,
          why: 'A server cannot survive its own loss.',
          remedy: 'Give the addresses of different machines.',
        }),
      );
    }
  });
  const nodes = machines.filter((machine) => machine.role === 'node');
  for (const module of configuration.modules) {
    for (const { path } of module.replicate) {
      const probes = nodes.map((node) => node.probe.directories.find((directory) => directory.path === path));
      if (probes.every((probe) => probe?.type === 'missing')) {
        checks.push(
          check('directory-missing', null, `Directory ${path}`, false, {
            what: `${path} exists on neither server`,
            why: 'Holdfast replicates a directory that is there; a wrong path would protect nothing.',
            remedy: `Create it on the server that will run ${module.name} first, or correct the path.`,
          }),
        );
      }
      for (const [index, probe] of probes.entries()) {
        if (probe?.type === 'missing' && !probe.parentExists && probes.some((other) => other?.type === 'directory')) {
          const node = nodes[index]?.name ?? null;
          checks.push(
            check('directory-parent-missing', node, `Directory ${path}`, false, {
              what: `neither ${path} nor the directory above it exists`,
              why: 'The disk that is to hold the data may not be mounted.',
              remedy: 'Mount the disk, or create the directory above.',
            }),
          );
        }
      }
      const filesystems = [
        ...new Set(probes.map((probe) => probe?.filesystem ?? null).filter((type) => type !== null)),
      ];
      const covered = probes.some((probe) => probe?.isCovered === true);
      if (filesystems.length > 1 && !covered) {
        checks.push(
          check('filesystems-differ', null, `Directory ${path}`, false, {
            what: `${path} is on ${filesystems.join(' and on ')}`,
            why: 'Both copies must keep the same names, attributes and limits.',
            remedy: 'Use the same file system on both servers.',
          }),
        );
      }
    }
    for (const vip of [module.vip].flat()) {
      checks.push(...vipChecks(nodes, vip, module.interface));
    }
  }
  return checks;
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
      check('vip-in-use', null, title, false, {
        what: own ? `${address} is already an address of ${own.name}` : `somebody answers at ${address} already`,
        why: 'Two machines with the same address cut each other off.',
        remedy: 'Choose a free address, or take this one away from the machine that has it.',
      }),
    );
  } else {
    checks.push(
      check('vip-free', null, title, true, { what: ours ? 'belongs to this cluster' : 'nobody answers there' }),
    );
  }
  for (const node of nodes) {
    const reachable = node.probe.addresses.some(
      (own) =>
        (wanted === undefined || own.interface === wanted) &&
        subnetContains(`${own.address}/${own.prefixLength}`, address),
    );
    if (!reachable && wanted === undefined) {
      checks.push(
        check('vip-network', node.name, title, false, {
          what: `${node.name} has no interface in the network of ${address}`,
          why: 'The address could not be reached there.',
          remedy: 'Choose an address of a network that both servers are in, or name the interface.',
        }),
      );
    } else if (!reachable && !node.probe.addresses.some((own) => own.interface === wanted)) {
      checks.push(
        check('vip-interface', node.name, title, false, {
          what: `${node.name} has no interface ${wanted ?? ''} with an IPv4 address`,
          why: 'The virtual IP is to be raised there.',
          remedy: `Name one of: ${[...new Set(node.probe.addresses.map((own) => own.interface))].join(', ')}.`,
        }),
      );
    }
  }
  return checks;
}

export function runChecks(
  machines: readonly ProbedMachine[],
  configuration: Configuration,
  needed: readonly NeededSpace[],
): Check[] {
  const perMachine = machines.flatMap((machine) => [
    ...machineChecks(machine, needed.find((one) => one.name === machine.name)?.bytes ?? 0),
    ...(machine.role === 'node'
      ? machine.probe.directories.flatMap((directory) => directoryChecks(machine, directory))
      : []),
  ]);
  return [...perMachine, ...clusterChecks(machines, configuration)];
}
