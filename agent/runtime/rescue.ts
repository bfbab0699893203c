/** The last means: when the replicator does not answer, or the application does not let go of its directory. */
import type { Holder, Rescue, Timers } from './ports.ts';

const politeMs = 2000;
const killedMs = 1000;
const pollMs = 50;

/** Loaded when it is needed: the control plane itself has no use for the filesystem's code. */
const door = () => import('../fuse/index.ts');

export function hostRescue(timers: Timers): Rescue {
  async function holders(path: string): Promise<readonly Holder[]> {
    const found = (await door()).holdersOfMount(path);
    return found
      .filter(({ kind }) => kind !== 'bind-mount' && kind !== 'not-covered')
      .map(({ pid, command }) => ({ pid, name: command }));
  }
  async function waitUntilGone(path: string, patienceMs: number): Promise<boolean> {
    for (let passedMs = 0; passedMs < patienceMs; passedMs += pollMs) {
      if ((await holders(path)).length === 0) return true;
      await timers.delay(pollMs);
    }
    return false;
  }
  return {
    async abortMounts(path) {
      await (await door()).unmountNow(path);
    },
    async killHolders(path) {
      const killed = await holders(path);
      signal(killed, 'SIGTERM');
      if (killed.length === 0 || (await waitUntilGone(path, politeMs))) return killed;
      signal(await holders(path), 'SIGKILL');
      await waitUntilGone(path, killedMs);
      return killed;
    },
  };
}

function signal(processes: readonly Holder[], name: NodeJS.Signals): void {
  for (const { pid } of processes)
    try {
      if (pid > 1 && pid !== process.pid) process.kill(pid, name);
    } catch {
      // Ended meanwhile.
    }
}
