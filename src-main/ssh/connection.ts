/** An SSH connection that is logged in. */
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import { Fault } from '../../agent/contract/fault.ts';
import { knownTypes, readKnownHosts, verifyHostKey, type HostKeyContext } from './host-keys.ts';
import { fingerprint } from './known-hosts.ts';
import { Login } from './login.ts';
import { openProxyCommand, openTcp, type Route } from './route.ts';
import { expandTokens, parseDestination } from './ssh-config.ts';
import {
  agentSocket,
  identityFiles,
  inHome,
  resolveTarget,
  type ResolvedTarget,
  type SshEnvironment,
  type SshTarget,
} from './target.ts';

const handshakeTimeoutMs = 20_000;
/** A directory service that is slow to say whether a password is right. */
const loginTimeoutMs = 30_000;
/** Three unanswered in a row: the host is gone, 9 s after its last sign of life. */
const keepaliveIntervalMs = 3000;
const keepaliveCountMax = 3;
const jumpsMax = 5;
/** What lawyers wrote comes first, the reason last. */
const bannerCharactersMax = 500;
/** A server that lets nobody try more than a few keys is asked again with the next ones, this often. */
const loginConnectionsMax = 6;

export interface Connection {
  readonly client: ssh2.Client;
  readonly resolved: ResolvedTarget;
  readonly hostKeyFingerprint: string;
  readonly lost: Promise<never>;
  readonly close: () => void;
}

/** The server ended the connection in the middle of a login: there were too many wrong keys for its taste, or it has other reasons. */
class LoginCut extends Error {
  override readonly name = 'LoginCut';
  readonly tooMany: boolean;

  constructor(message: string) {
    super(message);
    this.tooMany = /too many authentication failures/i.test(message);
  }
}

async function openRoute(
  resolved: ResolvedTarget,
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
        jump.close();
        reject(
          new Fault(
            'ssh-unreachable',
            { message: `${settings.hostName} cannot be reached through ${last}: ${error.message}.` },
            { host: settings.hostName, port },
          ),
        );
      } else resolveStream(channel);
    });
  });
  return { stream, lastWords: () => '', close: () => jump.close() };
}

function refused(resolved: ResolvedTarget, login: Login, cause: unknown): Fault {
  const { user, host } = resolved;
  const tried = [...login.tried];
  const takes = (login.takes ?? []).filter((method) => method !== 'none');
  const means = login.halfIn
    ? 'it wants a second proof besides what was given'
    : tried.length === 0
      ? 'there was nothing to log in with'
      : `tried: ${tried.join(', ')}`;
  const keysOnly = takes.length > 0 && !takes.includes('password') && !takes.includes('keyboard-interactive');
  return new Fault(
    'login-refused',
    {
      message: `${host} did not let ${user} in (${means}).`,
      remedy: login.tried.has('password')
        ? 'Check the user name and the password.'
        : keysOnly
          ? `${host} takes only keys: put yours into ~${user}/.ssh/authorized_keys there, or give another one.`
          : 'Give the key with --identity, or start on a terminal, where a password can be asked for.',
    },
    { host, user, tried, takes, secondProof: login.halfIn },
    cause,
  );
}

/** Not a refusal: a server that is just booting lets nobody but root in, and says so. */
function cutOff(resolved: ResolvedTarget, login: Login, cause: unknown): Fault {
  const { host, user } = resolved;
  const said = login.said.trim();
  return new Fault(
    'connection-lost',
    {
      message: `${host} ended the connection while ${user} logged in${said === '' ? '.' : `. It says: ${said}`}`,
      remedy: 'Try again in a moment.',
    },
    { host, user, said },
    cause,
  );
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

/** Faults: ssh-unreachable, host-key-unknown, host-key-changed, host-key-revoked, login-refused, connection-lost. */
export async function openConnection(
  target: SshTarget,
  environment: SshEnvironment,
  signal: AbortSignal,
  jumps = 0,
): Promise<Connection> {
  const resolved = resolveTarget(target, environment.config);
  const { settings, user } = resolved;
  const files = identityFiles(resolved, environment);
  const login = new Login(
    {
      user,
      host: settings.hostName,
      agentSocket: agentSocket(settings, environment),
      identitiesOnly: settings.identitiesOnly,
      identityFiles: files.chosen,
      usualFiles: files.usual,
      secrets: environment.secrets,
    },
    signal,
  );
  let cut: LoginCut | null = null;
  for (let attempt = 1; ; attempt++) {
    try {
      return await openOnce(resolved, environment, login, signal, jumps);
    } catch (error) {
      if (error instanceof Fault && error.code === 'login-refused' && cut !== null) throw cutOff(resolved, login, cut);
      if (!(error instanceof LoginCut)) throw error;
      if (!error.tooMany) cut = error;
      if (attempt >= loginConnectionsMax)
        throw cut === null ? refused(resolved, login, error) : cutOff(resolved, login, cut);
    }
  }
}

/** Faults as above, and LoginCut. */
async function openOnce(
  resolved: ResolvedTarget,
  environment: SshEnvironment,
  login: Login,
  signal: AbortSignal,
  jumps: number,
): Promise<Connection> {
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
  const timeoutMs = settings.connectTimeoutMs ?? handshakeTimeoutMs;
  const timeout = AbortSignal.timeout(timeoutMs);
  const route = await openRoute(resolved, environment, AbortSignal.any([signal, timeout]), jumps).catch(
    (error: unknown) => {
      if (timeout.aborted && !signal.aborted) throw unanswered(settings.hostName, port);
      throw error;
    },
  );

  const client = new ssh2.Client();
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const ready = Promise.withResolvers<undefined>();
  const next = login.conversation();
  let seenKey = '';
  /** Of our own means, on this connection. */
  let attempts = 0;
  let outOfMeans = false;

  function whyNot(error: Error & { level?: string }): Fault | LoginCut {
    if (error instanceof Fault) return error;
    if (error.level === 'client-authentication' || outOfMeans) return refused(resolved, login, error);
    if (attempts > 0) return new LoginCut(error.message);
    if (seenKey !== '')
      return new Fault(
        'connection-lost',
        { message: `The connection to ${host} was lost.`, remedy: 'Check that the server is on.' },
        { host: settings.hostName, port },
        error,
      );
    const words = route.lastWords();
    return new Fault(
      'ssh-unreachable',
      {
        message: `${settings.hostName} cannot be reached on port ${port}: ${words === '' ? error.message : words}.`,
        remedy: 'Check that the server is on and that SSH is allowed from here.',
      },
      { host: settings.hostName, port },
      error,
    );
  }
  const fail = (error: Error & { level?: string }): void => {
    // An agent that refuses to sign, or is gone: the next means is tried.
    if (error.level === 'agent') return;
    ready.reject(whyNot(error));
    lost.reject(new Fault('connection-lost', { message: `The connection to ${host} was lost.` }, { host }, error));
  };
  client.on('error', fail);
  client.on('close', () => {
    fail(new Error('closed'));
    route.close();
  });
  client.on('banner', (text) => {
    login.said = text.slice(-bannerCharactersMax);
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
  let timer: NodeJS.Timeout | undefined;
  /** While the other side has to say something; while a person here is asked, nobody is in a hurry. */
  const expectAnswer = (limitMs: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      ready.reject(unanswered(settings.hostName, port));
      close();
    }, limitMs);
  };
  expectAnswer(timeoutMs);
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
        clearTimeout(timer);
        verifyHostKey(hostKeyContext, known, key).then(
          () => {
            expectAnswer(loginTimeoutMs);
            verify(true);
          },
          (error: unknown) => {
            ready.reject(error);
            verify(false);
          },
        );
      },
      authHandler: (left, partial, give) => {
        clearTimeout(timer);
        next(left, partial).then(
          (method) => {
            expectAnswer(loginTimeoutMs);
            if (method === null) outOfMeans = true;
            else if (method.type !== 'none') attempts++;
            give(method ?? (false as never));
          },
          (error: unknown) => {
            ready.reject(error);
            give(false as never);
          },
        );
      },
    });
    await ready.promise;
  } catch (error) {
    close();
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
  return { client, resolved, hostKeyFingerprint: seenKey, lost: lost.promise, close };
}
