/** The last means: when the replicator does not answer, or the application does not let go of its directory. */
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import type { CommandRunner } from '../network/index.ts';
import { fuseConnections, parseMountTable } from './mount-table.ts';
import type { Rescue, Timers } from './ports.ts';

const politeMs = 2000;
const killedMs = 1000;
const pollMs = 50;
const mountsPerPathMax = 8;

interface Holder {
  readonly pid: number;
  readonly name: string;
}

export function hostRescue(run: CommandRunner, timers: Timers): Rescue {
  async function holders(path: string): Promise<readonly Holder[]> {
    const found: Holder[] = [];
    for (const entry of await readdir('/proc')) {
      const pid = Number(entry);
      if (!Number.isInteger(pid) || pid <= 1 || pid === process.pid) continue;
      if (await holds(pid, path)) found.push({ pid, name: await nameOf(pid) });
    }
    return found;
  }

  async function waitUntilGone(path: string, patienceMs: number): Promise<boolean> {
    for (let passedMs = 0; passedMs < patienceMs; passedMs += pollMs) {
      if ((await holders(path)).length === 0) return true;
      await timers.delay(pollMs);
    }
    return false;
  }

  async function killHolders(path: string): Promise<readonly Holder[]> {
    const killed = await holders(path);
    signal(killed, 'SIGTERM');
    if (killed.length === 0 || (await waitUntilGone(path, politeMs))) return killed;
    signal(await holders(path), 'SIGKILL');
    await waitUntilGone(path, killedMs);
    return killed;
  }

  async function abortMounts(path: string): Promise<void> {
    const table = async () => parseMountTable(await readFile('/proc/self/mountinfo', 'utf8'));
    // Requests that nobody answers any more get an error: without this a process inside one cannot even be killed.
    for (const connection of fuseConnections(await table(), path))
      await writeFile(`/sys/fs/fuse/connections/${connection}/abort`, '1').catch(() => undefined);
    signal(await holders(path), 'SIGKILL');
    for (let round = 0; round < mountsPerPathMax && fuseConnections(await table(), path).length > 0; round++)
      await run(['umount', '--lazy', path]);
  }

  return { holders, killHolders, abortMounts };
}

function signal(processes: readonly Holder[], name: NodeJS.Signals): void {
  for (const { pid } of processes)
    try {
      process.kill(pid, name);
    } catch {
      // Ended meanwhile.
    }
}

/** Only names are compared: to ask the filesystem itself could hang, when it is the one that does not answer. */
async function holds(pid: number, path: string): Promise<boolean> {
  const below = (target: string | null): boolean =>
    target !== null && (target === path || target.startsWith(`${path}/`));
  const root = `/proc/${pid}`;
  const link = (name: string): Promise<string | null> => readlink(`${root}/${name}`).catch(() => null);
  // The replicator holds what is below the mount: it runs on the same runtime as this process.
  if ((await link('exe')) === process.execPath) return false;
  if (below(await link('cwd')) || below(await link('root')) || below(await link('exe'))) return true;
  for (const descriptor of await readdir(`${root}/fd`).catch(() => []))
    if (below(await link(`fd/${descriptor}`))) return true;
  const maps = await readFile(`${root}/maps`, 'utf8').catch(() => '');
  return maps.split('\n').some((line) => below(/\s(\/.*?)(?: \(deleted\))?$/.exec(line)?.[1] ?? null));
}

async function nameOf(pid: number): Promise<string> {
  return (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => 'gone')).trim();
}
