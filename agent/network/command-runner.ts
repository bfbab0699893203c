/** Runs the host's own programs (`ip`, `nft`). Building a command and reading its answer are pure functions elsewhere. */
import { spawn } from 'node:child_process';
import { Fault } from '../contract/index.ts';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
export interface CommandOptions {
  readonly stdin?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}
/** Rejects with Fault `program-missing`, `command-timed-out` or the signal's reason; any exit code is a result. */
export type CommandRunner = (argv: readonly string[], options?: CommandOptions) => Promise<CommandResult>;

const outputBytesMax = 16 * 1024 * 1024;

/** @param prefix put before every command; tests say `ip netns exec NAME`. */
export function commandRunner(prefix: readonly string[] = []): CommandRunner {
  return (argv, options = {}) => {
    const [program, ...rest] = [...prefix, ...argv];
    const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
    if (program === undefined) throw new RangeError('an empty command');
    options.signal?.throwIfAborted();
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    const collect = (name: 'stdout' | 'stderr') => (chunk: string) => {
      if (output[name].length < outputBytesMax) output[name] += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', collect('stdout'));
    child.stderr.setEncoding('utf8').on('data', collect('stderr'));
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin ?? '');
    const kill = (error: Error): void => {
      child.kill('SIGKILL');
      reject(error);
    };
    const timer = setTimeout(() => {
      kill(new Fault('command-timed-out', { message: `${argv.join(' ')} did not end in time.` }));
    }, options.timeoutMs ?? 10_000);
    const abort = (): void =>
      kill(options.signal?.reason instanceof Error ? options.signal.reason : new Error('aborted'));
    options.signal?.addEventListener('abort', abort, { once: true });
    const done = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', abort);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      done();
      reject(
        error.code === 'ENOENT'
          ? new Fault(
              'program-missing',
              {
                message: `The program ${program} is not installed.`,
                remedy: `Install the package that has ${program}.`,
              },
              { program },
            )
          : error,
      );
    });
    child.on('close', (code, signal) => {
      done();
      resolve({ code: code ?? (signal === null ? 1 : 128), ...output });
    });
    return promise;
  };
}

/** Runs a command that has to succeed; returns what it printed. Fault `command-failed`. */
export async function mustRun(run: CommandRunner, argv: readonly string[], options?: CommandOptions): Promise<string> {
  const result = await run(argv, options);
  if (result.code === 0) return result.stdout;
  const said = result.stderr.trim().slice(-1000);
  throw new Fault(
    'command-failed',
    { message: `${argv.join(' ')} failed with exit ${result.code}: ${said}` },
    { command: argv.join(' '), exitCode: result.code, said },
  );
}
