/**
 * The primary lane: one thread that reads the application's requests, applies them, tells the peer and answers, in this order; between requests it
 * takes bounded steps of a resync. Modes and their transitions are those of docs/replication.md.
 *
 * Invariants: the record that allows a mode is on disk before the first change in it · nothing is answered after the lease · in `undecided`
 * no change is made · a sync is answered only when both disks have it, or when this one had recorded "the peer is stale" before.
 */
import { Fault, invariant } from '../contract/index.ts';
import type { VolumeRecord } from '../contract/index.ts';
import { Memory } from '../sys/memory.ts';
import { reached } from './acknowledgement.ts';
import type { ChangeStream, LaneHooks } from './change-stream.ts';
import type { ControlBlock, Mode } from './control-block.ts';
import { HotHistory } from './hot-history.ts';
import type { FromPrimary, PeerHot, ToPrimary } from './lane-messages.ts';
import type { Lane, Operation } from './operations.ts';
import { ResyncSource } from './resync-source.ts';
import type { SendWindow } from './send-window.ts';
import type { Tree } from './tree.ts';
import { VerifyRun } from './verify-run.ts';
import { matters } from './verify-source.ts';
import * as lineage from './volume-lineage.ts';

export const woken = { request: 1, message: 2 } as const;
/** Places of `#instants`: when the request in hand was read; when a step of a resync began that nothing has been read after, 0: none. */
const instant = { read: 0, stepBegan: 1 } as const;
export const outcome = { none: 0, reply: 1, deferred: 2, parked: 3, ended: 4 } as const;

/** Unacknowledged bytes of changes beyond which further changes wait: the socket takes what is below without blocking. */
const windowBytes = 2 * 1024 * 1024;
const progressIntervalMs = 500;
/** The kernel writes by itself what is this old: then a syncfs of the peer has little left to do. */
export const checkpointIntervalMs = 30_000;
const livenessIntervalMs = 1000;

export interface PrimaryPorts {
  readonly control: ControlBlock;
  readonly tree: Tree;
  readonly stream: ChangeStream;
  readonly window: SendWindow;
  readonly request: Memory;
  readonly resyncBuffer: Memory;
  /** Until a request can be read, a message came, or `timeoutMs` (-1: for ever) passed. Bits of `woken`. */
  readonly wait: Operation & { timeoutMs: number; requests: boolean };
  /** Until a message came or the lease or the fence changed; at most a second. */
  readonly waitForPermission: Operation;
  /** Into `request`; its length, 0: nothing, negative: the mount is gone. */
  readonly readRequest: Operation;
  /** One of `outcome`. */
  readonly apply: Operation & { memory: Memory; length: number };
  /** Sends the reply of the last `apply`. */
  readonly reply: Operation;
  /** Answers `control.parked.claimed`. */
  readonly answerParked: Operation;
  /** Sends what the stream's writer holds; -1: the link is lost. */
  readonly send: Operation;
  /** The record, durable. Throws when that fails. */
  readonly persist: Operation & { record: VolumeRecord | null };
  /** The same for what a failing disk may not take: 0 or -1. */
  readonly persistIfPossible: Operation & { record: VolumeRecord | null };
  /** syncfs of the volume's filesystem; 0 or -errno. */
  readonly syncAll: Operation;
  /** Asks for a syncfs that this lane does not wait for; `synced` answers it. */
  readonly beginSync: Operation & { call: number };
  /** What this copy has heard of the hot log of the former primary, when it was its target. */
  readonly peerHot: PeerHot | null;
  readonly nowMs: () => number;
  readonly message: () => ToPrimary | null;
  readonly tell: (message: FromPrimary) => void;
  /** From now on `send` uses this connection. */
  readonly takeConnection: (linked: ToPrimary & { type: 'linked' }) => void;
  /** Ends both connections, so that the acknowledgement lane notices too. */
  readonly dropConnection: () => void;
  /** Set by a flush that failed inside of `apply`. */
  readonly linkBroken: () => boolean;
  readonly randomCheckpoint: () => number;
  readonly checkpointIntervalMs: number;
}

export class PrimaryLane implements LaneHooks {
  mode: Mode = 'undecided';
  record: VolumeRecord;
  #recordVersion = 0;
  /** Of the link in use, 0: none. */
  #session = 0;
  #resync: ResyncSource | null = null;
  #resyncWaits = false;
  /** Sequence of `finish`: from then on the target may call itself up to date. 0: not sent. */
  #finishSequence = 0;
  /** Since the last goAlone: a target may have this generation. */
  #peerMayHaveGeneration = false;
  /** The target of this link has our generation: without it we go on under another one only, or what it lacks could not be told from what it has. */
  #sharedGeneration = false;
  #held: { memory: Memory; length: number; readAtMs: number }[] = [];
  #replaying = false;
  /** The request in hand asked to change something. */
  #changes = false;
  /** The lane's clock at two instants; an array, because such a number in a field is allocated anew at every change of it. */
  readonly #instants = new Float64Array(2);
  /** Of the stream's bytes, told to the measures. */
  #countedBytes = 0;
  #ended = false;
  /** A clean stop that waits for a syncfs that is under way. */
  #cleanStopCall: number | null = null;
  #cleanStop: { call: number; sequence: number; checkpoint: number } | null = null;
  #lastCheckpointMs = 0;
  /** Waits for our own disk before the peer is asked; then for the peer. */
  #ownSync: { readonly call: number; readonly checkpoint: number } | null = null;
  #ownCheckpoint = 0;
  #syncCall = 0;
  readonly #history: HotHistory;
  /** The running resync has asked for a checkpoint with its end. */
  #finishCheckpoint = 0;
  /** The target can record what it has of a log. */
  #keepsMarks = false;
  /** The target can answer what a comparison asks. */
  #verifies = false;
  /** The comparison that runs, or the last one of this role. */
  #verify: VerifyRun | null = null;
  /** The target has recorded that its copy differs; it takes the changes, and no resync runs. */
  #differs = false;
  /** The target refuses the link for that reason, until its repair has been ordered. */
  #peerDiffers = false;
  #servedMs = 0;
  /** What a disk that failed in this role has of a change is not known. */
  #diskFailed = false;
  /** A sync has failed, and the record does not say so yet. */
  #unrecordedFailure = false;
  #acknowledgedNow = 0;
  #lastProgressMs = 0;
  #lastProgress = { atMs: 0, doneBytes: 0, bytesPerSecond: null as number | null };
  readonly #ports: PrimaryPorts;

  constructor(ports: PrimaryPorts, record: VolumeRecord) {
    this.#ports = ports;
    this.record = record;
    this.#history = new HotHistory(ports.stream, ports.tree, record, ports.peerHot);
    const { control } = ports;
    this.#recordVersion = control.recordVersion > 0 ? control.recordVersion : control.publishRecord(record);
  }

  /** Until the supervisor says so. */
  *run(): Lane {
    const { wait } = this.#ports;
    this.#tellStatus();
    this.#history.begin();
    while (!this.#ended) {
      yield* this.#messages();
      if (this.#isEnded()) break;
      // Before anything is changed that is in no log any more.
      if (this.#claimsTooMuch()) yield* this.#persist(lineage.hotSince(this.record, null));
      if (this.#held.length > 0 && this.#mayChange()) {
        yield* this.#replay();
        continue;
      }
      yield* this.#observe();
      if (this.#unrecordedFailure) yield* this.#recordFailedSync();
      this.#ports.stream.marks.tidy();
      if (this.#checkpointIsDue()) yield* this.#checkpoint();
      else if (this.#logIsDue()) yield* this.#beginMarks();
      wait.timeoutMs = this.#waitMs();
      const bits = yield wait;
      if ((bits & woken.request) !== 0) yield* this.#serve();
      else this.#instants[instant.stepBegan] = 0;
      if (bits === 0 && this.#resync && this.#finishSequence === 0) {
        this.#instants[instant.stepBegan] = this.#ports.nowMs();
        yield* this.#resyncStep();
      } else if (this.#verify?.running === true && (bits === 0 || this.#verify.starved)) {
        yield* this.#verifyStep(this.#verify);
      }
    }
    this.#ports.control.stop();
    this.#endLink();
    this.#ports.tell({ type: 'ended' });
  }

  #isEnded(): boolean {
    return this.#ended;
  }

  #waitMs(): number {
    const { control } = this.#ports;
    const steps = this.#resync !== null && this.#finishSequence === 0;
    control.wakeOnAcknowledgement =
      (steps && this.#resyncWaits) || this.#finishSequence !== 0 || this.#held.length > 0 || this.#cleanStop !== null;
    // What was acknowledged before the flag was up wakes nobody: look once more.
    if (control.wakeOnAcknowledgement && this.#acknowledgedNow !== control.acknowledged) {
      this.#acknowledgedNow = control.acknowledged;
      return 0;
    }
    if (steps && !this.#resyncWaits) return 0;
    const dueInMs = this.#verify?.running === true ? this.#verify.dueInMs(this.#ports.nowMs()) : null;
    return Math.min(dueInMs ?? livenessIntervalMs, livenessIntervalMs);
  }

  // --- LaneHooks: what the stream asks while a request is applied -----------------------------------------------------

  changesAllowed(): boolean {
    this.#changes = true;
    return this.#mayChange() && (this.#replaying || this.#held.length === 0);
  }

  #mayChange(): boolean {
    const { control, window } = this.#ports;
    if (this.mode === 'undecided' || control.parked.full || this.#cleanStop !== null) return false;
    if (!this.#ports.stream.open) return true;
    window.settle(control.acknowledged);
    return window.bytes < windowBytes;
  }

  park(unique: number, sequence: number, written: number): boolean {
    const { control } = this.#ports;
    if (this.mode === 'alone') return false;
    control.parked.park(
      (unique % 4294967296) | 0,
      Math.floor(unique / 4294967296),
      sequence | 0,
      Math.floor(this.#ports.nowMs()) | 0,
      written,
      this.#instants[instant.read],
    );
    return true;
  }

  syncWaits(): boolean {
    return this.mode === 'undecided';
  }

  localFailure(call: string, errno: number): void {
    this.#diskFailed = true;
    if (call === 'fsync') this.#unrecordedFailure = this.record.unwritten !== true;
    this.#ports.tell({ type: 'local-failure', call, errno });
  }

  // --- requests -------------------------------------------------------------------------------------------------------

  *#serve(): Lane {
    const length = yield this.#ports.readRequest;
    if (length < 0) this.#unmounted();
    if (length <= 0) return;
    // What came while a resync was at work had to wait for the end of its step. It counts from the beginning: rather too long than too short.
    const stepBeganMs = this.#ports.wait.timeoutMs === 0 ? (this.#instants[instant.stepBegan] ?? 0) : 0;
    this.#instants[instant.stepBegan] = 0;
    this.#instants[instant.read] = stepBeganMs === 0 ? this.#ports.nowMs() : stepBeganMs;
    if (this.#verify?.running === true) this.#servedMs = this.#instants[instant.read] ?? 0;
    yield* this.#handle(this.#ports.request, length);
  }

  /** What is left to do is up to the supervisor: a clean stop, or the end. */
  #unmounted(): void {
    this.#held = [];
    this.#ports.wait.requests = false;
    this.#ports.tell({ type: 'unmounted' });
  }

  *#replay(): Lane {
    const request = this.#held.shift();
    if (!request) return;
    this.#replaying = true;
    this.#instants[instant.read] = request.readAtMs;
    yield* this.#handle(request.memory, request.length);
    this.#replaying = false;
  }

  *#handle(memory: Memory, length: number): Lane {
    const { apply, stream, control } = this.#ports;
    this.#changes = false;
    apply.memory = memory;
    apply.length = length;
    const result = yield apply;
    if (result === outcome.deferred) {
      const copy = memory === this.#ports.request ? Memory.copyOf(memory.bytes.subarray(0, length)) : memory;
      const readAtMs = this.#instants[instant.read] ?? 0;
      if (this.#replaying) this.#held.unshift({ memory: copy, length, readAtMs });
      else this.#held.push({ memory: copy, length, readAtMs });
      return;
    }
    if (stream.writer.length > 0) yield* this.#send();
    this.#countSent(false);
    // Acknowledged before it was parked: nobody else will look at it.
    if (result === outcome.parked) yield* this.#answerReached(control.acknowledged);
    if (result === outcome.reply || result === outcome.ended) {
      if (yield* this.#permitted()) {
        yield this.#ports.reply;
        if (this.#asksForChange()) this.#countAnswered(this.#instants[instant.read] ?? 0);
      }
    }
    if (this.#ports.linkBroken()) yield* this.#lost();
  }

  *#send(): Lane {
    const sent = yield this.#ports.send;
    if (sent < 0) yield* this.#lost();
  }

  /** Waits until the lease covers this instant. False: fenced, nothing is answered any more. */
  *#permitted(): Generator<Operation, boolean, number> {
    const { control, nowMs, waitForPermission } = this.#ports;
    while (!control.fenced) {
      if (nowMs() < control.leaseDeadlineMs) return true;
      yield waitForPermission;
    }
    return false;
  }

  *#answerReached(acknowledged: number | null): Lane {
    const { control, answerParked } = this.#ports;
    // Permission first: what is claimed is answered at once, or by nobody.
    while (control.parked.count > 0 && (yield* this.#permitted())) {
      if (!control.parked.claim(acknowledged)) return;
      yield answerParked;
      this.#countAnswered(control.parked.claimed.readAtMs);
    }
  }

  #asksForChange(): boolean {
    return this.#changes;
  }

  #countAnswered(readAtMs: number): void {
    this.#ports.control.measures.answered('primary', this.#ports.nowMs() - readAtMs);
  }

  /** Whatever has been given to the socket since the last time. */
  #countSent(resync: boolean): void {
    const { control, window } = this.#ports;
    const bytes = window.totalBytes - this.#countedBytes;
    if (bytes === 0) return;
    this.#countedBytes = window.totalBytes;
    control.measures.sent(resync ? 0 : bytes, resync ? bytes : 0);
  }

  // --- modes ----------------------------------------------------------------------------------------------------------

  #setMode(mode: Mode): void {
    if (this.mode === mode) return;
    this.mode = mode;
    this.#tellStatus();
  }

  *#persist(record: VolumeRecord): Lane {
    this.#ports.persist.record = record;
    yield this.#ports.persist;
    this.record = record;
    this.#recordVersion = this.#ports.control.publishRecord(record);
    this.#tellStatus();
  }

  /** At once: whoever serves this copy after a crash of this process would believe what the kernel reads. Tried once; the supervisor knows it too. */
  *#recordFailedSync(): Lane {
    this.#unrecordedFailure = false;
    const { persistIfPossible, control } = this.#ports;
    const record = lineage.syncFailed(this.record);
    persistIfPossible.record = record;
    // What could not be recorded leaves the log as it is: it goes on to name all that is changed.
    if ((yield persistIfPossible) < 0) return;
    this.#history.end();
    this.record = record;
    this.#recordVersion = control.publishRecord(record);
    this.#tellStatus();
  }

  *#messages(): Lane {
    for (let message = this.#ports.message(); message !== null; message = this.#ports.message()) {
      yield* this.#message(message);
      if (this.#ended) return;
    }
  }

  *#message(message: ToPrimary): Lane {
    switch (message.type) {
      case 'linked':
        yield* this.#linked(message);
        return;
      case 'link-lost':
        if (message.session !== this.#session) return;
        // Marks that lead to what the target cannot do would do so for ever.
        if (message.refused && this.#resync?.byMarks === true) this.#history.end();
        yield* this.#lost();
        return;
      case 'checkpoint':
        if (message.session === this.#session) yield* this.#checkpointConfirmed(message.checkpoint);
        return;
      case 'blocks-answered':
        if (message.session !== this.#session) return;
        this.#resync?.answered(message);
        this.#resyncWaits = false;
        return;
      case 'verified':
        if (message.session === this.#session) yield* this.#verified(message);
        return;
      case 'peer-differs':
        this.#peerDiffers = true;
        return;
      case 'verify':
        yield* this.#beginVerify(message);
        return;
      case 'stop-verify':
        this.#verify?.stop();
        this.#tellStatus();
        this.#ports.tell({ type: 'done', call: message.call, clean: false, fault: null });
        return;
      case 'go-alone':
        yield* this.#goAlone(message);
        return;
      case 'synced':
        yield* this.#synced(message);
        return;
      case 'sync-failed':
        this.localFailure('fsync', -message.status);
        return;
      case 'clean-stop':
        yield* this.#beginCleanStop(message.call);
        return;
      case 'end':
        this.#ended = true;
        return;
    }
  }

  *#linked(message: ToPrimary & { type: 'linked' }): Lane {
    this.#ports.takeConnection(message);
    // The contact was decided on a record that has changed since (goAlone came in between): once more, with the new one.
    if (message.recordVersion !== this.#recordVersion || this.#cleanStop !== null) {
      this.#ports.dropConnection();
      return;
    }
    const { stream, control, window, tree } = this.#ports;
    const resync = message.contact === 'resync';
    const byMarks = resync && this.#history.covers(message);
    const hot = byMarks ? this.#history.claim : null;
    yield* this.#persist(resync ? lineage.resyncSource(this.record, hot) : lineage.connectedClean(this.record));
    this.#session = message.session;
    this.#finishSequence = 0;
    this.#peerDiffers = false;
    this.#sharedGeneration = message.sharedGeneration;
    if (message.sharedGeneration) this.#peerMayHaveGeneration = true;
    window.clear();
    control.sent = 0;
    stream.begin(!resync);
    stream.hearsHot = message.hearsHot;
    if (byMarks) stream.marks.attempt();
    else this.#history.end();
    this.#keepsMarks = message.marks !== undefined;
    this.#verifies = message.verifies;
    this.#lastCheckpointMs = this.#ports.nowMs();
    if (resync) {
      this.#resync = new ResyncSource(tree, stream, this.#ports.resyncBuffer, () => control.acknowledged, byMarks);
      this.#resyncWaits = false;
      this.#lastProgress = { atMs: this.#ports.nowMs(), doneBytes: 0, bytesPerSecond: null };
      stream.walk = this.#resync;
      stream.hotRecorded();
      stream.tellUnnamed();
    }
    this.#setMode(resync ? 'resynchronising' : 'in-sync');
    // Requests of an earlier link: either the peer is recorded as stale by now, or nothing was changed since the checkpoint.
    yield* this.#answerReached(null);
    if (!resync) yield* this.#beginMarks();
  }

  /** The link is gone. Without the peer only what is recorded allows to go on. */
  *#lost(): Lane {
    if (this.#session === 0) return;
    // Once `finish` is sent the target may have become up to date: its copy could be used, so ours needs a new right. And the target may have had this
    // generation from the beginning.
    const alone = this.mode === 'resynchronising' && this.#finishSequence === 0 && !this.#sharedGeneration;
    this.#endLink();
    if (this.#cleanStop) this.#endCleanStop(false);
    if (alone) invariant(this.record.peerStale, 'a resync runs under a record that calls the peer stale');
    this.#setMode(alone ? 'alone' : 'undecided');
    if (alone) yield* this.#answerReached(null);
  }

  #endLink(): void {
    this.#ports.dropConnection();
    this.#session = 0;
    this.#resync?.abandon();
    this.#resync = null;
    this.#verify?.interrupted();
    this.#differs = false;
    this.#finishSequence = 0;
    this.#sharedGeneration = false;
    this.#ports.stream.end();
    this.#ports.stream.marks.disconnected();
    this.#ownCheckpoint = 0;
    this.#ports.window.clear();
  }

  *#goAlone(message: ToPrimary & { type: 'go-alone' }): Lane {
    const repeated = this.record.generation?.id === message.generation.id;
    const used = this.#peerMayHaveGeneration || !this.record.peerStale || this.record.copy === 'stale';
    if (repeated && this.mode === 'undecided' && used) {
      const fault = new Fault('generation-used', {
        message: 'The peer may hold a copy of this generation: going on alone takes a new one.',
      });
      this.#ports.tell({ type: 'done', call: message.call, clean: false, fault: fault.toRecord() });
      return;
    }
    if (!repeated || this.mode === 'undecided') {
      this.#endLink();
      this.#peerMayHaveGeneration = false;
      yield* this.#persist(lineage.goneAlone(this.record, message.generation, this.#history.claim));
      this.#setMode('alone');
    }
    this.#ports.tell({ type: 'done', call: message.call, clean: false, fault: null });
    if (this.mode === 'alone') yield* this.#answerReached(null);
  }

  // --- resync ---------------------------------------------------------------------------------------------------------

  *#resyncStep(): Lane {
    const resync = this.#resync;
    if (!resync) return;
    this.#ports.tree.putIdleAside();
    const result = resync.step();
    // What broke it may have kept the walk from seeing something: this must not end as complete.
    if (this.#ports.linkBroken()) {
      yield* this.#lost();
      return;
    }
    this.#resyncWaits = result === 'waiting';
    if (result === 'insufficient') {
      this.#history.end();
      yield* this.#lost();
      return;
    }
    if (result === 'unreadable') {
      this.#ports.tell({ type: 'unreadable', errno: -resync.readError });
      yield* this.#lost();
      return;
    }
    if (result === 'walked') {
      const { stream } = this.#ports;
      // Another log begins: the one that the record speaks of is written over.
      if (this.#beginsLog(resync) && this.record.hot) yield* this.#persist(lineage.hotSince(this.record, null));
      stream.walked();
      stream.reserve(128 * 1024);
      this.#peerMayHaveGeneration = true;
      // A short one is over before its progress was ever told.
      this.#tellStatus();
      this.#finishSequence = stream.writer.finish(Buffer.from(JSON.stringify(this.#recordToFinish(resync))));
    }
    if (this.#ports.stream.writer.length > 0) yield* this.#send();
    this.#countSent(true);
    if (this.#ports.linkBroken()) yield* this.#lost();
    this.#tellProgress();
  }

  /** The end of a resync is a checkpoint too: the target syncs everything before it records it. */
  #recordToFinish(resync: ResyncSource): VolumeRecord {
    const { marks } = this.#ports.stream;
    this.#finishCheckpoint = 0;
    if (!this.#keepsMarks) return this.record;
    if (this.#beginsLog(resync)) {
      this.#history.beginLog(this.#ports.randomCheckpoint());
    } else {
      this.#finishCheckpoint = marks.settle();
      this.#ports.stream.hot?.settle(this.#finishCheckpoint);
    }
    this.#checkpointAtOnce();
    return { ...this.record, marks: marks.stamp };
  }

  /** What was taken over from a disk ends with the resync that it was for: numbers of two servers' logs are never compared. */
  #beginsLog(resync: ResyncSource): boolean {
    const { marks } = this.#ports.stream;
    return !resync.byMarks || !marks.kept || marks.adopted;
  }

  // --- checkpoints ----------------------------------------------------------------------------------------------------

  /** The target has been told of everything: what is changed from here on can be told by marks, once it has recorded this. */
  *#beginMarks(): Lane {
    if (!this.#keepsMarks) return;
    if (this.record.hot) yield* this.#persist(lineage.hotSince(this.record, null));
    const { marks, writer } = this.#ports.stream;
    this.#history.beginLog(this.#ports.randomCheckpoint());
    this.#checkpointAtOnce();
    this.#ports.stream.reserve(8192);
    writer.checkpoint(marks.stamp.log, marks.stamp.checkpoint);
    yield* this.#send();
  }

  #checkpointIsDue(): boolean {
    const { marks } = this.#ports.stream;
    if (this.mode !== 'in-sync' || !marks.kept || marks.settling || this.#ownSync || this.#cleanStop) return false;
    if (marks.size === 0 && (this.record.hot || this.#ports.stream.hot?.kept !== true)) return false;
    return this.#ports.nowMs() - this.#lastCheckpointMs >= this.#ports.checkpointIntervalMs;
  }

  #logIsDue(): boolean {
    const { marks } = this.#ports.stream;
    if (this.mode !== 'in-sync' || !marks.hasOverflown || this.#cleanStop) return false;
    return this.#ports.nowMs() - this.#lastCheckpointMs >= this.#ports.checkpointIntervalMs;
  }

  /** Until there has been one, a crash of this server leaves everything to be compared. */
  #checkpointAtOnce(): void {
    this.#lastCheckpointMs = this.#ports.stream.hot?.kept === true ? -Infinity : this.#ports.nowMs();
  }

  *#checkpoint(): Lane {
    const { stream, beginSync } = this.#ports;
    this.#lastCheckpointMs = this.#ports.nowMs();
    const number = stream.marks.settle();
    stream.hot?.settle(number);
    if (stream.hot?.kept !== true) {
      yield* this.#askForCheckpoint(number);
      return;
    }
    // Our own disk first: then nothing but an answer lies between what the peer records and what we do.
    this.#ownSync = { call: ++this.#syncCall, checkpoint: number };
    beginSync.call = this.#syncCall;
    yield beginSync;
  }

  *#askForCheckpoint(number: number): Lane {
    const { stream } = this.#ports;
    stream.reserve(8192);
    stream.writer.checkpoint(stream.marks.log, number);
    yield* this.#send();
  }

  *#synced(message: ToPrimary & { type: 'synced' }): Lane {
    const pending = this.#ownSync;
    if (message.status < 0) this.localFailure('fsync', -message.status);
    if (pending?.call !== message.call) return;
    this.#ownSync = null;
    const { marks } = this.#ports.stream;
    // The link may have been lost, and another one made, in the meantime.
    if (message.status >= 0 && marks.settling && marks.stamp.checkpoint === pending.checkpoint) {
      this.#ownCheckpoint = pending.checkpoint;
      yield* this.#askForCheckpoint(pending.checkpoint);
    }
    if (this.#cleanStopCall !== null) yield* this.#beginCleanStop(this.#cleanStopCall);
  }

  /** Both disks have it. The record says so before anything of it is dropped. */
  *#checkpointConfirmed(number: number): Lane {
    const { marks, hot } = this.#ports.stream;
    marks.confirmed(number);
    if (hot?.kept !== true || number !== this.#ownCheckpoint || hot.log !== marks.log || this.#diskFailed) return;
    yield* this.#persist(lineage.hotSince(this.record, { log: hot.log, checkpoint: number, peer: null }));
    this.#history.claim = this.record.hot ?? null;
    hot.confirmed(number);
  }

  /** The log could not be written: before anything is changed that is not in it, the record says that there is none. */
  hotAbandoned(): void {
    this.#history.claim = null;
    if (!this.record.hot) return;
    const { persist, control } = this.#ports;
    const record = lineage.hotSince(this.record, null);
    persist.record = record;
    persist.run();
    this.record = record;
    this.#recordVersion = control.publishRecord(record);
  }

  /** A log that has ended, for whatever reason. What the record says of it was true until now. */
  #claimsTooMuch(): boolean {
    return this.record.hot !== undefined && this.record.hot !== null && this.#history.claim === null;
  }

  /** What acknowledgements bring about: the end of a resync, the end of a clean stop. */
  *#observe(): Lane {
    const { control } = this.#ports;
    if (this.#finishSequence !== 0 && reached(control.acknowledged, this.#finishSequence)) {
      this.#finishSequence = 0;
      this.#sharedGeneration = true;
      this.#resync = null;
      if (this.#finishCheckpoint !== 0) this.#ports.stream.marks.confirmed(this.#finishCheckpoint);
      yield* this.#persist(lineage.resyncedSource(this.record));
      this.#verify?.resynced();
      this.#setMode('in-sync');
    }
    if (this.#cleanStop && reached(control.acknowledged, this.#cleanStop.sequence)) {
      yield* this.#persist(lineage.checkpointed(this.record, this.#cleanStop.checkpoint));
      this.#endCleanStop(true);
    }
  }

  // --- comparison -----------------------------------------------------------------------------------------------------

  *#beginVerify(message: ToPrimary & { type: 'verify' }): Lane {
    const { tree, stream, resyncBuffer, nowMs, tell } = this.#ports;
    const together = this.#session !== 0 && (this.mode === 'in-sync' || this.#differs) && this.#cleanStop === null;
    const asFound = message.repair && this.#session === 0 && this.#peerDiffers && this.#cleanStop === null;
    const fault = asFound || (together && this.#verifies) ? null : this.#verifyFault().toRecord();
    if (fault === null && this.#verify?.running === true && message.repair) this.#verify.alsoRepair();
    if (fault === null && this.#verify?.running !== true) {
      const options = { repair: message.repair, stale: this.#differs, nowMs };
      this.#verify = new VerifyRun(tree, stream, resyncBuffer, options);
    }
    if (asFound) {
      this.#verify?.repairAsFound();
      yield* this.#persist(lineage.orderedToRepair(this.record));
    }
    // Whoever asks when this is done must not be told of the comparison before.
    this.#tellStatus();
    tell({ type: 'done', call: message.call, clean: false, fault });
  }

  #verifyFault(): Fault {
    return new Fault(
      'verify-not-possible',
      {
        message:
          this.#verifies || this.#session === 0
            ? 'The copies can be compared only while both servers are connected and no resync runs.'
            : 'The agent of the other server is too old to compare its copy.',
        remedy: this.#verifyRemedy(),
      },
      { mode: this.mode },
    );
  }

  #verifyRemedy(): string {
    if (this.#session !== 0) return 'Apply the configuration again.';
    return this.#peerDiffers
      ? 'The other copy was found to differ and waits for an order: holdfast verify MODULE --repair.'
      : 'Wait until the other server is up to date.';
  }

  *#verifyStep(verify: VerifyRun): Lane {
    const { nowMs } = this.#ports;
    if (verify.dueInMs(nowMs()) !== 0) return;
    this.#instants[instant.stepBegan] = nowMs();
    const ended = verify.step(this.#servedMs) === 'ended';
    if (this.#ports.stream.writer.length > 0) yield* this.#send();
    this.#countSent(true);
    if (this.#ports.linkBroken()) yield* this.#lost();
    if (ended) this.#tellStatus();
    else this.#tellProgress();
    // The way to equal copies is the one that is proven: a new contact finds the target stale, and compares and sends everything that differs.
    if (!ended || !verify.repairing) return;
    yield* this.#persist(lineage.orderedToRepair(this.record));
    if (this.#session !== 0) yield* this.#lost();
  }

  /** The target's record says by now that its copy is not to be used; with ours this is as in a resync, only that none runs. */
  *#verified(message: ToPrimary & { type: 'verified' }): Lane {
    // Known before it is asked whether anybody still compares: it stands in the target's record.
    if (matters(message.findings) && !this.#differs) yield* this.#foundDifferent();
    const event = this.#verify?.answered(message.sequence, message.findings);
    if (event === 'confused') yield* this.#lost();
    else if (event === 'ended') this.#tellStatus();
  }

  *#foundDifferent(): Lane {
    this.#history.end();
    yield* this.#persist(lineage.resyncSource(this.record));
    this.#differs = true;
    this.#setMode('resynchronising');
    this.#tellStatus();
  }

  // --- clean stop -----------------------------------------------------------------------------------------------------

  /** The mount is gone: nothing changes any more. */
  *#beginCleanStop(call: number): Lane {
    this.#ports.control.stop();
    // Its error would be told to nobody else.
    this.#cleanStopCall = this.#ownSync ? call : null;
    if (this.#ownSync) return;
    // Nothing is asked behind the checkpoint that both sides agree on.
    this.#verify?.interrupted();
    const status = yield this.#ports.syncAll;
    if (status < 0) this.localFailure('fsync', -status);
    if (this.#unrecordedFailure) yield* this.#recordFailedSync();
    this.#cleanStop = { call, sequence: 0, checkpoint: this.#ports.randomCheckpoint() };
    // A sync that succeeds after one that failed says nothing of what the first one has given up.
    if (this.mode !== 'in-sync' || this.#diskFailed || this.record.unwritten === true) {
      this.#endCleanStop(false);
      return;
    }
    const { stream } = this.#ports;
    stream.reserve(8192);
    this.#cleanStop.sequence = stream.writer.cleanStop(this.#cleanStop.checkpoint);
    yield* this.#send();
  }

  #endCleanStop(clean: boolean): void {
    if (!this.#cleanStop) return;
    this.#tellStatus();
    this.#ports.tell({ type: 'done', call: this.#cleanStop.call, clean, fault: null });
    this.#cleanStop = null;
    this.#ended = true;
  }

  // --- status ---------------------------------------------------------------------------------------------------------

  #tellProgress(): void {
    const now = this.#ports.nowMs();
    if (now - this.#lastProgressMs < progressIntervalMs) return;
    this.#lastProgressMs = now;
    this.#tellStatus();
  }

  #tellStatus(): void {
    this.#ports.tell({
      type: 'status',
      mode: this.mode,
      record: this.record,
      resync: this.#progress(),
      verification: this.#verify?.tell(this.#ports.nowMs()) ?? null,
      differs: this.#differs,
    });
  }

  #progress(): (FromPrimary & { type: 'status' })['resync'] {
    if (!this.#resync) return null;
    const progress = this.#resync.progress;
    const now = this.#ports.nowMs();
    const last = this.#lastProgress;
    const passedMs = now - last.atMs;
    if (passedMs >= progressIntervalMs) {
      const rate = ((progress.doneBytes - last.doneBytes) * 1000) / passedMs;
      const smooth = last.bytesPerSecond === null ? rate : last.bytesPerSecond * 0.7 + rate * 0.3;
      this.#lastProgress = { atMs: now, doneBytes: progress.doneBytes, bytesPerSecond: smooth };
    }
    const { bytesPerSecond } = this.#lastProgress;
    const left = progress.totalBytes === null ? null : progress.totalBytes - progress.doneBytes;
    const eta = left === null || bytesPerSecond === null || bytesPerSecond <= 0 ? null : left / bytesPerSecond;
    return { ...progress, bytesPerSecond, etaSeconds: eta };
  }
}
