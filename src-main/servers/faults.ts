/** What stops a login, in the words of the app: what has to be given, and for what. */
import { Fault } from '../../agent/contract/fault.ts';
import type { LoginSecrets, SecretRequest } from '../secrets/index.ts';

function nameOf(request: SecretRequest): string {
  switch (request.kind) {
    case 'ssh-password':
      return `The password of ${request.user} on ${request.host}`;
    case 'sudo-password':
      return `The password with which ${request.user} becomes root on ${request.host}`;
    case 'key-passphrase':
      return `The passphrase of the key ${request.file}`;
  }
}

/** `wrong`: one was given, and it was not the right one; it is forgotten. */
export function secretNeeded(request: SecretRequest, wrong: boolean, cause?: unknown): Fault {
  return new Fault(
    'secret-needed',
    {
      message: wrong ? `${nameOf(request)} was not the right one.` : `${nameOf(request)} is needed.`,
      remedy: 'Give it and try again.',
    },
    { ...request, wrong },
    cause,
  );
}

/** Of a fault of the SSH layer, with what became of the secrets of that login. */
export function wordAccessFault(error: unknown, secrets: LoginSecrets): unknown {
  if (!(error instanceof Fault)) return error;
  if (error.code === 'login-refused') {
    const phrase = secrets.wrong.find(({ kind }) => kind === 'key-passphrase');
    const password = secrets.wrong.some(({ kind }) => kind === 'ssh-password');
    // A wrong password says so itself; a wrong passphrase never came as far as the server.
    if (password) return error;
    if (phrase !== undefined) return secretNeeded(phrase, true, error);
    // The key that the server takes comes first: it was tried first.
    const missing = secrets.missing.find(({ kind }) => kind !== 'sudo-password');
    return missing === undefined ? error : secretNeeded(missing, false, error);
  }
  if (error.code === 'sudo-needs-password' || error.code === 'sudo-password-wrong') {
    const sudo = [...secrets.missing, ...secrets.wrong].find(({ kind }) => kind === 'sudo-password');
    const wrong = secrets.wrong.some(({ kind }) => kind === 'sudo-password');
    if (sudo !== undefined && (error.code === 'sudo-needs-password' || !wrong)) return secretNeeded(sudo, false, error);
  }
  return error;
}
