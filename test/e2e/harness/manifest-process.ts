/**
 * `manifest-process.ts DIRECTORY EXCLUDED-NAME…`: everything that can be told apart about a tree, one JSON object per
 * line, in the order of the names' bytes. Excluded names are those of the topmost level. A program of its own:
 * extended attributes need foreign calls, which have no place in the process that runs the tests.
 */
import { createHash } from 'node:crypto';
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { extendedAttributes } from '../../lab/extended-attributes.ts';
import type { ManifestEntry } from './manifest.ts';

const readBuffer = Buffer.allocUnsafeSlow(1 << 20);

function hashOf(file: Buffer): string {
  const hash = createHash('sha256');
  const descriptor = openSync(file, 'r');
  try {
    for (;;) {
      const count = readSync(descriptor, readBuffer, 0, readBuffer.length, null);
      if (count === 0) return hash.digest('hex');
      hash.update(readBuffer.subarray(0, count));
    }
  } finally {
    closeSync(descriptor);
  }
}

function typeOf(status: BigIntStats): ManifestEntry['type'] {
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'directory';
  if (status.isSymbolicLink()) return 'symlink';
  if (status.isFIFO()) return 'fifo';
  if (status.isSocket()) return 'socket';
  return 'device';
}

/** First path by which an inode with several names was met: equal trees link the same names together. */
const firstNames = new Map<bigint, string>();

function describe(file: Buffer, relative: string): ManifestEntry {
  const status = lstatSync(file, { bigint: true });
  const type = typeOf(status);
  let linkedTo: string | undefined;
  if (type !== 'directory' && status.nlink > 1n) {
    linkedTo = firstNames.get(status.ino);
    if (linkedTo === undefined) firstNames.set(status.ino, relative);
  }
  return {
    path: relative,
    type,
    mode: (status.mode & 0o7777n).toString(8),
    owner: `${status.uid}:${status.gid}`,
    ...(type === 'file' ? { size: Number(status.size), modified: status.mtimeNs.toString() } : {}),
    ...(type === 'file' ? { sha256: hashOf(file) } : {}),
    ...(type === 'symlink' ? { target: readlinkSync(file, { encoding: 'buffer' }).toString('latin1') } : {}),
    ...(type === 'device' ? { device: status.rdev.toString() } : {}),
    ...(linkedTo === undefined ? {} : { linkedTo }),
    attributes: extendedAttributes(file),
  };
}

function walk(directory: Buffer, relative: string, excluded: readonly string[]): void {
  const names = readdirSync(directory, { encoding: 'buffer' }).sort((a, b) => a.compare(b));
  for (const name of names) {
    // Latin-1 keeps every byte: names are bytes.
    const text = name.toString('latin1');
    if (excluded.includes(text)) continue;
    const file = Buffer.concat([directory, Buffer.from('/'), name]);
    const entry = describe(file, relative === '' ? text : `${relative}/${text}`);
    process.stdout.write(`${JSON.stringify(entry)}\n`);
    if (entry.type === 'directory') walk(file, entry.path, []);
  }
}

const [directory, ...excludedNames] = process.argv.slice(2);
const top = Buffer.from(directory ?? '.');
process.stdout.write(`${JSON.stringify(describe(top, ''))}\n`);
walk(top, '', excludedNames);
