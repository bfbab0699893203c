/** Are two directories on two hosts the same? Read below everything that the hosts mount, from the machine. */
import path from 'node:path';
import { Fault } from '../../../agent/contract/fault.ts';
import { must, nodeCommand } from '../../lab/index.ts';
import type { Host } from '../../lab/index.ts';

export interface ManifestEntry {
  /** Below the directory, each byte one Latin-1 character; '' is the directory itself. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'device';
  readonly mode: string;
  readonly owner: string;
  readonly size?: number;
  /** Nanoseconds; of files only: a directory's time moves when hidden names come and go. */
  readonly modified?: string;
  readonly sha256?: string;
  readonly target?: string;
  readonly device?: string;
  readonly linkedTo?: string;
  /** Extended attributes, values in hex. */
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Comparison {
  readonly equal: boolean;
  /** One readable line per difference. */
  readonly differences: readonly string[];
  readonly files: number;
  readonly bytes: number;
}

export interface CompareOptions {
  /** Extended attributes that belong to the node and not to the data. */
  readonly ignoredAttributes?: RegExp;
}

/** What the product keeps for itself inside the replicated directory. */
const privateName = '.holdfast';
const privateAttributes = /^trusted\.holdfast/;

/** A path inside the host, as the machine sees it below the host's own mounts. */
export function backingPath(host: Host, directory: string): string {
  if (directory !== '/data' && !directory.startsWith('/data/')) {
    throw new Fault('lab-not-below-data', { message: `${directory} is not below /data` });
  }
  if (host.state() === 'off') throw new Fault('lab-host-off', { message: `${host.name} is off` }, { host: host.name });
  return path.join(host.dataPath, directory.slice('/data'.length));
}

export async function readManifest(host: Host, directory: string): Promise<ManifestEntry[]> {
  const script = path.join(import.meta.dirname, 'manifest-process.ts');
  const text = await must(nodeCommand(script, backingPath(host, directory), privateName));
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ManifestEntry);
}

function readable(entryPath: string): string {
  return entryPath === '' ? '(the directory itself)' : JSON.stringify(Buffer.from(entryPath, 'latin1').toString());
}

function fields(entry: ManifestEntry, ignored: RegExp): Record<string, string> {
  const { path: _, attributes, ...rest } = entry;
  const result: Record<string, string> = {};
  for (const [key, value] of Object.entries(rest)) result[key] = String(value);
  for (const [key, value] of Object.entries(attributes)) if (!ignored.test(key)) result[`xattr ${key}`] = value;
  return result;
}

export function compareManifests(
  left: { readonly name: string; readonly entries: readonly ManifestEntry[] },
  right: { readonly name: string; readonly entries: readonly ManifestEntry[] },
  options: CompareOptions = {},
): Comparison {
  const ignored = options.ignoredAttributes ?? privateAttributes;
  const others = new Map(right.entries.map((entry) => [entry.path, entry]));
  const differences: string[] = [];
  for (const entry of left.entries) {
    const other = others.get(entry.path);
    others.delete(entry.path);
    if (other === undefined) {
      differences.push(`${readable(entry.path)}: only on ${left.name}`);
      continue;
    }
    const [mine, theirs] = [fields(entry, ignored), fields(other, ignored)];
    for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
      if (mine[key] === theirs[key]) continue;
      const values = `${mine[key] ?? 'none'} on ${left.name}, ${theirs[key] ?? 'none'} on ${right.name}`;
      differences.push(`${readable(entry.path)}: ${key}: ${values}`);
    }
  }
  for (const entryPath of others.keys()) differences.push(`${readable(entryPath)}: only on ${right.name}`);
  const files = left.entries.filter((entry) => entry.type === 'file');
  const bytes = files.reduce((sum, entry) => sum + (entry.size ?? 0), 0);
  return { equal: differences.length === 0, differences, files: files.length, bytes };
}

export async function directoriesEqual(
  hostA: Host,
  directoryA: string,
  hostB: Host,
  directoryB: string,
  options: CompareOptions = {},
): Promise<Comparison> {
  const [left, right] = await Promise.all([readManifest(hostA, directoryA), readManifest(hostB, directoryB)]);
  return compareManifests({ name: hostA.name, entries: left }, { name: hostB.name, entries: right }, options);
}

export async function assertDirectoriesEqual(
  hostA: Host,
  directoryA: string,
  hostB: Host,
  directoryB: string,
  options: CompareOptions = {},
): Promise<Comparison> {
  const comparison = await directoriesEqual(hostA, directoryA, hostB, directoryB, options);
  if (comparison.equal) return comparison;
  const shown = comparison.differences.slice(0, 30).map((line) => `\n  ${line}`);
  const more = comparison.differences.length > 30 ? `\n  and ${comparison.differences.length - 30} more` : '';
  throw new Fault('directories-differ', { message: `the copies differ:${shown.join('')}${more}` });
}
