/**
 * The one place of the app that connects to servers. A connection is opened once and shared by all who need that server, kept for a while
 * when nobody does, and opened again after a loss. Nobody is ever asked from here: what is missing is a fault that says so, and the next
 * attempt finds what was given meanwhile.
 */
import { Fault } from '../../agent/contract/fault.ts';
import type { Machine } from '../app-api/index.ts';
import type { Connect } from '../install/index.ts';
import type { LoginSecrets, SecretRequest, SecretStore } from '../secrets/index.ts';
import {
  knownName,
  openTransport,
  readUserConfig,
  resolveTarget,
  type SshConfig,
  type SshTransport,
} from '../ssh/index.ts';
import { Bundle } from './bundle.ts';
import { checkDestination } from './destination.ts';
import { wordAccessFault } from './faults.ts';
import type { LoginMemory } from './login-memory.ts';

export interface ServerAccessOptions {
  readonly secrets: SecretStore;
  /** Our own known_hosts. */
  readonly hostKeysFile: string;
  /** Which key let us in where; a configuration file does not say. */
  readonly logins: LoginMemory;
  /** Read at every connection: a lab or a line in ~/.ssh/config may have come since. */
  readonly sshConfig?: () => SshConfig;
  readonly agentSocket?: string | null | undefined;
  /** How long a connection outlives its last user. */
  readonly idleMs?: number;
}

/** Also what a configuration file says of a machine. */
export type MachineLike = Pick<Machine, 'destination'> & {
  readonly port?: number | null | undefined;
  readonly identity?: string | null | undefined;
};

export interface ServerAccess extends AsyncDisposable {
  /**
   * Open now or opened for this. `close` and `await using` give it back: nothing of this user goes on, the connection stays for others.
   * Faults: destination-invalid, ssh-unreachable, connection-lost, host-key-unknown, host-key-changed, host-key-revoked, login-refused,
   * secret-needed (also from `command`, `copy` and `connect` when sudo wants a password), sudo-password-wrong, no-sudo.
   */
  readonly transport: (machine: MachineLike, signal?: AbortSignal) => Promise<SshTransport>;
  /** The same, as installations and cluster sessions expect it. */
  readonly connect: Connect;
  /**
   * What stands to this machine (none: to all) answers nothing, as after the sleep of a laptop: whoever has it keeps it, the next one gets a
   * new connection.
   */
  readonly distrust: (machine?: MachineLike) => void;
  readonly giveSecret: (request: SecretRequest, secret: string, remember: boolean) => Promise<void>;
  /** For the next connection, which pins it in place of the one on record. */
  readonly acceptHostKey: (key: { host: string; port: number; fingerprint: string }) => void;
  /** A secret or a host key was given: what was refused may go well now. */
  readonly onGiven: (listener: () => void) => () => void;
  /** The SSH configuration as it is now. */
  readonly sshConfig: () => SshConfig;
}

const defaultIdleMs = 60_000;
interface Opening {
  readonly bundle: Promise<Bundle>;
  readonly controller: AbortController;
  waiting: number;
}

class Access implements ServerAccess {
  readonly #options: ServerAccessOptions;
  readonly #open = new Map<string, Bundle>();
  /** Not handed out any more; theirs who still have them. */
  readonly #distrusted = new Set<Bundle>();
  readonly #opening = new Map<string, Opening>();
  /** By name in known_hosts: fingerprints that a person has compared. */
  readonly #accepted = new Map<string, Set<string>>();
  readonly #listeners = new Set<() => void>();
  #disposed = false;

  constructor(options: ServerAccessOptions) {
    this.#options = options;
    options.secrets.onGiven(() => this.#given());
  }

  readonly sshConfig = (): SshConfig => (this.#options.sshConfig ?? readUserConfig)();

  readonly transport = async (machine: MachineLike, signal?: AbortSignal): Promise<SshTransport> => {
    checkDestination(machine.destination);
    signal?.throwIfAborted();
    if (this.#disposed) throw new Fault('aborted', { message: 'The app is closing.' });
    const key = this.#keyOf(machine);
    const open = this.#open.get(key);
    if (open?.isOpen === true) return open.lease();
    const bundle = await this.#share(key, machine, signal);
    return bundle.lease();
  };

  readonly connect: Connect = (machine, signal) =>
    this.transport({ destination: machine.destination, port: machine.port }, signal);

  readonly distrust = (machine?: MachineLike): void => {
    const keys = machine === undefined ? [...this.#open.keys()] : [this.#keyOf(machine)];
    for (const key of keys) {
      const bundle = this.#open.get(key);
      if (bundle === undefined) continue;
      this.#open.delete(key);
      this.#distrusted.add(bundle);
      void bundle.closed.then(() => this.#distrusted.delete(bundle));
    }
  };

  readonly giveSecret = (request: SecretRequest, secret: string, remember: boolean): Promise<void> =>
    this.#options.secrets.give(request, secret, remember);

  readonly acceptHostKey = (key: { host: string; port: number; fingerprint: string }): void => {
    const name = knownName(key.host, key.port);
    this.#accepted.set(name, (this.#accepted.get(name) ?? new Set()).add(key.fingerprint));
    this.#given();
  };

  readonly onGiven = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #given(): void {
    for (const listener of this.#listeners) listener();
  }

  #keyOf(machine: MachineLike): string {
    return JSON.stringify([machine.destination, machine.port ?? null, this.#identityOf(machine)]);
  }

  #identityOf(machine: MachineLike): string | null {
    return machine.identity ?? this.#options.logins.identityOf(machine.destination, machine.port ?? null);
  }

  /** Several who want the same server at the same time wait for one connection; it is given up when all of them have. */
  async #share(key: string, machine: MachineLike, signal: AbortSignal | undefined): Promise<Bundle> {
    const opening = this.#opening.get(key) ?? this.#begin(key, machine);
    opening.waiting++;
    const leave = Promise.withResolvers<never>();
    leave.promise.catch(() => undefined);
    const abort = (): void => {
      leave.reject(signal?.reason);
      if (opening.waiting === 1) opening.controller.abort(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([opening.bundle, leave.promise]);
    } finally {
      opening.waiting--;
      signal?.removeEventListener('abort', abort);
    }
  }

  #begin(key: string, machine: MachineLike): Opening {
    const controller = new AbortController();
    const bundle = this.#openBundle(key, machine, controller.signal);
    bundle.catch(() => undefined);
    const opening: Opening = { bundle, controller, waiting: 0 };
    this.#opening.set(key, opening);
    const done = (): void => {
      if (this.#opening.get(key) === opening) this.#opening.delete(key);
    };
    bundle.then(done, done);
    // Whoever comes after it was given up begins again.
    controller.signal.addEventListener('abort', done, { once: true });
    return opening;
  }

  async #openBundle(key: string, machine: MachineLike, signal: AbortSignal): Promise<Bundle> {
    const identity = this.#identityOf(machine);
    const dial = async (dialSignal: AbortSignal): Promise<{ transport: SshTransport; secrets: LoginSecrets }> => {
      const secrets = this.#secretsFor(machine);
      try {
        return { transport: await this.#dial(machine, identity, secrets, dialSignal), secrets };
      } catch (error) {
        throw wordAccessFault(error, secrets);
      }
    };
    const bundle = await Bundle.open(dial, signal, this.#options.idleMs ?? defaultIdleMs);
    if (this.#disposed) {
      bundle.close();
      throw new Fault('aborted', { message: 'The app is closing.' });
    }
    this.#open.set(key, bundle);
    void bundle.closed.then(() => {
      if (this.#open.get(key) === bundle) this.#open.delete(key);
    });
    if (machine.identity !== null && machine.identity !== undefined)
      await this.#options.logins.remember(machine.destination, machine.port ?? null, machine.identity);
    return bundle;
  }

  #secretsFor(machine: MachineLike): LoginSecrets {
    const { host, port, settings } = this.#resolve(machine);
    const hosts = [settings.hostName, host];
    // Several servers behind one address differ in their ports only.
    return this.#options.secrets.forLogin(port === 22 ? hosts : [...hosts.map((name) => `${name}:${port}`), ...hosts]);
  }

  #resolve(machine: MachineLike): ReturnType<typeof resolveTarget> {
    return resolveTarget({ destination: machine.destination, port: machine.port ?? undefined }, this.sshConfig());
  }

  #dial(
    machine: MachineLike,
    identity: string | null,
    secrets: LoginSecrets,
    signal: AbortSignal,
  ): Promise<SshTransport> {
    const { host, port, settings } = this.#resolve(machine);
    const names = [knownName(settings.hostName, port), knownName(host, port)];
    return openTransport(
      { destination: machine.destination, port: machine.port ?? undefined },
      {
        config: this.sshConfig(),
        secrets,
        identity: identity ?? undefined,
        agentSocket: this.#options.agentSocket,
        hostKeys: {
          storeFile: this.#options.hostKeysFile,
          accepted: names.flatMap((name) => [...(this.#accepted.get(name) ?? [])]),
          ask: null,
        },
      },
      signal,
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const { controller } of this.#opening.values())
      controller.abort(new Fault('aborted', { message: 'The app is closing.' }));
    for (const bundle of [...this.#open.values(), ...this.#distrusted]) bundle.close();
    this.#open.clear();
    return Promise.resolve();
  }
}

export function createServerAccess(options: ServerAccessOptions): ServerAccess {
  return new Access(options);
}
