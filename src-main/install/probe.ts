/** What a host is, as its answer to the probe script tells. Parsing is pure. */
import { createHash } from 'node:crypto';
import { clusterRecordSchema, nodeRecordSchema, type ClusterRecord } from '../../agent/contract/configuration.ts';
import { Fault } from '../../agent/contract/fault.ts';
import { mountedByUs } from './mount-script.ts';
import type { Architecture } from './packages.ts';
import { watchedUnits } from './probe-script.ts';
import { parseSurroundings, type Surroundings } from './surroundings.ts';

export interface DirectoryProbe {
  readonly path: string;
  readonly type: 'directory' | 'missing' | 'symlink' | 'other';
  readonly parentExists: boolean;
  readonly filesystem: string | null;
  readonly owner: string | null;
  readonly mode: string | null;
  /** SELinux; null where labels mean nothing. */
  readonly label: string | null;
  /** Name of the user that owns it; null where the number has none. */
  readonly ownerName: string | null;
  /** Free for it: on its own file system, or on that of the nearest directory above. */
  readonly availableBytes: number | null;
  /** Programs that have something open there. */
  readonly holders: readonly string[];
  readonly entries: number | null;
  readonly hasRecord: boolean;
  readonly isMountPoint: boolean;
  /** What is mounted there is ours: a cover, or the replicated directory itself. */
  readonly isCovered: boolean;
}

export interface UnitProbe {
  readonly sha256: string;
  readonly active: boolean;
  readonly enabled: boolean;
}

/** A unit of the application. */
export interface ApplicationUnitProbe {
  readonly unit: string;
  readonly known: boolean;
  readonly active: boolean;
  /** Starts by itself when the server boots. */
  readonly startsByItself: boolean;
  /** Debian's PostgreSQL says in a file of its own what starts at boot. */
  readonly startFile: string | null;
}

export interface Probe {
  readonly os: string;
  readonly osName: string;
  readonly system: string;
  readonly kernel: string;
  readonly machine: string;
  readonly architecture: Architecture | null;
  readonly libc: string;
  readonly systemd: boolean;
  readonly isRoot: boolean;
  readonly tools: readonly string[];
  /** 'ok' or why not. */
  readonly fuse: string;
  readonly nft: string | null;
  /** What the kernel cannot do of fencing: 'application-fence', 'kill-at-once'. */
  readonly lacking: readonly string[];
  readonly space: readonly { readonly path: string; readonly availableBytes: number; readonly writable: boolean }[];
  readonly selinuxEnforcing: boolean;
  readonly clockMs: number;
  readonly machineId: string;
  readonly bootId: string;
  readonly addresses: readonly {
    readonly interface: string;
    readonly address: string;
    readonly prefixLength: number;
  }[];
  /** Of the link, in Mbit/s, where the interface tells. */
  readonly speeds: Readonly<Record<string, number>>;
  /** The address that SSH came in on; null when SSH was not the way. */
  readonly sshAddress: string | null;
  readonly memoryBytes: number | null;
  /** Of the user who logs in. */
  readonly loginShell: string;
  /** User name → number. */
  readonly accounts: Readonly<Record<string, number>>;
  /** Firewalls and other cluster software that run. */
  readonly activeUnits: readonly string[];
  /** Our ports that somebody listens on; `program` is empty where it could not be known. */
  readonly takenPorts: readonly { readonly port: number; readonly protocol: string; readonly program: string }[];
  readonly units: readonly ApplicationUnitProbe[];
  readonly directories: readonly DirectoryProbe[];
  readonly surroundings: Surroundings;
  readonly vips: readonly { readonly address: string; readonly answer: 'own' | 'answers' | 'free' | 'unchecked' }[];
  readonly installed: {
    readonly agents: readonly string[];
    readonly runtimes: readonly string[];
    readonly current: string | null;
    readonly runtimeCurrent: string | null;
    readonly scriptSha256: string | null;
    readonly units: Readonly<Record<string, UnitProbe>>;
    readonly node: string | null;
    readonly record: ClusterRecord | null;
    readonly certificate: string | null;
    readonly peers: Readonly<Record<string, string>>;
    readonly secretSha256: string | null;
    readonly witnessSecrets: Readonly<Record<string, string>>;
  };
}

const architectures: Readonly<Record<string, Architecture>> = {
  x86_64: 'x64',
  amd64: 'x64',
  aarch64: 'arm64',
  arm64: 'arm64',
};

type Lines = readonly { readonly key: string; readonly value: string }[];

function decode(output: string): Lines {
  return output.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    if (at <= 0) return [];
    return [{ key: line.slice(0, at), value: Buffer.from(line.slice(at + 1), 'base64').toString('utf8') }];
  });
}

function parsed<T>(parse: (value: unknown) => T, text: string | null): T | null {
  if (text === null) return null;
  try {
    return parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function directories(lines: Lines): DirectoryProbe[] {
  const found: { path: string; values: Map<string, string> }[] = [];
  for (const { key, value } of lines) {
    if (key === 'directory') found.push({ path: value, values: new Map() });
    else if (key.startsWith('dir-')) found.at(-1)?.values.set(key, value);
  }
  return found.map(({ path, values }) => {
    const [owner = null, mode = null] = values.get('dir-owner')?.split(' ') ?? [];
    const label = values.get('dir-label') ?? '';
    const entries = values.get('dir-entries');
    const space = values.get('dir-space');
    const [ownerName = 'UNKNOWN'] = values.get('dir-names')?.split(' ') ?? [];
    // File system type, source and options, as /proc/self/mountinfo ends its lines.
    const mount = (values.get('dir-mount') ?? '').trim();
    return {
      path,
      type: (values.get('dir-type') ?? 'missing') as DirectoryProbe['type'],
      parentExists: values.has('dir-parent'),
      filesystem: values.get('dir-filesystem') ?? null,
      owner,
      mode,
      label: label === '' || label === '?' ? null : label,
      ownerName: ownerName === 'UNKNOWN' ? null : ownerName,
      availableBytes: space === undefined || space === '' ? null : Number(space) * 1024,
      holders: (values.get('dir-holders') ?? '').split(' ').filter((name) => name !== ''),
      entries: entries === undefined ? null : Number(entries),
      hasRecord: values.has('dir-record'),
      isMountPoint: mount !== '',
      isCovered: mountedByUs(mount) !== 'none',
    };
  });
}

function applicationUnits(lines: Lines): ApplicationUnitProbe[] {
  const words = (key: string): string[][] =>
    lines.filter((line) => line.key === key).map(({ value }) => value.split(' '));
  return words('unit-start').map(([unit = '', load = '', active = '', enabled = '']) => {
    const wantedBy = words('unit-wanted').find(([name]) => name === unit);
    return {
      unit,
      known: load !== 'not-found' && load !== '',
      active: active === 'active' || active === 'activating' || active === 'reloading',
      startsByItself: enabled.startsWith('enabled') || wantedBy?.slice(1).some((name) => name.trim() !== '') === true,
      startFile: words('unit-file').find(([name]) => name === unit)?.[1] ?? null,
    };
  });
}

/** `/sys/class/net/eth0/speed:1000` */
function speedsOf(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split('\n').flatMap((line): [string, number][] => {
      const [, name = '', speed = ''] = /^\/sys\/class\/net\/([^/]+)\/speed:(\d+)$/.exec(line) ?? [];
      return Number(speed) > 0 ? [[name, Number(speed)]] : [];
    }),
  );
}

function accountsOf(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const [name = '', id = ''] = line.split(':');
      return name !== '' && /^\d+$/.test(id) ? [[name, Number(id)]] : [];
    }),
  );
}

/** Fault: probe-failed. */
export function parseProbe(host: string, output: string): Probe {
  const lines = decode(output);
  const first = (key: string): string | null => lines.find((line) => line.key === key)?.value ?? null;
  const all = (key: string): string[] => lines.filter((line) => line.key === key).map((line) => line.value);
  if (first('end') !== 'yes') {
    throw new Fault(
      'probe-failed',
      {
        message: `${host} does not answer as a Linux server does.`,
        remedy: 'Look at the server with a usual SSH client.',
      },
      { host, answer: output.slice(0, 500) },
    );
  }
  const activity = (first('active') ?? '').split('\n').map((line) => line.trim());
  const [os = '', osName = ''] = (first('os') ?? '').split('|');
  const machine = first('machine') ?? '';
  const pairs = (key: string): Record<string, string> =>
    Object.fromEntries(
      all(key).map((value) => {
        const [sum = '', name = ''] = value.split(' ');
        return [name, sum];
      }),
    );
  const states = all('unit-state').map((value) => value.split(' '));
  const units = Object.fromEntries(
    Object.entries(pairs('unit-sum')).map(([name, sha256]): [string, UnitProbe] => {
      const state = states.find(([unit]) => unit === name);
      return [name, { sha256, active: state?.[1] === 'active', enabled: state?.[2] === 'enabled' }];
    }),
  );
  return {
    os,
    osName: osName === '' ? os : osName,
    system: first('system') ?? '',
    kernel: first('kernel') ?? '',
    machine,
    architecture: architectures[machine] ?? null,
    libc: first('libc') ?? '',
    systemd: first('systemd') !== null,
    isRoot: first('uid') === '0',
    tools: all('tool'),
    fuse: first('fuse') ?? 'there is no /dev/fuse',
    nft: first('nft'),
    lacking: all('lacking'),
    space: all('space').map((value) => {
      const [path = '', kibibytes = '0', , writable = ''] = value.split(' ');
      return { path, availableBytes: Number(kibibytes) * 1024, writable: writable === 'writable' };
    }),
    selinuxEnforcing: first('selinux')?.trim() === '1',
    clockMs: Math.round(Number(first('clock') ?? '0') * 1000),
    machineId: (first('machine-id') ?? '').trim(),
    bootId: (first('boot-id') ?? '').trim(),
    addresses: all('address').map((value) => {
      const [name = '', cidr = ''] = value.split(' ');
      const [address = '', prefix = '32'] = cidr.split('/');
      return { interface: name, address, prefixLength: Number(prefix) };
    }),
    speeds: speedsOf(first('speeds') ?? ''),
    sshAddress: (first('ssh-connection') ?? '').split(' ')[2] ?? null,
    memoryBytes: Number(first('memory')) > 0 ? Number(first('memory')) * 1024 : null,
    loginShell: (first('shell') ?? '').trim(),
    accounts: accountsOf(first('accounts') ?? ''),
    activeUnits: watchedUnits.filter((_unit, index) => activity[index] === 'active'),
    takenPorts: all('taken').map((value) => {
      const [, port = '0', protocol = '', program = ''] = /^(\d+)\/(\w+) ?(.*)$/.exec(value) ?? [];
      return { port: Number(port), protocol, program };
    }),
    units: applicationUnits(lines),
    directories: directories(lines),
    surroundings: parseSurroundings(lines),
    vips: all('vip').map((value) => {
      const [address = '', answer = 'unchecked'] = value.split(' ');
      return { address, answer: answer as 'own' | 'answers' | 'free' | 'unchecked' };
    }),
    installed: {
      agents: all('agent'),
      runtimes: all('runtime'),
      current: first('current'),
      runtimeCurrent: first('runtime-current'),
      scriptSha256: first('script-sum')?.split(' ')[0] ?? null,
      units,
      node: parsed((value) => nodeRecordSchema.parse(value).node, first('node-record')),
      record: parsed((value) => clusterRecordSchema.parse(value), first('cluster-record')),
      certificate: first('certificate'),
      peers: pairs('peer-sum'),
      secretSha256: first('secret-sum')?.split(' ')[0] ?? null,
      witnessSecrets: pairs('witness-secret'),
    },
  };
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
