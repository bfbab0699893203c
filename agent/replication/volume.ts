/**
 * One volume of this node: its cover, its role, and the lanes of that role. Decides nothing: it obeys the control plane and reports. Runs on the
 * supervisor's event loop and touches no file below the mount while a lane might hold it.
 */
import { Fault, invariant } from '../contract/index.ts';
import type {
  AcknowledgeLevel,
  FaultRecord,
  Generation,
  ResyncEstimate,
  ResyncProgress,
  Verification,
  VolumeMetrics,
  VolumeRecord,
  VolumeStatus,
} from '../contract/index.ts';
import {
  abortConnection,
  canonicalPath,
  coverDirectory,
  isCovered,
  isMounted,
  openBackingDirectory,
  uncoverDirectory,
  unmountNow,
} from '../fuse/index.ts';
import { bootTimeMs, close } from '../sys/linux.ts';
import { describeConnection, shutdownSocket } from '../sys/socket.ts';
import type { Mode } from './control-block.ts';
import type { FromAcknowledgement, FromListener, FromPrimary, FromSecondary, PeerHot } from './lane-messages.ts';
import { machineIsBooting } from './boot.ts';
import { closeDoor } from './closing-door.ts';
import { bringBackParked } from './parked.ts';
import { DirectoryRecordDisk, RecordStore } from './record-store.ts';
import { setAsideUnfinished } from './set-aside.ts';
import type { VolumePlace } from './set-aside.ts';
import { removeOwnDirectory, setUp } from './set-up.ts';
import type { SetUp } from './set-up.ts';
import { copiesDifferFault } from './verify-report.ts';
import * as lineage from './volume-lineage.ts';
import { diskFailed, errorsLost, expelled, silent, silentSince, unreadable } from './volume-faults.ts';
import { PrimaryLanes, SecondaryLanes, unmountElsewhere, within } from './volume-lanes.ts';
import type { LaneSettings, TakenMount } from './volume-lanes.ts';
import { closeMount } from './kept-mount.ts';
import type { KeptMount } from './kept-mount.ts';
import { takeMount } from './take-over.ts';

const laneEndMs = 10_000;
const unmountMs = 30_000;
const goAloneMs = 10_000;
const cleanStopMs = 30_000;
const verifyOrderMs = 10_000;
/** A request that ends the process does so at once. */
const servedWellMs = 1000;

export interface VolumeConfiguration {
  readonly id: string;
  readonly module: string;
  readonly path: string;
  readonly volumeUuid: string;
  readonly cache: 'writeback' | 'none';
  readonly acknowledge: AcknowledgeLevel;
}

type CommonSettings = Omit<LaneSettings, 'volume' | 'path' | 'cache' | 'acknowledge' | 'directoryFd' | 'volumeUuid'>;

export class Volume {
  configuration: VolumeConfiguration;
  readonly #settings: () => CommonSettings;
  readonly #changed: (volume: Volume) => void;
  #directoryFd = -1;
  #record: VolumeRecord | null = null;
  #role: VolumeStatus['role'] = 'idle';
  #mode: Mode | null = null;
  #link = false;
  #resync: ResyncProgress | null = null;
  #verification: Verification | null = null;
  #differs = false;
  /** Why the directory or its record cannot be used. */
  #ownFault: FaultRecord | null = null;
  /** Of the role: refused links, a failing disk. */
  #roleFault: FaultRecord | null = null;
  #primary: PrimaryLanes | null = null;
  #secondary: SecondaryLanes | null = null;
  /** When the primary role began: another number for every role of this boot. */
  #roleNumber = 0;
  #nextCall = 1;
  readonly #calls = new Map<number, PromiseWithResolvers<FromPrimary & { type: 'done' }>>();
  /** Orders are carried out one after the other, except `fence`. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(configuration: VolumeConfiguration, settings: () => CommonSettings, changed: (volume: Volume) => void) {
    this.configuration = configuration;
    this.#settings = settings;
    this.#changed = changed;
  }

  get role(): VolumeStatus['role'] {
    return this.#role;
  }

  status(): VolumeStatus {
    const { id, path } = this.configuration;
    return {
      id,
      path,
      record: this.#record,
      role: this.#role,
      mode: this.#mode,
      ...(this.#role === 'primary' && this.#primary ? { answersUntilMs: this.#primary.control.leaseDeadlineMs } : {}),
      link: this.#link ? 'up' : 'down',
      resync: this.#resync,
      fault: this.#ownFault ?? this.#roleFault ?? (this.#differs ? copiesDifferFault(id) : null),
      verification: this.#verification,
    };
  }

  /** Each side asks the connection that it sends on. */
  metrics(): VolumeMetrics {
    const { id } = this.configuration;
    const primary = this.#role === 'primary' ? this.#primary : null;
    const control = primary?.control ?? this.#secondary?.control;
    const slot = primary ? 'dataSocket' : 'answerSocket';
    return {
      volume: id,
      link: (this.#link ? control?.lookAtSocket(slot, describeConnection) : null) ?? null,
      primary: primary && {
        role: this.#roleNumber,
        changeBytes: primary.control.measures.changeBytes,
        resyncBytes: primary.control.measures.resyncBytes,
        latency: primary.control.measures.latency(),
      },
    };
  }

  /** Ends the connections with the peer; the primary makes new ones. */
  cutLink(): void {
    (this.#primary ?? this.#secondary)?.control.cutSockets(shutdownSocket);
  }

  async inOrder<T>(run: () => Promise<T>): Promise<T> {
    const before = this.#queue;
    const mine = (async () => {
      await before.catch(() => undefined);
      return await run();
    })();
    this.#queue = mine;
    return await mine;
  }

  #set(change: () => void): void {
    change();
    this.#changed(this);
  }

  // --- the door -------------------------------------------------------------------------------------------------------

  /** Closes the door and reads the record. Idempotent. A fault is kept in the status and thrown. */
  close(): void {
    if (this.#role !== 'idle') return;
    try {
      this.#cover();
      this.#ownFault = null;
      this.#readRecord();
    } catch (error) {
      const fault = Fault.from(error);
      this.#set(() => (this.#ownFault = fault.toRecord()));
      throw fault;
    }
    this.#changed(this);
  }

  /**
   * Somebody may have unmounted by hand what keeps the door closed. Called when the mounts of this host have changed. A copy that could be written to
   * behind our back is compared again: its role ends, and without a checkpoint no contact is in sync.
   */
  lookAtDoor(): void {
    const { path } = this.configuration;
    if (this.#directoryFd < 0) return;
    if (this.#role === 'primary' && !this.#stopping && this.#primary && !isMounted(path)) {
      void this.#mountLost();
      return;
    }
    if (this.#role !== 'idle' && this.#role !== 'secondary') return;
    if (this.#closingDoor || isCovered(path)) return;
    this.#closingDoor = true;
    process.stderr.write(
      `${path} was uncovered by somebody else: local programs could write to this copy. It is covered again, and compared.\n`,
    );
    void this.inOrder(async () => {
      if (this.#role === 'secondary') await this.#endSecondary();
      if (this.#role === 'idle' && this.#directoryFd >= 0) this.close();
    })
      .catch(() => undefined)
      .finally(() => (this.#closingDoor = false));
  }
  #closingDoor = false;
  /** Local programs may have written to this copy since the last role: it was not covered. */
  #wasOpen = false;

  #cover(): void {
    const { path } = this.configuration;
    const isOpen = !isCovered(path);
    const wasOpen = this.#wasOpen;
    const isFirst = this.#directoryFd < 0;
    // That somebody is in there already while the machine boots says something: then the next attempt is not the first.
    this.#wasOpen ||= isOpen;
    const fd = isFirst ? openBackingDirectory(path) : this.#directoryFd;
    try {
      closeDoor({
        isOpen,
        wasOpen,
        isBooting: () => isFirst && machineIsBooting(),
        endAgreement: () => {
          this.#endAgreement(fd);
        },
        cover: () => {
          coverDirectory(path);
        },
      });
    } catch (error) {
      if (isFirst) close(fd);
      throw error;
    }
    this.#directoryFd = fd;
    this.#wasOpen = false;
  }

  /** What was written meanwhile is in nobody's log: what was agreed about this copy does not hold any more. */
  #endAgreement(fd: number): void {
    try {
      this.#changeRecord(fd, (record) =>
        record.cleanCheckpoint !== null || record.marks || record.hot ? lineage.connectedClean(record) : record,
      );
    } catch (error) {
      // A record that cannot be understood claims nothing, and must not keep the door from being closed; one that cannot be written still does.
      if (Fault.from(error).code === 'disk-failed') throw error;
    }
  }

  #changeRecord(fd: number, change: (record: VolumeRecord) => VolumeRecord): void {
    const store = new RecordStore(new DirectoryRecordDisk(fd), this.configuration.id);
    const record = store.read(this.configuration.volumeUuid);
    if (record === null) return;
    const changed = change(record);
    if (changed !== record) store.write(changed);
  }

  /** What a predecessor of this process left behind: a mount that nobody serves any more. */
  async removeDeadMount(): Promise<void> {
    await unmountNow(this.configuration.path);
  }

  #place(): VolumePlace {
    const { id, path, volumeUuid } = this.configuration;
    return { id, path, volumeUuid, directoryFd: this.#directoryFd };
  }
  #readRecord(): void {
    this.#record = null;
    const store = new RecordStore(new DirectoryRecordDisk(this.#directoryFd), this.configuration.id);
    this.#record = store.read(this.configuration.volumeUuid);
  }

  /** Opens the door for good; only of an idle volume. */
  open(removeRecord: boolean): void {
    this.#mustBeIdle();
    if (this.#directoryFd >= 0) {
      if (removeRecord) removeOwnDirectory(this.#place());
      else this.#endAgreement(this.#directoryFd);
      close(this.#directoryFd);
      this.#directoryFd = -1;
    }
    uncoverDirectory(this.configuration.path);
  }

  #mustBeIdle(): void {
    if (this.#role === 'idle') return;
    throw new Fault(
      'volume-busy',
      { message: `${this.configuration.id} is ${this.#role}: stop it first.` },
      { volume: this.configuration.id, role: this.#role },
    );
  }

  initialise(options: SetUp): { keptAt: string | null } {
    this.#mustBeIdle();
    // The record may be unreadable: that is what `replaceRecord` is for. Anything else must be mended first.
    if (this.#directoryFd < 0) this.close();
    const { record, keptAt } = setUp(this.#place(), options, new Date());
    this.#set(() => {
      this.#record = record;
      this.#ownFault = null;
    });
    return { keptAt };
  }

  // --- roles ----------------------------------------------------------------------------------------------------------

  #laneSettings(): LaneSettings {
    const { id, path, cache, acknowledge, volumeUuid } = this.configuration;
    const own = {
      volume: id,
      path: canonicalPath(path),
      cache,
      acknowledge,
      directoryFd: this.#directoryFd,
      volumeUuid,
    };
    return { ...this.#settings(), ...own };
  }

  #mustBeUsable(): VolumeRecord {
    if (this.#directoryFd < 0 || this.#ownFault !== null || !isCovered(this.configuration.path)) this.close();
    if (this.#record === null)
      throw new Fault(
        'not-initialised',
        { message: `${this.configuration.id} has not been set up on this node.`, remedy: 'Apply the configuration.' },
        { volume: this.configuration.id },
      );
    if (this.#record.settingAside) throw setAsideUnfinished(this.configuration);
    return this.#unwritten ? lineage.syncFailed(this.#record) : this.#record;
  }

  /** `doubted`: see the interface. Throws Fault where this disk does not take that. */
  serveSecondary(doubted: boolean): void {
    if (this.#role === 'secondary') return;
    this.#mustBeIdle();
    if (doubted && this.#mustBeUsable().copy === 'up-to-date') {
      this.#changeRecord(this.#directoryFd, lineage.syncFailed);
      this.#readRecord();
    }
    const record = this.#mustBeUsable();
    this.#secondary = new SecondaryLanes(this.#laneSettings(), record, this.#peerHot, (message) => {
      this.#onSecondary(message);
    });
    this.#set(() => {
      this.#role = 'secondary';
      this.#roleFault = null;
    });
  }

  #onSecondary(message: FromSecondary): void {
    if (message.type !== 'status' || !this.#secondary) return;
    this.#unwritten = message.unwritten;
    this.#peerHot = message.peerHot;
    this.#set(() => {
      this.#record = message.record;
      this.#link = message.link;
      this.#resync = message.resync;
      this.#roleFault = message.fault;
    });
  }

  async servePrimary(order: boolean): Promise<void> {
    if (this.#role === 'primary') return;
    // Its checkpoints have heard what there was, up to now and then.
    const wasSecondary = this.#role === 'secondary';
    if (wasSecondary) await this.#endSecondary();
    this.#mustBeIdle();
    const record = this.#mustBeUsable();
    if (record.copy === 'stale' && !order)
      throw new Fault(
        'copy-stale',
        {
          message: `The copy of ${this.configuration.id} on this node is stale: it lacks what was written elsewhere.`,
          remedy: 'Start the other node first, or order this copy to be used, accepting the loss.',
        },
        { volume: this.configuration.id },
      );
    const settings = this.#laneSettings();
    if (record.copy === 'stale') bringBackParked(settings.directoryFd, settings.path);
    await this.#beginPrimary(settings, record, null, !wasSecondary);
  }

  /** Resolves with its first word. */
  async #beginPrimary(
    settings: LaneSettings,
    record: VolumeRecord,
    taken: TakenMount | null,
    asksFirst = false,
  ): Promise<FromPrimary> {
    const ready = Promise.withResolvers<FromPrimary>();
    const lanes = new PrimaryLanes(
      settings,
      record,
      this.#peerHot,
      (message) => {
        if (message.type !== 'not-kept') ready.resolve(message);
        this.#onPrimary(lanes, message);
      },
      (message) => {
        this.#onLink(lanes, message);
      },
      taken,
      asksFirst,
    );
    this.#primary = lanes;
    this.#decidedSinceMs = null;
    this.#roleNumber = Math.floor(bootTimeMs());
    this.#set(() => {
      this.#role = 'primary';
      this.#mode = 'undecided';
      this.#roleFault = null;
    });
    return await ready.promise;
  }
  #decidedSinceMs: number | null = null;

  /**
   * Goes on under a mount that a predecessor of this process has left, `undecided` as after a lost link. False: it cannot be, nothing has been answered, and nobody
   * serves the mount any more.
   */
  async takeOver(mount: KeptMount): Promise<boolean> {
    let first: FromPrimary;
    try {
      const taken = takeMount(this.configuration, mount);
      this.#directoryFd = mount.directory;
      this.#readRecord();
      const record = this.#mustBeUsable();
      const settings = { ...this.#laneSettings(), cache: taken.cache };
      first = await this.#beginPrimary(settings, record, taken);
    } catch (error) {
      this.#notTakenOver(error instanceof Error ? error.message : String(error));
      this.#directoryFd = -1;
      closeMount(this.configuration.id, mount);
      return false;
    }
    if (first.type === 'taken-over') {
      const { openFiles, requests } = first;
      process.stderr.write(
        `${this.configuration.path}: goes on under the mount of the former process, with ${openFiles} open files and ${requests} unanswered requests.\n`,
      );
      return true;
    }
    if (first.type !== 'not-taken-over') return true;
    this.#notTakenOver(first.reason);
    await this.fence();
    return this.#role !== 'idle';
  }
  #notTakenOver(reason: string): void {
    process.stderr.write(
      `${this.configuration.path}: the mount of the former process cannot be gone on with: ${reason}.\n`,
    );
  }

  /** Whoever dies on what was taken over is not in time to say so. */
  #countDecided(): void {
    const decided = this.#role === 'primary' && this.#mode !== 'undecided';
    if (!decided) this.#decidedSinceMs = null;
    else this.#decidedSinceMs ??= bootTimeMs();
    if (this.#decidedSinceMs !== null && bootTimeMs() - this.#decidedSinceMs > servedWellMs)
      this.#primary?.takeoverHasSucceeded();
  }

  #onPrimary(lanes: PrimaryLanes, message: FromPrimary): void {
    if (lanes !== this.#primary) return;
    switch (message.type) {
      case 'status':
        this.#set(() => {
          this.#record = message.record;
          if (this.#role === 'primary') this.#mode = message.mode;
          this.#resync = message.resync;
          this.#verification = message.verification;
          this.#differs = message.differs;
        });
        return;
      case 'done':
        this.#calls.get(message.call)?.resolve(message);
        this.#calls.delete(message.call);
        return;
      case 'local-failure':
        this.#unwritten ||= message.call === 'fsync';
        this.#set(() => (this.#roleFault = diskFailed(this.configuration, message.call, message.errno).toRecord()));
        return;
      case 'errors-lost':
        this.#unwritten = true;
        this.#set(() => (this.#roleFault = errorsLost(this.configuration).toRecord()));
        return;
      case 'unreadable':
        this.#set(() => {
          this.#roleFault ??= unreadable(this.configuration, message.errno).toRecord();
        });
        return;
      case 'unmounted':
        if (this.#role === 'primary' && !this.#stopping) void this.#mountLost();
        return;
      case 'not-kept':
        process.stderr.write(
          `${this.configuration.path}: a successor of this process cannot go on under the mount: ${message.reason}. A restart ends the application.\n`,
        );
        return;
      case 'kept-again':
        process.stderr.write(
          `${this.configuration.path}: the requests that were too many have been answered; a successor of this process can go on under the mount again.\n`,
        );
        return;
      case 'earlier-failure':
        process.stderr.write(
          `${this.configuration.path}: something on its filesystem could not be written (errno ${message.errno}), before this server changed anything as primary.\n`,
        );
        return;
      case 'taken-over':
      case 'not-taken-over':
      case 'sync':
      case 'sync-kept':
      case 'ended':
        return;
    }
  }
  #stopping = false;
  /** What this copy has heard of the hot log of the primary; ends with the process, since what it had received may end with that. */
  #peerHot: PeerHot | null = null;
  /** A sync has failed, in whatever role, and not all has been written again. The lanes record it, but such a disk may not have taken that. */
  #unwritten = false;
  /** A syncfs that a former role has left behind. */
  #formerSync: Promise<void> = Promise.resolve();

  #onLink(lanes: PrimaryLanes, message: FromAcknowledgement): void {
    if (lanes !== this.#primary) return;
    if (message.type === 'moved' && this.#roleFault?.code === 'peer-expelled')
      this.#set(() => (this.#roleFault = null));
    if (message.type === 'moved')
      process.stderr.write(
        `${this.configuration.path}: the replication goes on over another network, to ${message.peer}.\n`,
      );
    if (message.type !== 'link') return;
    this.#set(() => {
      this.#link = message.up;
      // A failing disk of our own outweighs what the peer says; a link that merely ended says nothing new.
      if (this.#roleFault?.code !== 'disk-failed' && (message.up || message.fault !== null))
        this.#roleFault = message.fault;
    });
  }

  /** Somebody unmounted it by hand: the application writes into the cover's void, which refuses. */
  async #mountLost(): Promise<void> {
    await this.fence();
    this.#set(
      () =>
        (this.#roleFault = new Fault('mount-lost', {
          message: `${this.configuration.path} was unmounted by somebody else.`,
        }).toRecord()),
    );
  }

  /** A link that the listener has accepted. False: this volume takes none. */
  offer(link: FromListener & { type: 'link' }): boolean {
    if (!this.#secondary || this.#role !== 'secondary') return false;
    const { cuts } = this.#secondary.control;
    this.#secondary.post({ ...link, type: 'accepted', cuts });
    return true;
  }

  setLease(deadlineMs: number): void {
    this.#primary?.setLease(deadlineMs);
  }

  async goAlone(generation: Generation): Promise<void> {
    const done = await this.#call((call) => ({ type: 'go-alone', call, generation }), goAloneMs);
    if (done.fault) throw Fault.fromRecord(done.fault);
  }

  async verify(repair: boolean): Promise<void> {
    const done = await this.#call((call) => ({ type: 'verify', call, repair }), verifyOrderMs);
    if (done.fault) throw Fault.fromRecord(done.fault);
  }
  async stopVerify(): Promise<void> {
    await this.#call((call) => ({ type: 'stop-verify', call }), verifyOrderMs);
  }

  /** Fault: not-primary. */
  async estimate(files: number): Promise<ResyncEstimate> {
    const done = await this.#call((call) => ({ type: 'estimate', call, files }), verifyOrderMs);
    invariant(done.estimate !== undefined, 'an estimate is answered by one');
    return done.estimate;
  }

  async #call(
    message: (call: number) => Parameters<PrimaryLanes['post']>[0],
    timeoutMs: number,
  ): Promise<FromPrimary & { type: 'done' }> {
    const lanes = this.#primary;
    if (!lanes || this.#role !== 'primary')
      throw new Fault('not-primary', { message: `${this.configuration.id} is not primary here.` });
    const call = this.#nextCall++;
    const waiting = Promise.withResolvers<FromPrimary & { type: 'done' }>();
    this.#calls.set(call, waiting);
    lanes.post(message(call));
    return await within(timeoutMs, waiting.promise, () => silent(this.configuration));
  }

  // --- ends -----------------------------------------------------------------------------------------------------------

  async stop(): Promise<{ clean: boolean }> {
    if (this.#role === 'secondary') {
      await this.#endSecondary();
      return { clean: this.#isClean() };
    }
    if (this.#role !== 'primary') return { clean: this.#isClean() };
    return await this.#stopPrimary();
  }

  #isClean(): boolean {
    return this.#record !== null && this.#record.cleanCheckpoint !== null;
  }

  async #endSecondary(): Promise<void> {
    const lanes = this.#secondary;
    if (lanes) {
      await lanes.endWithin(laneEndMs);
      this.#formerSync = this.#hearOf(lanes);
    }
    if (this.#unwritten && this.#record?.unwritten !== true) this.#recordFailedSync();
    this.#becomeIdle();
  }

  /** The lane that had asked for it has ended: whoever has the disk now is told. */
  async #hearOf(lanes: SecondaryLanes | PrimaryLanes): Promise<void> {
    const status = await lanes.synced;
    if (status >= 0) return;
    this.#unwritten = true;
    if (this.#primary) this.#primary.post({ type: 'sync-failed', status });
    else if (this.#secondary) this.#secondary.post({ type: 'synced', call: 0, status });
    else if (this.#directoryFd >= 0) this.#recordFailedSync();
  }

  /** A later role must not believe what the kernel reads. A disk that fails may not take this either: whoever reads the journal is told. */
  #recordFailedSync(): void {
    try {
      this.#changeRecord(this.#directoryFd, lineage.syncFailed);
      this.#readRecord();
    } catch (error) {
      process.stderr.write(`${Fault.from(error).message}\n`);
    }
  }

  #becomeIdle(): void {
    if (this.#primary) this.#formerSync = this.#hearOf(this.#primary);
    this.#set(() => {
      this.#secondary = null;
      this.#primary = null;
      this.#role = 'idle';
      this.#mode = null;
      this.#link = false;
      this.#resync = null;
      this.#verification = null;
      this.#differs = false;
    });
    this.lookAtDoor();
    for (const waiting of this.#calls.values())
      waiting.reject(new Fault('role-ended', { message: `${this.configuration.id} has left its role.` }));
    this.#calls.clear();
  }

  async #stopPrimary(): Promise<{ clean: boolean }> {
    const lanes = this.#primary;
    this.#stopping = true;
    try {
      const holders = await unmountElsewhere(this.configuration.path, unmountMs);
      if (holders.length > 0)
        throw new Fault(
          'mount-busy',
          {
            message: `${this.configuration.path} is still in use.`,
            remedy: 'Let the stop script end everything that uses the directory.',
          },
          { volume: this.configuration.id, holders },
        );
      // The error of a sync is told once: a checkpoint must not be agreed on before it is heard.
      await within(cleanStopMs, this.#formerSync, () => silent(this.configuration));
      const done = await this.#call((call) => ({ type: 'clean-stop', call }), cleanStopMs);
      await lanes?.endWithin(laneEndMs);
      this.#becomeIdle();
      return { clean: done.clean };
    } finally {
      this.#stopping = false;
    }
  }

  /** At once and always. Does not wait for a lane that hangs; a new role does. */
  async fence(): Promise<{ killedPids: number[] }> {
    const lanes = this.#primary;
    if (!lanes || this.#role === 'idle' || this.#role === 'secondary') return { killedPids: [] };
    lanes.control.fence();
    lanes.setLease(0);
    this.#set(() => {
      this.#role = 'fenced';
      this.#mode = null;
    });
    const path = canonicalPath(this.configuration.path);
    abortConnection(lanes.device.connection, path);
    const killedPids = await unmountNow(path);
    try {
      await lanes.endWithin(1000);
      this.#becomeIdle();
    } catch (error) {
      this.#set(() => (this.#roleFault = Fault.from(error).toRecord()));
      void lanes.ended.then(() => {
        if (this.#primary === lanes) this.#becomeIdle();
      });
    }
    return { killedPids };
  }

  /** One that does not answer is told while it does not. */
  #lookAtDisk(): void {
    const code = this.#roleFault?.code;
    const silentMs = (this.#primary ?? this.#secondary)?.lookAtDisk() ?? 0;
    if (silentMs === 0) {
      if (code === 'disk-silent') this.#set(() => (this.#roleFault = null));
      return;
    }
    // Told already, or something that says more stands there. Only told: a lane that hangs cannot be stopped for a handover, and a slow disk is none that failed.
    if (code !== undefined) return;
    const fault = silentSince(this.configuration, silentMs);
    process.stderr.write(`${fault.message}\n`);
    this.#set(() => (this.#roleFault = fault.toRecord()));
  }

  /** Regularly: is an acknowledgement overdue, does the event loop live? */
  tick(): void {
    this.#primary?.control.countMainLiveness();
    this.#secondary?.control.countMainLiveness();
    this.#countDecided();
    this.#lookAtDisk();
    const { acknowledgeTimeoutMs } = this.#settings();
    if (this.#link && this.#primary?.look(this.#mode === 'resynchronising') === true)
      this.#set(() => {
        if (this.#roleFault?.code === 'disk-failed') return;
        this.#roleFault = expelled(this.configuration, acknowledgeTimeoutMs).toRecord();
      });
  }
}
