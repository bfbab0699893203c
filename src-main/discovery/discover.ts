/** Servers that this laptop has heard of: its SSH configuration, its known_hosts, the running lab. Only files are read. */
import { readFile } from 'node:fs/promises';
import type { FoundServer } from '../app-api/index.ts';
import { parseKnownHosts, resolveHost, type SshConfig } from '../ssh/index.ts';

/** Nobody protects an application there, but everybody has them in known_hosts. */
const codeHosts = /(^|\.)(github\.com|gitlab\.com|bitbucket\.org|codeberg\.org|dev\.azure\.com|sr\.ht)$/i;

/** Names without wildcards; of names that mean the same address, the first. */
export function serversOfConfig(config: SshConfig, source: 'ssh-config' | 'lab'): FoundServer[] {
  const seen = new Set<string>();
  const servers: FoundServer[] = [];
  for (const name of config.flatMap(({ patterns }) => patterns)) {
    if (/[*?!]/.test(name)) continue;
    const { hostName, port } = resolveHost(config, name);
    const key = `${hostName.toLowerCase()} ${port ?? 22}`;
    if (seen.has(key) || codeHosts.test(hostName)) continue;
    seen.add(key);
    servers.push({ destination: name, port: null, name, source, answers: null });
  }
  return servers;
}

/** Hashed names cannot be read, that is what they are for; certificates stand for no host of their own. */
export function serversOfKnownHosts(text: string): FoundServer[] {
  const seen = new Set<string>();
  const servers: FoundServer[] = [];
  for (const { marker, hosts } of parseKnownHosts(text)) {
    if (marker !== null || hosts.startsWith('|')) continue;
    const comma = hosts.indexOf(',');
    const first = comma < 0 ? hosts : hosts.slice(0, comma);
    if (seen.has(first) || /[*?!]/.test(first)) continue;
    seen.add(first);
    const bracketed = /^\[(.+)\]:(\d+)$/.exec(first);
    const host = bracketed?.[1] ?? first;
    if (codeHosts.test(host)) continue;
    const port = bracketed?.[2] === undefined ? null : Number(bracketed[2]);
    servers.push({ destination: host, port, name: host, source: 'known-hosts', answers: null });
  }
  return servers;
}

export interface DiscoverySources {
  /** Of the user and the system, without the lab's. */
  readonly userConfig: SshConfig;
  readonly labConfig: SshConfig;
  readonly knownHostsFiles: readonly string[];
}

/** What somebody wrote down first; each server once. */
export async function discoverServers(sources: DiscoverySources): Promise<FoundServer[]> {
  const texts = await Promise.all(sources.knownHostsFiles.map((file) => readFile(file, 'utf8').catch(() => '')));
  const all = [
    ...serversOfConfig(sources.labConfig, 'lab'),
    ...serversOfConfig(sources.userConfig, 'ssh-config'),
    ...texts.flatMap(serversOfKnownHosts),
  ];
  const config = [...sources.labConfig, ...sources.userConfig];
  const seen = new Set<string>();
  return all.filter(({ destination, port, source }) => {
    // What known_hosts calls 10.0.0.11 the configuration may call n1.
    const resolved = source === 'known-hosts' ? null : resolveHost(config, destination);
    const key = `${(resolved?.hostName ?? destination).toLowerCase()} ${resolved?.port ?? port ?? 22}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
