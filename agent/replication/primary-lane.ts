/**
 * The primary lane: one thread that reads the application's requests, applies them, tells the peer and answers, in this order; between requests it
 * takes bounded steps of a resync. Modes and their transitions are those of docs/replication.md.
 *
 * Invariants: the record that allows a mode is on disk before the first change in it · nothing is answered after the lease · in `undecided`
 * no change is made · a sync is answered only when both disks have it, or when this one had recorded "the peer is stale" before.
 */
import { Fault, invariant } from '../contract/index.ts';
import type { AcknowledgeLevel, VolumeRecord } from '../contract/index.ts';
import type { Carried, Node } from '../fuse/index.ts';
import type { Memory } from '../sys/memory.ts';
import { parkedMax, reached } from './acknowledgement.ts';
import type { ChangeStream, LaneHooks } from './change-stream.ts';
import type { CollectedSyncs } from './collected-syncs.ts';
import type { ControlBlock, Mode } from './control-block.ts';
import { EstimateRun } from './estimate.ts';
import type { FromPrimary, ToPrimary } from './lane-messages.ts';
import type { Lane, Operation } from './operations.ts';
import { ResyncPace } from './resync-pace.ts';
import { ResyncSource } from './resync-source.ts';
import type { SendWindow } from './send-window.ts';
import type { Tree } from './tree.ts';
import type { Used } from './used-bytes.ts';
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
/** As a sequence: no session gets so far. */
const neverReached = 0x7fffffff;
/** The kernel writes by itself what is this old: then a syncfs of the peer has little left to do. */
export const checkpointIntervalMs = 30_000;
const livenessIntervalMs = 1000;
/** Contents that nobody waits for go with what comes next, or after this: each record costs both nodes a wake-up. */
const lingerMs = 2;
const lingerBytesMax = 64 * 1024;
/** So many requests pass them at most: an application that never stops reading must not keep them here. */
const lingerRequestsMax = 32;
const ioError = 5;
/** A sync that was read waits for so many further requests at most, and only while they are there already. */
const syncAgeMax = 24;
/** And no longer than this: what is read meanwhile may be slow, and the first one waits. */
const collectForMs = 1;

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
  /** One of `outcome`. Whoever asks `collect` meanwhile is answered by `answerSync` or as a parked request. */
  readonly apply: Operation & { memory: Memory; length: number };
  /** Syncs the files of `collected` on the local disk. */
  readonly syncFiles: Operation;
  readonly collected: CollectedSyncs;
  /** Answers a collected sync that waits for nobody else. `error`: 0 or -errno. */
  readonly answerSync: Operation & { unique: number; written: number; error: number };
  /** Sends the reply of the last `apply`. */
  readonly reply: Operation & { readonly bytes: Uint8Array; readonly length: number; readonly unique: number };
  /** Before that reply is parked as a whole. */
  readonly noteParkedReply: () => void;
  readonly level: AcknowledgeLevel;
  /** Set: the level acknowledges what is in memory only, and this is the boot that it ends with. */
  readonly memoryBoot: string | null;
  /** Of `write-through`: what the last `apply` has changed. */
  readonly touched: Node[];
  /** Syncs `touched` on the local disk; 0 or -errno. */
  readonly syncTouched: Operation;
  /** A copy of the request in hand, for as long as it waits. */
  readonly hold: (length: number) => Memory;
  /** What a predecessor of this process has left unanswered, once. */
  readonly carried: Carried | null;
  /** Sends the answer that the predecessor had completed. */
  readonly replyAgain: Operation;
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
  /** Of the volume's filesystem, by whatever; null: not known. */
  readonly used: () => Used | null;
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
  #pace = new ResyncPace(0);
  /** Sequence of `finish`: from then on the target may call itself up to date. 0: not sent. */
  #finishSequence = 0;
  /** Since the last goAlone: a target may have this generation. */
  #peerMayHaveGeneration: boolean;
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
  /** Requests since contents were kept back. */
  #lingered = 0;
  /** Changes were parked until the peer has them, and it has not been told that somebody waits. */
  #askDue = false;
  #cleanStop: { call: number; sequence: number; checkpoint: number } | null = null;
  #lastCheckpointMs = 0;
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
  /** Asked for, oldest first. */
  readonly #estimates: { readonly call: number; readonly run: EstimateRun }[] = [];
  /** Of the last resync or comparison of this role; null: there was none. */
  #measuredRate: number | null = null;
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
    // A role cannot know what a former one, of a process that was killed, has given away.
    this.#peerMayHaveGeneration = record.generation !== null;
    const { control } = ports;
    this.#recordVersion = control.recordVersion > 0 ? control.recordVersion : control.publishRecord(record);
  }

  /** Until the supervisor says so. */
  *run(): Lane {
    const { wait } = this.#ports;
    this.#tellStatus();
    yield* this.#takeOver();
    while (!this.#ended) {
      yield* this.#messages();
      if (this.#isEnded()) break;
      if (this.#held.length > 0 && this.#mayChange()) {
        yield* this.#replay();
        continue;
      }
      if (this.#finishSequence !== 0 || this.#cleanStop !== null) yield* this.#observe();
      yield* this.#recordFailedSync();
      this.#ports.stream.marks.tidy();
      if (this.#checkpointIsDue()) yield* this.#checkpoint();
      else if (this.#logIsDue()) yield* this.#beginMarks();
      wait.timeoutMs = this.#waitMs();
      const bits = yield wait;
      if ((bits & woken.request) !== 0) yield* this.#serve();
      else this.#instants[instant.stepBegan] = 0;
      this.#estimateStep(bits === 0);
      if (bits === 0 && this.#ports.stream.writer.length > 0) yield* this.#send();
      if (this.#resync && this.#finishSequence === 0 && this.#mayStep(bits === 0)) {
        const beganMs = this.#ports.nowMs();
        this.#instants[instant.stepBegan] = beganMs;
        yield* this.#resyncStep();
        this.#pace.stepped(beganMs, this.#ports.nowMs());
      } else if (this.#verify?.running === true && (bits === 0 || this.#verify.starved)) {
        yield* this.#verifyStep(this.#verify);
      }
    }
    this.#ports.control.stop();
    if (this.#ports.stream.writer.length > 0) yield* this.#send();
    this.#endLink();
    this.#ports.tell({ type: 'ended' });
  }

  /**
   * What was read and not answered comes first, in the order in which it came. What waited for a former peer waits for the next decision: none of its numbers is reached
   * by what a new link acknowledges.
   */
  *#takeOver(): Lane {
    const { carried, control, nowMs, request } = this.#ports;
    if (carried === null) return;
    const now = nowMs();
    for (const { unique, written, reply } of carried.parked)
      control.parked.park(
        (unique % 4294967296) | 0,
        Math.floor(unique / 4294967296),
        neverReached,
        Math.floor(now) | 0,
        written,
        now,
        reply,
        reply.length,
      );
    this.#held = carried.held.map((one) => ({ ...one, readAtMs: now }));
    if (carried.replyLength > 0 && (yield* this.#permitted())) yield this.#ports.replyAgain;
    this.#instants[instant.read] = now;
    if (carried.inHandLength > 0) yield* this.#handle(request, carried.inHandLength);
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
      // Its rest may not be over yet: then it is looked at when it is.
      this.#resyncWaits = false;
      return 0;
    }
    if (this.#estimates.length > 0) return 0;
    const restMs = this.#ports.stream.writer.length > 0 ? lingerMs : livenessIntervalMs;
    if (steps && !this.#resyncWaits) return Math.min(this.#pace.dueInMs(this.#ports.nowMs()), restMs);
    const dueInMs = this.#verify?.running === true ? this.#verify.dueInMs(this.#ports.nowMs()) : null;
    return Math.min(dueInMs ?? restMs, restMs);
  }

  // --- LaneHooks: what the stream asks while a request is applied -----------------------------------------------------

  changesAllowed(): boolean {
    this.#changes = true;
    return this.#mayChange() && (this.#replaying || this.#held.length === 0);
  }

  #mayChange(): boolean {
    const { control, window } = this.#ports;
    if (this.mode === 'undecided' || this.#cleanStop !== null) return false;
    if (control.parked.count + this.#ports.collected.count >= parkedMax || this.#ports.collected.full) return false;
    if (!this.#ports.stream.open) return true;
    window.settle(control.acknowledged);
    return window.bytes < windowBytes;
  }

  /** `reply`: the answer that is made already, `length` bytes of it; otherwise one about `written` bytes. */
  park(unique: number, sequence: number, written: number, reply?: Uint8Array, length?: number): boolean {
    const { control } = this.#ports;
    if (this.mode === 'alone') return false;
    control.parked.park(
      (unique % 4294967296) | 0,
      Math.floor(unique / 4294967296),
      sequence | 0,
      Math.floor(this.#ports.nowMs()) | 0,
      written,
      this.#instants[instant.read],
      reply,
      length,
    );
    return true;
  }

  syncWaits(): boolean {
    return this.mode === 'undecided';
  }

  collect(unique: number, sequence: number, fd: number, dataOnly: boolean, written: number): boolean {
    // With `write-through` the mode that a write has taken away is on both disks too.
    const dataAlone = dataOnly && this.#ports.level !== 'write-through';
    this.#ports.collected.add(unique, sequence, fd, dataAlone, written, this.#instants[instant.read] ?? 0);
    return true;
  }

  localFailure(call: string, errno: number): void {
    this.#diskFailed = true;
    if (call === 'fsync') this.#unrecordedFailure = this.record.unwritten !== true;
    this.#ports.tell({ type: 'local-failure', call, errno });
  }

  // --- requests -------------------------------------------------------------------------------------------------------

  /** A request, and as long as syncs are collected the next ones that are there already: they share the way to both disks. */
  *#serve(): Lane {
    const { collected, wait } = this.#ports;
    yield* this.#serveOne();
    while (collected.count > 0 || this.#askDue) {
      collected.age += 1;
      wait.timeoutMs = 0;
      if (this.#mayCollect() && (yield wait) === woken.request) yield* this.#serveOne();
      else yield* this.#finishCollected();
    }
  }

  #mayCollect(): boolean {
    const { collected } = this.#ports;
    if (collected.full || collected.age >= syncAgeMax) return false;
    return collected.count === 0 || (this.#instants[instant.read] ?? 0) - collected.readAtMs(0) < collectForMs;
  }

  *#finishCollected(): Lane {
    if (this.#askDue) yield* this.#ask();
    if (this.#ports.collected.count > 0) yield* this.#syncCollected();
    this.#ports.collected.age = 0;
  }

  /** Contents alone are acknowledged in their own time; this says that somebody waits. */
  *#ask(): Lane {
    const { stream, control } = this.#ports;
    this.#askDue = false;
    if (!stream.open) return;
    stream.reserve(8192);
    stream.writer.barrier();
    if (this.#ports.collected.count > 0) return;
    yield* this.#send();
    yield* this.#answerReached(control.acknowledged);
  }

  *#serveOne(): Lane {
    const length = yield this.#ports.readRequest;
    if (length < 0) this.#unmounted();
    if (length <= 0) return;
    // What came while a resync was at work had to wait for the end of its step. It counts from the beginning: rather too long than too short.
    const stepBeganMs = this.#ports.wait.timeoutMs === 0 ? (this.#instants[instant.stepBegan] ?? 0) : 0;
    this.#instants[instant.stepBegan] = 0;
    this.#instants[instant.read] = stepBeganMs === 0 ? this.#ports.nowMs() : stepBeganMs;
    if (this.#verify?.running === true) this.#servedMs = this.#instants[instant.read] ?? 0;
    if (this.#resync) this.#pace.served(this.#instants[instant.read] ?? 0);
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
    yield* this.#finishCollected();
    this.#replaying = false;
  }

  *#handle(memory: Memory, length: number): Lane {
    const { apply, stream, control } = this.#ports;
    this.#changes = false;
    apply.memory = memory;
    apply.length = length;
    const before = stream.writer.sequence;
    let result = yield apply;
    if (result === outcome.deferred) {
      const copy = memory === this.#ports.request ? this.#ports.hold(length) : memory;
      const readAtMs = this.#instants[instant.read] ?? 0;
      if (this.#replaying) this.#held.unshift({ memory: copy, length, readAtMs });
      else this.#held.push({ memory: copy, length, readAtMs });
      return;
    }
    if (this.#ports.level !== 'durable') result = yield* this.#keepPromise(result, before);
    if (stream.writer.length > 0 && !this.#mayLinger(result)) yield* this.#send();
    this.#countSent(false);
    // Acknowledged before it was parked: nobody else will look at it.
    if (result === outcome.parked && control.parked.count > 0) yield* this.#answerReached(control.acknowledged);
    if (result === outcome.reply || result === outcome.ended) {
      // Before anybody hears of it: a process that dies in between would leave a copy behind that seems good.
      if (this.#unrecordedFailure) yield* this.#recordFailedSync();
      if (this.#isPermitted() || (yield* this.#permitted())) {
        yield this.#ports.reply;
        if (this.#asksForChange()) this.#countAnswered(this.#instants[instant.read] ?? 0);
      }
    }
    if (this.#ports.linkBroken()) yield* this.#lost();
  }

  /** What the level asks beyond what this request waits for anyhow. The outcome from here on. */
  *#keepPromise(result: number, before: number): Generator<Operation, number, number> {
    const { level, touched, stream } = this.#ports;
    if (result === outcome.reply && level === 'write-through' && touched.length > 0) {
      result = yield* this.#syncTouched();
    } else if (result === outcome.reply && level === 'received' && this.#changes) {
      // What cannot be told any more waits for the record that says so.
      const told = stream.writer.sequence > before;
      const sequence = told ? stream.writer.sequence : stream.open ? 0 : before + 1;
      if (sequence !== 0 && this.#parkReply(sequence)) {
        this.#askDue ||= told;
        result = outcome.parked;
      }
    }
    touched.length = 0;
    return result;
  }

  *#syncTouched(): Generator<Operation, number, number> {
    const { touched, stream, syncTouched, reply, answerSync } = this.#ports;
    let sequence = 0;
    for (const node of touched) sequence = Math.max(sequence, stream.sync(node, false));
    if (stream.writer.length > 0) yield* this.#send();
    const status = yield syncTouched;
    if (status >= 0) return sequence !== 0 && this.#parkReply(sequence) ? outcome.parked : outcome.reply;
    stream.localFailure('fsync', -status);
    yield* this.#recordFailedSync();
    answerSync.unique = reply.unique;
    answerSync.error = -ioError;
    if (yield* this.#permitted()) {
      yield answerSync;
      this.#countAnswered(this.#instants[instant.read] ?? 0);
    }
    return outcome.none;
  }

  /** With the answer that the filesystem has made. */
  #parkReply(sequence: number): boolean {
    const { unique, bytes, length } = this.#ports.reply;
    if (this.mode === 'alone') return false;
    this.#ports.noteParkedReply();
    return this.park(unique, sequence, 0, bytes, length);
  }

  /** What is collected is sent with the syncs; contents that nobody waits for with what comes next. */
  #mayLinger(result: number): boolean {
    const { stream, collected } = this.#ports;
    this.#lingered += 1;
    if (stream.writer.length >= lingerBytesMax || this.#lingered > lingerRequestsMax) return false;
    return (
      collected.count > 0 ||
      this.#askDue ||
      (result === outcome.reply && this.mode === 'in-sync' && !stream.writer.urgent)
    );
  }

  /** The peer is asked first, and works while the local disk does. No message is looked at in between: the link and the mode are those of the requests. */
  *#syncCollected(): Lane {
    const { collected, syncFiles, stream, control } = this.#ports;
    if (stream.writer.length > 0) yield* this.#send();
    this.#countSent(false);
    yield syncFiles;
    // An error for good: the kernel below has dropped the pages, a second sync would lie. Recorded before anybody hears of it.
    for (let place = 0; place < collected.count; place++)
      if (collected.status(place) < 0) stream.localFailure('fsync', -collected.status(place));
    yield* this.#recordFailedSync();
    for (let place = 0; place < collected.count; place++) {
      const status = collected.status(place);
      this.#instants[instant.read] = collected.readAtMs(place);
      const waits =
        status >= 0 && stream.park(collected.unique(place), collected.sequence(place), collected.written(place));
      if (!waits) yield* this.#answerSync(place, status < 0);
    }
    collected.clear();
    // Acknowledged before they were parked: nobody else will look at them.
    if (control.parked.count > 0) yield* this.#answerReached(control.acknowledged);
    if (this.#ports.linkBroken()) yield* this.#lost();
  }

  *#answerSync(place: number, failed: boolean): Lane {
    const { collected, answerSync } = this.#ports;
    if (!this.#isPermitted() && !(yield* this.#permitted())) return;
    answerSync.unique = collected.unique(place);
    answerSync.written = collected.written(place);
    answerSync.error = failed ? -ioError : 0;
    yield answerSync;
    this.#countAnswered(collected.readAtMs(place));
  }

  *#send(): Lane {
    this.#lingered = 0;
    const sent = yield this.#ports.send;
    if (sent < 0) yield* this.#lost();
  }

  /** Asked first: a generator is an object, and this is on the way of every answer. */
  #isPermitted(): boolean {
    const { control, nowMs } = this.#ports;
    return !control.fenced && nowMs() < control.leaseDeadlineMs;
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
    while (control.parked.count > 0 && (this.#isPermitted() || (yield* this.#permitted()))) {
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
    if (!this.#unrecordedFailure) return;
    this.#unrecordedFailure = false;
    const { persistIfPossible, control } = this.#ports;
    const record = lineage.syncFailed(this.record);
    persistIfPossible.record = record;
    if ((yield persistIfPossible) < 0) return;
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
        if (message.refused && this.#resync?.byMarks === true) this.#ports.stream.marks.end();
        yield* this.#lost();
        return;
      case 'checkpoint':
        if (message.session === this.#session) this.#ports.stream.marks.confirmed(message.checkpoint);
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
      case 'estimate':
        this.#estimates.push({ call: message.call, run: this.#beginEstimate(message.files) });
        return;
      case 'go-alone':
        yield* this.#goAlone(message);
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
    const met = lineage.inContact(this.record, message.contacts);
    yield* this.#persist(resync ? lineage.resyncSource(met) : this.#together(lineage.connectedClean(met)));
    // Requests of an earlier link: either the peer is recorded as stale by now, or nothing was changed since the checkpoint.
    yield* this.#answerReached(null);
    // What was acknowledged on the former link means nothing to the requests of this one.
    control.acknowledged = 0;
    this.#session = message.session;
    this.#finishSequence = 0;
    this.#peerDiffers = false;
    this.#sharedGeneration = message.sharedGeneration;
    if (message.sharedGeneration) this.#peerMayHaveGeneration = true;
    window.clear();
    control.sent = 0;
    stream.begin(!resync);
    const byMarks = resync && stream.marks.cover(message.marks ?? null);
    if (byMarks) stream.marks.attempt();
    else stream.marks.end();
    this.#keepsMarks = message.marks !== undefined;
    this.#verifies = message.verifies;
    this.#lastCheckpointMs = this.#ports.nowMs();
    if (resync) {
      const { resyncBuffer, nowMs } = this.#ports;
      this.#pace = new ResyncPace(nowMs());
      const options = { acknowledged: () => control.acknowledged, byMarks, pace: this.#pace, nowMs };
      this.#resync = new ResyncSource(tree, stream, resyncBuffer, options);
      this.#resyncWaits = false;
      this.#lastProgress = { atMs: this.#ports.nowMs(), doneBytes: 0, bytesPerSecond: null };
      stream.walk = this.#resync;
      stream.tellUnnamed();
    }
    this.#setMode(resync ? 'resynchronising' : 'in-sync');
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
      yield* this.#persist(lineage.goneAlone(this.record, message.generation));
      this.#setMode('alone');
    }
    this.#ports.tell({ type: 'done', call: message.call, clean: false, fault: null });
    if (this.mode === 'alone') yield* this.#answerReached(null);
  }

  // --- resync ---------------------------------------------------------------------------------------------------------

  /** Of what the target has not acknowledged nothing is waited for here: that is its own answer. */
  #mayStep(isQuiet: boolean): boolean {
    const now = this.#ports.nowMs();
    if (isQuiet) return this.#pace.dueInMs(now) === 0;
    return !this.#resyncWaits && this.#pace.isStarved(now);
  }

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
      this.#ports.stream.marks.end();
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
    if (resync.byMarks && marks.kept) this.#finishCheckpoint = marks.settle();
    else marks.begin(this.#ports.randomCheckpoint());
    return { ...this.record, marks: marks.stamp };
  }

  // --- checkpoints ----------------------------------------------------------------------------------------------------

  /** The target has been told of everything: what is changed from here on can be told by marks, once it has recorded this. */
  *#beginMarks(): Lane {
    if (!this.#keepsMarks) return;
    this.#lastCheckpointMs = this.#ports.nowMs();
    const { marks, writer } = this.#ports.stream;
    marks.begin(this.#ports.randomCheckpoint());
    this.#ports.stream.reserve(8192);
    writer.checkpoint(marks.stamp.log, marks.stamp.checkpoint);
    yield* this.#send();
  }

  #checkpointIsDue(): boolean {
    const { marks } = this.#ports.stream;
    if (this.mode !== 'in-sync' || !marks.kept || marks.settling || marks.size === 0 || this.#cleanStop) return false;
    return this.#ports.nowMs() - this.#lastCheckpointMs >= this.#ports.checkpointIntervalMs;
  }

  #logIsDue(): boolean {
    const { marks } = this.#ports.stream;
    if (this.mode !== 'in-sync' || !marks.hasOverflown || this.#cleanStop) return false;
    return this.#ports.nowMs() - this.#lastCheckpointMs >= this.#ports.checkpointIntervalMs;
  }

  *#checkpoint(): Lane {
    const { stream } = this.#ports;
    this.#lastCheckpointMs = this.#ports.nowMs();
    const number = stream.marks.settle();
    stream.reserve(8192);
    stream.writer.checkpoint(stream.marks.log, number);
    yield* this.#send();
  }

  /** What acknowledgements bring about: the end of a resync, the end of a clean stop. */
  *#observe(): Lane {
    const { control } = this.#ports;
    if (this.#finishSequence !== 0 && reached(control.acknowledged, this.#finishSequence)) {
      this.#finishSequence = 0;
      this.#sharedGeneration = true;
      this.#resync = null;
      if (this.#finishCheckpoint !== 0) this.#ports.stream.marks.confirmed(this.#finishCheckpoint);
      yield* this.#persist(this.#together(lineage.resyncedSource(this.record)));
      this.#verify?.resynced();
      this.#setMode('in-sync');
    }
    if (this.#cleanStop && reached(control.acknowledged, this.#cleanStop.sequence)) {
      yield* this.#persist(lineage.checkpointed(this.record, this.#cleanStop.checkpoint));
      this.#endCleanStop(true);
    }
  }

  /** From this record on both are in sync. */
  #together(record: VolumeRecord): VolumeRecord {
    return lineage.heldInMemory(record, this.#ports.memoryBoot, 'source');
  }

  // --- comparison -----------------------------------------------------------------------------------------------------

  *#beginVerify(message: ToPrimary & { type: 'verify' }): Lane {
    const { tree, stream, resyncBuffer, nowMs, tell } = this.#ports;
    const together = this.#session !== 0 && (this.mode === 'in-sync' || this.#differs) && this.#cleanStop === null;
    const asFound = message.repair && this.#session === 0 && this.#peerDiffers && this.#cleanStop === null;
    const fault = asFound || (together && this.#verifies) ? null : this.#verifyFault().toRecord();
    if (fault === null && this.#verify?.running === true && message.repair) this.#verify.alsoRepair();
    if (fault === null && this.#verify?.running !== true) {
      const options = {
        repair: message.repair,
        stale: this.#differs,
        nowMs,
        usedBytes: this.#ports.used()?.bytes ?? null,
      };
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
    this.#ports.tree.putIdleAside();
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
    yield* this.#persist(lineage.resyncSource(this.record));
    this.#ports.stream.marks.end();
    this.#differs = true;
    this.#setMode('resynchronising');
    this.#tellStatus();
  }

  // --- estimate -------------------------------------------------------------------------------------------------------

  #beginEstimate(filesMax: number): EstimateRun {
    const { tree, stream, used, nowMs } = this.#ports;
    const differs = this.#differs || this.#peerDiffers;
    const whole = this.record.unwritten === true ? 'unwritten' : differs ? 'copies-differ' : null;
    const circumstances = { filesMax, inSync: this.mode === 'in-sync', whole, used: used(), nowMs } as const;
    return new EstimateRun(tree, stream.marks, { ...circumstances, bytesPerSecond: this.#measuredRate });
  }

  #estimateStep(isQuiet: boolean): void {
    const [first] = this.#estimates;
    if (!first || (!isQuiet && !first.run.starved)) return;
    const estimate = first.run.step();
    if (estimate === null) return;
    this.#estimates.shift();
    this.#ports.tell({ type: 'done', call: first.call, clean: false, fault: null, estimate });
  }

  // --- clean stop -----------------------------------------------------------------------------------------------------

  /** The mount is gone: nothing changes any more. */
  *#beginCleanStop(call: number): Lane {
    this.#ports.control.stop();
    // Nothing is asked behind the checkpoint that both sides agree on.
    this.#verify?.interrupted();
    const status = yield this.#ports.syncAll;
    if (status < 0) this.localFailure('fsync', -status);
    yield* this.#recordFailedSync();
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
    const resync = this.#progress();
    const verification = this.#verify?.tell(this.#ports.nowMs()) ?? null;
    this.#measuredRate = resync?.bytesPerSecond ?? verification?.bytesPerSecond ?? this.#measuredRate;
    this.#ports.tell({
      type: 'status',
      mode: this.mode,
      record: this.record,
      resync,
      verification,
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
    return { ...progress, bytesPerSecond, etaSeconds: eta, ...(this.#pace.yields(now) && { yields: true }) };
  }
}
