/** Runs a program for a checker: no shell, its own process group, the end of its output kept, and nothing left of the group afterwards. */
import { spawn } from 'node:child_process';

export interface ProgramResult {
  /** Null: ended by a signal. */
  readonly exitCode: number | null;
  /** Both outputs, the end of them: `outputBytesMax` unless more was asked for. */
  readonly output: string;
}
export type ProgramOutcome =
  | { readonly kind: 'ended'; readonly result: ProgramResult }
  | { readonly kind: 'timed-out'; readonly output: string }
  /** The former one was killed and still is not gone: it sits in a system call. */
  | { readonly kind: 'hangs' }
  | { readonly kind: 'missing'; readonly message: string };

export const outputBytesMax = 4096;
const lastWordsMs = 200;

/** One at a time; belongs to one checker. */
export class Program {
  private hanging = false;
  private readonly bytesMax: number;

  constructor(bytesMax = outputBytesMax) {
    this.bytesMax = bytesMax;
  }

  async run(argv: readonly string[], signal: AbortSignal): Promise<ProgramOutcome> {
    if (this.hanging) return { kind: 'hangs' };
    const [program, ...rest] = argv;
    if (program === undefined) throw new RangeError('an empty command');
    if (signal.aborted) return { kind: 'timed-out', output: '' };
    this.hanging = true;
    const child = spawn(program, rest, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C' },
    });
    let kept = Buffer.alloc(0);
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        kept = Buffer.concat([kept, chunk]);
        if (kept.length > this.bytesMax) kept = Buffer.from(kept.subarray(kept.length - this.bytesMax));
      });
    const { promise, resolve } = Promise.withResolvers<ProgramOutcome>();
    const output = (): string => kept.toString('utf8');
    child.on('error', (error) => {
      this.hanging = false;
      resolve({ kind: 'missing', message: error.message });
    });
    child.on('exit', (exitCode) => {
      this.hanging = false;
      // Its children would outlive it, one more at every look.
      killGroup(child.pid);
      // What it wrote last may still be in the pipe, which somebody who left the group may hold open for ever.
      const done = (): void => resolve({ kind: 'ended', result: { exitCode, output: output() } });
      child.on('close', done);
      setTimeout(done, lastWordsMs).unref();
    });
    const abort = (): void => {
      killGroup(child.pid);
      resolve({ kind: 'timed-out', output: output() });
    };
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abort);
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
    }
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Ended meanwhile.
  }
}

/** For people: the last thing that was said. */
export function lastLine(output: string): string {
  return (output.trim().split('\n').at(-1) ?? '').slice(0, 200);
}
