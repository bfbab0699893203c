import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readKnownHosts, verifyHostKey, type HostKeyContext } from './host-keys.ts';
import { fingerprint } from './known-hosts.ts';

function hostKey(content: string): Buffer {
  const type = Buffer.from('ssh-ed25519');
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, type, Buffer.from(content)]);
}

function contextOf(storeFile: string, host: string, key: Buffer): HostKeyContext {
  const policy = { storeFile, accepted: [fingerprint(key)], ask: null };
  return { host, hostName: host, port: 22, userFiles: [], policy };
}

it('a key is pinned beside the others; when those cannot be read they are not written over', async () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-keys-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const store = path.join(directory, 'own/known_hosts');
  const pin = async (host: string): Promise<void> => {
    const key = hostKey(host);
    const context = contextOf(store, host, key);
    await verifyHostKey(context, await readKnownHosts(context), key);
  };
  await pin('n1');
  await pin('n2');
  const before = readFileSync(store, 'utf8');
  expect(before.trim().split('\n')).toHaveLength(2);
  expect(statSync(store).mode & 0o777).toBe(0o600);
  rmSync(store);
  // Whoever runs the tests as root may read everything but this, and may put a file in its place.
  symlinkSync('known_hosts', store);
  await expect(pin('n3')).rejects.toMatchObject({ code: 'ELOOP' });
  rmSync(store);
  writeFileSync(store, before);
  await pin('n3');
  expect(readFileSync(store, 'utf8').trim().split('\n')).toHaveLength(3);
});
