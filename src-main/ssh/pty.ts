/** A shell with a terminal on the server, for a person. It needs nothing there but sshd. */
import type { Readable, Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { Fault } from '../../agent/contract/fault.ts';
import type { SessionContext } from './session.ts';

export interface ShellSize {
  readonly columns: number;
  readonly rows: number;
}

export interface ShellEnd {
  /** Null: ended by a signal, or with its connection. */
  readonly code: number | null;
  readonly signal: string | null;
  /** Why, when it did not end by itself. */
  readonly fault: Fault | null;
}

export interface Shell {
  /** Bytes as the terminal draws them. Not read, the server waits. */
  readonly output: Readable;
  readonly input: Writable;
  resize(size: ShellSize): void;
  readonly ended: Promise<ShellEnd>;
  close(): void;
}

export const terminalType = 'xterm-256color';

function channelRefused(context: SessionContext, error: unknown): Fault {
  const why = error instanceof Error ? error.message : String(error);
  return new Fault(
    'ssh-channel-refused',
    { message: `${context.host} refused a terminal: ${why}.`, remedy: 'Close another terminal on it and try again.' },
    { host: context.host },
    error,
  );
}

function requestShell(context: SessionContext, size: ShellSize): Promise<ClientChannel> {
  const window = { term: terminalType, cols: size.columns, rows: size.rows, width: 0, height: 0 };
  // Servers take LANG and LC_* where they are told to; others go on with their own.
  const env = { LANG: /utf-?8/i.test(process.env['LANG'] ?? '') ? process.env['LANG'] : 'C.UTF-8' };
  return new Promise((resolve, reject) => {
    try {
      context.client.shell(window, { env }, (error, channel) => {
        if (error) reject(channelRefused(context, error));
        else resolve(channel);
      });
    } catch (error) {
      reject(
        new Fault(
          'connection-lost',
          { message: `The connection to ${context.host} was lost.` },
          {
            host: context.host,
          },
          error,
        ),
      );
    }
  });
}

/** Faults: ssh-channel-refused, connection-lost. */
export async function openShell(
  context: SessionContext,
  size: ShellSize,
  signal: AbortSignal | undefined,
): Promise<Shell> {
  signal?.throwIfAborted();
  const channel = await Promise.race([requestShell(context, size), context.lost]);
  const ended = Promise.withResolvers<ShellEnd>();
  let code: number | null = null;
  let signalName: string | null = null;
  let closedHere = false;
  channel.on('exit', (exitCode: number | null, name?: string) => {
    code = typeof exitCode === 'number' ? exitCode : null;
    signalName = name ?? null;
  });
  channel.on('error', () => undefined);
  // With the connection lost, its channels close first, and the reason is known a moment later.
  channel.once('close', () => setImmediate(() => ended.resolve({ code, signal: signalName, fault: null })));
  context.lost.catch((error: unknown) => {
    if (!closedHere) ended.resolve({ code: null, signal: null, fault: Fault.from(error) });
  });
  const close = (): void => {
    closedHere = true;
    channel.close();
    channel.destroy();
    // Unread, it would never be over.
    channel.resume();
    ended.resolve({ code, signal: signalName, fault: null });
  };
  if (signal?.aborted === true) {
    close();
    signal.throwIfAborted();
  }
  return {
    output: channel,
    input: channel,
    resize: ({ columns, rows }) => channel.setWindow(rows, columns, 0, 0),
    ended: ended.promise,
    close,
  };
}
