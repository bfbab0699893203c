/**
 * A private key in a file: its public half is offered first, and only a server that takes it makes the private half, and with it the
 * passphrase, necessary.
 */
import { readFile } from 'node:fs/promises';
import type { ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import type { SecretSource } from '../secrets/index.ts';

export interface KeyFile {
  readonly file: string;
  readonly publicKey: ParsedKey;
  /** Needs a passphrase. */
  readonly locked: boolean;
  /** Null: there is no passphrase for it. */
  unlock(signal: AbortSignal): Promise<ParsedKey | null>;
}

const passphraseAttemptsMax = 3;
/** PROTOCOL.key of OpenSSH: magic, cipher, kdf, kdf options, number of keys, public key. */
const openSshMagic = 'openssh-key-v1\0';

function single(parsed: ParsedKey | Error | readonly ParsedKey[]): ParsedKey | null {
  if (parsed instanceof Error) return null;
  // ssh2 gives a list for files of several keys, which its types do not know.
  const keys: readonly ParsedKey[] = Array.isArray(parsed) ? parsed : [parsed as ParsedKey];
  return keys[0] ?? null;
}

/** The public half, which OpenSSH leaves readable also where the private one is encrypted. */
export function publicHalf(text: string): ParsedKey | null {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1];
  if (body === undefined) return null;
  const data = Buffer.from(body, 'base64');
  if (data.subarray(0, openSshMagic.length).toString('latin1') !== openSshMagic) return null;
  try {
    let at = openSshMagic.length;
    const next = (): Buffer => {
      const length = data.readUInt32BE(at);
      at += 4 + length;
      return data.subarray(at - length, at);
    };
    for (let skipped = 0; skipped < 3; skipped++) next();
    at += 4;
    const blob = next();
    const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1');
    return single(ssh2.utils.parseKey(`${type} ${blob.toString('base64')}`));
  } catch {
    return null;
  }
}

function isEncrypted(error: Error): boolean {
  return /passphrase|decrypt|integrity/i.test(error.message);
}

function unlocked(file: string, key: ParsedKey): KeyFile {
  return { file, publicKey: key, locked: false, unlock: () => Promise.resolve(key) };
}

/** Null: no private key of a kind that is known here. */
export async function openKeyFile(file: string, secrets: SecretSource, signal: AbortSignal): Promise<KeyFile | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return null;
  const plain = ssh2.utils.parseKey(text);
  if (!(plain instanceof Error)) {
    const key = single(plain);
    return key?.isPrivateKey() === true ? unlocked(file, key) : null;
  }
  if (!isEncrypted(plain)) return null;

  async function unlock(unlockSignal: AbortSignal): Promise<ParsedKey | null> {
    for (let attempt = 1; attempt <= passphraseAttemptsMax; attempt++) {
      const passphrase = await secrets.get({ kind: 'key-passphrase', file }, attempt, unlockSignal);
      if (passphrase === null) return null;
      const parsed = ssh2.utils.parseKey(text ?? '', passphrase);
      if (!(parsed instanceof Error)) return single(parsed);
      if (!isEncrypted(parsed)) return null;
    }
    return null;
  }
  const beside = await readFile(`${file}.pub`, 'utf8').catch(() => '');
  const publicKey = publicHalf(text) ?? single(ssh2.utils.parseKey(beside));
  if (publicKey !== null) return { file, publicKey, locked: true, unlock };
  // The older format hides both halves.
  const key = await unlock(signal);
  return key === null ? null : unlocked(file, key);
}
