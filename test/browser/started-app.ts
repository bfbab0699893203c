/** The app as `npm start` runs it, in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { repositoryRoot } from '../../resources/tools.ts';

/** As `resources/launch.mjs` starts it. */
const quickFlags = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'];

export interface StartedApp extends AsyncDisposable {
  /** With its token: opens once. */
  readonly url: string;
  /** Of its process, now. */
  residentBytes(): number;
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the app was started without a pipe');
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    const url = /^Holdfast is ready: (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`the app ended:\n${said.join('\n')}`);
}

export async function startOwnApp(environment: Readonly<Record<string, string>>): Promise<StartedApp> {
  const child = spawn(process.execPath, [...quickFlags, 'resources/start.ts', '--no-open'], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(repositoryRoot, 'dist/compile-cache'), ...environment },
  });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await ended;
  };
  try {
    const url = await readyUrl(child);
    // What it says later goes nowhere, but the pipe must not fill up.
    child.stdout.resume();
    return {
      url,
      residentBytes: () => {
        const status = readFileSync(`/proc/${child.pid ?? 0}/status`, 'utf8');
        return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
      },
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
