/**
 * Where an application lives, as the kernel sees it: the module's own slice with everything that its start script left behind, and the services that its start
 * command names, which systemd keeps elsewhere. Told by the numbers that the kernel gives its control groups; a number is never used again.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { KnownApplication } from './known-applications.ts';
import { KnownApplications } from './known-applications.ts';
import { sliceOf } from './module-cgroup.ts';
import {
  applicationUnits,
  dismissedUnits,
  dismissUnitsCommand,
  ofTheMachine,
  parseUnits,
  showUnitsCommand,
} from './service-manager-units.ts';

/** Pure version 2, and version 2 beside version 1: only version 2 has numbers that the packet filter knows. */
const unifiedHierarchies = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'];
/** Where systemd keeps its groups on a host that has version 1 only: processes can be ended there, not told apart by the packet filter. */
const formerHierarchy = '/sys/fs/cgroup/systemd';

export function unifiedHierarchy(roots: readonly string[] = unifiedHierarchies): string | null {
  return (
    roots.find(
      (root) => existsSync(path.join(root, 'cgroup.procs')) && existsSync(path.join(root, 'cgroup.controllers')),
    ) ?? null
  );
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

export interface ApplicationGroupsOptions {
  /** Runs a command and resolves with what it printed. */
  readonly run: (argv: readonly string[]) => Promise<string>;
  /** Keeps what was learned while this process is away. */
  readonly known?: KnownApplications;
  readonly hierarchy?: string | null;
  readonly formerHierarchy?: string;
}

export class ApplicationGroups {
  private readonly run: (argv: readonly string[]) => Promise<string>;
  private readonly hierarchy: string | null;
  /** Where processes are found; with version 1 another place than where numbers are. */
  private readonly processes: string;
  private readonly known: KnownApplications;

  constructor(options: ApplicationGroupsOptions) {
    this.run = options.run;
    this.known = options.known ?? new KnownApplications(null);
    this.hierarchy = options.hierarchy === undefined ? unifiedHierarchy() : options.hierarchy;
    this.processes = this.hierarchy ?? options.formerHierarchy ?? formerHierarchy;
  }

  /** Asks where the services of this application run now; none: forgets it. */
  async learn(module: string, units: readonly string[]): Promise<void> {
    if (units.length === 0) {
      this.known.forget(module);
      return;
    }
    const own = applicationUnits(units);
    const guess = own.map(usualPath);
    const former = this.known.get(module);
    // Where it was found before goes on to count until there is an answer: an answer that fails to come must not lift a guard.
    const paths = [...new Set([...guess, ...(former?.paths ?? [])])];
    const first: KnownApplication = { units: dismissedUnits(units), paths, answered: own.length === 0 };
    this.known.set(module, first);
    if (own.length === 0) return;
    const shown = parseUnits(await this.run(showUnitsCommand(own)));
    const parts = applicationUnits(shown.flatMap(({ consistsOf }) => consistsOf));
    const more = parts.length === 0 ? [] : parseUnits(await this.run(showUnitsCommand(parts)));
    // Another name of a service of the machine is that service: judged by what systemd itself calls it, and where it keeps it.
    const found = [...shown, ...more].filter(({ id, controlGroup }) => id !== '' && controlGroup.endsWith(`/${id}`));
    const foreign = new Set([...shown, ...more].map(({ id }) => id).filter((id) => ofTheMachine(id)));
    this.known.set(module, {
      units: first.units.filter((unit) => !foreign.has(unit)),
      paths: [...new Set([...guess, ...found.filter(({ id }) => !foreign.has(id)).map((one) => one.controlGroup)])],
      answered: true,
    });
  }

  /** Whether it is known, from the service manager's own answer. */
  knows(module: string): boolean {
    return this.known.get(module)?.answered ?? false;
  }

  /** Tells the service manager that none of its services is wanted any more; not waited for. */
  async dismiss(module: string): Promise<void> {
    const others = this.known.others(module).flatMap(({ units }) => units);
    const units = (this.known.get(module)?.units ?? []).filter((unit) => !others.includes(unit));
    if (units.length > 0) await this.run(dismissUnitsCommand(units));
  }

  /** Directories of the control groups that exist at this instant, whose processes are the application's. */
  directories(module: string): readonly string[] {
    // What another application has as well cannot be cut off or ended with this one.
    const others = new Set(this.known.others(module).flatMap(({ paths }) => paths));
    const own = (this.known.get(module)?.paths ?? []).filter((one) => !others.has(one));
    return [slicePath(module), ...own].map((one) => path.join(this.processes, one)).filter((one) => existsSync(one));
  }

  /** Of what was started, not of the slice around it: that one stays over the next start, and those numbers must never come again. */
  numbers(module: string): readonly bigint[] {
    if (this.hierarchy === null) return [];
    const slice = slicePath(module);
    return this.directories(module)
      .flatMap((directory) => (directory.endsWith(slice) ? childrenOf(directory) : [directory]))
      .flatMap((directory) => {
        const stat = statSync(directory, { bigint: true, throwIfNoEntry: false });
        return stat === undefined ? [] : [stat.ino];
      });
  }
}
