/** Child processes of the lab: run to the end, or fail with what the program said. */
import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../../agent/contract/fault.ts';

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface RunResult {
  /** The exit status; 128 + signal number when a signal ended the program. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RawRunResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };

export function exitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signalNumbers[signal ?? ''] ?? 0);
}

export function start(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const [program, ...rest] = argv;
  if (program === undefined) throw new Fault('lab-empty-command', { message: 'no command was given' });
  return spawn(program, rest, options);
}

export async function runRaw(argv: readonly string[], options: RunOptions = {}): Promise<RawRunResult> {
  const child = start(argv, { stdio: ['pipe', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr!.on('data', (chunk: Buffer) => err.push(chunk));
  // A program that does not read its input to the end is not a failure of the caller.
  child.stdin!.on('error', () => undefined);
  child.stdin!.end(options.stdin);
  const kill = (): void => {
    child.kill('SIGKILL');
    // Its own children may hold the pipes open for ever.
    child.stdout!.destroy();
    child.stderr!.destroy();
  };
  const timer = options.timeoutMs === undefined ? undefined : setTimeout(kill, options.timeoutMs);
  options.signal?.addEventListener('abort', kill, { once: true });
  try {
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    return { code: exitStatus(code, signal), stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Fault('lab-program-missing', { message: `the program ${String(argv[0])} was not found` }, {}, error);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', kill);
  }
}

export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { code, stdout, stderr } = await runRaw(argv, options);
  return { code, stdout: stdout.toString(), stderr };
}

/** Runs a program that has to succeed; returns what it printed. */
export async function must(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await run(argv, options);
  if (result.code === 0) return result.stdout;
  const said = (result.stderr.trim() || result.stdout.trim()).slice(-2000);
  throw new Fault('lab-command-failed', { message: `${argv.join(' ')}: exit ${result.code}: ${said}` });
}

/** Waits for a fact; `what` completes the sentence "did not happen in time: …". */
export async function until<T>(
  what: string,
  timeoutMs: number,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  intervalMs = 10,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) {
      throw new Fault('lab-timeout', { message: `did not happen within ${timeoutMs} ms: ${what}` }, { timeoutMs });
    }
    await delay(intervalMs);
  }
}

/** A process is named by its number *and* its start time: numbers are used again. */
export interface ProcessRecord {
  readonly pid: number;
  readonly startTime: string;
}

export function recordOf(pid: number): ProcessRecord | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program name stands in parentheses and may hold anything; field 22 is counted from behind it.
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return startTime === undefined ? undefined : { pid, startTime };
  } catch {
    return undefined;
  }
}

export function isAlive(record: ProcessRecord): boolean {
  return recordOf(record.pid)?.startTime === record.startTime;
}

export function killRecorded(record: ProcessRecord): void {
  if (!isAlive(record)) return;
  try {
    process.kill(record.pid, 'SIGKILL');
  } catch {
    // It ended by itself in between.
  }
}

export const repositoryRoot = path.resolve(import.meta.dirname, '../..');

/** The pinned runtime: the lab's own child programs (named relative to this folder) are TypeScript and use node:ffi. */
export function nodeCommand(script: string, ...args: string[]): string[] {
  const pinned = path.join(repositoryRoot, `node_modules/node-linux-${process.arch}/bin/node`);
  const node = Number(process.versions.node.split('.')[0]) < 26 && existsSync(pinned) ? pinned : process.execPath;
  return [node, '--disable-warning=ExperimentalWarning', path.resolve(import.meta.dirname, script), ...args];
}
