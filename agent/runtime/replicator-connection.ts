/** The line to the replicator: found again whenever it was lost, told the configuration first, its volumes kept as they are reported. */
import type { LinePort, Params, ReplicatorApi, Result, RpcClient, VolumeStatus } from '../contract/index.ts';
import { createClient, Fault, replicatorApi } from '../contract/index.ts';
import { replicatorLongStepMs, replicatorSilenceMs } from '../core/index.ts';
import type { Journal, ReplicatorPort, Silence, Timers } from './ports.ts';
import { LeaseOutbox } from './lease-outbox.ts';
import { lookEveryMs, SilenceWatch } from './silence-watch.ts';

/** An application may be waiting for its files meanwhile; what is asked is a socket of this machine. */
const reconnectMs = 100;
/** A configuration that was refused (somebody uses the directory) is offered again. */
const configureAgainMs = 5000;

type Method = keyof ReplicatorApi['methods'];
/** Its event loop may be busy with these for as long as they take. */
const longSteps: ReadonlySet<Method> = new Set<Method>(['configure', 'initialise', 'release']);

type Configuration = Params<ReplicatorApi, 'configure'>;

export function replicatorConnection(options: {
  readonly connect: () => Promise<LinePort>;
  readonly timers: Timers;
  readonly nowMs: () => number;
  readonly journal: Journal;
  readonly programVersion: string;
}): ReplicatorPort {
  return new ReplicatorConnection(options);
}

class ReplicatorConnection implements ReplicatorPort {
  private readonly options: Parameters<typeof replicatorConnection>[0];
  private client: RpcClient<ReplicatorApi> | null = null;
  /** Commands are let through only after the configuration was taken once on this connection. */
  private usable = false;
  private configuration: Configuration | null = null;
  private readonly volumes = new Map<string, VolumeStatus>();
  private readonly listeners: ((volumes: ReadonlyMap<string, VolumeStatus> | null) => void)[] = [];
  private readonly silenceListeners: ((silence: Silence) => void)[] = [];
  private readonly leases = new LeaseOutbox();
  private longStepsWaiting = 0;
  private readonly closing = new AbortController();
  private lastComplaint = '';

  constructor(options: Parameters<typeof replicatorConnection>[0]) {
    this.options = options;
    void this.keepConnected();
  }

  onVolumes(listener: (volumes: ReadonlyMap<string, VolumeStatus> | null) => void): void {
    this.listeners.push(listener);
  }

  onSilent(listener: (silence: Silence) => void): void {
    this.silenceListeners.push(listener);
  }

  async configure(configuration: Configuration | null): Promise<void> {
    this.configuration = configuration;
    if (this.client !== null) await this.sendConfiguration(this.client);
  }

  call: ReplicatorPort['call'] = async (method, params, signal) => {
    if (this.client === null || !this.usable)
      throw new Fault('replicator-down', {
        message: 'The replication process of this node does not answer.',
        remedy: 'Look at its journal: journalctl -u holdfast-replicator.',
      });
    if (method === 'setLease') {
      this.leases.add(this.client, params as Params<ReplicatorApi, 'setLease'>);
      return null as Result<ReplicatorApi, typeof method>;
    }
    // What was said before it arrives before it.
    this.leases.flush();
    return await this.ask(this.client, method, params, signal);
  };

  private async ask<M extends Method>(
    client: RpcClient<ReplicatorApi>,
    method: M,
    params: Params<ReplicatorApi, M>,
    signal?: AbortSignal,
  ): Promise<Result<ReplicatorApi, M>> {
    const isLong = longSteps.has(method);
    if (isLong) this.longStepsWaiting++;
    try {
      return await client.call(method, params, signal);
    } finally {
      if (isLong) this.longStepsWaiting--;
    }
  }

  close(): void {
    this.closing.abort();
  }

  private async keepConnected(): Promise<void> {
    const { signal } = this.closing;
    while (!this.closed()) {
      try {
        const port = await this.options.connect();
        if (this.closed()) port.close();
        else await this.converse(port);
      } catch (error) {
        this.complain(`The replicator is not reachable: ${Fault.from(error).message}`);
      }
      await this.options.timers.delay(reconnectMs, signal).catch(() => undefined);
    }
  }

  private closed(): boolean {
    return this.closing.signal.aborted;
  }

  /** From its first line on: one that has fallen silent takes connections, but says no hello. */
  private listenFor(watch: SilenceWatch, client: RpcClient<ReplicatorApi>): Disposable {
    let asked = false;
    const ask = (): void => {
      asked = true;
      const answered = (): void => void (asked = false);
      // A refusal is an answer as well.
      client.call('alive', {}).then(answered, answered);
    };
    return this.options.timers.every(lookEveryMs, () => {
      if (!asked) ask();
      const patienceMs = this.longStepsWaiting > 0 ? replicatorLongStepMs : replicatorSilenceMs;
      const silence = watch.look(this.options.nowMs(), patienceMs);
      if (silence !== null) for (const listener of this.silenceListeners) listener(silence);
    });
  }

  /** Resolves when the connection is gone. */
  private async converse(port: LinePort): Promise<void> {
    const watch = new SilenceWatch(this.options.nowMs());
    const client = createClient(replicatorApi, heardBy(watch, port), this.options.programVersion);
    using _looking = this.listenFor(watch, client);
    const close = (): void => client.close();
    this.closing.signal.addEventListener('abort', close);
    const gone = Promise.withResolvers<undefined>();
    client.onClose(() => gone.resolve(undefined));
    client.on('volume', (status) => {
      this.volumes.set(status.id, status);
      if (this.usable) this.tell();
    });
    try {
      await client.ready;
      this.client = client;
      await this.sendConfiguration(client).catch(() => undefined);
      this.options.journal.info('Connected to the replicator.');
      this.lastComplaint = '';
      await gone.promise;
      if (!this.closed()) this.options.journal.notice('The connection to the replicator was lost.');
    } finally {
      this.closing.signal.removeEventListener('abort', close);
      client.close();
      watch.heard();
      this.client = null;
      this.usable = false;
      this.volumes.clear();
      this.tell();
    }
  }

  private async sendConfiguration(client: RpcClient<ReplicatorApi>): Promise<void> {
    const { configuration } = this;
    if (configuration === null) return;
    let refused: unknown = null;
    try {
      await this.ask(client, 'configure', configuration);
    } catch (error) {
      refused = error;
      this.complain(`The replicator refused the configuration: ${Fault.from(error).message}`);
      void this.configureAgain(client, configuration);
    }
    if (this.client !== client) return;
    this.volumes.clear();
    for (const status of await client.call('status', {})) this.volumes.set(status.id, status);
    this.usable = true;
    this.tell();
    if (refused !== null) throw refused as Error;
  }

  private async configureAgain(client: RpcClient<ReplicatorApi>, configuration: Configuration): Promise<void> {
    await this.options.timers.delay(configureAgainMs, this.closing.signal).catch(() => undefined);
    if (this.client === client && this.configuration === configuration)
      await this.sendConfiguration(client).catch(() => undefined);
  }

  private tell(): void {
    const volumes = this.usable ? this.volumes : null;
    for (const listener of this.listeners) listener(volumes);
  }

  private complain(line: string): void {
    if (line !== this.lastComplaint) this.options.journal.notice(line);
    this.lastComplaint = line;
  }
}

function heardBy(watch: SilenceWatch, port: LinePort): LinePort {
  return {
    ...port,
    onLine(listener) {
      port.onLine((line) => {
        watch.heard();
        listener(line);
      });
    },
  };
}
