/**
 * The replicator: one per node, the data plane of all its modules. Serves `replicator-api` on a unix socket, closes the doors at once when it starts, and keeps
 * every role as it is while the control plane comes and goes. Ends only by `_exit`.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { Fault, replicatorApi, serve } from '../contract/index.ts';
import type { FaultRecord, Handlers, Params, ReplicatorApi, RpcServer } from '../contract/index.ts';
import { comparablePath, mountTable, nestedPaths } from '../fuse/index.ts';
import {
  bootTimeMs,
  dieNow,
  installDeath,
  keepLargeMemoryApart,
  Memory,
  notifySystemd,
  takeDescriptors,
} from '../sys/linux.ts';
import { listenLines } from '../sys/line-port.ts';
import { tlsWrite } from '../sys/openssl.ts';
import { agentVersion } from '../version.ts';
import { closeConnection } from './connection.ts';
import { ControlBlock } from './control-block.ts';
import { writeDurably } from './durable-file.ts';
import { encodeHandshake } from './handshake.ts';
import { HandedMounts } from './kept-mount.ts';
import type { FromListener, ListenerConfiguration, ToListener } from './lane-messages.ts';
import { makeInbox, spawnLane } from './spawn.ts';
import { Volume } from './volume.ts';
import { WatchdogPace } from './watchdog-pace.ts';

export interface ReplicatorOptions {
  /** Holds volumes.json. */
  readonly stateDir: string;
  readonly socketPath: string;
}

type Configuration = z.output<(typeof replicatorApi)['methods']['configure']['params']>;
const configurationSchema = replicatorApi.methods.configure.params;

const tickMs = 100;
/** How long an uncovered directory stays so at most. */
const doorTicks = 5;
const failedStartMs = 1000;
/** Half of the time that an application is left to wait. */
const goOnMs = 1500;
/** The same complaint about the same peer is written once in this time. */
const complainAgainMs = 60_000;

class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #volumes = new Map<string, Volume>();
  readonly #clients = new Set<RpcServer<ReplicatorApi>>();
  readonly #listenerControl = new ControlBlock();
  readonly #complaints = new Map<string, number>();
  #listener: ReturnType<typeof makeInbox<ToListener>> | null = null;
  #configuration: Configuration | null = null;
  readonly #watchdog = new WatchdogPace();
  readonly #handed = new HandedMounts(takeDescriptors());
  #ticks = 0;
  #mounts: Buffer | null = null;
  /** Configurations come one after the other. */
  #configuring: Promise<unknown> = Promise.resolve();

  constructor(options: ReplicatorOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    mkdirSync(this.#options.stateDir, { recursive: true, mode: 0o700 });
    mkdirSync(dirname(this.#options.socketPath), { recursive: true });
    const timer = setInterval(() => {
      this.#listenerControl.countMainLiveness();
      for (const volume of this.#volumes.values()) volume.tick();
      if (++this.#ticks % doorTicks === 0) this.#lookAtDoors();
      if (this.#watchdog.isDue(bootTimeMs())) notifySystemd('WATCHDOG=1');
    }, tickMs);
    timer.ref();
    const known = this.#readConfiguration();
    if (known) await this.#takeUp(known, true);
    this.#handed.closeAll();
    await listenLines(this.#options.socketPath, (port) => {
      const client = serve(replicatorApi, this.#handlers, port, agentVersion);
      this.#clients.add(client);
      port.onClose(() => this.#clients.delete(client));
    });
    notifySystemd('READY=1');
  }

  /** A closed door opens only when a mount goes away. */
  #lookAtDoors(): void {
    const table = mountTable();
    if (this.#mounts?.equals(table) === true) return;
    this.#mounts = table;
    for (const volume of this.#volumes.values()) volume.lookAtDoor();
  }

  // --- configuration --------------------------------------------------------------------------------------------------

  get #configurationFile(): string {
    return join(this.#options.stateDir, 'volumes.json');
  }

  /** As last configured, so that the doors stand closed before anybody connects. */
  #readConfiguration(): Configuration | null {
    let text: string;
    try {
      text = readFileSync(this.#configurationFile, 'utf8');
    } catch {
      return null;
    }
    try {
      const file = z.object({ format: z.literal(1), configuration: configurationSchema }).parse(JSON.parse(text));
      return file.configuration;
    } catch {
      complain(`${this.#configurationFile} cannot be read; the control plane will configure the volumes again.`);
      return null;
    }
  }

  async configure(configuration: Configuration): Promise<void> {
    const before = this.#configuring;
    const mine = (async () => {
      await before.catch(() => undefined);
      await this.#takeUp(configuration, false);
    })();
    this.#configuring = mine;
    await mine;
  }

  /** Throws the first fault after everything else has been done. */
  async #takeUp(configuration: Configuration, starting: boolean): Promise<void> {
    // A symbolic link above may hide it. What runs already has been looked at, and comes up whatever became of the links.
    const nested = nestedPaths(configuration.volumes.map(({ path }) => (starting ? path : comparablePath(path))));
    if (nested)
      throw new Fault(
        'volumes-nested',
        { message: `${nested[1]} lies in ${nested[0]}: a directory can be replicated once.` },
        { outer: nested[0], inner: nested[1] },
      );
    this.#removeGone(configuration);
    if (!starting) {
      const content = { format: 1, configuration };
      writeDurably(this.#configurationFile, `${JSON.stringify(content)}\n`);
    }
    this.#configuration = configuration;
    const first = starting ? await this.#startVolumes(configuration) : await this.#takeUpVolumes(configuration);
    const former = this.#certificates;
    this.#certificates = certificatesOf(configuration) ?? former;
    // After the volumes: whoever waits in a mount waits for nothing else.
    this.#configureListener(configuration);
    // A link that was made with other keys or another certificate is made anew: what was retired keeps no connection.
    if (former !== null && this.#certificates !== former) for (const volume of this.#volumes.values()) volume.cutLink();
    if (first === null) return;
    if (!starting) throw first;
    complain(`${first.message} ${first.remedy}`);
  }

  /** The first fault, after everything else has been done. */
  async #takeUpVolumes(configuration: Configuration): Promise<Fault | null> {
    let first: Fault | null = null;
    for (const wanted of configuration.volumes) {
      try {
        await this.#takeUpVolume(wanted, false);
      } catch (error) {
        first ??= Fault.from(error);
      }
    }
    return first;
  }

  /** All at once: in each of their mounts an application may be waiting. */
  async #startVolumes(configuration: Configuration): Promise<Fault | null> {
    const started = configuration.volumes.map((wanted) => this.#takeUpVolume(wanted, true));
    const outcomes = await Promise.allSettled(started);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    return failed === undefined ? null : Fault.from(failed.reason);
  }

  #certificates: string | null = null;

  #removeGone(configuration: Configuration): void {
    const kept = new Set(configuration.volumes.map((volume) => volume.id));
    for (const [id, volume] of this.#volumes) {
      if (kept.has(id)) continue;
      volume.open(false);
      this.#volumes.delete(id);
    }
  }

  async #takeUpVolume(wanted: Configuration['volumes'][number], starting: boolean): Promise<void> {
    let volume = this.#volumes.get(wanted.id);
    const moved =
      volume && (volume.configuration.path !== wanted.path || volume.configuration.volumeUuid !== wanted.volumeUuid);
    if (volume && moved === true) {
      volume.open(false);
      volume = undefined;
    }
    if (!volume) {
      volume = new Volume(
        wanted,
        () => this.#settings(),
        (changed) => {
          for (const client of this.#clients) client.emit('volume', changed.status());
        },
      );
      this.#volumes.set(wanted.id, volume);
      if (starting) await this.#goOnWith(volume);
    }
    volume.configuration = wanted;
    volume.close();
  }

  /** What stands there is a predecessor's. */
  async #goOnWith(volume: Volume): Promise<void> {
    const mount = this.#handed.take(volume.configuration.id);
    // What is ordered meanwhile comes behind it.
    const done = volume.inOrder(async () => {
      if (mount && (await volume.takeOver(mount))) return;
      await volume.removeDeadMount();
    });
    // A disk that hangs, or a process that does not let go, must not keep the control plane from the other volumes.
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(resolve, goOnMs, undefined);
    await Promise.race([done, late]);
    clearTimeout(timer);
  }

  #settings(): ReturnType<ConstructorParameters<typeof Volume>[1]> {
    const configuration = this.#configured();
    const { node, peer, certificateFile, keyFile, acknowledgeTimeoutMs } = configuration;
    return {
      node,
      peer: peer.name,
      programVersion: agentVersion,
      endpoints: peer.endpoints,
      tls: { certificateFile, keyFile, peerCertificateFile: peer.certificateFile },
      acknowledgeTimeoutMs,
    };
  }
  #configured(): Configuration {
    if (this.#configuration) return this.#configuration;
    throw new Fault('not-configured', { message: 'The replicator has not been configured.' });
  }

  // --- the listener ---------------------------------------------------------------------------------------------------

  #configureListener(configuration: Configuration): void {
    if (!this.#listener) {
      this.#listener = makeInbox<ToListener>();
      void spawnLane(
        'listener',
        {
          lane: 'listener',
          name: 'listener',
          control: this.#listenerControl.memory,
          inbox: this.#listener.port,
          wakeFd: this.#listener.wakeFd,
        },
        [this.#listener.port],
        (message) => {
          this.#onListener(message);
        },
      );
    }
    const next: ListenerConfiguration = {
      addresses: configuration.listen,
      tls: this.#settings().tls,
      linkTimeoutMs: configuration.acknowledgeTimeoutMs,
      certificates: this.#certificates,
    };
    this.#listener.outbox.post({ type: 'configure', configuration: next });
  }

  #onListener(message: FromListener): void {
    if (message.type === 'fault') {
      this.#complainOnce(message.fault);
      return;
    }
    const volume = this.#volumes.get(message.volume);
    // Made just before its certificates were retired.
    const isRetired = message.certificates !== this.#certificates;
    if (!isRetired && volume?.offer(message) === true) return;
    const fault = new Fault('not-secondary', { message: `${message.volume} is not a secondary on this node now.` });
    const refusal = encodeHandshake({ say: 'refused', fault: fault.toRecord() });
    tlsWrite(message.data.ssl, Memory.copyOf(refusal).address(), refusal.length);
    closeConnection(message.data);
    closeConnection(message.acknowledgements);
  }

  #complainOnce(fault: FaultRecord): void {
    const key = `${fault.code} ${String(fault.details['peer'] ?? '').replace(/:\d+$/, '')}`;
    const now = performance.now();
    if (now - (this.#complaints.get(key) ?? -Infinity) < complainAgainMs) return;
    if (this.#complaints.size > 1000) this.#complaints.clear();
    this.#complaints.set(key, now);
    complain(`${fault.message} ${fault.remedy}`);
  }

  // --- the interface --------------------------------------------------------------------------------------------------

  #setLeases(leases: readonly Params<ReplicatorApi, 'setLease'>[]): void {
    const deadlines = new Map(leases.map(({ module, deadlineMs }) => [module, deadlineMs]));
    for (const volume of this.#volumes.values()) {
      const deadlineMs = deadlines.get(volume.configuration.module);
      if (deadlineMs !== undefined) volume.setLease(deadlineMs);
    }
  }

  #volume(id: string): Volume {
    const volume = this.#volumes.get(id);
    if (volume) return volume;
    throw new Fault('unknown-volume', { message: `${id} is not configured on this node.` }, { volume: id });
  }

  readonly #handlers: Handlers<ReplicatorApi> = {
    configure: async (params) => {
      await this.configure(params);
      return null;
    },
    status: async () => [...this.#volumes.values()].map((volume) => volume.status()),
    alive: async () => null,
    metrics: async () => [...this.#volumes.values()].map((volume) => volume.metrics()),
    initialise: async ({ volume, ...options }) => {
      const one = this.#volume(volume);
      return await one.inOrder(async () => one.initialise(options));
    },
    serveSecondary: async ({ volume, doubted }) => {
      const one = this.#volume(volume);
      await one.inOrder(async () => {
        one.serveSecondary(doubted === true);
      });
      return null;
    },
    servePrimary: async ({ volume, order }) => {
      const one = this.#volume(volume);
      await one.inOrder(() => one.servePrimary(order));
      return null;
    },
    // Not in order: an application that is being stopped may wait for exactly this.
    goAlone: async ({ volume, generation }) => {
      await this.#volume(volume).goAlone(generation);
      return null;
    },
    stop: async ({ volume }) => {
      const one = this.#volume(volume);
      return await one.inOrder(() => one.stop());
    },
    fence: async ({ volume }) => await this.#volume(volume).fence(),
    setLease: async (lease) => {
      this.#setLeases([lease]);
      return null;
    },
    setLeases: async ({ leases }) => {
      this.#setLeases(leases);
      return null;
    },
    verify: async ({ volume, repair }) => {
      await this.#volume(volume).verify(repair);
      return null;
    },
    stopVerify: async ({ volume }) => {
      await this.#volume(volume).stopVerify();
      return null;
    },
    estimate: ({ volume, files }) => this.#volume(volume).estimate(files),
    release: async ({ volume, removeRecord }) => {
      const one = this.#volume(volume);
      return await one.inOrder(async () => {
        one.open(removeRecord);
        this.#volumes.delete(volume);
        this.#forget(volume);
        return null;
      });
    },
  };

  #forget(id: string): void {
    if (!this.#configuration) return;
    const volumes = this.#configuration.volumes.filter((volume) => volume.id !== id);
    this.#configuration = { ...this.#configuration, volumes };
    writeDurably(this.#configurationFile, `${JSON.stringify({ format: 1, configuration: this.#configuration })}\n`);
  }
}

/** Null: what cannot be read makes no link either, and says so itself. */
function certificatesOf({ certificateFile, keyFile, peer }: Configuration): string | null {
  const hash = createHash('sha256');
  try {
    for (const file of [certificateFile, keyFile, peer.certificateFile]) hash.update(readFileSync(file)).update('\0');
  } catch {
    return null;
  }
  return hash.digest('hex');
}

/** To the journal. */
function complain(line: string): void {
  process.stderr.write(`${line.trim()}\n`);
}

/**
 * Somebody else is killed before the process that their data goes through. (mlockall is no way: V8 gives pages back with MADV_DONTNEED, which
 * locked memory refuses, and ends the process.)
 */
function spareFromOutOfMemory(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '-900');
  } catch {
    // A container may forbid it.
  }
}

/** Serves until the process dies; also when it cannot begin (another one runs already). */
export async function runReplicator(options: ReplicatorOptions): Promise<void> {
  installDeath('replicator');
  spareFromOutOfMemory();
  keepLargeMemoryApart();
  try {
    await new Replicator(options).start();
  } catch (error) {
    const fault = Fault.from(error);
    // It is started again at once, and would be for ever.
    await sleep(failedStartMs);
    dieNow(1, `${fault.message} ${fault.remedy}`);
  }
}

const defaults: ReplicatorOptions = {
  stateDir: '/var/lib/holdfast/replicator',
  socketPath: '/run/holdfast/replicator.sock',
};

/** `holdfast replicator [--state-dir DIR] [--socket PATH]` */
export async function replicatorMain(argv: readonly string[]): Promise<void> {
  const valueOf = (name: string): string | undefined => {
    const at = argv.indexOf(name);
    return at < 0 ? undefined : argv[at + 1];
  };
  await runReplicator({
    stateDir: valueOf('--state-dir') ?? defaults.stateDir,
    socketPath: valueOf('--socket') ?? defaults.socketPath,
  });
}

export type ReplicatorConfiguration = Params<ReplicatorApi, 'configure'>;
