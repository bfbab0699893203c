/** Opens a transport over SSH. */
import type { Duplex } from 'node:stream';
import { Fault } from '../../agent/contract/fault.ts';
import { openConnection } from './connection.ts';
import { copyFile } from './copy.ts';
import { openShell, type Shell, type ShellSize } from './pty.ts';
import { startScript, type SessionContext } from './session.ts';
import type { SshEnvironment, SshTarget } from './target.ts';
import type { CommandOptions, CommandResult, Transport } from './transport.ts';

const outputBytesMax = 64 * 1024 * 1024;
const commandTimeoutMs = 120_000;

/** What only SSH has: a shell for a person. */
export interface SshTransport extends Transport {
  /** Faults: ssh-channel-refused, connection-lost. */
  readonly openShell: (size: ShellSize, signal?: AbortSignal) => Promise<Shell>;
}

/** Faults: ssh-unreachable, host-key-unknown, host-key-changed, login-refused. */
export async function openTransport(
  target: SshTarget,
  environment: SshEnvironment,
  signal?: AbortSignal,
): Promise<SshTransport> {
  const connection = await openConnection(target, environment, signal ?? new AbortController().signal);
  const { user, host } = connection.resolved;
  const context: SessionContext = {
    client: connection.client,
    user,
    host,
    hostName: connection.resolved.settings.hostName,
    secrets: environment.secrets,
    lost: connection.lost,
  };
  const start = (script: string, elevated: boolean, commandSignal: AbortSignal | undefined) =>
    startScript(context, script, elevated, commandSignal);

  async function command(script: string, options: CommandOptions = {}): Promise<CommandResult> {
    const timeout = AbortSignal.timeout(options.timeoutMs ?? commandTimeoutMs);
    const combined = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    try {
      return await runToEnd(await start(script, options.elevated === true, combined), options.input, combined);
    } catch (error) {
      if (timeout.aborted && options.signal?.aborted !== true) {
        throw new Fault('timed-out', { message: `A command on ${host} did not end in time.` }, { host }, error);
      }
      throw error;
    }
  }
  return {
    label: `${user}@${host}`,
    host,
    user,
    hostKeyFingerprint: connection.hostKeyFingerprint,
    command,
    copy: (source, path_, options = {}) =>
      copyFile(
        {
          host,
          command: (script, copySignal) => command(script, { elevated: options.elevated === true, signal: copySignal }),
          start: (script, copySignal) => start(script, options.elevated === true, copySignal),
        },
        source,
        path_,
        options,
      ),
    async connect(script, options = {}) {
      const running = await start(script, options.elevated === true, options.signal);
      options.signal?.addEventListener('abort', () => running.kill(), { once: true });
      running.ended.then(
        () => running.channel.destroy(),
        (error: unknown) => running.channel.destroy(Fault.from(error)),
      );
      return closingUnread(running.channel);
    },
    openShell: (size, shellSignal) => openShell(context, size, shellSignal),
    close: connection.close,
    closed: connection.lost.catch(() => undefined),
    [Symbol.asyncDispose]: async () => connection.close(),
  };
}

/** ssh2 tells of the end of a channel only to who has read it to the end; who destroys it wants to read no more. */
function closingUnread(channel: Duplex): Duplex {
  const destroy = channel.destroy.bind(channel);
  channel.destroy = (error?: Error) => {
    destroy(error);
    return channel.resume();
  };
  return channel;
}

async function runToEnd(
  running: Awaited<ReturnType<typeof startScript>>,
  input: string | Uint8Array | undefined,
  signal: AbortSignal,
): Promise<CommandResult> {
  const abort = (): void => running.kill();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    running.channel.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= outputBytesMax) chunks.push(chunk);
    });
    running.channel.resume();
    running.channel.end(input ?? '');
    const { code } = await running.ended;
    signal.throwIfAborted();
    return { code, stdout: Buffer.concat(chunks).toString('utf8'), stderr: running.stderr() };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
