/** The practice lab, driven as a program: this process is not made of its code, and a checkout without it still starts. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import { Fault } from '../../agent/contract/index.ts';

/** One per machine; another name is for tests, which must not take a person's practice cluster away. */
export function practiceLabName(environment: Readonly<NodeJS.ProcessEnv> = process.env): string {
  return environment['HOLDFAST_PRACTICE_LAB'] ?? 'practice';
}

/** Null: the folder is no checkout. The launcher brings the Debian packages that a lab needs. */
export function labCommandOf(root: string): readonly string[] | null {
  const launcher = path.join(root, 'resources/launch.mjs');
  const isCheckout = [launcher, path.join(root, 'test/lab/main.ts')].every((file) => existsSync(file));
  if (!isCheckout) return null;
  // Inside Electron this program is no Node; the launcher runs on any.
  return ['electron' in process.versions ? 'node' : process.execPath, launcher, 'lab'];
}

export interface RunningCommand {
  readonly stdin: NodeJS.WritableStream;
  readonly stdout: Readable;
  /** Exit code; 128 when a signal ended it. What it said on stderr is complete then. */
  readonly ended: Promise<number>;
  stderr(): string;
  kill(): void;
}

export interface LabRunOptions {
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
  /** Of stderr: what is being done. */
  readonly onLine?: (line: string) => void;
}

const statusSchema = z.object({
  hosts: z.array(
    z.object({ name: z.string(), address: z.string(), state: z.string(), unplugged: z.array(z.string()) }),
  ),
});
export type LabStatus = z.infer<typeof statusSchema>;

const stderrCharactersMax = 20_000;

const reasonLinesMax = 5;

/** The reason without the program's own name and without a stack, as one line; empty when it said nothing. */
export function reasonOf(stderr: string): string {
  const lines = stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^at .*[:)]/.test(line));
  const own = lines.findIndex((line) => line.startsWith('lab: ') && !/^lab: (building|starting) /.test(line));
  const said = own < 0 ? lines.slice(-reasonLinesMax) : lines.slice(own, own + reasonLinesMax);
  return said.map((line) => line.replace(/^lab: /, '')).join(' ');
}

export class PracticeLab {
  readonly name: string;
  readonly #command: readonly string[];

  constructor(command: readonly string[], name: string) {
    this.#command = command;
    this.name = name;
  }

  /** Its own process group: Ctrl-C in a terminal would otherwise reach it as well, and stop the clean-up half way. */
  start(args: readonly string[], options: LabRunOptions = {}): RunningCommand {
    const [program = '', ...rest] = [...this.#command, ...args];
    const child = spawn(program, rest, {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      // The launcher stops when whoever started it is gone, as it does under npm.
      env: { ...process.env, HOLDFAST_LAB: this.name, npm_lifecycle_event: 'practice' },
    });
    const { promise: ended, resolve } = Promise.withResolvers<number>();
    let stderr = '';
    const kill = (): void => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      try {
        process.kill(-child.pid, 'SIGTERM');
      } catch {
        // It ended by itself in between.
      }
    };
    child.once('error', (error) => {
      stderr += error.message;
      resolve(127);
    });
    child.once('close', (code) => resolve(code ?? 128));
    // A program that has ended reads no more.
    child.stdin.on('error', () => undefined);
    createInterface({ input: child.stderr }).on('line', (line) => {
      stderr = `${stderr}${line}\n`.slice(-stderrCharactersMax);
      options.onLine?.(line);
    });
    if (options.signal?.aborted === true) kill();
    options.signal?.addEventListener('abort', kill, { once: true });
    void ended.then(() => options.signal?.removeEventListener('abort', kill));
    return { stdin: child.stdin, stdout: child.stdout, ended, stderr: () => stderr, kill };
  }

  /** Returns what it printed. Faults: practice-lab-failed, or the reason of the signal. */
  async run(args: readonly string[], options: LabRunOptions = {}): Promise<string> {
    options.signal?.throwIfAborted();
    const running = this.start(args, options);
    const chunks: Buffer[] = [];
    running.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    running.stdin.end(options.input ?? '');
    const code = await running.ended;
    options.signal?.throwIfAborted();
    if (code === 0) return Buffer.concat(chunks).toString('utf8');
    const verb = args.slice(0, 2).join(' ');
    const reason = reasonOf(running.stderr()) || `it ended with ${String(code)}`;
    throw new Fault(
      'practice-lab-failed',
      {
        message: `The practice servers could not be handled (${verb}): ${reason}`,
        remedy: 'Mend what it names and make the practice cluster again.',
      },
      { verb, reason },
    );
  }

  /** Null: there is none. */
  async status(signal?: AbortSignal): Promise<LabStatus | null> {
    try {
      return statusSchema.parse(JSON.parse(await this.run(['status', '--json'], { signal })));
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof Fault) return null;
      throw error;
    }
  }

  /** Repeatable; also of half a lab. */
  async down(): Promise<void> {
    await this.run(['down']);
  }
}
