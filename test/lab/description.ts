/** What a lab consists of: names, addresses, places. Written once by `up`, read by every later command. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Fault } from '../../agent/contract/fault.ts';

export type NetworkName = 'lan' | 'sync';
export const networkNames: readonly NetworkName[] = ['lan', 'sync'];

export interface HostDescription {
  readonly name: string;
  readonly role: 'node' | 'witness';
  /** The host's number in every network: 11 is 10.77.0.11 and 10.78.0.11. */
  readonly number: number;
  readonly layers: readonly string[];
  readonly dataBytesMax: number;
}

export interface LabDescription {
  readonly version: 1;
  readonly name: string;
  /** Prefix of everything that is global on the machine: cgroups and network namespaces. */
  readonly id: string;
  readonly networks: readonly NetworkName[];
  readonly hosts: readonly HostDescription[];
}

const subnets: Readonly<Record<NetworkName, string>> = { lan: '10.77.0', sync: '10.78.0' };
export const clientNumber = 100;
export const bridges: Readonly<Record<NetworkName, string>> = { lan: 'br0', sync: 'br1' };
export const interfaces: Readonly<Record<NetworkName, string>> = { lan: 'eth0', sync: 'eth1' };

export function addressOf(host: { readonly number: number }, network: NetworkName = 'lan'): string {
  return `${subnets[network]}.${host.number}`;
}

/** Of the lab's switch, which also stands for the router. */
export function switchAddress(network: NetworkName): string {
  return `${subnets[network]}.1`;
}

/** n1=11, n2=12, the witness 13, further nodes from 14. */
export function nodeNumber(index: number): number {
  return index < 2 ? 11 + index : 12 + index;
}
export const witnessNumber = 13;

/** Name of a host's port on the switch; interface names are 15 bytes at most. */
export function portName(host: string, network: NetworkName): string {
  return network === 'lan' ? host : `${host}-sync`;
}

export function labHome(): string {
  return path.resolve(process.env['HOLDFAST_LAB_HOME'] ?? '/var/tmp/holdfast-lab');
}

/** Where the app and the command line look for a running lab, without knowing anything else about it. */
export const pointerHome = '/run/holdfast-lab';

export interface LabPlaces {
  readonly home: string;
  readonly dir: string;
  readonly descriptionFile: string;
  readonly faultsFile: string;
  readonly keyFile: string;
  readonly knownHostsFile: string;
  readonly pointerDir: string;
  readonly sshConfigFile: string;
}

export function placesOf(name: string): LabPlaces {
  if (!/^[a-z][a-z0-9-]{0,30}$/.test(name)) {
    throw new Fault('lab-bad-name', { message: `"${name}" cannot name a lab: use a-z, 0-9 and -` });
  }
  const home = labHome();
  const dir = path.join(home, name);
  const pointerDir = path.join(pointerHome, name);
  return {
    home,
    dir,
    descriptionFile: path.join(dir, 'lab.json'),
    faultsFile: path.join(dir, 'faults.json'),
    keyFile: path.join(dir, 'key'),
    knownHostsFile: path.join(dir, 'known_hosts'),
    pointerDir,
    sshConfigFile: path.join(pointerDir, 'ssh_config'),
  };
}

/**
 * cgroups are seen from every chroot of the machine, and the same path can be another folder in each of them: the
 * prefix therefore names the folder by its inode, so that a lab never cleans up another one's hosts.
 */
export function labId(name: string): string {
  const { home } = placesOf(name);
  mkdirSync(home, { recursive: true });
  const { dev, ino } = statSync(home);
  return `holdfast-${name}-${createHash('sha256').update(`${dev}:${ino}`).digest('hex').slice(0, 6)}`;
}

export interface HostPlaces {
  readonly dir: string;
  /** Image and mount point of the file system behind the host's `/`. */
  readonly diskImage: string;
  readonly disk: string;
  /** Image and mount point of the host's `/data`. */
  readonly dataImage: string;
  readonly data: string;
  readonly root: string;
  /** `/var/log/journal` of the host: on the machine, so that a power cut does not take the evidence away. */
  readonly journal: string;
  readonly console: string;
  readonly supervisorFile: string;
}

export function hostPlaces(lab: string, host: string): HostPlaces {
  const dir = path.join(placesOf(lab).dir, host);
  return {
    dir,
    diskImage: path.join(dir, 'disk.img'),
    disk: path.join(dir, 'disk'),
    dataImage: path.join(dir, 'data.img'),
    data: path.join(dir, 'data'),
    root: path.join(dir, 'root'),
    journal: path.join(dir, 'journal'),
    console: path.join(dir, 'console.log'),
    supervisorFile: path.join(dir, 'supervisor.json'),
  };
}

export function writeJson(file: string, value: unknown): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}

export function readDescription(name: string): LabDescription {
  const { descriptionFile } = placesOf(name);
  if (!existsSync(descriptionFile)) {
    throw new Fault('lab-not-up', { message: `the lab "${name}" is not up`, remedy: 'npm run lab -- up' });
  }
  const description = JSON.parse(readFileSync(descriptionFile, 'utf8')) as LabDescription;
  // The prefix holds the folder's inode: a folder that was copied or restored describes namespaces that are not its own.
  if (description.id !== labId(name)) {
    throw new Fault('lab-not-up', { message: `the lab "${name}" was made elsewhere`, remedy: 'npm run lab -- up' });
  }
  return description;
}
