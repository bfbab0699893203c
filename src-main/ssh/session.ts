/** One script on one channel of an SSH connection: markers, the password for sudo, time limits. */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { Fault } from '../../agent/contract/fault.ts';
import type { SecretSource } from '../secrets/index.ts';
import { elevatedScript, makeMarkers, plainScript, shellCommand } from './shell.ts';

export interface SessionContext {
  readonly client: Client;
  readonly user: string;
  /** As written by the person, for people. */
  readonly host: string;
  /** What it stands for: secrets belong to it. */
  readonly hostName: string;
  readonly secrets: SecretSource;
  /** Rejects when the connection is lost. */
  readonly lost: Promise<never>;
}

export interface RunningScript {
  /** What the script writes, without anything that the login shell wrote before. */
  readonly channel: Duplex;
  /** Of stderr, the last part. */
  stderr(): string;
  readonly ended: Promise<{ readonly code: number | null }>;
  kill(): void;
}

const noiseBytesMax = 256 * 1024;
const stderrBytesMax = 64 * 1024;
const sudoAttemptsMax = 3;
/** A login shell that takes longer hangs, or waits for an answer that nobody gives. */
const beginTimeoutMs = 30_000;

interface OpenChannel {
  readonly channel: ClientChannel;
  /** Null: ended by a signal, or not ended. */
  readonly exitCode: () => number | null;
}

/** A short command's answers may all arrive in one piece: who begins to listen for its exit one tick later has missed it. */
function openChannel(client: Client, command: string): Promise<OpenChannel> {
  return new Promise((resolve, reject) => {
    try {
      client.exec(command, (error, channel) => {
        if (error) {
          reject(
            new Fault('ssh-channel-refused', { message: `The server refused a session: ${error.message}.` }, {}, error),
          );
          return;
        }
        let code: number | null = null;
        channel.once('exit', (exitCode: number | null) => {
          code = typeof exitCode === 'number' ? exitCode : null;
        });
        resolve({ channel, exitCode: () => code });
      });
    } catch (error) {
      reject(new Fault('connection-lost', { message: 'The connection was lost.' }, {}, error));
    }
  });
}

export function noSudo(context: SessionContext, said: string): Fault {
  return new Fault(
    'no-sudo',
    {
      message: `${context.user} may not become root on ${context.host}${said === '' ? ': there is no sudo' : ` (sudo says: ${said})`}.`,
      remedy: `Log in as root, or allow ${context.user} to use sudo there.`,
    },
    { host: context.host, user: context.user },
  );
}

/** Resolves when the script itself runs. Faults: no-sudo, sudo-password-wrong, shell-unusable, connection-lost. */
export async function startScript(
  context: SessionContext,
  script: string,
  elevated: boolean,
  signal: AbortSignal | undefined,
): Promise<RunningScript> {
  signal?.throwIfAborted();
  const markers = makeMarkers(randomBytes(8).toString('hex'));
  const text = elevated ? elevatedScript(script, markers) : plainScript(script, markers);
  const { channel, exitCode } = await Promise.race([openChannel(context.client, shellCommand(text)), context.lost]);

  let stderr = '';
  const ended = Promise.withResolvers<{ code: number | null }>();
  const began = Promise.withResolvers<undefined>();
  began.promise.catch(() => undefined);
  let running = false;
  let asked = 0;
  const kill = (): void => {
    // The other side ends the channel only when the script has ended; who waits here is not to wait for that.
    ended.resolve({ code: null });
    channel.signal('TERM');
    channel.close();
    channel.destroy();
  };

  async function answerSudo(): Promise<void> {
    asked++;
    const { user, host, hostName } = context;
    const secret =
      asked > sudoAttemptsMax
        ? null
        : await context.secrets.get({ kind: 'sudo-password', user, host: hostName }, asked, signal);
    if (secret !== null) {
      channel.write(`${secret}\n`);
      return;
    }
    began.reject(
      asked === 1
        ? new Fault(
            'sudo-needs-password',
            {
              message: `sudo on ${host} asks for the password of ${user}.`,
              remedy: 'Start again on a terminal, where it can be asked for, or set HOLDFAST_SUDO_PASSWORD.',
            },
            { host, user },
          )
        : new Fault(
            'sudo-password-wrong',
            {
              message: `sudo on ${host} did not accept the password of ${user}.`,
              remedy: 'Try again with another password.',
            },
            { host, user },
          ),
    );
  }
  channel.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    if (!running) {
      for (let at = stderr.indexOf(markers.password); at >= 0; at = stderr.indexOf(markers.password)) {
        stderr = stderr.slice(0, at) + stderr.slice(at + markers.password.length);
        answerSudo().catch((error: unknown) => began.reject(Fault.from(error)));
      }
    }
    const begin = stderr.indexOf(`${markers.begin}\n`);
    if (begin >= 0) stderr = stderr.slice(begin + markers.begin.length + 1);
    stderr = stderr.slice(-stderrBytesMax);
  });
  channel.once('close', () => {
    const lines = stderr.trim().split('\n');
    if (!running) {
      const said = lines.filter((line) => !line.includes(markers.noSudo)).at(-1) ?? '';
      began.reject(
        stderr.includes(markers.noSudo)
          ? noSudo(context, '')
          : elevated && /sudo|password|sudoers|tty/i.test(stderr)
            ? noSudo(context, said)
            : new Fault(
                'shell-unusable',
                {
                  message: `The login shell of ${context.user} on ${context.host} runs no commands${said === '' ? '' : `: ${said}`}.`,
                  remedy: 'Give the user a usual login shell, or log in as another user.',
                },
                { host: context.host, user: context.user },
              ),
      );
    }
    ended.resolve({ code: exitCode() });
  });
  channel.on('error', () => undefined);

  // Whatever a login shell prints first is dropped; the marker stands alone on its line.
  let noise = Buffer.alloc(0);
  const marker = Buffer.from(`${markers.begin}\n`);
  const onData = (chunk: Buffer): void => {
    noise = Buffer.concat([noise, chunk]);
    const at = noise.indexOf(marker);
    if (at < 0) {
      if (noise.length > noiseBytesMax) noise = noise.subarray(-marker.length);
      return;
    }
    channel.off('data', onData);
    channel.pause();
    const rest = noise.subarray(at + marker.length);
    if (rest.length > 0) channel.unshift(rest);
    running = true;
    began.resolve(undefined);
  };
  channel.on('data', onData);
  // A script that ends at once closes its output only when it is read to the end.
  const abort = (): void => {
    began.reject(signal?.reason instanceof Error ? signal.reason : new Fault('aborted', { message: 'Cancelled.' }));
    kill();
  };
  signal?.addEventListener('abort', abort, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const restartTimer = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (asked > 0) {
        restartTimer(); // a person types
        return;
      }
      began.reject(
        new Fault(
          'timed-out',
          { message: `${context.host} did not start the command within ${beginTimeoutMs / 1000} s.` },
          { host: context.host },
        ),
      );
    }, beginTimeoutMs);
  };
  restartTimer();
  try {
    await Promise.race([began.promise, context.lost]);
  } catch (error) {
    kill();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
  return { channel, stderr: () => stderr, ended: Promise.race([ended.promise, context.lost]), kill };
}
