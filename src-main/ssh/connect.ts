/** Opens a transport over SSH. */
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import path from 'node:path';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import { Fault } from '../../agent/contract/fault.ts';
import type { SecretSource } from '../secrets/index.ts';
import { copyFile } from './copy.ts';
import { knownTypes, readKnownHosts, verifyHostKey, type HostKeyContext, type HostKeyPolicy } from './host-keys.ts';
import { fingerprint } from './known-hosts.ts';
import { loginMethods } from './login.ts';
import { openProxyCommand, openTcp, type Route } from './route.ts';
import { startScript, type SessionContext } from './session.ts';
import { expandTokens, parseDestination, resolveHost, type SshConfig, type SshHostSettings } from './ssh-config.ts';
import type { CommandOptions, CommandResult, Transport } from './transport.ts';

export interface SshTarget {
  /** `user@host`, as in the configuration file. */
  readonly destination: string;
  readonly port?: number | undefined;
}

export interface SshEnvironment {
  readonly config: SshConfig;
  readonly secrets: SecretSource;
  readonly hostKeys: HostKeyPolicy;
  /** `--identity`: tried before all others. */
  readonly identity?: string | undefined;
  readonly agentSocket?: string | null | undefined;
}

const handshakeTimeoutMs = 20_000;
/** Three unanswered in a row: the host is gone, 9 s after its last sign of life. */
const keepaliveIntervalMs = 3000;
const keepaliveCountMax = 3;
const outputBytesMax = 64 * 1024 * 1024;
const commandTimeoutMs = 120_000;
const jumpsMax = 5;

function inHome(file: string, tokens: Readonly<Record<string, string>>): string {
  const expanded = expandTokens(file, tokens);
  return expanded.startsWith('~/') ? path.join(homedir(), expanded.slice(2)) : expanded;
}

interface Resolved {
  readonly host: string;
  readonly settings: SshHostSettings;
  readonly user: string;
  readonly port: number;
  readonly tokens: Readonly<Record<string, string>>;
}

function resolve(target: SshTarget, config: SshConfig): Resolved {
  const wanted = parseDestination(target.destination);
  const settings = resolveHost(config, wanted.host);
  const user = wanted.user ?? settings.user ?? userInfo().username;
  const port = target.port ?? wanted.port ?? settings.port ?? 22;
  const tokens = {
    h: settings.hostName,
    n: wanted.host,
    p: String(port),
    r: user,
    u: userInfo().username,
    d: homedir(),
  };
  return { host: wanted.host, settings, user, port, tokens };
}

function identityFiles(resolved: Resolved, environment: SshEnvironment): string[] {
  const { settings, tokens } = resolved;
  const configured = settings.identityFiles.map((file) => inHome(file, tokens));
  const usual = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => path.join(homedir(), '.ssh', name));
  const explicit = environment.identity === undefined ? [] : [inHome(environment.identity, tokens)];
  return [...explicit, ...(configured.length > 0 ? configured : usual)].filter((file) => existsSync(file));
}

function agentSocket(settings: SshHostSettings, environment: SshEnvironment): string | null {
  if (settings.identityAgent?.toLowerCase() === 'none') return null;
  if (settings.identityAgent !== null && settings.identityAgent !== 'SSH_AUTH_SOCK') return settings.identityAgent;
  if (environment.agentSocket !== undefined) return environment.agentSocket;
  return process.env['SSH_AUTH_SOCK'] ?? null;
}

async function openRoute(
  resolved: Resolved,
  environment: SshEnvironment,
  signal: AbortSignal,
  jumps: number,
): Promise<Route> {
  const { settings, port, tokens } = resolved;
  if (settings.proxyCommand !== null) return openProxyCommand(expandTokens(settings.proxyCommand, tokens));
  if (settings.proxyJump === null) return openTcp(settings.hostName, port, signal);
  if (jumps >= jumpsMax) {
    throw new Fault('ssh-too-many-jumps', { message: `The jump hosts before ${resolved.host} lead in a circle.` });
  }
  // a,b,host: the last jump is reached through those before it.
  const [last = '', ...before] = settings.proxyJump.split(',').reverse();
  const through =
    before.length === 0
      ? environment.config
      : [
          {
            patterns: [parseDestination(last).host],
            settings: [{ key: 'proxyjump', value: before.reverse().join(',') }],
          },
          ...environment.config,
        ];
  const jump = await openConnection({ destination: last }, { ...environment, config: through }, signal, jumps + 1);
  const stream = await new Promise<Duplex>((resolveStream, reject) => {
    jump.client.forwardOut('127.0.0.1', 0, settings.hostName, port, (error, channel) => {
      if (error) {
        reject(
          new Fault(
            'ssh-unreachable',
            { message: `${settings.hostName} cannot be reached through ${last}: ${error.message}.` },
            {
              host: settings.hostName,
              port,
            },
          ),
        );
      } else resolveStream(channel);
    });
  });
  return { stream, lastWords: () => '', close: () => jump.close() };
}

interface Connection {
  readonly client: ssh2.Client;
  readonly resolved: Resolved;
  readonly hostKeyFingerprint: string;
  readonly lost: Promise<never>;
  readonly close: () => void;
}

function refused(resolved: Resolved, tried: ReadonlySet<string>, cause: unknown): Fault {
  const { user, host } = resolved;
  const means = tried.size === 0 ? 'there was nothing to log in with' : `tried: ${[...tried].join(', ')}`;
  return new Fault(
    'login-refused',
    {
      message: `${host} did not let ${user} in (${means}).`,
      remedy: tried.has('password')
        ? 'Check the user name and the password.'
        : 'Give the key with --identity, or start on a terminal, where a password can be asked for.',
    },
    { host, user, tried: [...tried] },
    cause,
  );
}

/** ssh2 orders by this list; a host with several keys must show the one that is on record. */
function preferredKeyTypes(types: readonly string[]): ssh2.ServerHostKeyAlgorithm[] {
  const all: ssh2.ServerHostKeyAlgorithm[] = [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ];
  const known = (algorithm: string): boolean => types.includes(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
  return [...all.filter(known), ...all.filter((algorithm) => !known(algorithm))];
}

async function openConnection(
  target: SshTarget,
  environment: SshEnvironment,
  signal: AbortSignal,
  jumps = 0,
): Promise<Connection> {
  const resolved = resolve(target, environment.config);
  const { settings, user, host, port, tokens } = resolved;
  const userFiles = settings.userKnownHostsFiles ?? ['~/.ssh/known_hosts', '/etc/ssh/ssh_known_hosts'];
  const hostKeyContext: HostKeyContext = {
    host,
    hostName: settings.hostName,
    port,
    userFiles: userFiles.map((file) => inHome(file, tokens)),
    policy: environment.hostKeys,
  };
  const known = await readKnownHosts(hostKeyContext);
  const timeout = AbortSignal.timeout(settings.connectTimeoutMs ?? handshakeTimeoutMs);
  const route = await openRoute(resolved, environment, AbortSignal.any([signal, timeout]), jumps).catch(
    (error: unknown) => {
      if (timeout.aborted) throw unanswered(settings.hostName, port);
      throw error;
    },
  );

  const client = new ssh2.Client();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const ready = Promise.withResolvers<undefined>();
  const tried = new Set<string>();
  const methods = loginMethods(
    {
      user,
      host: settings.hostName,
      agentSocket: agentSocket(settings, environment),
      identitiesOnly: settings.identitiesOnly,
      identityFiles: identityFiles(resolved, environment),
      secrets: environment.secrets,
    },
    tried,
    signal,
  );
  let keyFault: unknown;
  let seenKey = '';
  let asking = false;
  const fail = (error: Error & { level?: string }): void => {
    if (keyFault !== undefined) {
      ready.reject(keyFault);
      return;
    }
    const words = route.lastWords();
    const fault =
      error.level === 'client-authentication' || /authentication/i.test(error.message)
        ? refused(resolved, tried, error)
        : error instanceof Fault
          ? error
          : new Fault(
              seenKey === '' ? 'ssh-unreachable' : 'connection-lost',
              {
                message:
                  seenKey === ''
                    ? `${settings.hostName} cannot be reached on port ${port}: ${words === '' ? error.message : words}.`
                    : `The connection to ${host} was lost.`,
                remedy: 'Check that the server is on and that SSH is allowed from here.',
              },
              { host: settings.hostName, port },
              error,
            );
    ready.reject(fault);
    lost.reject(new Fault('connection-lost', { message: `The connection to ${host} was lost.` }, { host }, error));
  };
  client.on('error', fail);
  client.on('close', () => {
    fail(new Error('closed'));
    route.close();
  });
  client.once('ready', () => ready.resolve(undefined));
  const close = (): void => {
    client.end();
    client.destroy();
    route.close();
  };
  const abort = (): void => {
    ready.reject(signal.reason);
    close();
  };
  signal.addEventListener('abort', abort, { once: true });
  const handshakeTimer = setTimeout(() => {
    if (asking) return;
    ready.reject(unanswered(settings.hostName, port));
    close();
  }, settings.connectTimeoutMs ?? handshakeTimeoutMs);
  try {
    signal.throwIfAborted();
    client.connect({
      sock: route.stream,
      username: user,
      readyTimeout: 0,
      keepaliveInterval: keepaliveIntervalMs,
      keepaliveCountMax,
      algorithms: { serverHostKey: preferredKeyTypes(knownTypes(known, hostKeyContext)) },
      hostVerifier: (key: Buffer, verify: (good: boolean) => void) => {
        seenKey = fingerprint(key);
        asking = true;
        verifyHostKey(hostKeyContext, known, key).then(
          () => verify(true),
          (error: unknown) => {
            keyFault = error;
            verify(false);
            ready.reject(error);
          },
        );
      },
      authHandler: (left, _partial, next) => {
        asking = true;
        methods.next(left).then(
          (method) => next(method.done === true ? (false as never) : method.value),
          (error: unknown) => {
            ready.reject(error);
            next(false as never);
          },
        );
      },
    });
    await ready.promise;
  } catch (error) {
    close();
    throw error;
  } finally {
    clearTimeout(handshakeTimer);
    signal.removeEventListener('abort', abort);
  }
  return { client, resolved, hostKeyFingerprint: seenKey, lost: lost.promise, close };
}

function unanswered(host: string, port: number): Fault {
  return new Fault(
    'ssh-unreachable',
    {
      message: `${host} did not answer on port ${port} in time.`,
      remedy: 'Check that the server is on, that the address is right, and that SSH is allowed from here.',
    },
    { host, port },
  );
}

/** Faults: ssh-unreachable, host-key-unknown, host-key-changed, login-refused. */
export async function openTransport(
  target: SshTarget,
  environment: SshEnvironment,
  signal?: AbortSignal,
): Promise<Transport> {
  const connection = await openConnection(target, environment, signal ?? new AbortController().signal);
  const { user, host } = connection.resolved;
  const context: SessionContext = {
    client: connection.client,
    user,
    host,
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
      return running.channel;
    },
    close: connection.close,
    closed: connection.lost.catch(() => undefined),
    [Symbol.asyncDispose]: async () => connection.close(),
  };
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
