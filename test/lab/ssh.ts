/** How anybody on the machine reaches the lab's hosts: an OpenSSH configuration that goes through the client's namespace. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { LabDescription } from './description.ts';
import { addressOf, hostPlaces, placesOf } from './description.ts';
import { namespaceOf } from './network.ts';
import { nodeCommand } from './process.ts';

export const rootPassword = 'secret';

export interface SshAccess {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly identity: string;
  readonly password: string;
  readonly proxyCommand: string;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command whose stdin and stdout are a TCP connection made from the client's place in the network. */
export function proxyCommand(lab: LabDescription, host: string, port: string): string {
  // The relay enters the client's cgroup, so that `down` finds connections that somebody left open.
  const relay = nodeCommand('relay.ts', lab.id, host, port);
  return ['nsenter', `--net=/run/netns/${namespaceOf(lab, 'client')}`, '--', ...relay].map(quoted).join(' ');
}

export function accessOf(lab: LabDescription, hostName: string): SshAccess {
  const host = lab.hosts.find((candidate) => candidate.name === hostName)!;
  const address = addressOf(host);
  return {
    name: host.name,
    address,
    port: 22,
    user: 'root',
    identity: placesOf(lab.name).keyFile,
    password: rootPassword,
    proxyCommand: proxyCommand(lab, address, '22'),
  };
}

export function sshConfigText(lab: LabDescription): string {
  const { keyFile, knownHostsFile } = placesOf(lab.name);
  const names = lab.hosts.map((host) => `${host.name} ${addressOf(host)}`).join(' ');
  const aliases = lab.hosts.map((host) => `Host ${host.name}\n  HostName ${addressOf(host)}\n`).join('\n');
  // Server alive: an ssh client would otherwise wait for ever for a host whose power was cut.
  return `# The lab "${lab.name}", written by npm run lab -- up
${aliases}
Host ${names}
  User root
  Port 22
  IdentityFile ${keyFile}
  IdentitiesOnly yes
  UserKnownHostsFile ${knownHostsFile}
  StrictHostKeyChecking yes
  ConnectTimeout 5
  ServerAliveInterval 2
  ServerAliveCountMax 3
  ProxyCommand ${proxyCommand(lab, '%h', '%p')}
`;
}

/** Writes known_hosts and the two well-known files (README.md). */
export function publish(lab: LabDescription): void {
  const places = placesOf(lab.name);
  const lines = lab.hosts.map((host) => {
    const key = readFileSync(`${hostPlaces(lab.name, host.name).dir}/ssh_host_ed25519_key.pub`, 'utf8').trim();
    return `${host.name},${addressOf(host)} ${key.split(' ').slice(0, 2).join(' ')}\n`;
  });
  writeFileSync(places.knownHostsFile, lines.join(''), { mode: 0o600 });
  mkdirSync(places.pointerDir, { recursive: true });
  writeFileSync(places.sshConfigFile, sshConfigText(lab), { mode: 0o600 });
  copyFileSync(places.descriptionFile, `${places.pointerDir}/lab.json`);
}
