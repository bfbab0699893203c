/**
 * What a person gave to this app: in memory until it ends, and in the keychain of the system where they said so. Nobody is asked from here;
 * what is missing is remembered, so that whoever logs in can say what to ask for. A wrong secret is forgotten at once and never tried twice.
 */
import type { Keychain } from './keychain.ts';
import { noSecrets, requestKey, type SecretRequest, type SecretSource } from './secret-source.ts';

export interface SecretStoreOptions {
  readonly keychain?: Keychain | null | undefined;
  /** Asked when nobody gave anything. */
  readonly otherwise?: SecretSource | undefined;
}

/** The secrets of one connection, with what became of them. */
export interface LoginSecrets extends SecretSource {
  /** There was none. */
  readonly missing: readonly SecretRequest[];
  /** Given, and refused by the other side. */
  readonly wrong: readonly SecretRequest[];
}

export interface SecretStore {
  give(request: SecretRequest, secret: string, remember: boolean): Promise<void>;
  /** `hosts`: other names under which secrets for this connection may have been given. */
  forLogin(hosts: readonly string[]): LoginSecrets;
  onGiven(listener: () => void): () => void;
}

class Store implements SecretStore {
  readonly #given = new Map<string, string>();
  readonly #refused = new Map<string, Set<string>>();
  readonly #listeners = new Set<() => void>();
  readonly #keychain: Keychain | null;
  readonly #otherwise: SecretSource;

  constructor(options: SecretStoreOptions) {
    this.#keychain = options.keychain ?? null;
    this.#otherwise = options.otherwise ?? noSecrets;
  }

  async give(request: SecretRequest, secret: string, remember: boolean): Promise<void> {
    const key = requestKey(request);
    this.#refused.delete(key);
    this.#given.set(key, secret);
    try {
      if (remember) await this.#keychain?.set(key, secret);
      else await this.#keychain?.remove(key);
    } finally {
      for (const listener of this.#listeners) listener();
    }
  }

  onGiven(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async refuse(requests: readonly SecretRequest[], secret: string): Promise<void> {
    for (const key of requests.map(requestKey)) {
      const refused = this.#refused.get(key) ?? new Set();
      this.#refused.set(key, refused.add(secret));
      if (this.#given.get(key) === secret) this.#given.delete(key);
      if ((await this.#keychain?.get(key)) === secret) await this.#keychain?.remove(key);
    }
  }

  /** The first that has not been refused for what it is asked for now. */
  async find(requests: readonly SecretRequest[], attempt: number, signal?: AbortSignal): Promise<string | null> {
    const good = (secret: string | null | undefined): secret is string =>
      secret !== null && secret !== undefined && !this.isRefused(requests, secret);
    const keys = requests.map(requestKey);
    for (const key of keys) {
      const given = this.#given.get(key);
      if (good(given)) return given;
    }
    for (const key of keys) {
      const kept = await this.#keychain?.get(key);
      if (good(kept)) return kept;
    }
    const [request] = requests;
    const other = request === undefined ? null : await this.#otherwise.get(request, attempt, signal);
    return good(other) ? other : null;
  }

  isRefused(requests: readonly SecretRequest[], secret: string): boolean {
    return requests.some((request) => this.#refused.get(requestKey(request))?.has(secret) === true);
  }

  forLogin(hosts: readonly string[]): LoginSecrets {
    return new Login(this, hosts);
  }
}

class Login implements LoginSecrets {
  readonly #store: Store;
  readonly #hosts: readonly string[];
  /** What was said the last time, and whether a person had given it for exactly this. */
  readonly #said = new Map<string, { readonly secret: string; readonly own: boolean }>();
  readonly missing: SecretRequest[] = [];
  readonly wrong: SecretRequest[] = [];

  constructor(store: Store, hosts: readonly string[]) {
    this.#store = store;
    this.#hosts = hosts;
  }

  #variants(request: SecretRequest): SecretRequest[] {
    if (request.kind === 'key-passphrase') return [request];
    const hosts = [...new Set([request.host, ...this.#hosts])];
    return hosts.map((host) => ({ ...request, host }));
  }

  async get(request: SecretRequest, attempt: number, signal?: AbortSignal): Promise<string | null> {
    const variants = this.#variants(request);
    const key = requestKey(request);
    const said = this.#said.get(key);
    if (attempt > 1 && said !== undefined) {
      await this.#store.refuse(variants, said.secret);
      if (said.own) this.#note(this.wrong, request);
    }
    const found = await this.#find(request, variants, attempt, signal);
    if (found === null) {
      this.#said.delete(key);
      if (!this.wrong.some((one) => requestKey(one) === key)) this.#note(this.missing, request);
      return null;
    }
    this.#said.set(key, found);
    return found.secret;
  }

  async #find(
    request: SecretRequest,
    variants: readonly SecretRequest[],
    attempt: number,
    signal: AbortSignal | undefined,
  ): Promise<{ secret: string; own: boolean } | null> {
    const own = await this.#store.find(variants, attempt, signal);
    if (own !== null) return { secret: own, own: true };
    if (request.kind !== 'sudo-password') return null;
    // Nearly always the same; refused for sudo, it still is the password of the login.
    const login = variants.map((one): SecretRequest =>
      one.kind === 'sudo-password' ? { ...one, kind: 'ssh-password' } : one,
    );
    const secret = await this.#store.find(login, 1, signal);
    return secret !== null && !this.#store.isRefused(variants, secret) ? { secret, own: false } : null;
  }

  #note(list: SecretRequest[], request: SecretRequest): void {
    if (!list.some((one) => requestKey(one) === requestKey(request))) list.push(request);
  }
}

export function createSecretStore(options: SecretStoreOptions = {}): SecretStore {
  return new Store(options);
}
