/** What on a server gets in the way of a replicated directory. Pure: every answer comes from the probe. */
import { failed, passed, remarked, type Check, type CheckedModule, type ProbedMachine } from './check.ts';
import { mountBelow, nameOf, namespacesBeside, type PermissionGroup, type SeenMount } from './surroundings.ts';
import { versionAtLeast } from './versions.ts';

/** Asked by the kernel as well, and neither opens files nor waits for anybody. */
const notScanners = ['fapolicyd', 'systemd-readahead'];

function scannersOf({ probe }: ProbedMachine, disks: readonly (SeenMount | undefined)[]): string[] {
  const looksAt = ({ marks }: PermissionGroup): boolean =>
    marks.some(({ kind, of }) => disks.some((disk) => (kind === 'mount' ? disk?.id === of : disk?.device === of)));
  const groups = probe.surroundings.permissionGroups.filter(
    (group) => !notScanners.includes(group.program) && (disks.length === 0 || looksAt(group)),
  );
  return [...new Set([...probe.surroundings.scanners, ...groups.map(({ program }) => program)])];
}

/** Exact where the tool is public and its words are stable; the others are told what to enter. */
function exclusion(scanner: string, path: string): string {
  switch (scanner) {
    case 'clamonacc':
      return `In /etc/clamav/clamd.conf (clamd.d/scan.conf): OnAccessExcludePath ${path}, then restart clamonacc.`;
    case 'wdavdaemon':
    case 'mdatp':
      return `mdatp exclusion folder add --path ${path} --scope global; mdatp exclusion process add --path /opt/holdfast/node/node --scope global`;
    default:
      return `In the console of ${scanner}, exclude the folder ${path} and the process /opt/holdfast/node/node from scanning on access.`;
  }
}

function scannerChecks(machine: ProbedMachine, directories: readonly string[]): Check[] {
  const disks = directories.map((path) => mountBelow(machine.probe.surroundings, path));
  const scanners = scannersOf(machine, disks);
  if (scanners.length === 0 || directories.length === 0) return [];
  const remedies = directories.flatMap((path) => scanners.map((scanner) => exclusion(scanner, path)));
  return [
    remarked(
      'on-access-scanner',
      machine.name,
      'Scanning on access',
      {
        what: `${scanners.join(' and ')} may look into every file that is opened`,
        why: 'It waits for files that Holdfast serves, and Holdfast waits for its permission to open what is below: both would wait for ever.',
        remedy: remedies.join(' '),
      },
      { programs: scanners, directories: [...directories], remedies },
    ),
  ];
}

function executionChecks({ name, probe }: ProbedMachine): Check[] {
  const forbidden = probe.surroundings.mountOptions.filter(({ options }) => options.includes('noexec'));
  return forbidden.map(({ path }) =>
    failed(
      'mount-noexec',
      name,
      'Programs may run',
      {
        what: `the file system of ${path} is mounted with noexec`,
        why: 'The agent and its command are started from there.',
        remedy: `mount -o remount,exec "$(df -P $(dirname ${path}) | awk 'NR == 2 { print $6 }')", and take noexec out of its line in /etc/fstab.`,
      },
      { path },
    ),
  );
}

function trustChecks({ name, probe }: ProbedMachine): Check[] {
  const { fapolicyd } = probe.surroundings;
  if (fapolicyd === null) return [];
  if (fapolicyd === 'active')
    return [
      passed(
        'fapolicyd',
        name,
        'fapolicyd',
        'runs; the installation makes the files of the agent known to it. Scripts of your own: fapolicyd-cli --file add SCRIPT && fapolicyd-cli --update',
        { active: true },
      ),
    ];
  return [
    failed(
      'fapolicyd-command-missing',
      name,
      'fapolicyd',
      {
        what: 'fapolicyd runs, and its command fapolicyd-cli is missing',
        why: 'The files of the agent have to be made known to it, or it does not let them start.',
        remedy:
          'Install fapolicyd-cli (it comes with the package fapolicyd), or stop fapolicyd: systemctl stop fapolicyd',
      },
      { active: true },
    ),
  ];
}

function containerChecks({ name, probe }: ProbedMachine, directories: readonly string[]): Check[] {
  return directories.flatMap((path) => {
    const beside = namespacesBeside(probe.surroundings, path).map(nameOf);
    if (beside.length === 0) return [];
    const containers = [...new Set(beside)];
    return [
      failed(
        'container-without-rslave',
        name,
        `Directory ${path}`,
        {
          what: `${containers.join(', ')} ${containers.length === 1 ? 'has' : 'have'} ${path} in mounts that do not follow those of the server`,
          why: 'It would go on writing below the replicated directory: past the other server, and into a copy that has to stay as it is.',
          remedy: `Stop it for the installation, and give it the directory with rslave: docker run -v ${path}:${path}:rslave (in a compose file: bind: { propagation: rslave }).`,
        },
        { path, containers },
      ),
    ];
  });
}

function selinuxChecks({ name, probe }: ProbedMachine): Check[] {
  if (!probe.selinuxEnforcing && probe.surroundings.labels.length === 0) return [];
  const { labels } = probe.surroundings;
  const checks = [
    passed(
      'selinux',
      name,
      'SELinux',
      `${probe.selinuxEnforcing ? 'enforcing' : 'on'}; the agent runs unconfined as a service, and replicated directories keep their label`,
      { enforcing: probe.selinuxEnforcing, labels: labels.map(({ label }) => label) },
    ),
  ];
  checks.push(...codeChecks(name, probe.selinuxEnforcing, probe.surroundings.booleans));
  for (const { path, label, byPolicy } of labels) {
    if (byPolicy === null || typeOf(byPolicy) === typeOf(label)) continue;
    const command = `semanage fcontext -a -t ${typeOf(label)} '${path}(/.*)?'`;
    checks.push(
      remarked(
        'selinux-label',
        name,
        `Directory ${path}`,
        {
          what: `${path} has the label ${typeOf(label)}, and ${typeOf(byPolicy)} by the policy of the server`,
          why: 'When the server is labelled anew, the directory loses this label, and the application its data.',
          remedy: command,
        },
        { path, label: typeOf(label), byPolicy: typeOf(byPolicy), command },
      ),
    );
  }
  return checks;
}

/** Debian's policy forbids it unless a switch is on, that of Fedora and RHEL only when one is. */
function codeChecks(name: string, enforcing: boolean, booleans: Readonly<Record<string, boolean>>): Check[] {
  const remedy =
    booleans['allow_execmem'] === false
      ? 'setsebool -P allow_execmem on'
      : booleans['deny_execmem'] === true
        ? 'setsebool -P deny_execmem off'
        : null;
  if (remedy === null || !enforcing) return [];
  return [
    failed(
      'selinux-execmem',
      name,
      'SELinux',
      {
        what: 'the policy lets no service run code that it has made itself (execmem)',
        why: 'The runtime of the agent translates its program while it runs, and is ended by the kernel otherwise.',
        remedy,
      },
      { command: remedy },
    ),
  ];
}

/** 'system_u:object_r:postgresql_db_t:s0' → 'postgresql_db_t' */
function typeOf(label: string): string {
  return label.split(':')[2] ?? label;
}

/** What an older kernel costs; features of the mount itself are asked of the kernel, because distributions take them back into old ones. */
function kernelChecks({ name, probe }: ProbedMachine): Check[] {
  if (versionAtLeast(probe.kernel, '5.8')) return [];
  return [
    remarked(
      'kernel-without-sync-errors',
      name,
      'Kernel',
      {
        what: `Linux ${probe.kernel} does not tell when data could not be written to a disk`,
        why: 'After every absence of the other server all data is compared, instead of what was changed meanwhile.',
        remedy: 'Linux 5.8 or later tells it.',
      },
      { kernel: probe.kernel, needed: '5.8' },
    ),
  ];
}

export function surroundingsChecks(machine: ProbedMachine): Check[] {
  const common = [...executionChecks(machine), ...trustChecks(machine), ...selinuxChecks(machine)];
  if (machine.role !== 'node') return common;
  const directories = machine.probe.directories.map(({ path }) => path);
  const uncovered = machine.probe.directories.filter(({ isCovered }) => !isCovered).map(({ path }) => path);
  return [
    ...common,
    ...kernelChecks(machine),
    ...scannerChecks(machine, directories),
    ...containerChecks(machine, uncovered),
  ];
}

/** The application finds its data under the label that the other server gave it, or not at all. */
export function labelChecks(nodes: readonly ProbedMachine[], path: string): Check[] {
  const found = nodes.flatMap((machine) => {
    const exists = machine.probe.directories.some(
      (one) => one.path === path && one.type === 'directory' && !one.isCovered,
    );
    const label = machine.probe.surroundings.labels.find((one) => one.path === path)?.label;
    return exists && label !== undefined ? [{ name: machine.name, type: typeOf(label) }] : [];
  });
  const [first, second] = found;
  if (first === undefined || second === undefined || first.type === second.type) return [];
  const command = `semanage fcontext -a -t ${first.type} '${path}(/.*)?' && restorecon -R ${path}`;
  return [
    failed(
      'selinux-labels-differ',
      second.name,
      `Directory ${path}`,
      {
        what: `${path} has the label ${second.type}, and ${first.type} on ${first.name}`,
        why: 'A confined application that may use it on one server may not on the other.',
        remedy: `On the server where it is wrong, for example: ${command}`,
      },
      { path, label: second.type, otherLabel: first.type, other: first.name, command },
    ),
  ];
}

const startsContainers = /\b(docker|podman|nerdctl)(?:-compose)?\s+(?:\S+\s+)*?(run|start|up|create)\b/;

/** What a start command has to say of the directory when it runs a container with it. */
export function containerStartChecks(module: CheckedModule): Check[] {
  const tool = startsContainers.exec(module.startCommand)?.[1];
  if (tool === undefined) return [];
  const words = module.startCommand.split(/[\s'"]+/).filter((word) => /r(slave|shared)$/.test(word));
  const told = module.directories.filter((path) => !words.some((word) => word.includes(`${path}:`)));
  if (told.length === 0) return [];
  return [
    remarked(
      'container-propagation',
      null,
      `Start of ${module.name}`,
      {
        what: `${module.name} is started with ${tool}, which is not seen to pass ${told.join(' and ')} with rslave`,
        why: 'A container that is not stopped with the module would go on seeing a directory that is served no more.',
        remedy: `${told.map((path) => `-v ${path}:${path}:rslave`).join(' ')}, and --restart=no: the module decides where it runs.`,
      },
      { module: module.name, tool, directories: told },
    ),
  ];
}
