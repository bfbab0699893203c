/** In which order a login is tried: agent, keys, password, questions of the server. A secret is asked for only when it is the next to be tried. */
import { readFile } from 'node:fs/promises';
import type { AnyAuthMethod, ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import type { SecretSource } from '../secrets/index.ts';

export interface LoginMeans {
  readonly user: string;
  readonly host: string;
  /** SSH_AUTH_SOCK or what stands for it; null: none. */
  readonly agentSocket: string | null;
  /** Only these keys: the agent is not asked (IdentitiesOnly). */
  readonly identitiesOnly: boolean;
  readonly identityFiles: readonly string[];
  readonly secrets: SecretSource;
}

/** A login by password may be repeated this often; sshd closes the connection after six failures of any kind. */
const passwordAttemptsMax = 3;

async function readKey(file: string, secrets: SecretSource, signal: AbortSignal): Promise<ParsedKey | null> {
  const text = await readFile(file).catch(() => null);
  if (text === null) return null;
  let parsed = ssh2.utils.parseKey(text);
  for (let attempt = 1; attempt <= passwordAttemptsMax; attempt++) {
    if (!(parsed instanceof Error)) break;
    if (!/passphrase|decrypt|integrity/i.test(parsed.message)) return null;
    const passphrase = await secrets.get({ kind: 'key-passphrase', file }, attempt, signal);
    if (passphrase === null) return null;
    parsed = ssh2.utils.parseKey(text, passphrase);
  }
  if (parsed instanceof Error) return null;
  const keys: readonly ParsedKey[] = Array.isArray(parsed) ? parsed : [parsed];
  const key = keys[0];
  return key?.isPrivateKey() === true ? key : null;
}

type Left = readonly string[] | null;

/** Each `next(left)` gives the next thing to try among what the server still takes; the end means: out of means. */
export async function* loginMethods(
  means: LoginMeans,
  tried: Set<string>,
  signal: AbortSignal,
): AsyncGenerator<AnyAuthMethod, void, Left> {
  const { user: username, host, secrets } = means;
  let left = yield { type: 'none', username };
  const takes = (method: string): boolean => left === null || left.includes(method);

  if (takes('publickey') && means.agentSocket !== null && !means.identitiesOnly) {
    tried.add('agent');
    left = yield { type: 'agent', username, agent: means.agentSocket };
  }
  for (const file of means.identityFiles) {
    if (!takes('publickey')) break;
    const key = await readKey(file, secrets, signal);
    if (key === null) continue;
    tried.add('key');
    left = yield { type: 'publickey', username, key };
  }
  const request = { kind: 'ssh-password', user: username, host } as const;
  let attempt = 1;
  while (takes('password') && attempt <= passwordAttemptsMax) {
    const password = await secrets.get(request, attempt, signal);
    if (password === null) break;
    tried.add('password');
    left = yield { type: 'password', username, password };
    attempt++;
  }
  if (takes('keyboard-interactive') && attempt === 1) {
    while (attempt <= passwordAttemptsMax) {
      const password = await secrets.get(request, attempt, signal);
      if (password === null) break;
      tried.add('password');
      left = yield {
        type: 'keyboard-interactive',
        username,
        // Whatever is asked without echo is the password; anything else has no answer here.
        prompt: (_name, _instructions, _language, prompts, finish) => {
          finish(prompts.map((prompt) => (prompt.echo === true ? '' : password)));
        },
      };
      attempt++;
    }
  }
}
