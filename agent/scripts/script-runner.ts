/**
 * Runs a module's scripts. Output goes straight into a file, never through a pipe: a start script may leave daemons behind that hold
 * its standard output open for ever. A script is its own process group, and on systemd hosts what a start script leaves behind lives in the
 * module's own slice, so that it survives a restart of the agent and can be ended as a whole.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { Fault } from '../contract/index.ts';
import type { ApplicationGroups } from './application-groups.ts';
import type { LeftProcess } from './module-cgroup.ts';
import { findModuleCgroup, killProcessesIn, processesIn, sliceOf } from './module-cgroup.ts';
import { boundOutput, thinOutput } from './output-bound.ts';

export type ScriptName = 'prestart' | 'start' | 'stop' | 'poststop' | 'forceStop' | 'transition';

export interface ScriptOrder {
  readonly module: string;
  readonly script: ScriptName;
  readonly command: string;
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string>>;
}
export interface ScriptRunner {
  /**
   * Resolves when the script has ended well. Faults: script-failed, script-timed-out (then its process group was killed). When the signal aborts,
   * the process group is killed and the call rejects at once, without waiting for processes that sit in an unanswered system call.
   */
  run(order: ScriptOrder, signal: AbortSignal): Promise<void>;
  /** Ends everything that the module's scripts left behind, however it forked; returns whom. */
  killLeftovers(module: string): Promise<readonly LeftProcess[]>;
  /** Who is left of the module's scripts now. */
  leftovers(module: string): Promise<readonly LeftProcess[]>;
  /** Asks the service manager where these services of the application run now; to be called when it has been started. None: forgets it. */
  learn(module: string, units: readonly string[]): Promise<void>;
  /** Whether it has answered that, to this process or to the one before it. */
  knows(module: string): boolean;
  /** The kernel's numbers of the control groups in which the application runs at this instant. Cheap. */
  groups(module: string): readonly bigint[];
  /** Ends the application at once, services included; returns who is still there afterwards, in the kernel for good. */
  killApplication(module: string): Promise<readonly LeftProcess[]>;
  /** Keeps the output of every module below its bound: daemons go on writing long after the script that started them. */
  boundOutputs(): Promise<void>;
}

/** Runs whose output is kept, per module. */
const runsKept = 20;
const tailBytes = 2000;
/** What floods its output writes some hundred megabytes in this time, which never reach the disk. */
const boundEveryMs = 100;

export interface LinuxScriptRunnerOptions {
  readonly directory: string;
  /** For the names of output files; people read them. */
  readonly wallMs: () => number;
  /** Null: no service manager, scripts are plain children. */
  readonly systemdRun: boolean;
  readonly groups: ApplicationGroups;
}

export function hasSystemd(): boolean {
  return (
    existsSync('/run/systemd/system') && ['/usr/bin/systemd-run', '/bin/systemd-run'].some((one) => existsSync(one))
  );
}

export function scriptCommand(order: ScriptOrder, systemdRun: boolean): readonly string[] {
  const shell = ['/bin/sh', '-c', order.command];
  // Stop scripts stay ours: while the host shuts down the service manager refuses new scopes. So do those that only tell others: a stop
  // must not take them for a part of the application.
  const leavesProcesses = order.script === 'prestart' || order.script === 'start';
  if (!systemdRun || !leavesProcesses) return shell;
  return ['systemd-run', '--scope', '--quiet', '--collect', `--slice=${sliceOf(order.module)}`, '--', ...shell];
}

function outputName(order: ScriptOrder, wallMs: number): string {
  return `${new Date(wallMs).toISOString().replaceAll(':', '-')}-${order.script}.log`;
}

export function linuxScriptRunner(options: LinuxScriptRunnerOptions): ScriptRunner {
  async function run(order: ScriptOrder, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const directory = path.join(options.directory, order.module);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const outputFile = path.join(directory, outputName(order, options.wallMs()));
    const output = await open(outputFile, 'a', 0o600);
    try {
      await runInto(order, outputFile, output.fd, signal);
    } finally {
      await output.close();
      await prune(directory);
    }
  }

  async function runInto(
    order: ScriptOrder,
    outputFile: string,
    descriptor: number,
    signal: AbortSignal,
  ): Promise<void> {
    const [program, ...rest] = scriptCommand(order, options.systemdRun);
    if (program === undefined) throw new RangeError('an empty command');
    const child = spawn(program, rest, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', descriptor, descriptor],
      env: {
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        HOME: '/root',
        LANG: process.env['LANG'] ?? 'C.UTF-8',
        ...order.environment,
      },
    });
    const killGroup = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Ended meanwhile.
      }
    };
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    child.on('error', reject);
    child.on('exit', (code, name) => resolve(code ?? 128 + (name === 'SIGKILL' ? 9 : 15)));
    const bounding = setInterval(() => thinOutput(outputFile), boundEveryMs);
    const timer = setTimeout(() => {
      killGroup();
      reject(
        new Fault(
          'script-timed-out',
          {
            message: `The ${order.script} script of ${order.module} did not end within ${Math.round(order.timeoutMs / 1000)} s.`,
            remedy: `Look at its output in ${outputFile} on this node.`,
          },
          { script: order.script, outputFile },
        ),
      );
    }, order.timeoutMs);
    const abort = (): void => {
      killGroup();
      reject(new Fault('aborted', { message: `The ${order.script} script of ${order.module} was given up.` }));
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      const exitCode = await promise;
      if (exitCode !== 0) throw await failure(order, outputFile, exitCode);
    } finally {
      clearTimeout(timer);
      clearInterval(bounding);
      boundOutput(outputFile);
      signal.removeEventListener('abort', abort);
    }
  }

  async function killLeftovers(module: string): Promise<readonly LeftProcess[]> {
    const cgroup = options.systemdRun ? findModuleCgroup(module) : null;
    return cgroup === null ? [] : await killProcessesIn(cgroup);
  }
  async function leftovers(module: string): Promise<readonly LeftProcess[]> {
    const cgroup = options.systemdRun ? findModuleCgroup(module) : null;
    return cgroup === null ? [] : await processesIn(cgroup);
  }

  async function killApplication(module: string): Promise<readonly LeftProcess[]> {
    await killLeftovers(module);
    const directories = options.groups.directories(module);
    const before = (await Promise.all(directories.map((directory) => processesIn(directory)))).flat();
    if (before.length === 0) return [];
    await options.groups.dismiss(module).catch(() => undefined);
    await Promise.all(directories.map((directory) => killProcessesIn(directory)));
    return (await Promise.all(directories.map((directory) => processesIn(directory)))).flat();
  }

  async function boundOutputs(): Promise<void> {
    const entries = await readdir(options.directory, { withFileTypes: true, recursive: true }).catch(() => []);
    for (const one of entries.filter((entry) => entry.isFile())) boundOutput(path.join(one.parentPath, one.name));
  }

  return {
    run,
    killLeftovers,
    leftovers,
    learn: (module, units) => options.groups.learn(module, units),
    knows: (module) => options.groups.knows(module),
    groups: (module) => options.groups.numbers(module),
    killApplication,
    boundOutputs,
  };
}

async function failure(order: ScriptOrder, outputFile: string, exitCode: number): Promise<Fault> {
  const tail = await tailOf(outputFile);
  const last = tail.trim().split('\n').at(-1) ?? '';
  return new Fault(
    'script-failed',
    {
      message: `The ${order.script} script of ${order.module} failed with exit ${exitCode}${last === '' ? '' : `: ${last}`}`,
      remedy: `Look at its output in ${outputFile} on this node.`,
    },
    { script: order.script, exitCode, outputFile, tail },
  );
}

async function tailOf(file: string): Promise<string> {
  await using handle = await open(file, 'r');
  const { size } = await handle.stat();
  const buffer = Buffer.alloc(Math.min(size, tailBytes));
  await handle.read(buffer, 0, buffer.length, size - buffer.length);
  return buffer.toString('utf8');
}

async function prune(directory: string): Promise<void> {
  const names = (await readdir(directory)).sort();
  for (const name of names.slice(0, Math.max(0, names.length - runsKept)))
    await rm(path.join(directory, name), { force: true });
}
