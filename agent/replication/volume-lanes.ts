/** The lanes of one role of one volume, started together and ended together. */
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { Fault } from '../contract/index.ts';
import type { AcknowledgeLevel, FaultRecord, VolumeRecord } from '../contract/index.ts';
import { KeptMemory, makeKeptFile, mountDevice } from '../fuse/index.ts';
import type { MountedDevice } from '../fuse/index.ts';
import { bootId } from '../sys/boot-id.ts';
import { bootTimeMs, close, O, openAt } from '../sys/linux.ts';
import { shutdownSocket } from '../sys/socket.ts';
import { ControlBlock } from './control-block.ts';
import { DiskWatch } from './disk-watch.ts';
import type { Outbox } from './inbox.ts';
import { forgetMount, holdsDescriptors, storeMount } from './kept-mount.ts';
import type {
  FromAcknowledgement,
  FromPrimary,
  FromSecondary,
  PeerHot,
  ToAcknowledgement,
  ToPrimary,
  ToSecondary,
} from './lane-messages.ts';
import { OwnSyncs } from './own-syncs.ts';
import { closeInbox, makeInbox, spawnLane } from './spawn.ts';

/** What every lane of a volume must know; of the configuration in force when the role begins. */
export interface LaneSettings {
  readonly volume: string;
  readonly path: string;
  readonly cache: 'writeback' | 'none';
  /** `durable` when it is not said. */
  readonly acknowledge?: AcknowledgeLevel;
  readonly node: string;
  readonly peer: string;
  readonly programVersion: string;
  readonly endpoints: readonly { readonly address: string; readonly port: number }[];
  readonly tls: { readonly certificateFile: string; readonly keyFile: string; readonly peerCertificateFile: string };
  readonly acknowledgeTimeoutMs: number;
  readonly directoryFd: number;
  readonly volumeUuid: string;
}

/** A mount that a predecessor of this process has served. */
export interface TakenMount {
  readonly device: MountedDevice;
  readonly memoryFd: number;
}

/** A resync may make the peer write out much at once: only what nobody waits for may take this long. */
const resyncSilenceMaxMs = 30_000;
/** The control plane comes back to a process that was started again within half a second. */
const contactPatienceMs = 2000;
/** What a role's end may take before its connections are cut. */
const endPatienceMs = 3000;

/** Watches that the peer acknowledges in time: half of it is for another network to be tried; then it is expelled, by shutting its sockets down. */
export class AcknowledgementWatch {
  readonly #control: ControlBlock;
  readonly #timeoutMs: number;
  #seen = 0;
  #progressAtMs = bootTimeMs();
  #isLate = false;

  constructor(control: ControlBlock, timeoutMs: number) {
    this.#control = control;
    this.#timeoutMs = timeoutMs;
  }

  look(resynchronising: boolean): 'in-time' | 'late' | 'expelled' {
    const now = bootTimeMs();
    const { acknowledged, sent, parked } = this.#control;
    if (acknowledged !== this.#seen || sent === acknowledged) {
      this.#seen = acknowledged;
      this.#progressAtMs = now;
      this.#isLate = false;
    }
    const silenceMaxMs = resynchronising ? Math.max(this.#timeoutMs, resyncSilenceMaxMs) : this.#timeoutMs;
    const oldest = parked.oldestWaitingSince(acknowledged);
    const waitedMs = oldest === null ? 0 : (Math.floor(now) - oldest) | 0;
    if (waitedMs > this.#timeoutMs || now - this.#progressAtMs > silenceMaxMs) {
      this.#progressAtMs = now;
      this.#control.expel(shutdownSocket);
      return 'expelled';
    }
    const wasLate = this.#isLate;
    this.#isLate ||= Math.max(waitedMs, now - this.#progressAtMs) > this.#timeoutMs / 2;
    return this.#isLate && !wasLate ? 'late' : 'in-time';
  }
}

/** Rejects when it takes longer: whoever waits must not wait for ever on a hung disk. */
export async function within<T>(timeoutMs: number, promise: Promise<T>, otherwise: () => Fault): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(otherwise());
  }, timeoutMs);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the record has to remember of a contact: null where nothing is acknowledged because it is in memory. */
function memoryBootOf({ acknowledge }: Pick<LaneSettings, 'acknowledge'>): string | null {
  return acknowledge === 'write-through' ? null : bootId();
}

/** What the kernel keeps back is on no disk. */
export function cacheOf({ acknowledge, cache }: Pick<LaneSettings, 'acknowledge' | 'cache'>): 'writeback' | 'none' {
  return acknowledge === 'write-through' ? 'none' : cache;
}

function openAgain(directoryFd: number): number {
  return openAt(directoryFd, Buffer.from('.'), O.RDONLY | O.DIRECTORY);
}

export class PrimaryLanes {
  readonly control = new ControlBlock();
  readonly device: MountedDevice;
  readonly #volume: string;
  readonly #directoryFd: number;
  /** -1: nobody would take it over. */
  readonly #keptFd: number;
  #kept: KeptMemory | null = null;
  #isServedWell = false;
  readonly #syncs: OwnSyncs;
  readonly #disk = new DiskWatch();
  readonly #watch: AcknowledgementWatch;
  readonly #primary: { readonly outbox: Outbox<ToPrimary>; readonly port: MessagePort; readonly wakeFd: number };
  readonly #link: { readonly outbox: Outbox<ToAcknowledgement>; readonly port: MessagePort; readonly wakeFd: number };
  readonly ended: Promise<void>;
  /** As of SecondaryLanes. */
  readonly synced: Promise<number>;

  /** Mounts, unless a predecessor has, then starts both lanes. Throws Fault `mount-failed`. */
  constructor(
    settings: LaneSettings,
    record: VolumeRecord,
    peerHot: PeerHot | null,
    onPrimary: (message: FromPrimary) => void,
    onLink: (message: FromAcknowledgement) => void,
    taken: TakenMount | null = null,
    asksFirst = false,
  ) {
    const { volume, directoryFd } = settings;
    this.#volume = volume;
    this.#directoryFd = directoryFd;
    this.#watch = new AcknowledgementWatch(this.control, settings.acknowledgeTimeoutMs);
    this.device = taken?.device ?? mountDevice({ path: settings.path, directoryFd });
    const { deviceFd } = this.device;
    this.#keptFd = taken?.memoryFd ?? this.#keep(settings);
    if (this.#keptFd >= 0) this.#kept = new KeptMemory(this.#keptFd);
    this.control.publishRecord(record);
    this.#primary = makeInbox<ToPrimary>();
    this.#link = makeInbox<ToAcknowledgement>();
    const between = new MessageChannel();
    this.#startLink = (): Promise<void> => {
      const name = `link ${volume}`;
      return spawnLane(
        name,
        {
          lane: 'acknowledgement',
          name,
          control: this.control.memory,
          inbox: this.#link.port,
          primary: between.port2,
          primaryWakeFd: this.#primary.wakeFd,
          wakeFd: this.#link.wakeFd,
          volume,
          node: settings.node,
          peer: settings.peer,
          programVersion: settings.programVersion,
          deviceFd,
          endpoints: settings.endpoints,
          tls: settings.tls,
          linkTimeoutMs: settings.acknowledgeTimeoutMs,
        },
        [this.#link.port, between.port2],
        onLink,
      );
    };
    const syncs = (this.#syncs = new OwnSyncs(
      directoryFd,
      (message) => {
        this.post(message);
      },
      spawnLane,
    ));
    const name = `primary ${volume}`;
    const primary = spawnLane(
      name,
      {
        lane: 'primary',
        name,
        control: this.control.memory,
        inbox: this.#primary.port,
        link: between.port1,
        wakeFd: this.#primary.wakeFd,
        volume,
        directoryFd,
        deviceFd,
        cache: cacheOf(settings),
        level: settings.acknowledge ?? 'durable',
        memoryBoot: memoryBootOf(settings),
        goesOn: settings.endpoints.length > 1,
        record,
        keptFd: this.#keptFd,
        takesOver: taken !== null,
        asksFirst,
        peerHot,
      },
      [this.#primary.port, between.port1],
      (message: FromPrimary) => {
        if (message.type === 'sync') {
          syncs.begin(message.call);
          return;
        }
        if (message.type === 'sync-kept') {
          syncs.ask(message.descriptors, taken !== null, (status) => {
            this.post({ type: 'kept-synced', status });
          });
          return;
        }
        this.#considerLink(message);
        onPrimary(message);
      },
    );
    if (!taken) this.#meetPeer();
    this.ended = Promise.all([primary, this.#linkEnded.promise]).then(() => {
      closeInbox(this.#primary);
      closeInbox(this.#link);
      close(deviceFd);
      this.#forget();
    });
    this.synced = primary.then(() => syncs.end());
  }

  readonly #startLink: () => Promise<void>;
  readonly #linkEnded = Promise.withResolvers<undefined>();
  #linkIsDecided = false;
  #linkTimer: NodeJS.Timeout | null = null;

  /**
   * The first contact after a predecessor's end makes the other copy stale until all of it has been compared. So the peer is left as it is, and able to go on, until it is
   * known that this process can, and has the right to; where nobody says so, a contact may be the only way to it.
   */
  #considerLink(message: FromPrimary): void {
    if (message.type === 'not-taken-over' || message.type === 'ended') this.#decideLink(false);
    else if (message.type === 'status' && message.mode !== 'undecided') this.#meetPeer();
    else if (message.type === 'taken-over')
      this.#linkTimer = setTimeout(() => {
        this.#meetPeer();
      }, contactPatienceMs);
  }
  #meetPeer(): void {
    this.#decideLink(true);
  }
  /** Once. */
  #decideLink(wanted: boolean): void {
    if (this.#linkIsDecided) return;
    this.#linkIsDecided = true;
    if (this.#linkTimer) clearTimeout(this.#linkTimer);
    const ended = wanted ? this.#startLink() : Promise.resolve();
    void ended.then(() => {
      this.#linkEnded.resolve(undefined);
    });
  }

  /** Given away before the first request is read: from then on an end of this process is not the end of the mount. */
  #keep(settings: LaneSettings): number {
    if (!holdsDescriptors()) return -1;
    const memory = makeKeptFile();
    if (memory < 0) return -1;
    // Not duplicates: errors are told once for each description. Not that of the door: what other programs' files failed since it was closed is nothing of this role.
    const [directory, unasked] = [openAgain(settings.directoryFd), openAgain(settings.directoryFd)];
    const kept = new KeptMemory(memory);
    kept.begin(settings, this.device.connection, cacheOf(settings));
    kept.askedFd = directory;
    kept.unaskedFd = unasked;
    kept.close();
    const { deviceFd: device } = this.device;
    const isOpen = directory >= 0 && unasked >= 0;
    if (isOpen && storeMount(settings.volume, { device, directory, unasked, memory })) return memory;
    forgetMount(settings.volume);
    for (const fd of [directory, unasked]) if (fd >= 0) close(fd);
    close(memory);
    return -1;
  }
  #forget(): void {
    const { askedFd = -1, unaskedFd = -1 } = this.#kept ?? {};
    this.#kept?.close();
    this.#kept = null;
    // What was taken over is the volume's.
    const own = [askedFd, unaskedFd].filter((fd) => fd >= 0 && fd !== this.#directoryFd);
    // Whoever asks them may not have come to it yet.
    void this.synced.then(() => {
      for (const fd of own) close(fd);
    });
    if (this.#keptFd < 0) return;
    forgetMount(this.#volume);
    close(this.#keptFd);
  }

  /** What was taken over has been served for a while. */
  takeoverHasSucceeded(): void {
    if (this.#isServedWell) return;
    this.#isServedWell = true;
    this.#kept?.adoptionHasSucceeded();
  }

  /** See DiskWatch. */
  lookAtDisk(): number {
    const nowMs = bootTimeMs();
    const { laneLiveness: lane, leaseDeadlineMs } = this.control;
    return this.#disk.look({ nowMs, lane, laneRests: leaseDeadlineMs <= nowMs, question: this.#syncs.question });
  }

  post(message: ToPrimary): void {
    this.#primary.outbox.post(message);
  }

  /** True: the peer's acknowledgement is overdue, and it is expelled now. */
  look(resynchronising: boolean): boolean {
    const state = this.#watch.look(resynchronising);
    if (state === 'late') {
      this.control.wantMove();
      this.#link.outbox.wake();
    }
    return state === 'expelled';
  }

  setLease(deadlineMs: number): void {
    const formerMs = this.control.leaseDeadlineMs;
    this.control.leaseDeadlineMs = deadlineMs;
    // Whoever waits for it has looked at the clock, then at the former deadline: so the clock is past that by now. All others wake for nothing, twice a second.
    if (deadlineMs >= formerMs && bootTimeMs() < formerMs) return;
    this.#primary.outbox.wake();
    this.#link.outbox.wake();
  }

  /** Both lanes end as soon as they can; the mount is somebody else's. */
  end(): void {
    this.#decideLink(false);
    this.#primary.outbox.post({ type: 'end' });
    this.#link.outbox.post({ type: 'end' });
  }

  /** Resolves when they have. A lane that hangs in a dead disk stays: then this rejects. */
  async endWithin(timeoutMs: number): Promise<void> {
    this.end();
    const cut = setTimeout(() => {
      this.control.shutdownSockets(shutdownSocket);
    }, endPatienceMs);
    try {
      await within(timeoutMs, this.ended, hanging);
    } finally {
      clearTimeout(cut);
    }
  }
}

function hanging(): Fault {
  return new Fault('lane-hangs', {
    message: 'A thread of the replicator hangs, most likely in a disk that does not answer.',
    remedy: 'Look at the kernel log for disk errors; restart holdfast-replicator when the disk works again.',
  });
}

export class SecondaryLanes {
  readonly control = new ControlBlock();
  readonly #inbox: { readonly outbox: Outbox<ToSecondary>; readonly port: MessagePort; readonly wakeFd: number };
  readonly #syncs: OwnSyncs;
  readonly #disk = new DiskWatch();
  readonly ended: Promise<void>;
  /** After the end: of a syncfs too that was still under way, with what came out of it, 0 or -errno. Nothing may wait for it that others wait for. */
  readonly synced: Promise<number>;

  constructor(
    settings: LaneSettings,
    record: VolumeRecord,
    peerHot: PeerHot | null,
    onMessage: (message: FromSecondary) => void,
    spawn: typeof spawnLane = spawnLane,
  ) {
    const { directoryFd } = settings;
    const syncs = (this.#syncs = new OwnSyncs(
      directoryFd,
      (message) => {
        this.post(message);
      },
      spawn,
    ));
    this.#inbox = makeInbox<ToSecondary>();
    const name = `secondary ${settings.volume}`;
    const lane = spawn(
      name,
      {
        lane: 'secondary',
        name,
        control: this.control.memory,
        inbox: this.#inbox.port,
        wakeFd: this.#inbox.wakeFd,
        volume: settings.volume,
        node: settings.node,
        peer: settings.peer,
        programVersion: settings.programVersion,
        directoryFd,
        record,
        level: settings.acknowledge ?? 'durable',
        memoryBoot: memoryBootOf(settings),
        peerHot,
      },
      [this.#inbox.port],
      (message: FromSecondary) => {
        if (message.type === 'sync') syncs.begin(message.call);
        else onMessage(message);
      },
    );
    this.ended = lane.then(() => {
      closeInbox(this.#inbox);
    });
    this.synced = lane.then(() => syncs.end());
  }

  lookAtDisk(): number {
    const { question } = this.#syncs;
    return this.#disk.look({ nowMs: bootTimeMs(), lane: this.control.laneLiveness, laneRests: false, question });
  }

  post(message: ToSecondary): void {
    this.#inbox.outbox.post(message);
  }

  async endWithin(timeoutMs: number): Promise<void> {
    this.#inbox.outbox.post({ type: 'end' });
    const cut = setTimeout(() => {
      this.control.shutdownSockets(shutdownSocket);
    }, endPatienceMs);
    try {
      await within(timeoutMs, this.ended, hanging);
    } finally {
      clearTimeout(cut);
    }
  }
}

/** Names of those who still use the mount; empty: it is gone. On a thread of its own, see UnmountData. */
export async function unmountElsewhere(path: string, timeoutMs: number): Promise<readonly string[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly string[]>();
  void spawnLane(
    `unmount ${path}`,
    { lane: 'unmount', name: `unmount ${path}`, path },
    [],
    (message: { readonly holders?: readonly string[]; readonly fault?: FaultRecord }) => {
      if (message.fault) reject(Fault.fromRecord(message.fault));
      else resolve(message.holders ?? []);
    },
  );
  return await within(
    timeoutMs,
    promise,
    () => new Fault('unmount-hangs', { message: `${path} could not be unmounted in time.` }, { path }),
  );
}
