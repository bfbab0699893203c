/** What one machine is by itself. Pure: every answer comes from its probe. */
import { ports } from '../../agent/contract/configuration.ts';
import { failed, passed, remarked, type Check, type ProbedMachine } from './check.ts';
import { allUnits } from './layout.ts';
import { otherClusterSoftware } from './probe-script.ts';
import type { Probe } from './probe.ts';
import { surroundingsChecks } from './surroundings-checks.ts';
import { compareVersions, versionAtLeast } from './versions.ts';

const spaceMarginBytes = 64 * 1024 * 1024;
/** Both units, and what the kernel keeps for them. */
const memoryBytesMin = 512 * 1024 * 1024;
const requiredTools = ['tar', 'gzip', 'sha256sum', 'base64', 'systemctl'] as const;
const plainShells = ['sh', 'bash', 'dash', 'ash', 'ksh', 'zsh'];

export interface MachineNeeds {
  /** In /opt; what is on the server already does not count. */
  readonly bytes: number;
  /** Of the agent that is to be installed. */
  readonly agentVersion: string | null;
}

function verdict(
  code: string,
  machine: ProbedMachine,
  title: string,
  good: boolean,
  words: { what: string; why: string; remedy: string },
  facts: Check['facts'],
): Check {
  return good
    ? { ...passed(code, machine.name, title, words.what, facts), why: words.why }
    : failed(code, machine.name, title, words, facts);
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 1024 / 1024)} MiB`;

function systemChecks(machine: ProbedMachine): Check[] {
  const { probe } = machine;
  const check = (
    code: string,
    title: string,
    good: boolean,
    words: { what: string; why: string; remedy: string },
    facts: Check['facts'],
  ): Check => verdict(code, machine, title, good, words, facts);
  const missing = requiredTools.filter((tool) => !probe.tools.includes(tool));
  return [
    check(
      'operating-system',
      'Operating system',
      probe.system === 'Linux',
      {
        what: probe.osName === '' ? probe.system : probe.osName,
        why: 'The agent runs on Linux.',
        remedy: 'Use a Linux server.',
      },
      { name: probe.osName, system: probe.system },
    ),
    check(
      'kernel',
      'Kernel',
      versionAtLeast(probe.kernel, '4.18'),
      {
        what: `Linux ${probe.kernel}`,
        why: 'Replication and fencing need what Linux 4.18 brought.',
        remedy: 'Update the server to kernel 4.18 or later.',
      },
      { kernel: probe.kernel, needed: '4.18' },
    ),
    check(
      'architecture',
      'Processor',
      probe.architecture !== null,
      {
        what: probe.machine,
        why: 'The runtime exists for x86-64 and arm64.',
        remedy: 'Use a server with one of these processors.',
      },
      { architecture: probe.machine },
    ),
    check(
      'libc',
      'C library',
      /glibc|GNU|GLIBC/.test(probe.libc) && versionAtLeast(probe.libc, '2.28'),
      {
        what: probe.libc === '' ? 'none found' : probe.libc,
        why: 'The runtime needs glibc 2.28.',
        remedy: 'Use RHEL 8, Debian 11, Ubuntu 20.04, SLES 15 or later.',
      },
      { libc: probe.libc, needed: '2.28' },
    ),
    check(
      'systemd',
      'systemd',
      probe.systemd,
      {
        what: probe.systemd ? 'runs' : 'does not run',
        why: 'systemd starts the agent and keeps it running.',
        remedy: 'Use a server that boots with systemd.',
      },
      { runs: probe.systemd },
    ),
    check(
      'tools',
      'Basic commands',
      missing.length === 0,
      {
        what: missing.length === 0 ? 'present' : `missing: ${missing.join(', ')}`,
        why: 'The installation uses them.',
        remedy: `Install ${missing.join(', ')} with the package manager of the server.`,
      },
      { missing: [...missing] },
    ),
  ];
}

function roomChecks(machine: ProbedMachine, neededBytes: number): Check[] {
  const { probe, name } = machine;
  const home = probe.space.find((space) => space.path === '/opt/holdfast');
  const freeBytes = home?.availableBytes ?? 0;
  const wantedBytes = neededBytes + spaceMarginBytes;
  const readOnly = probe.space.filter((space) => !space.writable).map((space) => space.path);
  const { memoryBytes } = probe;
  return [
    verdict(
      'disk-space',
      machine,
      'Disk space',
      home === undefined || freeBytes >= wantedBytes,
      {
        what: `${mebibytes(freeBytes)} free for /opt/holdfast, ${mebibytes(wantedBytes)} needed`,
        why: 'The runtime and the agent are unpacked there.',
        remedy: 'Make room on that file system.',
      },
      { freeBytes, neededBytes: wantedBytes, path: '/opt/holdfast' },
    ),
    verdict(
      'writable',
      machine,
      'Writable system',
      readOnly.length === 0,
      {
        what: readOnly.length === 0 ? 'yes' : `read-only: ${readOnly.join(', ')}`,
        why: 'The agent is installed there.',
        remedy: 'Mount the file system writable.',
      },
      { readOnly },
    ),
    ...(memoryBytes === null || memoryBytes >= memoryBytesMin
      ? []
      : [
          remarked(
            'memory',
            name,
            'Memory',
            {
              what: mebibytes(memoryBytes),
              why: 'The agent takes about 250 MiB; the application has to live in what is left.',
              remedy: 'Give the server more memory.',
            },
            { memoryBytes, neededBytes: memoryBytesMin },
          ),
        ]),
  ];
}

function nodeChecks(machine: ProbedMachine): Check[] {
  const { probe } = machine;
  const network = probe.tools.includes('ip') && probe.nft === 'ok';
  const lacking = [...(probe.tools.includes('ip') ? [] : ['ip']), ...(probe.nft === null ? ['nft'] : [])];
  return [
    verdict(
      'fuse',
      machine,
      'FUSE',
      probe.fuse === 'ok',
      {
        what: probe.fuse === 'ok' ? 'usable' : probe.fuse,
        why: 'Replicated directories are served through FUSE.',
        remedy: 'Load the kernel module (modprobe fuse); in a container, pass /dev/fuse to it.',
      },
      { said: probe.fuse },
    ),
    verdict(
      'network-tools',
      machine,
      'ip and nft',
      network,
      {
        what: network ? 'present' : lacking.length > 0 ? `missing: ${lacking.join(', ')}` : (probe.nft ?? ''),
        why: 'The virtual IP is raised with ip and cut off by nftables when this node loses its right to it.',
        remedy: 'Install the packages iproute2 and nftables.',
      },
      { missing: lacking, said: probe.nft ?? '' },
    ),
  ];
}

/** What an older kernel cannot do of fencing. Nothing of it is needed for the data or for the virtual address. */
function fenceChecks({ probe, name }: ProbedMachine): Check[] {
  const facts = { kernel: probe.kernel };
  const title = 'Fencing';
  const checks: Check[] = [];
  if (probe.lacking.includes('application-fence'))
    checks.push(
      remarked(
        'application-fence',
        name,
        title,
        {
          what: 'the kernel cannot cut off a whole application',
          why: 'When this server hangs, the virtual IP and the files are cut off in time; connections that the application has opened itself, and clients at other addresses of this server, only when it goes on.',
          remedy: 'Linux 5.13 with control groups version 2 and nft 0.9.9 or later can do it.',
        },
        facts,
      ),
    );
  if (probe.lacking.includes('kill-at-once'))
    checks.push(
      remarked(
        'kill-at-once',
        name,
        title,
        {
          what: 'the kernel cannot end all processes of an application at once',
          why: 'They are ended one after the other, which takes longer when an application starts new ones all the time.',
          remedy: 'Linux 5.14 with control groups version 2 can do it.',
        },
        facts,
      ),
    );
  return checks;
}

/** The agent of this or another Holdfast has them; whoever else does keeps ours from starting. */
function portChecks(machine: ProbedMachine): Check[] {
  const { probe, name, role } = machine;
  if (allUnits.some((unit) => probe.installed.units[unit]?.active === true)) return [];
  const ours: readonly number[] = role === 'node' ? [ports.peerLink, ports.heartbeat] : [ports.witness];
  const taken = probe.takenPorts.filter(({ port }) => ours.includes(port));
  const title = 'Ports';
  if (taken.length === 0)
    return [passed('ports', name, title, `${ours.join(' and ')} are free`, { ports: ours.map(String) })];
  return taken.map(({ port, protocol, program }) =>
    failed(
      'port-taken',
      name,
      title,
      {
        what: `${program === '' ? 'another program' : program} listens on ${protocol} port ${port} already`,
        why: 'The servers speak to each other on this port.',
        remedy: `Stop that program, or give it another port. Look with: ss -lnp 'sport = :${port}'`,
      },
      { port, protocol, program },
    ),
  );
}

function habitChecks(machine: ProbedMachine): Check[] {
  const { probe, name, role } = machine;
  const checks: Check[] = [];
  const shell = probe.loginShell.split('/').at(-1) ?? '';
  if (shell !== '' && !plainShells.includes(shell)) {
    const what = `${probe.loginShell}; commands run in /bin/sh, whatever the login shell is`;
    checks.push(passed('login-shell', name, 'Login shell', what, { shell: probe.loginShell }));
  }
  const others = probe.activeUnits.filter((unit) => otherClusterSoftware.some((other) => other === unit));
  if (role === 'node' && others.length > 0) {
    checks.push(
      remarked(
        'other-cluster-software',
        name,
        'Other cluster software',
        {
          what: `${others.join(' and ')} ${others.length === 1 ? 'runs' : 'run'} here`,
          why: 'Two programs that move the same address or the same application work against each other.',
          remedy: `Stop what is not needed any more: systemctl disable --now ${others.join(' ')}`,
        },
        { programs: others },
      ),
    );
  }
  return checks;
}

/** '0.2.0-1a2b3c4d5e6f' → '0.2.0'; the version of an agent in its name. */
function versionOf(id: string): string {
  return id.replace(/-[0-9a-f]{12}$/, '');
}

function agentChecks({ name, probe }: ProbedMachine, agentVersion: string | null): Check[] {
  const { current } = probe.installed;
  if (current === null || agentVersion === null || compareVersions(versionOf(current), agentVersion) <= 0) return [];
  const installed = versionOf(current);
  return [
    remarked(
      'agent-newer',
      name,
      'Agent version',
      {
        what: `the agent here is ${installed}, this program brings ${agentVersion}`,
        why: 'The older agent may not know what the newer one has stored.',
        remedy: `Use Holdfast ${installed} or later on this computer.`,
      },
      { installed, brought: agentVersion },
    ),
  ];
}

export function machineChecks(machine: ProbedMachine, needs: MachineNeeds): Check[] {
  return [
    ...systemChecks(machine),
    ...roomChecks(machine, needs.bytes),
    ...portChecks(machine),
    ...agentChecks(machine, needs.agentVersion),
    ...habitChecks(machine),
    ...surroundingsChecks(machine),
    ...(machine.role === 'node' ? [...nodeChecks(machine), ...fenceChecks(machine)] : []),
  ];
}

const clockDifferenceMsMax = 60_000;
/** Servers that differ from this computer by the same: then it is this computer's clock. */
const sameDifferenceMs = 10_000;

export function clockChecks(machines: readonly ProbedMachine[]): Check[] {
  const title = 'Clock';
  const why = 'Nothing is decided by the clock, but the times in the timeline would be wrong.';
  const wrong = (ms: number): boolean => Math.abs(ms) > clockDifferenceMsMax;
  const differences = machines.map(({ clockDifferenceMs }) => clockDifferenceMs);
  const first = differences[0] ?? 0;
  const allAlike = differences.every((ms) => Math.abs(ms - first) <= sameDifferenceMs);
  const words = (ms: number): string => `${Math.round(Math.abs(ms) / 1000)} s ${ms < 0 ? 'behind' : 'ahead of'}`;
  const facts = (ms: number): Check['facts'] => ({ seconds: Math.round(ms / 1000) });
  if (machines.length > 1 && wrong(first) && allAlike) {
    return [
      remarked(
        'clock-of-this-computer',
        null,
        title,
        {
          what: `the servers agree, and are ${words(first)} this computer`,
          why,
          remedy: 'Set the clock of this computer.',
        },
        facts(first),
      ),
    ];
  }
  return machines.map(({ name, clockDifferenceMs }) =>
    wrong(clockDifferenceMs)
      ? remarked(
          'clock',
          name,
          title,
          { what: `${words(clockDifferenceMs)} this computer`, why, remedy: 'Set the clock, best by a time server.' },
          facts(clockDifferenceMs),
        )
      : passed('clock', name, title, 'right', facts(clockDifferenceMs)),
  );
}

export function sameMachine(a: Probe, b: Probe): boolean {
  return a.bootId !== '' && a.bootId === b.bootId && a.machineId === b.machineId;
}
