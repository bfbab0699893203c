/** What a server wants next before it lets somebody in, from the fault with which it answered. Pure. */
import type { FaultRecord } from '../../agent/contract/index.ts';
import type { ServerFacts } from '../../src-main/app-api/index.ts';

export type SecretRequest =
  | { readonly kind: 'ssh-password'; readonly user: string; readonly host: string }
  | { readonly kind: 'sudo-password'; readonly user: string; readonly host: string }
  | { readonly kind: 'key-passphrase'; readonly file: string };

export interface HostKey {
  readonly host: string;
  readonly port: number;
  readonly type: string;
  readonly fingerprint: string;
}

export type LoginState =
  /** Not tried with what is typed now. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'ready'; readonly facts: ServerFacts }
  | { readonly kind: 'host-key-unknown'; readonly key: HostKey }
  | { readonly kind: 'host-key-changed'; readonly key: HostKey; readonly expected: string }
  /** `wrong`: what was given the last time was not taken. */
  | { readonly kind: 'secret-needed'; readonly request: SecretRequest; readonly wrong: boolean }
  | { readonly kind: 'failed'; readonly fault: FaultRecord };

type Details = FaultRecord['details'];

function text(details: Details, key: string): string {
  const value = details[key];
  return typeof value === 'string' ? value : Array.isArray(value) ? value.join(', ') : '';
}

function hostKeyOf(details: Details): HostKey {
  const port = details['port'];
  return {
    host: text(details, 'host'),
    port: typeof port === 'number' ? port : 22,
    type: text(details, 'type'),
    fingerprint: text(details, 'fingerprint'),
  };
}

function requestOf(details: Details): SecretRequest | null {
  const [user, host, file] = [text(details, 'user'), text(details, 'host'), text(details, 'file')];
  switch (text(details, 'kind')) {
    case 'ssh-password':
      return { kind: 'ssh-password', user, host };
    case 'sudo-password':
      return { kind: 'sudo-password', user, host };
    case 'key-passphrase':
      return { kind: 'key-passphrase', file };
    default:
      return null;
  }
}

export function sameRequest(a: SecretRequest, b: SecretRequest): boolean {
  if (a.kind === 'key-passphrase' || b.kind === 'key-passphrase')
    return a.kind === 'key-passphrase' && b.kind === 'key-passphrase' && a.file === b.file;
  return a.kind === b.kind && a.user === b.user && a.host === b.host;
}

function triedPassword(details: Details): boolean {
  const tried = details['tried'];
  return Array.isArray(tried) && (tried.includes('password') || tried.includes('keyboard-interactive'));
}

/** `given`: the secret that this attempt was made with, if a person has just typed one. */
export function loginStateOf(fault: FaultRecord, given: SecretRequest | null): LoginState {
  const { code, details } = fault;
  switch (code) {
    case 'host-key-unknown':
      return { kind: 'host-key-unknown', key: hostKeyOf(details) };
    case 'host-key-changed':
      return { kind: 'host-key-changed', key: hostKeyOf(details), expected: text(details, 'expected') };
    case 'secret-needed': {
      const request = requestOf(details);
      if (request === null) return { kind: 'failed', fault };
      const wrong = details['wrong'] === true || (given !== null && sameRequest(given, request));
      return { kind: 'secret-needed', request, wrong };
    }
    case 'sudo-password-wrong':
      return {
        kind: 'secret-needed',
        request: { kind: 'sudo-password', user: text(details, 'user'), host: text(details, 'host') },
        wrong: true,
      };
    case 'login-refused':
      // A server that takes no password has nothing to be asked again.
      if (!triedPassword(details)) return { kind: 'failed', fault };
      return {
        kind: 'secret-needed',
        request: { kind: 'ssh-password', user: text(details, 'user'), host: text(details, 'host') },
        wrong: true,
      };
    default:
      return { kind: 'failed', fault };
  }
}

/** Of these a person can mend something at the login, wherever they come up. */
const loginFaults: readonly string[] = [
  'host-key-unknown',
  'host-key-changed',
  'host-key-revoked',
  'secret-needed',
  'sudo-needs-password',
  'sudo-password-wrong',
  'login-refused',
  'no-sudo',
  'ssh-unreachable',
  'connection-lost',
];
export function isLoginFault(fault: FaultRecord): boolean {
  return loginFaults.includes(fault.code);
}

/** `root@10.0.0.11`, `10.0.0.11:2222` pasted whole: what belongs into which field. */
export function splitDestination(typed: string): { readonly destination: string; readonly port: number | null } {
  const bare = typed.trim().replace(/^ssh(:\/\/|\s+)/, '');
  const match = /^([^\s:]+):(\d{1,5})$/.exec(bare);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port < 1 || port > 65_535) return { destination: bare, port: null };
  return { destination: match[1], port };
}

/** What prints the fingerprint at the console of the server, for the kind of key that it has shown. */
export function printCommand(type: string): string {
  const kind = type.startsWith('ecdsa')
    ? 'ecdsa'
    : type.includes('ed25519')
      ? 'ed25519'
      : type.includes('rsa')
        ? 'rsa'
        : '*';
  return `ssh-keygen -l -f /etc/ssh/ssh_host_${kind}_key.pub`;
}
