/** One server of the lab. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Fault } from '../../agent/contract/fault.ts';
import { insideGroup, isFrozen, isPopulated, killGroup, makeGroup, setFrozen, unifiedPath } from './cgroups.ts';
import type { HostDescription, HostPlaces, LabDescription, NetworkName } from './description.ts';
import { addressOf, hostPlaces, writeJson } from './description.ts';
import {
  failDataDisk,
  losePower,
  mountDisks,
  mountPointsBelow,
  replaceDataDisk,
  restoreImages,
  takeImages,
  unmountDisks,
} from './disks.ts';
import { furnish } from './furnish.ts';
import { hardwareAddress, healAll, linksDown, setBandwidth, setLoss, setPlugged } from './network.ts';
import type { ProcessRecord, RawRunResult, RunOptions, RunResult } from './process.ts';
import { isAlive, killRecorded, nodeCommand, recordOf, run, runRaw, start, until } from './process.ts';
import { lowerDirectories } from './roots.ts';

export type HostState = 'off' | 'booting' | 'running' | 'frozen';

export interface ExecOptions extends RunOptions {
  /** root when not given. */
  readonly user?: string;
}

/** A command for the shell, or a program with its arguments. */
export type Command = string | readonly string[];

export function asArguments(command: Command): readonly string[] {
  return typeof command === 'string' ? ['sh', '-c', command] : command;
}

export class Host {
  readonly lab: LabDescription;
  readonly description: HostDescription;
  readonly places: HostPlaces;

  constructor(lab: LabDescription, description: HostDescription) {
    this.lab = lab;
    this.description = description;
    this.places = hostPlaces(lab.name, description.name);
  }

  get name(): string {
    return this.description.name;
  }

  address(network: NetworkName = 'lan'): string {
    return addressOf(this.description, network);
  }

  hardwareAddress(network: NetworkName = 'lan'): string {
    return hardwareAddress(this.address(network));
  }

  /** The file system behind `/data`, seen from the machine: below any mount that the host itself made there. */
  get dataPath(): string {
    return this.places.data;
  }

  /** First process of the host, as the machine counts; undefined while it is off or not yet far enough to be entered. */
  leader(): number | undefined {
    try {
      const file = unifiedPath(this.lab.id, this.name, 'machine/payload/init.scope/cgroup.procs');
      const [pid] = readFileSync(file, 'utf8').split('\n');
      return pid === undefined || pid === '' ? undefined : Number(pid);
    } catch {
      return undefined;
    }
  }

  state(): HostState {
    if (!isPopulated(this.lab.id, this.name)) return 'off';
    if (isFrozen(this.lab.id, this.name)) return 'frozen';
    return this.isReady() ? 'running' : 'booting';
  }

  /** The program that enters the host and becomes the command there. It dies with the host, and freezes with it. */
  enterCommand(command: Command, user?: string): string[] {
    const leader = this.leader();
    if (leader === undefined) throw new Fault('lab-host-off', { message: `${this.name} is off` }, { host: this.name });
    const namespaces = ['-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w'];
    const environment = [
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'TERM=dumb',
      'LANG=C.UTF-8',
    ];
    const asUser =
      user === undefined || user === 'root'
        ? ['HOME=/root']
        : ['runuser', '-u', user, '--', 'sh', '-c', 'eval "HOME=~$0"; export HOME USER="$0"; exec "$@"', user];
    return insideGroup(makeGroup(this.lab.id, this.name, 'exec'), [
      ...['nsenter', '-t', String(leader), ...namespaces, '--'],
      ...['setpriv', '--pdeathsig', 'KILL', '--', 'env', '-i', ...environment, ...asUser],
      ...asArguments(command),
    ]);
  }

  async exec(command: Command, options: ExecOptions = {}): Promise<RunResult> {
    return run(this.enterCommand(command, options.user), options);
  }

  async execRaw(command: Command, options: ExecOptions = {}): Promise<RawRunResult> {
    return runRaw(this.enterCommand(command, options.user), options);
  }

  /** Like `exec`, for a command that has to succeed; returns what it printed. */
  async must(command: Command, options: ExecOptions = {}): Promise<string> {
    const result = await this.exec(command, options);
    if (result.code === 0) return result.stdout;
    const said = (result.stderr.trim() || result.stdout.trim()).slice(-2000);
    const words = asArguments(command).join(' ');
    throw new Fault('lab-command-failed', { message: `${this.name}: ${words}: exit ${result.code}: ${said}` });
  }

  spawn(command: Command, options: { readonly user?: string; readonly stdio?: 'pipe' | 'inherit' } = {}): ChildProcess {
    return start(this.enterCommand(command, options.user), { stdio: options.stdio ?? 'pipe' });
  }

  async writeFile(file: string, content: string | Uint8Array, mode?: string): Promise<void> {
    const script = 'mkdir -p "$(dirname "$1")" && cat > "$1" && { [ -z "$2" ] || chmod "$2" "$1"; }';
    await this.must(['sh', '-c', script, 'sh', file, mode ?? ''], { stdin: content });
  }

  async readFile(file: string): Promise<string> {
    return this.must(['cat', '--', file]);
  }

  /** sshd listens, and users may log in (systemd forbids it with a file until the boot has come far enough). */
  isReady(): boolean {
    const leader = this.leader();
    if (leader === undefined) return false;
    try {
      const listening = readFileSync(`/proc/${leader}/net/tcp`, 'utf8').includes(':0016 00000000:0000 0A');
      return listening && !existsSync(`/proc/${leader}/root/run/nologin`);
    } catch {
      return false;
    }
  }

  async waitForSsh(timeoutMs = 30_000): Promise<void> {
    await until(`sshd of ${this.name} answers`, timeoutMs, () => this.isReady());
  }

  /** Switches a powered-off host on; returns when its sshd listens. */
  async start(): Promise<void> {
    if (isPopulated(this.lab.id, this.name)) {
      throw new Fault('lab-host-on', { message: `${this.name} is on already` }, { host: this.name });
    }
    // After a `shutdown` inside the host its disks are still mounted here, cleanly.
    await killGroup(this.lab.id, this.name);
    if (mountPointsBelow(this.places.dir).length > 0) await unmountDisks(this.places);
    await mountDisks(this.places, await lowerDirectories(this.description.layers));
    const supervisor = this.spawnSupervisor();
    try {
      await until(`${this.name} boots`, 30_000, () => {
        if (!isAlive(supervisor)) throw this.bootFailed(`${this.name} ended while it booted`);
        return this.isReady();
      });
    } catch (error) {
      throw error instanceof Fault && error.code === 'lab-timeout' ? this.bootFailed(error.message, error) : error;
    }
  }

  private bootFailed(what: string, cause?: unknown): Fault {
    const tail = this.consoleTail().trim();
    // A systemd that gets no inotify instance ends before it can say so.
    const remedy =
      tail === ''
        ? 'when many labs or containers run on this machine, it may be out of inotify instances: sysctl -w fs.inotify.max_user_instances=1024'
        : '';
    return new Fault('lab-boot-failed', { message: tail === '' ? what : `${what}:\n${tail}`, remedy }, {}, cause);
  }

  private spawnSupervisor(): ProcessRecord {
    const console = openSync(this.places.console, 'a');
    const command = nodeCommand('boot.ts', this.lab.name, this.name);
    const child = start(command, { detached: true, stdio: ['ignore', console, console] });
    closeSync(console);
    child.unref();
    const record = child.pid === undefined ? undefined : recordOf(child.pid);
    if (record === undefined) throw new Fault('lab-boot-failed', { message: `${this.name}: no supervisor` });
    writeJson(this.places.supervisorFile, record);
    return record;
  }

  private consoleTail(): string {
    return existsSync(this.places.console) ? readFileSync(this.places.console, 'utf8').slice(-1500) : '';
  }

  /** Pulls the plug: nothing leaves the host any more, and what its disks have not made durable is lost. */
  async poweroff(): Promise<void> {
    await linksDown(this.lab, this.description);
    // Standing still first, so that no process sees its disk fail and writes that down.
    await setFrozen(true, 200, this.lab.id, this.name);
    await losePower(this.places);
    await this.killEverything();
    await unmountDisks(this.places);
  }

  async killEverything(): Promise<void> {
    await killGroup(this.lab.id, this.name);
    if (!existsSync(this.places.supervisorFile)) return;
    // Between its start and its joining the cgroup only this record knows it.
    killRecorded(JSON.parse(readFileSync(this.places.supervisorFile, 'utf8')) as ProcessRecord);
  }

  /** The disk behind `/data`: `replace` only while the host is off. */
  get dataDisk(): Readonly<Record<'fail' | 'replace', () => Promise<void>>> {
    return {
      fail: () => failDataDisk(this.places),
      replace: () => replaceDataDisk(this.places),
    };
  }

  /** Of the running server, as a hypervisor takes one: the disk behind `/data`, and the one behind its root. */
  async takeImage(): Promise<void> {
    await takeImages(this.places);
  }

  /** Only while the host is off. */
  async restoreImage(): Promise<void> {
    await restoreImages(this.places);
  }

  /** Bare disks again, as before its first boot; only while the host is off. Address and keys stay. */
  async reinstall(): Promise<void> {
    await furnish(this.lab, this.description);
  }

  /** Userland stands still; the kernel still answers ping and completes connections: a hung server. */
  async freeze(): Promise<void> {
    await setFrozen(true, 1000, this.lab.id, this.name);
  }

  async thaw(): Promise<void> {
    await setFrozen(false, 1000, this.lab.id, this.name);
  }

  /** Pulls the network cables, all or one. */
  async cut(network?: NetworkName): Promise<void> {
    await setPlugged(this.lab, this.name, false, network === undefined ? this.lab.networks : [network]);
  }

  /** Plugs the cables in again, all or one; without a network also lifts what was cut between this host and others. */
  async heal(network?: NetworkName): Promise<void> {
    if (network === undefined) await healAll(this.lab, this.name);
    else await setPlugged(this.lab, this.name, true, [network]);
  }

  /** In the words of `tc` ("10mbit"), both directions; undefined lifts the limit. */
  async bandwidth(rate: string | undefined): Promise<void> {
    await setBandwidth(this.lab, this.name, rate);
  }

  async loss(percent: number): Promise<void> {
    await setLoss(this.lab, this.name, percent);
  }

  /** The journal folder on the machine: readable while the host is off. */
  get journalPath(): string {
    return path.resolve(this.places.journal);
  }
}
