/** The stream of bytes to sshd: a TCP connection, what a ProxyCommand gives, or a channel through a jump host. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { Fault } from '../../agent/contract/fault.ts';

export interface Route {
  readonly stream: Duplex;
  /** Why the stream ended, when the route itself knows (the last words of a ProxyCommand). */
  lastWords(): string;
  close(): void;
}

function unreachable(host: string, port: number, cause: string, error?: unknown): Fault {
  return new Fault(
    'ssh-unreachable',
    {
      message: `${host} cannot be reached on port ${port}: ${cause}.`,
      remedy: 'Check that the server is on, that the address is right, and that SSH is allowed from here.',
    },
    { host, port, cause },
    error,
  );
}

const causes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name cannot be looked up now',
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads to that network',
  ETIMEDOUT: 'no answer',
};

export async function openTcp(host: string, port: number, signal: AbortSignal): Promise<Route> {
  const socket = connect({ host, port, noDelay: true });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  socket.once('connect', () => resolve(undefined));
  socket.once('error', (error: NodeJS.ErrnoException) => {
    reject(unreachable(host, port, causes[error.code ?? ''] ?? error.message, error));
  });
  try {
    signal.throwIfAborted();
    await promise;
    return { stream: socket, lastWords: () => '', close: () => socket.destroy() };
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

const lastWordsBytesMax = 4096;

/** Runs as OpenSSH runs it: by the shell, with `exec` so that the command itself is what gets ended. */
export function openProxyCommand(command: string): Route {
  const windows = process.platform === 'win32';
  const child = windows
    ? spawn(command, { shell: true, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true })
    : spawn('/bin/sh', ['-c', `exec ${command}`], { stdio: ['pipe', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-lastWordsBytesMax);
  });
  const stream = new Duplex({
    // As a TCP connection of ours: when the other side has ended, all is over.
    allowHalfOpen: false,
    read: () => child.stdout.resume(),
    write: (chunk: Buffer, _encoding, done) => child.stdin.write(chunk, done),
    final: (done) => child.stdin.end(done),
  });
  child.stdout.on('data', (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  child.stdout.once('end', () => stream.push(null));
  child.once('error', (error) => {
    words += error.message;
    stream.destroy();
  });
  child.stdin.on('error', () => stream.destroy());
  stream.on('error', () => undefined);
  return {
    stream,
    lastWords: () => words.trim().split('\n').at(-1) ?? '',
    close: () => {
      stream.destroy();
      child.kill();
    },
  };
}
