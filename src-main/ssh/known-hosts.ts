/** known_hosts: who a host was the last time. Checking is pure; the store appends to our own file and never edits the user's. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { matchesPatterns } from './ssh-config.ts';

export interface KnownHost {
  readonly marker: 'revoked' | 'cert-authority' | null;
  readonly hosts: string;
  readonly type: string;
  readonly key: Buffer;
}

/** Of ten thousand lines, nearly all are about other hosts: their keys are never decoded. */
class Entry implements KnownHost {
  readonly marker: KnownHost['marker'];
  readonly hosts: string;
  readonly type: string;
  readonly #key: string;

  constructor(marker: KnownHost['marker'], hosts: string, type: string, key: string) {
    this.marker = marker;
    this.hosts = hosts;
    this.type = type;
    this.#key = key;
  }
  get key(): Buffer {
    return Buffer.from(this.#key, 'base64');
  }
}

export function parseKnownHosts(text: string): KnownHost[] {
  const entries: KnownHost[] = [];
  for (const whole of text.split('\n')) {
    const line = whole.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.includes('\t') || line.includes('  ') ? line.split(/\s+/) : line.split(' ');
    const marker = fields[0] === '@revoked' ? 'revoked' : fields[0] === '@cert-authority' ? 'cert-authority' : null;
    const [hosts, type, key] = marker === null ? fields : fields.slice(1);
    if (hosts === undefined || type === undefined || key === undefined) continue;
    entries.push(new Entry(marker, hosts, type, key));
  }
  return entries;
}

/** As OpenSSH names it in known_hosts: the port only when it is not 22. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

function entryMatches(entry: KnownHost, name: string): boolean {
  const hashed = entry.hosts.startsWith('|') ? /^\|1\|([^|]+)\|([^|]+)$/.exec(entry.hosts) : null;
  if (hashed?.[1] !== undefined && hashed[2] !== undefined) {
    const expected = Buffer.from(hashed[2], 'base64');
    const actual = createHmac('sha1', Buffer.from(hashed[1], 'base64')).update(name).digest();
    return expected.length === actual.length && timingSafeEqual(expected, actual);
  }
  return matchesPatterns(entry.hosts.split(','), name);
}

/** Of a long file the few lines that are about this host; judged once, since hashed names cost. */
export function entriesOf(entries: readonly KnownHost[], names: readonly string[]): KnownHost[] {
  return entries.filter((entry) => names.some((name) => entryMatches(entry, name)));
}

export function keyType(key: Buffer): string {
  return key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1');
}

/** SHA256:…, as `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

export type HostKeyVerdict =
  | { readonly kind: 'known' }
  | { readonly kind: 'unknown' }
  /** Another key of the same type is on record. */
  | { readonly kind: 'changed'; readonly expected: readonly string[] }
  | { readonly kind: 'revoked' };

export function checkHostKey(entries: readonly KnownHost[], names: readonly string[], key: Buffer): HostKeyVerdict {
  const relevant = entries.filter(
    (entry) => entry.marker !== 'cert-authority' && names.some((name) => entryMatches(entry, name)),
  );
  const same = relevant.filter((entry) => entry.key.equals(key));
  if (same.some((entry) => entry.marker === 'revoked')) return { kind: 'revoked' };
  if (same.length > 0) return { kind: 'known' };
  const others = relevant.filter((entry) => entry.marker === null);
  if (others.length === 0) return { kind: 'unknown' };
  return { kind: 'changed', expected: [...new Set(others.map((entry) => fingerprint(entry.key)))] };
}

/** Which kinds of keys are on record: they are asked for first, else a host with several keys would look changed. */
export function knownKeyTypes(entries: readonly KnownHost[], names: readonly string[]): string[] {
  return [
    ...new Set(
      entries
        .filter((entry) => entry.marker === null && names.some((name) => entryMatches(entry, name)))
        .map((entry) => entry.type),
    ),
  ];
}

export function knownHostsLine(name: string, key: Buffer): string {
  return `${name} ${keyType(key)} ${key.toString('base64')}\n`;
}

/** The text without any line for this name: what a deliberate acceptance of a changed key replaces. Only for our own file. */
export function withoutHost(text: string, name: string): string {
  return text
    .split('\n')
    .filter((line) => {
      const [entry] = parseKnownHosts(line);
      return entry === undefined || !entryMatches(entry, name);
    })
    .join('\n');
}
