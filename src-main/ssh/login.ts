/**
 * In which order a login is tried: the key that was asked for, the keys of the configuration, those of the agent, password, questions of the
 * server. A secret is asked for only when it is the next to be tried. Which of it has been tried outlives a connection: a server that ends
 * the connection after a few wrong keys is asked again with those that are left.
 */
import type { AnyAuthMethod, ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import type { SecretSource } from '../secrets/index.ts';
import { openKeyFile, type KeyFile } from './key-file.ts';

export interface LoginMeans {
  readonly user: string;
  readonly host: string;
  /** SSH_AUTH_SOCK or what stands for it; null: none. */
  readonly agentSocket: string | null;
  /** Only these keys: others of the agent are not offered (IdentitiesOnly). */
  readonly identitiesOnly: boolean;
  /** In the order in which they are tried; before the agent's. */
  readonly identityFiles: readonly string[];
  /** Tried after the agent's. */
  readonly usualFiles: readonly string[];
  readonly secrets: SecretSource;
}

/** A login by password may be repeated this often; sshd closes the connection after six failures of any kind. */
const passwordAttemptsMax = 3;
/** An agent on a forwarded socket may never answer. */
const agentTimeoutMs = 3000;

export type TriedMeans = 'agent' | 'key' | 'password';

interface AgentKey {
  readonly publicKey: ParsedKey;
  readonly sign: Sign;
}

type Done = (error?: Error | null, signature?: Buffer) => void;
type Sign = (data: Buffer, hash: string | undefined) => Promise<Buffer>;

/** ssh2 asks an agent for a signature only after the server has taken the public key. */
class OneKeyAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #publicKey: ParsedKey;
  readonly #sign: Sign;

  constructor(publicKey: ParsedKey, sign: Sign) {
    super();
    this.#publicKey = publicKey;
    this.#sign = sign;
  }
  override getIdentities(callback: (error?: Error | null, keys?: ParsedKey[]) => void): void {
    callback(null, [this.#publicKey]);
  }
  override sign(_key: ParsedKey, data: Buffer, options: { hash?: string } | Done, callback?: Done): void {
    const done = typeof options === 'function' ? options : callback;
    const hash = typeof options === 'function' ? undefined : options.hash;
    this.#sign(data, hash).then(
      (signature) => done?.(null, signature),
      (error: unknown) => done?.(error instanceof Error ? error : new Error(String(error))),
    );
  }
}

async function keysOfAgent(socket: string): Promise<AgentKey[]> {
  const agent = ssh2.createAgent(socket);
  const keys = await new Promise<ParsedKey[]>((resolve) => {
    const timer = setTimeout(() => resolve([]), agentTimeoutMs);
    agent.getIdentities((error, found) => {
      clearTimeout(timer);
      // An agent that is gone is no reason to stay outside.
      resolve(error ? [] : (found ?? []).map((key) => ssh2.utils.parseKey(key as ParsedKey)).filter(isKey));
    });
  });
  const sign = (publicKey: ParsedKey, data: Buffer, hash: string | undefined): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      agent.sign(publicKey, data, hash === undefined ? {} : { hash: hash as 'sha256' }, (error, signature) => {
        if (error || signature === undefined) reject(error ?? new Error('the agent gave no signature'));
        else resolve(signature);
      });
    });
  return keys.map((publicKey) => ({ publicKey, sign: (data, hash) => sign(publicKey, data, hash) }));
}

function isKey(key: ParsedKey | Error): key is ParsedKey {
  return !(key instanceof Error);
}

function idOf(key: ParsedKey): string {
  return key.getPublicSSH().toString('base64');
}

type Left = readonly string[] | null;

/** One login, over as many connections as it takes. */
export class Login {
  /** What was really tried. */
  readonly tried = new Set<TriedMeans>();
  /** What the server takes, as it said itself; null: it has not said. */
  takes: Left = null;
  /** A proof was accepted, and the server wants another one. */
  halfIn = false;
  /** What the server said last before it let anybody in. */
  said = '';
  readonly #means: LoginMeans;
  readonly #signal: AbortSignal;
  readonly #methods: AsyncGenerator<AnyAuthMethod, void, undefined>;

  constructor(means: LoginMeans, signal: AbortSignal) {
    this.#means = means;
    this.#signal = signal;
    this.#methods = this.#inOrder();
  }

  /** For one connection: what to try next; null: out of means. */
  conversation(): (left: Left, partial: boolean | null) => Promise<AnyAuthMethod | null> {
    let begun = false;
    return async (left, partial) => {
      if (!begun) {
        begun = true;
        // Costs no attempt, and the server says what it takes.
        return { type: 'none', username: this.#means.user };
      }
      if (left !== null) this.takes = left;
      if (partial === true) this.halfIn = true;
      const next = await this.#methods.next();
      return next.done === true ? null : next.value;
    };
  }

  #allowed(method: string): boolean {
    return this.takes === null || this.takes.includes(method);
  }

  async *#inOrder(): AsyncGenerator<AnyAuthMethod, void, undefined> {
    if (this.#allowed('publickey')) yield* this.#keys();
    const { user: username, host, secrets } = this.#means;
    const request = { kind: 'ssh-password', user: username, host } as const;
    const halfInBefore = this.halfIn;
    for (let attempt = 1; attempt <= passwordAttemptsMax; attempt++) {
      // The password was right: what is asked for now is something else.
      if (this.halfIn && !halfInBefore) return;
      const plain = this.#allowed('password');
      if (!plain && !this.#allowed('keyboard-interactive')) return;
      const password = await secrets.get(request, attempt, this.#signal);
      if (password === null) return;
      this.tried.add('password');
      yield plain ? { type: 'password', username, password } : this.#answering(password);
    }
  }

  #answering(password: string): AnyAuthMethod {
    return {
      type: 'keyboard-interactive',
      username: this.#means.user,
      // Whatever is asked without echo is the password; anything else has no answer here.
      prompt: (_name, _instructions, _language, prompts, finish) => {
        finish(prompts.map((prompt) => (prompt.echo === true ? '' : password)));
      },
    };
  }

  async *#keys(): AsyncGenerator<AnyAuthMethod, void, undefined> {
    const { agentSocket, identityFiles, usualFiles, identitiesOnly } = this.#means;
    const ofAgent = agentSocket === null ? [] : await keysOfAgent(agentSocket);
    const offered = new Set<string>();
    yield* this.#files(identityFiles, ofAgent, offered);
    if (!identitiesOnly) {
      for (const key of ofAgent) {
        if (!this.#allowed('publickey')) return;
        if (!offered.has(idOf(key.publicKey))) yield this.#byAgent(key, offered);
      }
    }
    yield* this.#files(usualFiles, ofAgent, offered);
  }

  async *#files(
    files: readonly string[],
    ofAgent: readonly AgentKey[],
    offered: Set<string>,
  ): AsyncGenerator<AnyAuthMethod, void, undefined> {
    for (const file of files) {
      if (!this.#allowed('publickey')) return;
      const key = await openKeyFile(file, this.#means.secrets, this.#signal);
      if (key === null || offered.has(idOf(key.publicKey))) continue;
      const unlocked = ofAgent.find(({ publicKey }) => idOf(publicKey) === idOf(key.publicKey));
      if (unlocked === undefined) yield* this.#byFile(key, offered);
      else yield this.#byAgent(unlocked, offered);
    }
  }

  #byAgent(key: AgentKey, offered: Set<string>): AnyAuthMethod {
    offered.add(idOf(key.publicKey));
    this.tried.add('agent');
    return { type: 'agent', username: this.#means.user, agent: new OneKeyAgent(key.publicKey, key.sign) };
  }

  async *#byFile(file: KeyFile, offered: Set<string>): AsyncGenerator<AnyAuthMethod, void, undefined> {
    const { user: username } = this.#means;
    offered.add(idOf(file.publicKey));
    if (file.locked) {
      // Only a key that the server takes is worth a passphrase. Asking costs no attempt when it does.
      const answer = { taken: false };
      const decline: Sign = () => {
        answer.taken = true;
        return Promise.reject(new Error('only asked whether the key is taken'));
      };
      this.tried.add('key');
      yield { type: 'agent', username, agent: new OneKeyAgent(file.publicKey, decline) };
      if (!answer.taken) return;
    }
    const key = await file.unlock(this.#signal);
    if (key === null) return;
    this.tried.add('key');
    yield { type: 'publickey', username, key };
  }
}
