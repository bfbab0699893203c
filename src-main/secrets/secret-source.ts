/** Where passwords come from. Whoever needs one says what for; the answer is never logged, stored or put into a fault. */

export type SecretRequest =
  | { readonly kind: 'ssh-password'; readonly user: string; readonly host: string }
  | { readonly kind: 'sudo-password'; readonly user: string; readonly host: string }
  | { readonly kind: 'key-passphrase'; readonly file: string };

export interface SecretSource {
  /**
   * `attempt` counts from 1 for each login: a second attempt means that the first answer was wrong.
   * Null: there is none, or nobody can be asked.
   */
  get(request: SecretRequest, attempt: number, signal?: AbortSignal): Promise<string | null>;
}

export const noSecrets: SecretSource = { get: () => Promise.resolve(null) };

/** The same for requests that one secret answers. */
export function requestKey(request: SecretRequest): string {
  return request.kind === 'key-passphrase'
    ? `${request.kind} ${request.file}`
    : `${request.kind} ${request.user}@${request.host}`;
}

/** Asks once and remembers for the life of the process: connecting again must not ask again. Questions wait for each other. */
export function remembering(source: SecretSource): SecretSource {
  const known = new Map<string, string>();
  let turn: Promise<unknown> = Promise.resolve();
  return {
    get(request, attempt, signal) {
      const key = requestKey(request);
      const answer = turn.then(async () => {
        const before = known.get(key);
        if (before !== undefined && attempt === 1) return before;
        const secret = await source.get(request, attempt, signal);
        if (secret === null) known.delete(key);
        else known.set(key, secret);
        return secret;
      });
      turn = answer.catch(() => undefined);
      return answer;
    },
  };
}

/**
 * From the environment, for use without a terminal: HOLDFAST_SSH_PASSWORD, HOLDFAST_SUDO_PASSWORD (else the login password),
 * HOLDFAST_KEY_PASSPHRASE. A wrong one is not offered twice.
 */
export function environmentSecrets(environment: NodeJS.ProcessEnv): SecretSource {
  return {
    get(request, attempt) {
      if (attempt > 1) return Promise.resolve(null);
      const login = environment['HOLDFAST_SSH_PASSWORD'];
      switch (request.kind) {
        case 'ssh-password':
          return Promise.resolve(login ?? null);
        case 'sudo-password':
          return Promise.resolve(environment['HOLDFAST_SUDO_PASSWORD'] ?? login ?? null);
        case 'key-passphrase':
          return Promise.resolve(environment['HOLDFAST_KEY_PASSPHRASE'] ?? null);
      }
    },
  };
}

export function firstOf(...sources: readonly SecretSource[]): SecretSource {
  return {
    async get(request, attempt, signal) {
      for (const source of sources) {
        const secret = await source.get(request, attempt, signal);
        if (secret !== null) return secret;
      }
      return null;
    },
  };
}
