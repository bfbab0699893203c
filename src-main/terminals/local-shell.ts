/** The shell of this laptop, on a pseudo terminal. */
import { accessSync, constants, existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import type { Pty, spawn as spawnPty } from 'node-pty';
import { Fault } from '../../agent/contract/fault.ts';
import { terminalType } from '../ssh/index.ts';
import { EarlyText, type ShellEnd, type ShellProcess, type ShellSize } from './shell-process.ts';

type SpawnPty = typeof spawnPty;

/** A shell that does not mind being hung up is not asked again. */
const killAfterMs = 2000;
/** A shell that ended while its output was held back must not lose the rest of it. */
const endedCheckMs = 50;

/** Secrets of ours, and what npm and our own start have put there: none of it is the user's. */
const notTheUsers =
  /^(HOLDFAST_.*(PASSWORD|PASSPHRASE)|npm_.*|NODE_OPTIONS|NODE_PATH|NODE_ENV|INIT_CWD|ELECTRON_.*|TMUX|TMUX_PANE|STY|WINDOW|WINDOWID|TERMCAP|COLUMNS|LINES)$/i;

export function shellEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !notTheUsers.test(name)) own[name] = value;
  }
  own['TERM'] = terminalType;
  own['COLORTERM'] = 'truecolor';
  const locale = own['LC_ALL'] ?? own['LC_CTYPE'] ?? own['LANG'] ?? '';
  if (process.platform !== 'win32' && !/utf-?8/i.test(locale)) {
    delete own['LC_ALL'];
    own['LC_CTYPE'] = process.platform === 'darwin' ? 'UTF-8' : 'C.UTF-8';
  }
  return own;
}

function isProgram(file: string | null | undefined): file is string {
  if (file === null || file === undefined || file === '') return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The user's login shell, else what every system has. */
export function shellProgram(environment: NodeJS.ProcessEnv): { file: string; args: string[] } {
  if (process.platform === 'win32') return { file: 'powershell.exe', args: ['-NoLogo'] };
  const candidates = [environment['SHELL'], userInfo().shell, '/bin/bash', '/bin/sh'];
  const file = candidates.find(isProgram) ?? '/bin/sh';
  // As a terminal of the desktop would: on macOS the login files set up the PATH.
  return { file, args: process.platform === 'darwin' ? ['-l'] : [] };
}

function unavailable(error: unknown): Fault {
  const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  return new Fault(
    'terminal-unavailable',
    {
      message: `There is no terminal for this computer here: ${reason}`,
      remedy: 'Terminals of servers work all the same. Install Holdfast again for this one.',
    },
    { reason },
    error,
  );
}

/** The package brings its binary along; it may still be missing for this system. */
async function loadPty(): Promise<SpawnPty> {
  return (await import('node-pty')).spawn;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

class LocalShell implements ShellProcess {
  readonly #pty: Pty;
  readonly #text = new EarlyText();
  readonly user = null;
  readonly ended: Promise<ShellEnd>;
  #killTimer: NodeJS.Timeout | undefined;
  #pausedTimer: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(pty: Pty) {
    this.#pty = pty;
    pty.onData((text) => this.#text.push(text));
    this.ended = new Promise((resolve) => {
      pty.onExit(({ exitCode, signal }) => {
        this.#isOver = true;
        clearTimeout(this.#killTimer);
        clearInterval(this.#pausedTimer);
        const bySignal = signal !== undefined && signal !== 0;
        resolve({ code: bySignal ? null : exitCode, fault: bySignal ? 'ended-by-signal' : null });
      });
    });
  }
  onText(listener: (text: string) => void): void {
    this.#text.listen(listener);
  }
  type(text: string): void {
    if (!this.#isOver) this.#pty.write(text);
  }
  resize({ columns, rows }: ShellSize): void {
    if (!this.#isOver) this.#pty.resize(columns, rows);
  }
  pause(): void {
    this.#pty.pause();
    clearInterval(this.#pausedTimer);
    if (process.platform === 'win32') return;
    // node-pty throws away what nobody has read soon after the end.
    this.#pausedTimer = setInterval(() => {
      if (!isAlive(this.#pty.pid)) this.resume();
    }, endedCheckMs);
  }
  resume(): void {
    clearInterval(this.#pausedTimer);
    if (!this.#isOver) this.#pty.resume();
  }
  close(): void {
    if (this.#isOver) return;
    const { pid } = this.#pty;
    this.resume();
    if (process.platform === 'win32') {
      this.#pty.kill();
      return;
    }
    this.#pty.kill('SIGHUP');
    this.#killTimer ??= setTimeout(() => {
      try {
        // A shell leads its own group.
        process.kill(-pid, 'SIGKILL');
      } catch {
        this.#pty.kill('SIGKILL');
      }
    }, killAfterMs);
  }
}

export interface LocalShellOptions extends ShellSize {
  readonly environment: NodeJS.ProcessEnv;
  readonly load?: () => Promise<SpawnPty>;
}

/** Fault: terminal-unavailable. */
export async function openLocalShell(options: LocalShellOptions): Promise<ShellProcess> {
  const { columns, rows, environment, load = loadPty } = options;
  const { file, args } = shellProgram(environment);
  const home = homedir();
  try {
    const spawn = await load();
    return new LocalShell(
      spawn(file, args, {
        name: terminalType,
        cols: columns,
        rows,
        cwd: existsSync(home) ? home : '/',
        env: shellEnvironment(environment),
      }),
    );
  } catch (error) {
    throw unavailable(error);
  }
}
