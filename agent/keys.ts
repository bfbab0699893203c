/**
 * `holdfast keys make --node NAME [--directory DIR]`: this node's own key and certificate, made once and kept. The private key never
 * leaves the node; the certificate goes to stdout, for the installer to carry to the peer.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Fault } from './contract/fault.ts';
import { makeCertificate } from './network/certificate.ts';

function writeDurably(file: string, text: string, mode: number): void {
  const temporary = `${file}.new`;
  const descriptor = openSync(temporary, 'w', mode);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, file);
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Key and certificate of an interrupted earlier run may not belong together: then both are made anew. */
function belongTogether(key: string, certificate: string, node: string): boolean {
  try {
    const parsed = new X509Certificate(certificate);
    return parsed.checkPrivateKey(createPrivateKey(key)) && parsed.subject === `CN=${node}`;
  } catch {
    return false;
  }
}

export async function makeKeys(node: string, directory: string): Promise<{ certificatePem: string; made: boolean }> {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  const keyFile = path.join(directory, 'node.key');
  const certificateFile = path.join(directory, 'node.crt');
  const key = readOrNull(keyFile);
  const certificate = readOrNull(certificateFile);
  if (key !== null && certificate !== null && belongTogether(key, certificate, node)) {
    return { certificatePem: certificate, made: false };
  }
  const identity = await makeCertificate(node);
  writeDurably(keyFile, identity.keyPem, 0o600);
  writeDurably(certificateFile, identity.certificatePem, 0o644);
  return { certificatePem: identity.certificatePem, made: true };
}

/** `argv` after `keys`. */
export async function runKeysCommand(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { node: { type: 'string' }, directory: { type: 'string', default: '/etc/holdfast' } },
  });
  if (positionals.length !== 1 || positionals[0] !== 'make' || values.node === undefined) {
    throw new Fault('wrong-usage', { message: 'usage: holdfast keys make --node NAME [--directory DIR]' });
  }
  const { certificatePem } = await makeKeys(values.node, values.directory);
  process.stdout.write(certificatePem);
  return 0;
}
