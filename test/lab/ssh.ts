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

/** What reaches them, whatever they are called: `names` as they stand behind `Host`. */
function access(lab: LabDescription, names: string): string {
  const { keyFile, knownHostsFile } = placesOf(lab.name);
  // Server alive: an ssh client would otherwise wait for ever for a host whose power was cut.
  return `Host ${names}
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

function aliases(lab: LabDescription, nameOf: (host: string) => string): string {
  return lab.hosts.map((host) => `Host ${nameOf(host.name)}\n  HostName ${addressOf(host)}\n`).join('\n');
}

const writtenBy = (lab: LabDescription): string => `# The lab "${lab.name}", written by npm run lab -- up\n`;

export function sshConfigText(lab: LabDescription): string {
  const names = lab.hosts.map((host) => `${host.name} ${addressOf(host)}`).join(' ');
  return `${writtenBy(lab)}\n${aliases(lab, (host) => host)}\n${access(lab, names)}`;
}

/** Addresses are those of every lab; `n1.LAB` is this one's, whichever other labs are up. */
export function sshConfigByNameText(lab: LabDescription): string {
  const nameOf = (host: string): string => `${host}.${lab.name}`;
  const names = lab.hosts.map((host) => nameOf(host.name)).join(' ');
  return `${writtenBy(lab)}\n${aliases(lab, nameOf)}\n${access(lab, names)}`;
}

/** Writes known_hosts and the well-known files (README.md). */
export function publish(lab: LabDescription): void {
  const places = placesOf(lab.name);
  const lines = lab.hosts.map((host) => {
    const key = readFileSync(`${hostPlaces(lab.name, host.name).dir}/ssh_host_ed25519_key.pub`, 'utf8').trim();
    return `${host.name},${addressOf(host)} ${key.split(' ').slice(0, 2).join(' ')}\n`;
  });
  writeFileSync(places.knownHostsFile, lines.join(''), { mode: 0o600 });
  mkdirSync(places.pointerDir, { recursive: true });
  writeFileSync(places.sshConfigFile, sshConfigText(lab), { mode: 0o600 });
  writeFileSync(`${places.pointerDir}/ssh_config_by_name`, sshConfigByNameText(lab), { mode: 0o600 });
  copyFileSync(places.descriptionFile, `${places.pointerDir}/lab.json`);
}
