/** Private keys for a choice: what stands in ~/.ssh and begins like one. Their content goes nowhere. */
import { open, readdir } from 'node:fs/promises';
import path from 'node:path';

const usualOrder = ['id_ed25519', 'id_ecdsa', 'id_rsa'];

async function beginsLikeKey(file: string): Promise<boolean> {
  try {
    await using handle = await open(file, 'r');
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(128), 0, 128, 0);
    const text = buffer.subarray(0, bytesRead).toString('latin1');
    return /^-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/.test(text) || text.startsWith('PuTTY-User-Key-File-');
  } catch {
    return false;
  }
}

export async function findIdentities(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const files = entries
    .filter((entry) => (entry.isFile() || entry.isSymbolicLink()) && !entry.name.endsWith('.pub'))
    .map((entry) => entry.name)
    .sort();
  const rank = (name: string): number => (usualOrder.includes(name) ? usualOrder.indexOf(name) : usualOrder.length);
  const keys: string[] = [];
  for (const name of files.toSorted((a, b) => rank(a) - rank(b))) {
    if (await beginsLikeKey(path.join(directory, name))) keys.push(path.join(directory, name));
  }
  return keys;
}
