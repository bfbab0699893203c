/** Two replicators on this machine, each with a file system of its own, driven as the control plane would drive them. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, replicatorApi } from '../../../agent/contract/index.ts';
import type {
  AcknowledgeLevel,
  Params,
  ReplicatorApi,
  Result,
  RpcClient,
  VolumeStatus,
} from '../../../agent/contract/index.ts';
import { coverDirectory, openBackingDirectory } from '../../../agent/fuse/index.ts';
import { makeCertificate } from '../../../agent/network/certificate.ts';
import { bootTimeMs, close } from '../../../agent/sys/linux.ts';
import { connectLines } from '../../../agent/sys/line-port.ts';
import { agentMain } from '../built-agent.ts';
import { diskHome } from '../../lab/suite-disks.ts';
import { LoopDisk } from '../filesystem/loop-disk.ts';
import type { DiskType } from '../filesystem/loop-disk.ts';
import { describeTree } from '../filesystem/tree.ts';
import type { TreeOptions } from '../filesystem/tree.ts';

const home = '/var/tmp/holdfast-replication-suite';
const keeper = fileURLToPath(new URL('./descriptor-keeper.ts', import.meta.url));
export const volume = 'db/0';
const volumeUuid = '5a1b1ed0-0000-4000-8000-000000000001';

export interface NodeOptions {
  readonly name: string;
  readonly address: string;
  readonly diskMb?: number;
  readonly diskType?: DiskType;
  readonly cache?: 'none' | 'writeback';
  readonly acknowledge?: AcknowledgeLevel;
}

/** Waits for a fact; says what it waited for when it does not come. */
export async function until<T>(
  what: string,
  fact: () => Promise<T | null | false> | T | null | false,
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = bootTimeMs() + timeoutMs;
  for (;;) {
    const value = await fact();
    if (value !== null && value !== false) return value;
    if (bootTimeMs() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const isAlive = (pid: string): boolean => existsSync(`/proc/${pid}`);

/** What runs that were killed have left: each name ends with the number of the process that made it. */
function removeLeftovers(): void {
  for (const name of existsSync(home) ? readdirSync(home) : []) {
    if (isAlive(/\d+$/.exec(name)?.[0] ?? '')) continue;
    const pidFile = join(home, name, 'pid');
    const pid = existsSync(pidFile) ? readFileSync(pidFile, 'utf8') : '';
    const commandLine = pid !== '' && isAlive(pid) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '';
    if (commandLine.includes(join(home, name))) process.kill(Number(pid), 'SIGKILL');
    rmSync(join(home, name), { recursive: true, force: true });
  }
  for (const name of existsSync(diskHome) ? readdirSync(diskHome) : []) {
    const pid = /^replication-.*-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || isAlive(pid)) continue;
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const points = mounts
      .map((line) => line.split(' ')[4] ?? '')
      .filter((point) => point.startsWith(join(diskHome, name)));
    for (const point of points.reverse()) spawnSync('umount', ['-l', point]);
    rmSync(join(diskHome, name), { recursive: true, force: true });
  }
}

export class ReplicatorNode {
  readonly name: string;
  readonly address: string;
  readonly disk: LoopDisk;
  readonly path: string;
  readonly directory: string;
  readonly #cache: 'none' | 'writeback';
  readonly #acknowledge: AcknowledgeLevel;
  child: ChildProcess | null = null;
  client: RpcClient<ReplicatorApi> | null = null;
  last: VolumeStatus | null = null;
  output = '';
  #peer: ReplicatorNode | null = null;
  #lease: NodeJS.Timeout | null = null;
  /** Another run may be under way on this machine. */
  port = 20_000 + (process.pid % 10_000);
  acknowledgeTimeoutMs = 2000;
  uuid = volumeUuid;
  peerCertificateFile = '';
  /** By which its peer reaches it; null: where it listens. */
  reachedAt: { readonly address: string; readonly port: number }[] | null = null;

  constructor(suite: string, options: NodeOptions) {
    this.name = options.name;
    this.address = options.address;
    this.#cache = options.cache ?? 'none';
    this.#acknowledge = options.acknowledge ?? 'durable';
    const own = `${suite}-${options.name}-${process.pid}`;
    this.directory = join(home, own);
    rmSync(this.directory, { recursive: true, force: true });
    mkdirSync(this.directory, { recursive: true });
    this.disk = new LoopDisk(`replication-${own}`, options.diskType ?? 'ext4', options.diskMb ?? 192);
    this.path = this.disk.directory('data');
  }

  async makeKeys(): Promise<void> {
    const identity = await makeCertificate(this.name);
    writeFileSync(join(this.directory, 'node.crt'), identity.certificatePem);
    writeFileSync(join(this.directory, 'node.key'), identity.keyPem, { mode: 0o600 });
  }

  meet(peer: ReplicatorNode): void {
    this.#peer = peer;
    this.peerCertificateFile = join(peer.directory, 'node.crt');
  }

  get socketPath(): string {
    return join(this.directory, 'socket');
  }

  /** Under something that keeps its descriptors and starts it again when it has ended. */
  async startKept(environment: Record<string, string> = {}): Promise<void> {
    const replicator = ['--disable-warning=ExperimentalWarning', agentMain, 'replicator'];
    const state = ['--state-dir', join(this.directory, 'state'), '--socket', this.socketPath];
    const own = ['--disable-warning=ExperimentalWarning', keeper, join(this.directory, 'notify'), process.execPath];
    const child = spawn(process.execPath, [...own, ...replicator, ...state], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.child = child;
    const hear = (text: Buffer): void => {
      this.output += text.toString();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    await this.connect();
  }

  /** Of the replicator that was started last. */
  get keptPid(): number {
    const pid = Number([...this.output.matchAll(/^started (\d+)$/gm)].at(-1)?.[1]);
    writeFileSync(join(this.directory, 'pid'), String(pid));
    return pid;
  }

  /** Without its keeper's help it comes back by itself: what an application waits for is the control plane's lease. */
  async killKept(): Promise<void> {
    const pid = this.keptPid;
    process.kill(pid, 'SIGKILL');
    await until(`${this.name} is started again`, () => this.keptPid !== pid);
    this.client?.close();
    await this.connect();
  }

  /** With the keeper, which would start it again. */
  async endKept(): Promise<void> {
    const { keptPid } = this;
    await this.kill();
    try {
      process.kill(keptPid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }

  async start(environment: Record<string, string> = {}): Promise<void> {
    const args = ['--disable-warning=ExperimentalWarning', agentMain, 'replicator'];
    const state = ['--state-dir', join(this.directory, 'state'), '--socket', this.socketPath];
    const child = spawn(process.execPath, [...args, ...state], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.child = child;
    writeFileSync(join(this.directory, 'pid'), String(child.pid));
    const hear = (text: Buffer): void => {
      this.output += text.toString();
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    await this.connect();
  }

  async connect(): Promise<void> {
    const port = await until(`${this.name} answers: ${this.output}`, () =>
      connectLines(this.socketPath).catch(() => null),
    );
    this.client = createClient(replicatorApi, port, 'test');
    this.client.on('volume', (status) => (this.last = status));
    await this.client.ready;
  }

  async call<M extends keyof ReplicatorApi['methods']>(
    method: M,
    params: Params<ReplicatorApi, M>,
  ): Promise<Result<ReplicatorApi, M>> {
    return await this.client!.call(method, params);
  }

  configuration(): Params<ReplicatorApi, 'configure'> {
    const peer = this.#peer!;
    return {
      node: this.name,
      volumes: [
        {
          id: volume,
          module: 'db',
          path: this.path,
          volumeUuid: this.uuid,
          cache: this.#cache,
          acknowledge: this.#acknowledge,
        },
      ],
      listen: [{ address: this.address, port: this.port }],
      peer: {
        name: peer.name,
        endpoints: peer.reachedAt ?? [{ address: peer.address, port: peer.port }],
        certificateFile: this.peerCertificateFile,
      },
      certificateFile: join(this.directory, 'node.crt'),
      keyFile: join(this.directory, 'node.key'),
      acknowledgeTimeoutMs: this.acknowledgeTimeoutMs,
    };
  }

  async configure(): Promise<void> {
    await this.call('configure', this.configuration());
  }

  async status(): Promise<VolumeStatus> {
    return (await this.call('status', {}))[0]!;
  }

  /** Until `letLeaseEnd`; long, because tests wait for programs without an event loop. */
  keepLease(): void {
    this.letLeaseEnd();
    const renew = (): void => {
      this.call('setLease', { module: 'db', deadlineMs: bootTimeMs() + 120_000 }).catch(() => undefined);
    };
    renew();
    this.#lease = setInterval(renew, 5000);
  }
  letLeaseEnd(): void {
    if (this.#lease) clearInterval(this.#lease);
    this.#lease = null;
  }

  async servePrimary(generation?: { number: number; id: string }, order = false): Promise<void> {
    await this.call('servePrimary', { volume, order });
    this.keepLease();
    if (generation) await this.call('goAlone', { volume, generation });
  }

  async mode(mode: VolumeStatus['mode'], timeoutMs = 30_000): Promise<void> {
    await until(
      `${this.name} is ${mode}, but: ${JSON.stringify(this.last)} ${this.output}`,
      async () => (await this.status()).mode === mode,
      timeoutMs,
    );
  }

  /** What lies below, whatever is mounted over it. */
  tree(options: TreeOptions = { times: true }): string[] {
    const fd = openBackingDirectory(this.path);
    try {
      const own = (line: string): boolean => !line.startsWith('/.holdfast');
      // The number of links of the root counts our own directory, where there is one, on both sides.
      return describeTree(`/proc/self/fd/${fd}/.`, options).filter(own);
    } finally {
      close(fd);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }

  async kill(): Promise<void> {
    this.letLeaseEnd();
    const { child } = this;
    this.client?.close();
    this.client = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  }

  /** What was not synced is gone, as with the power of a server. */
  async losePower(): Promise<void> {
    this.disk.cutPower();
    await this.kill();
    await until(
      `${this.name} lets go of its disk`,
      () => {
        try {
          this.disk.mountAgain();
          return true;
        } catch (error) {
          this.output += String(error);
          return false;
        }
      },
      10_000,
    );
    // As early at boot.
    coverDirectory(this.path);
  }

  async dispose(): Promise<void> {
    await this.kill();
    this.disk.dispose();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Configured; nothing set up yet. */
export async function makePair(
  suite: string,
  options: {
    diskMb?: readonly [number, number];
    cache?: 'none' | 'writeback';
    acknowledge?: AcknowledgeLevel;
    diskType?: DiskType;
    acknowledgeTimeoutMs?: number;
  } = {},
): Promise<readonly [ReplicatorNode, ReplicatorNode]> {
  removeLeftovers();
  const { cache = 'none', acknowledge = 'durable', diskType = 'ext4' } = options;
  const [mb1, mb2] = options.diskMb ?? [192, 192];
  const n1 = new ReplicatorNode(suite, { name: 'n1', address: '127.0.0.1', diskMb: mb1, diskType, cache, acknowledge });
  const n2 = new ReplicatorNode(suite, { name: 'n2', address: '127.0.0.2', diskMb: mb2, diskType, cache, acknowledge });
  for (const node of [n1, n2]) {
    await node.makeKeys();
    node.acknowledgeTimeoutMs = options.acknowledgeTimeoutMs ?? node.acknowledgeTimeoutMs;
  }
  n1.meet(n2);
  n2.meet(n1);
  return [n1, n2];
}

let generationNumber = 1;
export function nextGeneration(): { number: number; id: string } {
  generationNumber += 1;
  return { number: generationNumber, id: `generation-${generationNumber}` };
}

/** n1 holds the data and runs alone, n2 is blank and takes the stream. */
export async function startPair(n1: ReplicatorNode, n2: ReplicatorNode): Promise<void> {
  for (const node of [n1, n2]) {
    await node.start();
    await node.configure();
  }
  const common = { volume, keepAside: true, replaceRecord: false };
  await n1.call('initialise', { ...common, as: 'good', generation: { number: 1, id: 'generation-1' } });
  await n2.call('initialise', { ...common, as: 'blank', generation: null });
  await n1.servePrimary(nextGeneration());
  await n2.call('serveSecondary', { volume });
}
