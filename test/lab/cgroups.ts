/** One cgroup per lab, one per host inside: power cut and freeze are one write each, and a clean-up finds every process. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Fault } from '../../agent/contract/fault.ts';
import { until } from './process.ts';

/** Pure cgroup v2 has one hierarchy; hybrid machines have it beside the named one of systemd, and nspawn uses both. */
function hierarchies(): { unified: string; all: string[] } {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) return { unified: '/sys/fs/cgroup', all: ['/sys/fs/cgroup'] };
  const unified = '/sys/fs/cgroup/unified';
  if (!existsSync(path.join(unified, 'cgroup.controllers'))) {
    throw new Fault('lab-no-cgroup', {
      message: 'no cgroup v2 hierarchy is mounted',
      remedy: 'mount -t cgroup2 none /sys/fs/cgroup',
    });
  }
  return { unified, all: existsSync('/sys/fs/cgroup/systemd') ? [unified, '/sys/fs/cgroup/systemd'] : [unified] };
}

export function unifiedPath(...names: string[]): string {
  return path.join(hierarchies().unified, ...names);
}

/** The files that a process writes `0` to in order to join a group. */
export function groupFiles(...names: string[]): string[] {
  return hierarchies().all.map((root) => path.join(root, ...names, 'cgroup.procs'));
}

/** Creates the group in each hierarchy and returns its files. */
export function makeGroup(...names: string[]): string[] {
  const files = groupFiles(...names);
  for (const file of files) mkdirSync(path.dirname(file), { recursive: true });
  return files;
}

/** Wraps a command so that it runs inside a group: the process joins before it becomes the command. */
export function insideGroup(procsFiles: readonly string[], argv: readonly string[]): string[] {
  const join = procsFiles.map((_, index) => `echo 0 > "\${${index + 1}}"`).join(' && ');
  const script = `${join} && shift ${procsFiles.length} && exec "$@"`;
  return ['sh', '-c', script, 'sh', ...procsFiles, ...argv];
}

export function joinGroup(procsFiles: readonly string[]): void {
  for (const file of procsFiles) writeFileSync(file, '0');
}

function eventOf(group: string, key: 'populated' | 'frozen'): boolean | undefined {
  try {
    return readFileSync(path.join(group, 'cgroup.events'), 'utf8').includes(`${key} 1`);
  } catch {
    return undefined;
  }
}

export function isPopulated(...names: string[]): boolean {
  return eventOf(unifiedPath(...names), 'populated') ?? false;
}

export function isFrozen(...names: string[]): boolean {
  return eventOf(unifiedPath(...names), 'frozen') ?? false;
}

/** Returns once everything in the group stands still, or after `patienceMs`: a task in a long system call stops when it returns. */
export async function setFrozen(frozen: boolean, patienceMs: number, ...names: string[]): Promise<void> {
  const group = unifiedPath(...names);
  if (!existsSync(group)) return;
  writeFileSync(path.join(group, 'cgroup.freeze'), frozen ? '1' : '0');
  await until(
    `${group} ${frozen ? 'frozen' : 'thawed'}`,
    patienceMs,
    () => eventOf(group, 'frozen') === frozen,
    2,
  ).catch(() => undefined);
}

function removeTree(group: string): void {
  if (!existsSync(group)) return;
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(path.join(group, entry.name));
  }
  rmdirSync(group);
}

/** Kills every process of the group, waits until none is left, removes the group. */
export async function killGroup(...names: string[]): Promise<void> {
  const group = unifiedPath(...names);
  if (existsSync(group)) {
    writeFileSync(path.join(group, 'cgroup.kill'), '1');
    await until(`the processes of ${group} end`, 15_000, () => eventOf(group, 'populated') !== true, 3);
  }
  for (const root of hierarchies().all) {
    const tree = path.join(root, ...names);
    // A process that is being reaped keeps its group for another moment.
    await until(`${tree} can be removed`, 5000, () => {
      try {
        removeTree(tree);
        return true;
      } catch {
        return false;
      }
    });
  }
}
