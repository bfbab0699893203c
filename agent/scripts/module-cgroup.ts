/**
 * Everything that a module's scripts have started and left behind, however it forked: on systemd hosts it lives in the module's own slice. One
 * write ends all of it (`cgroup.kill`, Linux 5.14); older kernels are asked for the processes again until there are none.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Pure version 2, and the mixed hierarchy of older hosts, where systemd keeps its slices in its own. */
const hierarchies = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd'];
/** A process that forks while it is being killed has ended after so many looks, or it is in the kernel. */
const roundsMax = 20;
const roundMs = 25;

export interface LeftProcess {
  readonly pid: number;
  readonly name: string;
  /** When it was started, in the kernel's own count: a number of a process is used again, the two together are not. */
  readonly startTicks: string;
}

/** In unit names a hyphen makes a hierarchy: without the escape ending module `a` would end `a-b` as well. */
export function sliceOf(module: string): string {
  return `holdfast-${module.replaceAll('-', '\\x2d')}.slice`;
}

/** Null: nothing was started in it, or everything has ended. */
export function findModuleCgroup(module: string, roots: readonly string[] = hierarchies): string | null {
  const places = roots.map((root) => path.join(root, 'holdfast.slice', sliceOf(module)));
  return places.find((place) => existsSync(path.join(place, 'cgroup.procs'))) ?? null;
}

export async function processesIn(cgroup: string): Promise<readonly LeftProcess[]> {
  const groups = await readdir(cgroup, { withFileTypes: true, recursive: true }).catch(() => []);
  const directories = [
    cgroup,
    ...groups.filter((one) => one.isDirectory()).map((one) => path.join(one.parentPath, one.name)),
  ];
  const lists = await Promise.all(
    directories.map((one) => readFile(path.join(one, 'cgroup.procs'), 'utf8').catch(() => '')),
  );
  const pids = lists.flatMap((text) => text.split('\n').filter((line) => line !== ''));
  const found = await Promise.all(
    pids.map(async (pid) => ({
      pid: Number(pid),
      name: (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim(),
      ...parseProcessStat(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')),
    })),
  );
  // Whom nobody has waited for yet has ended; version 1 lists it all the same.
  return found.filter(({ state }) => state !== 'Z').map(({ pid, name, startTicks }) => ({ pid, name, startTicks }));
}

/** `man 5 proc`, fields 3 and 22; the name before them may hold anything, closing parentheses included. */
export function parseProcessStat(text: string): { readonly state: string; readonly startTicks: string } {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  return { state: fields[0] ?? '', startTicks: fields[19] ?? '' };
}

/** Returns whom it ended. What sits in an unanswered system call ends when that is answered. */
export async function killProcessesIn(cgroup: string): Promise<readonly LeftProcess[]> {
  const found = await processesIn(cgroup);
  if (found.length === 0) return found;
  const atOnce = await writeFile(path.join(cgroup, 'cgroup.kill'), '1').then(
    () => true,
    () => false,
  );
  for (let round = 0, left = found; left.length > 0 && round < roundsMax; round++) {
    if (!atOnce) for (const { pid } of left) killOne(pid);
    await new Promise((resolve) => setTimeout(resolve, roundMs));
    left = await processesIn(cgroup);
  }
  return found;
}

function killOne(pid: number): void {
  try {
    if (pid > 1 && pid !== process.pid) process.kill(pid, 'SIGKILL');
  } catch {
    // Ended meanwhile.
  }
}
