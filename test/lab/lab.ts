/** A lab: real servers on one machine. `up` first removes what an earlier lab of the same name left, however it ended. */
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { Fault } from '../../agent/contract/fault.ts';
import { insideGroup, killGroup, makeGroup } from './cgroups.ts';
import type { HostDescription, LabDescription, NetworkName } from './description.ts';
import {
  addressOf,
  clientNumber,
  labId,
  networkNames,
  nodeNumber,
  placesOf,
  readDescription,
  witnessNumber,
  writeJson,
} from './description.ts';
import { releaseAll } from './disks.ts';
import { furnish } from './furnish.ts';
import { asArguments, Host } from './host.ts';
import type { Command } from './host.ts';
import {
  inNamespace,
  makeSwitch,
  namespaceOf,
  plugInClient,
  readFaults,
  removeNamespaces,
  setBlocked,
} from './network.ts';
import type { NetworkFaults } from './network.ts';
import type { ProcessRecord, RunOptions, RunResult } from './process.ts';
import { killRecorded, must, run, start } from './process.ts';
import { requireMachine } from './requirements.ts';
import { lowerDirectories } from './roots.ts';
import type { SshAccess } from './ssh.ts';
import { accessOf, publish } from './ssh.ts';

export interface LabOptions {
  /** Several labs stand side by side under different names. */
  readonly name?: string;
  readonly nodes?: number;
  readonly witness?: boolean;
  /** Packages beyond the bare root for the nodes (never for the witness); installs are tested without any. */
  readonly layers?: readonly string[];
  /** 2 adds the network `sync`. */
  readonly networks?: 1 | 2;
  readonly dataBytesMax?: number;
  /** Told what is being done, for a person who waits. */
  readonly onStep?: (step: string) => void;
}

export interface LabSummary {
  readonly hosts: readonly SshAccess[];
  readonly witness: SshAccess | null;
  readonly sshConfig: string;
}

export const defaultLabName = 'lab';
const defaultDataBytesMax = 2 * 1024 ** 3;

/** The place in the network from which users come: a namespace with an address, and nothing of the machine's own network. */
export class Client {
  readonly address = addressOf({ number: clientNumber });
  readonly #lab: LabDescription;

  constructor(lab: LabDescription) {
    this.#lab = lab;
  }

  enterCommand(command: Command): string[] {
    const inside = inNamespace(namespaceOf(this.#lab, 'client'), asArguments(command));
    return insideGroup(makeGroup(this.#lab.id, 'client'), inside);
  }

  async exec(command: Command, options: RunOptions = {}): Promise<RunResult> {
    return run(this.enterCommand(command), options);
  }

  spawn(command: Command, options: { readonly stdio?: 'pipe' | 'inherit' } = {}): ChildProcess {
    return start(this.enterCommand(command), { stdio: options.stdio ?? 'pipe' });
  }
}

export class Lab implements AsyncDisposable {
  readonly description: LabDescription;
  readonly hosts: readonly Host[];
  readonly client: Client;

  private constructor(description: LabDescription) {
    this.description = description;
    this.hosts = description.hosts.map((host) => new Host(description, host));
    this.client = new Client(description);
  }

  /** Builds, boots, waits for every sshd. */
  static async up(options: LabOptions = {}): Promise<Lab> {
    await requireMachine();
    const name = options.name ?? defaultLabName;
    await Lab.remove(name);
    const description = describe(name, options);
    // The roots before anything else: what may take minutes or fail must not leave half a lab.
    for (const host of description.hosts) await lowerDirectories(host.layers);
    options.onStep?.(`starting ${description.hosts.map((host) => host.name).join(', ')}`);
    const places = placesOf(name);
    mkdirSync(places.dir, { recursive: true });
    // Mounts below a shared mount that goes away disappear from the hosts' mount namespaces too.
    await must(['mount', '--bind', places.dir, places.dir]);
    await must(['mount', '--make-shared', places.dir]);
    writeJson(places.descriptionFile, description);
    await must(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', `lab ${name}`, '-f', places.keyFile]);
    const lab = new Lab(description);
    try {
      await makeSwitch(description);
      await plugInClient(description);
      makeGroup(description.id, 'client');
      await Promise.all(description.hosts.map((host) => furnish(description, host)));
      publish(description);
      await Promise.all(lab.hosts.map((host) => host.start()));
    } catch (error) {
      await lab.down();
      throw error;
    }
    return lab;
  }

  /** A lab that an earlier command left up. */
  static open(name = defaultLabName): Lab {
    return new Lab(readDescription(name));
  }

  /** Complete and repeatable; needs no description, so that it also removes half a lab. */
  static async remove(name: string): Promise<void> {
    const places = placesOf(name);
    for (const id of new Set([labId(name), ...publishedId(places.pointerDir)])) {
      for (const record of supervisors(places.dir)) killRecorded(record);
      await killGroup(id);
      await removeNamespaces(id);
    }
    // Twice: the bind mount of the folder on itself hides loops and mounts that are under it from the first look.
    await releaseAll(places.dir);
    await releaseAll(places.dir);
    rmSync(places.dir, { recursive: true, force: true });
    rmSync(places.pointerDir, { recursive: true, force: true });
  }

  get name(): string {
    return this.description.name;
  }

  get dir(): string {
    return placesOf(this.name).dir;
  }

  get nodes(): readonly Host[] {
    return this.hosts.filter((host) => host.description.role === 'node');
  }

  get witness(): Host | undefined {
    return this.hosts.find((host) => host.description.role === 'witness');
  }

  host(name: string): Host {
    const host = this.hosts.find((candidate) => candidate.name === name);
    if (host !== undefined) return host;
    const known = this.hosts.map((candidate) => candidate.name).join(', ');
    throw new Fault('lab-no-such-host', { message: `the lab has no host "${name}" (it has: ${known})` });
  }

  /** OpenSSH configuration through which any program on the machine reaches the hosts. */
  get sshConfigPath(): string {
    return placesOf(this.name).sshConfigFile;
  }

  get identityPath(): string {
    return placesOf(this.name).keyFile;
  }

  summary(): LabSummary {
    return {
      hosts: this.nodes.map((host) => accessOf(this.description, host.name)),
      witness: this.witness === undefined ? null : accessOf(this.description, this.witness.name),
      sshConfig: this.sshConfigPath,
    };
  }

  faults(): NetworkFaults {
    return readFaults(this.description);
  }

  /** Nothing passes between two hosts; `oneWay`: nothing from the first to the second, the other direction works. */
  async cut(
    from: string,
    to: string,
    options: { readonly oneWay?: boolean; readonly network?: NetworkName } = {},
  ): Promise<void> {
    await this.#setBlocked(from, to, true, options);
  }

  async heal(from: string, to: string, options: { readonly network?: NetworkName } = {}): Promise<void> {
    await this.#setBlocked(from, to, false, options);
  }

  async #setBlocked(
    from: string,
    to: string,
    blocked: boolean,
    options: { readonly oneWay?: boolean; readonly network?: NetworkName },
  ): Promise<void> {
    for (const name of [from, to]) if (name !== 'client') this.host(name);
    const pairs =
      options.oneWay === true
        ? [{ from, to }]
        : [
            { from, to },
            { from: to, to: from },
          ];
    const networks = options.network === undefined ? this.description.networks : [options.network];
    await setBlocked(this.description, pairs, blocked, networks);
  }

  async down(): Promise<void> {
    await Lab.remove(this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }
}

function describe(name: string, options: LabOptions): LabDescription {
  const layers = options.layers ?? [];
  const dataBytesMax = options.dataBytesMax ?? defaultDataBytesMax;
  const nodes: HostDescription[] = Array.from({ length: options.nodes ?? 2 }, (_, index) => ({
    name: `n${index + 1}`,
    role: 'node',
    number: nodeNumber(index),
    layers,
    dataBytesMax,
  }));
  const witness: HostDescription = { name: 'w', role: 'witness', number: witnessNumber, layers: [], dataBytesMax };
  return {
    version: 1,
    name,
    id: labId(name),
    networks: networkNames.slice(0, options.networks ?? 1),
    hosts: options.witness === true ? [...nodes, witness] : nodes,
  };
}

function supervisors(labDir: string): ProcessRecord[] {
  if (!existsSync(labDir)) return [];
  const files = readdirSync(labDir).map((entry) => path.join(labDir, entry, 'supervisor.json'));
  return files
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as ProcessRecord);
}

/** The lab that holds this name on the machine, even if it was made from another folder. */
function publishedId(pointerDir: string): string[] {
  const file = path.join(pointerDir, 'lab.json');
  return existsSync(file) ? [(JSON.parse(readFileSync(file, 'utf8')) as LabDescription).id] : [];
}
