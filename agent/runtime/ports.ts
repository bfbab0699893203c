/** What the runtime is given: clock, randomness, disk and network, so that two whole nodes can run in one test process. */
import type { ClusterRecord, EventDraft, Params, ReplicatorApi, Result, TimelineEvent } from '../contract/index.ts';
import type { CheckerFactory } from '../checkers/index.ts';
import type { ModuleRecord } from '../core/index.ts';
import type { KernelFence, OpenDatagramPort, OpenEchoPort, VipDriver } from '../network/index.ts';
import type { ScriptRunner } from '../scripts/index.ts';
import type { VolumeStatus } from '../contract/index.ts';

export interface Clock {
  /** CLOCK_BOOTTIME. The only clock that decides. */
  readonly bootMs: () => number;
  /** For people only. */
  readonly wallMs: () => number;
}

export interface Timers {
  every(intervalMs: number, callback: () => void): Disposable;
  /** Rejects with the signal's reason. */
  delay(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Journal {
  info(line: string): void;
  notice(line: string): void;
  warning(line: string): void;
  error(line: string): void;
}

export interface ModuleStore {
  load(module: string): Promise<ModuleRecord | null>;
  /** Durable when it resolves. */
  save(module: string, record: ModuleRecord): Promise<void>;
  remove(module: string): Promise<void>;
}

export interface EventStore {
  /** Numbered and dated at once, written in the background in this order. */
  append(draft: EventDraft): TimelineEvent;
  /** The first `limit` after this number. */
  after(sequence: number, limit: number): Promise<TimelineEvent[]>;
  /** The last `limit` after this number. */
  newestAfter(sequence: number, limit: number): Promise<TimelineEvent[]>;
}

export interface ConfigurationStore {
  load(): Promise<ClusterRecord | null>;
  save(record: ClusterRecord): Promise<void>;
  remove(): Promise<void>;
  /** The cluster secret as it stands in its file. */
  secret(): Promise<string>;
}

/** The replicator as the runtime sees it. A call while it is away fails at once with `replicator-down`. */
export interface ReplicatorPort {
  call<M extends keyof ReplicatorApi['methods']>(
    method: M,
    params: Params<ReplicatorApi, M>,
    signal?: AbortSignal,
  ): Promise<Result<ReplicatorApi, M>>;
  /** The desired configuration, sent now and after every reconnection; null: nothing is desired any more. */
  configure(configuration: Params<ReplicatorApi, 'configure'> | null): Promise<void>;
  /** Every volume at every change; null: it cannot be reached. */
  onVolumes(listener: (volumes: ReadonlyMap<string, VolumeStatus> | null) => void): void;
  /** It is there and has answered nothing for too long. Called again and again while that lasts, with the same silence. */
  onSilent(listener: (silence: Silence) => void): void;
  close(): void;
}

/** From when the replicator said something last until it says something again, or its connection ends. */
export interface Silence {
  readonly lasts: () => boolean;
  readonly ms: () => number;
}

/**
 * `killed`: the service manager starts it again. `waits-for-disk`: its main thread is in the kernel for a disk; it is not at fault, and a kill would only take away the
 * threads that still serve. `not-found`: the service manager does not say which process it is. `answers`: the silence has ended meanwhile.
 */
export type SilenceOutcome = 'killed' | 'waits-for-disk' | 'not-found' | 'answers';

export interface Holder {
  readonly pid: number;
  readonly name: string;
}

/** What is left when the replicator does not answer, or the application does not let go. */
export interface Rescue {
  /** Ends every mount of ours on the path: connection aborted, holders killed, detached. Always ends. */
  abortMounts(path: string): Promise<void>;
  /** Whoever uses the mount: SIGTERM, patience, SIGKILL. Returns who that was. */
  killHolders(path: string): Promise<readonly Holder[]>;
  /** SIGKILL for the main process of the replicator's unit. Its mounts outlive it. */
  endReplicator(silence: Silence): Promise<SilenceOutcome>;
}

export interface RuntimePorts {
  readonly node: string;
  readonly agentVersion: string;
  readonly bootId: string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly randomId: () => string;
  readonly journal: Journal;
  readonly modules: ModuleStore;
  readonly events: EventStore;
  readonly configuration: ConfigurationStore;
  readonly openDatagrams: OpenDatagramPort;
  readonly openEcho: OpenEchoPort;
  readonly fence: KernelFence;
  readonly vip: VipDriver;
  readonly scripts: ScriptRunner;
  readonly checkers: CheckerFactory;
  readonly replicator: ReplicatorPort;
  readonly rescue: Rescue;
  /** The last step of fencing: the machine starts anew at once, without stopping anything. Does not return in production. */
  readonly reset: (because: string) => Promise<void>;
  /** Ends the process at once; does not return in production. */
  readonly halt: (because: string) => void;
}
