/**
 * Where an application lives, as the kernel sees it: the module's own slice with everything that its start script left behind, and the services that its start
 * command names, which systemd keeps elsewhere. Told by the numbers that the kernel gives its control groups; a number is never used again.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { sliceOf } from './module-cgroup.ts';

/** Pure version 2, and version 2 beside version 1: only version 2 has numbers that the packet filter knows. */
const unifiedHierarchies = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];

export function unifiedHierarchy(roots: readonly string[] = unifiedHierarchies): string | null {
  return (
    roots.find(
      (root) => existsSync(path.join(root, 'cgroup.procs')) && existsSync(path.join(root, 'cgroup.controllers')),
    ) ?? null
  );
}

export const showUnitsCommand = (units: readonly string[]): readonly string[] => [
  'systemctl',
  'show',
  '--property=Id,ControlGroup,ConsistsOf',
  '--',
  ...units,
];

/** Without it a service that is to be restarted when it fails would be, at once. */
export const dismissUnitsCommand = (units: readonly string[]): readonly string[] => [
  'systemctl',
  'stop',
  '--no-block',
  '--',
  ...units,
];

export interface ShownUnit {
  /** '' while it does not run. */
  readonly controlGroup: string;
  /** What is started and stopped together with it: a `postgresql.service` is only the name for its instances. */
  readonly consistsOf: readonly string[];
}

export function parseUnits(stdout: string): readonly ShownUnit[] {
  return stdout
    .split(/\n\s*\n/)
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1]?.trim() ?? '';
      return {
        controlGroup: value('ControlGroup'),
        consistsOf: value('ConsistsOf')
          .split(/\s+/)
          .filter((unit) => unit.endsWith('.service')),
      };
    });
}

/** What belongs to the machine is never taken for an application, whatever a start command restarts on its way. */
const ofTheMachine =
  /^(holdfast[\w-]*|systemd-[\w-]+|dbus(-broker)?|sshd?|NetworkManager|networking|firewalld|nftables|crond?)(@.*)?\.service$/;

export function applicationUnits(units: readonly string[]): readonly string[] {
  return units.filter((unit) => unit.endsWith('.service') && !ofTheMachine.test(unit));
}

/** Where systemd keeps a service that is in no slice of its own: a guess that is right before it was asked. */
const usualPath = (unit: string): string => `/system.slice/${unit}`;
const slicePath = (module: string): string => `/holdfast.slice/${sliceOf(module)}`;

function childrenOf(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => path.join(directory, entry.name));
  } catch {
    // Ended meanwhile.
    return [];
  }
}

export class ApplicationGroups {
  private readonly run: (argv: readonly string[]) => Promise<string>;
  private readonly hierarchy: string | null;
  private readonly learned = new Map<
    string,
    { readonly units: readonly string[]; readonly paths: ReadonlySet<string> }
  >();

  /** `run` runs a command and resolves with what it printed. */
  constructor(run: (argv: readonly string[]) => Promise<string>, hierarchy: string | null = unifiedHierarchy()) {
    this.run = run;
    this.hierarchy = hierarchy;
  }

  /** Asks where the services of this application run now. */
  async learn(module: string, units: readonly string[]): Promise<void> {
    const own = applicationUnits(units);
    const paths = new Set(own.map(usualPath));
    this.learned.set(module, { units: own, paths });
    if (own.length === 0) return;
    const shown = parseUnits(await this.run(showUnitsCommand(own)));
    const parts = applicationUnits(shown.flatMap(({ consistsOf }) => consistsOf));
    const more = parts.length === 0 ? [] : parseUnits(await this.run(showUnitsCommand(parts)));
    for (const { controlGroup } of [...shown, ...more])
      if (controlGroup.startsWith('/system.slice/')) paths.add(controlGroup);
  }

  /** Tells the service manager that none of its services is wanted any more; not waited for. */
  async dismiss(module: string): Promise<void> {
    const units = this.learned.get(module)?.units ?? [];
    if (units.length > 0) await this.run(dismissUnitsCommand(units));
  }

  /** Directories of the control groups that exist at this instant. */
  directories(module: string): readonly string[] {
    if (this.hierarchy === null) return [];
    const paths = [slicePath(module), ...(this.learned.get(module)?.paths ?? [])];
    const root = this.hierarchy;
    return paths.map((one) => path.join(root, one)).filter((one) => existsSync(one));
  }

  /** Of what was started, not of the slice around it: that one stays over the next start, and those numbers must never come again. */
  numbers(module: string): readonly bigint[] {
    const slice = slicePath(module);
    return this.directories(module)
      .flatMap((directory) => (directory.endsWith(slice) ? childrenOf(directory) : [directory]))
      .flatMap((directory) => {
        const stat = statSync(directory, { bigint: true, throwIfNoEntry: false });
        return stat === undefined ? [] : [stat.ino];
      });
  }
}
