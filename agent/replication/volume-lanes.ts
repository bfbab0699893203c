/** The lanes of one role of one volume, started together and ended together. */
import { MessageChannel } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { Fault } from '../contract/index.ts';
import type { FaultRecord, VolumeRecord } from '../contract/index.ts';
import { mountDevice } from '../fuse/index.ts';
import type { MountedDevice } from '../fuse/index.ts';
import { bootTimeMs, close } from '../sys/linux.ts';
import { shutdownSocket } from '../sys/socket.ts';
import { ControlBlock } from './control-block.ts';
import type { Outbox } from './inbox.ts';
import type {
  FromAcknowledgement,
  FromPrimary,
  FromSecondary,
  PeerHot,
  ToAcknowledgement,
  ToPrimary,
  ToSecondary,
} from './lane-messages.ts';
import { closeInbox, makeInbox, spawnLane } from './spawn.ts';

/** What every lane of a volume must know; of the configuration in force when the role begins. */
export interface LaneSettings {
  readonly volume: string;
  readonly path: string;
  readonly cache: 'writeback' | 'none';
  readonly node: string;
  readonly peer: string;
  readonly programVersion: string;
  readonly endpoints: readonly { readonly address: string; readonly port: number }[];
  readonly tls: { readonly certificateFile: string; readonly keyFile: string; readonly peerCertificateFile: string };
  readonly acknowledgeTimeoutMs: number;
  readonly directoryFd: number;
}

/** A resync may make the peer write out much at once: only what nobody waits for may take this long. */
const resyncSilenceMaxMs = 30_000;
/** What a role's end may take before its connections are cut. */
const endPatienceMs = 3000;

/** Watches that the peer acknowledges in time; expels it by shutting its sockets down. */
export class AcknowledgementWatch {
  readonly #control: ControlBlock;
  readonly #timeoutMs: number;
  #seen = 0;
  #progressAtMs = bootTimeMs();

  constructor(control: ControlBlock, timeoutMs: number) {
    this.#control = control;
    this.#timeoutMs = timeoutMs;
  }

  /** True: overdue, and expelled now. */
  look(resynchronising: boolean): boolean {
    const now = bootTimeMs();
    const { acknowledged, sent, parked } = this.#control;
    if (acknowledged !== this.#seen || sent === acknowledged) {
      this.#seen = acknowledged;
      this.#progressAtMs = now;
    }
    const silenceMaxMs = resynchronising ? Math.max(this.#timeoutMs, resyncSilenceMaxMs) : this.#timeoutMs;
    const oldest = parked.oldestWaitingSince(acknowledged);
    const waitedMs = oldest === null ? 0 : (Math.floor(now) - oldest) | 0;
    if (waitedMs <= this.#timeoutMs && now - this.#progressAtMs <= silenceMaxMs) return false;
    this.#progressAtMs = now;
    this.#control.shutdownSockets(shutdownSocket);
    return true;
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

/** Each syncfs(2) of a lane on a thread of its own: nothing may wait for it that others wait for. One at a time; a link that was replaced may have left one behind. */
class Syncs {
  readonly #directoryFd: number;
  readonly #post: (message: { type: 'synced'; call: number; status: number }) => void;
  readonly #spawn: typeof spawnLane;
  #last: Promise<unknown> = Promise.resolve();
  #status = 0;
  #isOver = false;

  constructor(
    directoryFd: number,
    post: (message: { type: 'synced'; call: number; status: number }) => void,
    spawn: typeof spawnLane,
  ) {
    this.#directoryFd = directoryFd;
    this.#post = post;
    this.#spawn = spawn;
  }

  begin(call: number): void {
    this.#last = this.#run(call, this.#last);
  }

  async #run(call: number, former: Promise<unknown>): Promise<void> {
    await former;
    if (this.#isOver) return;
    const name = 'syncfs';
    await this.#spawn(
      name,
      { lane: 'sync', name, directoryFd: this.#directoryFd },
      [],
      (message: { readonly status: number }) => {
        if (message.status < 0) this.#status = message.status;
        this.#post({ type: 'synced', call, status: message.status });
      },
    );
  }

  /** Nobody asks any more. Resolves after one that is still under way, with what came out of it, 0 or -errno. */
  async end(): Promise<number> {
    this.#isOver = true;
    await this.#last;
    return this.#status;
  }
}

export class PrimaryLanes {
  readonly control = new ControlBlock();
  readonly device: MountedDevice;
  readonly watch: AcknowledgementWatch;
  readonly #primary: { readonly outbox: Outbox<ToPrimary>; readonly port: MessagePort; readonly wakeFd: number };
  readonly #link: { readonly outbox: Outbox<ToAcknowledgement>; readonly port: MessagePort; readonly wakeFd: number };
  readonly ended: Promise<void>;
  /** As of SecondaryLanes. */
  readonly synced: Promise<number>;

  /** Mounts, then starts both lanes. Throws Fault `mount-failed`. */
  constructor(
    settings: LaneSettings,
    record: VolumeRecord,
    peerHot: PeerHot | null,
    onPrimary: (message: FromPrimary) => void,
    onLink: (message: FromAcknowledgement) => void,
  ) {
    const { volume, directoryFd, cache } = settings;
    this.watch = new AcknowledgementWatch(this.control, settings.acknowledgeTimeoutMs);
    this.device = mountDevice({ path: settings.path });
    const { deviceFd } = this.device;
    this.control.publishRecord(record);
    this.#primary = makeInbox<ToPrimary>();
    this.#link = makeInbox<ToAcknowledgement>();
    const between = new MessageChannel();
    const syncs = new Syncs(
      directoryFd,
      (message) => {
        this.post(message);
      },
      spawnLane,
    );
    const primaryName = `primary ${volume}`;
    const primary = spawnLane(
      primaryName,
      {
        lane: 'primary',
        name: primaryName,
        control: this.control.memory,
        inbox: this.#primary.port,
        link: between.port1,
        wakeFd: this.#primary.wakeFd,
        volume,
        directoryFd,
        deviceFd,
        cache,
        record,
        peerHot,
      },
      [this.#primary.port, between.port1],
      (message: FromPrimary) => {
        if (message.type === 'sync') syncs.begin(message.call);
        else onPrimary(message);
      },
    );
    const linkName = `link ${volume}`;
    const link = spawnLane(
      linkName,
      {
        lane: 'acknowledgement',
        name: linkName,
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
    this.ended = Promise.all([primary, link]).then(() => {
      closeInbox(this.#primary);
      closeInbox(this.#link);
      close(deviceFd);
    });
    this.synced = primary.then(() => syncs.end());
  }

  post(message: ToPrimary): void {
    this.#primary.outbox.post(message);
  }

  setLease(deadlineMs: number): void {
    this.control.leaseDeadlineMs = deadlineMs;
    this.#primary.outbox.wake();
    this.#link.outbox.wake();
  }

  /** Both lanes end as soon as they can; the mount is somebody else's. */
  end(): void {
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
    const syncs = new Syncs(
      directoryFd,
      (message) => {
        this.post(message);
      },
      spawn,
    );
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
