/** The last means: when the replicator does not answer, or the application does not let go of its directory. */
import { readFileSync } from 'node:fs';
import type { CommandRunner } from '../network/index.ts';
import type { Holder, Rescue, Silence, SilenceOutcome, Timers } from './ports.ts';

const politeMs = 2000;
const killedMs = 1000;
const pollMs = 50;
const replicatorUnit = 'holdfast-replicator.service';
/** It answers within milliseconds; it is asked again while the silence lasts. */
const serviceManagerMs = 2000;
/** A thread that goes from one wait for the disk to the next is seen in between now and then. */
const looksAtThread = 5;

/** Loaded when it is needed: the control plane itself has no use for the filesystem's code. */
const door = () => import('../fuse/index.ts');

export function hostRescue(timers: Timers, run: CommandRunner): Rescue {
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
  async function endReplicator(silence: Silence): Promise<SilenceOutcome> {
    const command = ['systemctl', 'show', '--property=MainPID', replicatorUnit];
    const { stdout } = await run(command, { timeoutMs: serviceManagerMs });
    const pid = parseMainPid(stdout);
    const state = pid === null ? null : threadState(pid);
    if (pid === null || state === null) return 'not-found';
    for (let looks = 0; looks < looksAtThread; looks++) {
      if (threadState(pid) === 'D') return 'waits-for-disk';
      await timers.delay(pollMs);
      // Whoever has that number by now need not be the one that fell silent.
      if (!silence.lasts()) return 'answers';
    }
    process.kill(pid, 'SIGKILL');
    return 'killed';
  }
  return {
    endReplicator,
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

/** Of `systemctl show --property=MainPID`; null: it runs no process now. */
export function parseMainPid(stdout: string): number | null {
  const pid = Number(/^MainPID=(\d+)$/m.exec(stdout)?.[1] ?? '0');
  return pid > 1 ? pid : null;
}

/** One letter of `proc_pid_stat(5)` of the main thread; the name before it may hold anything. */
export function parseThreadState(stat: string): string | null {
  return /^ ([A-Za-z]) /.exec(stat.slice(stat.lastIndexOf(')') + 1))?.[1] ?? null;
}

function threadState(pid: number): string | null {
  try {
    return parseThreadState(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'));
  } catch {
    return null;
  }
}
