/**
 * The checkpoints that the primary asks its target for, and the log of marks that is kept since the last one: with both, a target that was away gets what it lacks and no
 * more (docs/replication.md, "Marks"). With a hot log on our own disk, that disk comes first: then the record says what a crash of this server would leave different.
 */
import type { VolumeRecord } from '../contract/index.ts';
import type { HotHistory } from './hot-history.ts';
import type { ToPrimary } from './lane-messages.ts';
import type { Lane, Operation } from './operations.ts';
import type { LaneContext } from './primary-context.ts';
import type { PrimaryFailures } from './primary-failures.ts';
import type { PrimarySending } from './primary-sending.ts';
import * as lineage from './volume-lineage.ts';

/** The kernel writes by itself what is this old: then a syncfs of the peer has little left to do. */
export const checkpointIntervalMs = 30_000;

/** Between two attempts to write a record that the disk did not take. */
const recordIntervalMs = 1000;

/** Between two attempts to begin a hot log: each begins the log of marks anew, too, which the target has to record. */
const hotLogIntervals = 10;

export class PrimaryCheckpoints {
  readonly #lane: LaneContext;
  readonly #history: HotHistory;
  readonly #sending: PrimarySending;
  readonly #failures: PrimaryFailures;
  #lastMs = 0;
  /** The log of marks, and a hot one with it. */
  #logBeganMs = 0;
  /** The running resync has asked for a checkpoint with its end. */
  #finish = 0;
  /** The target can record what it has of a log. */
  #keepsMarks = false;
  /** Its record follows what ours counts. */
  #countsCheckpoints = false;
  /** What ours counted when the checkpoint was asked for that is out; 0: the target was not told. */
  #told = 0;
  /** Waits for our own disk before the peer is asked. */
  #ownSync: { readonly call: number; readonly checkpoint: number } | null = null;
  #syncCall = 0;
  /** Our own disk has it, and the peer of this link is asked; 0: none. */
  #ownCheckpoint = 0;
  #recordFailedMs = -Infinity;

  constructor(lane: LaneContext, parts: { history: HotHistory; sending: PrimarySending; failures: PrimaryFailures }) {
    this.#lane = lane;
    this.#history = parts.history;
    this.#sending = parts.sending;
    this.#failures = parts.failures;
  }

  /** `byMarks`: the target has all that our marks do not name, and the resync goes by them. */
  linked(target: ToPrimary & { type: 'linked' }, byMarks: boolean): void {
    const { stream, nowMs } = this.#lane.ports;
    stream.hearsHot = target.hearsHot;
    if (byMarks) stream.marks.attempt();
    else this.#history.end();
    this.#keepsMarks = target.marks !== undefined;
    this.#countsCheckpoints = target.countsCheckpoints;
    this.#told = 0;
    this.#lastMs = nowMs();
  }

  disconnected(): void {
    this.#ownCheckpoint = 0;
    this.#told = 0;
  }

  /** The target has been told of everything: what is changed from here on can be told by marks, once it has recorded this. */
  *beginLog(): Lane {
    if (!this.#keepsMarks) return;
    const { stream, randomCheckpoint, nowMs } = this.#lane.ports;
    this.#lastMs = nowMs();
    if (!(yield* this.#disclaim())) return;
    const { marks, writer } = stream;
    this.#history.beginLog(randomCheckpoint());
    this.#nextAtOnce();
    stream.reserve(8192);
    writer.checkpoint(marks.stamp.log, marks.stamp.checkpoint);
    yield* this.#sending.send();
  }

  /** Another log begins: the one that the record speaks of is written over. False: it must not be. */
  *#disclaim(): Generator<Operation, boolean, number> {
    if (!this.#lane.claimsHot) return true;
    const isWritten = yield* this.#lane.persist(lineage.hotSince(this.#lane.record, null));
    this.#recordFailedMs = isWritten ? -Infinity : this.#lane.ports.nowMs();
    return isWritten;
  }

  /** Before anything is changed that is in no log any more. Until the disk takes that, changes are refused. */
  *disclaimIfDue(): Lane {
    if (this.#lane.ports.nowMs() - this.#recordFailedMs >= recordIntervalMs) yield* this.#disclaim();
  }

  /** The end of the log, for a reason that makes its marks worthless. */
  endLog(): void {
    this.#history.end();
  }

  isDue(): boolean {
    const { marks, hot } = this.#lane.ports.stream;
    if (this.#lane.mode !== 'in-sync' || !marks.kept || marks.settling || this.#ownSync !== null) return false;
    if (marks.size === 0 && (this.#lane.record.hot || hot?.kept !== true)) return false;
    return this.#isTime();
  }

  isLogDue(): boolean {
    if (this.#lane.mode !== 'in-sync' || !this.#isTime()) return false;
    return this.#lane.ports.stream.marks.hasOverflown || this.#isHotLogDue();
  }

  /** It has ended for want of room, say: until another one is kept every crash of this server leaves everything to be compared. */
  #isHotLogDue(): boolean {
    const { stream, nowMs, checkpointIntervalMs: intervalMs } = this.#lane.ports;
    const { hot, marks } = stream;
    if (hot === null || hot.kept || !marks.kept || marks.settling || !this.#keepsMarks) return false;
    if (this.#failures.diskFailed || this.#lane.record.unwritten === true) return false;
    return nowMs() - this.#logBeganMs >= hotLogIntervals * intervalMs;
  }

  #isTime(): boolean {
    const { nowMs, checkpointIntervalMs: intervalMs } = this.#lane.ports;
    // Our own disk could not say what it has.
    if (this.#lane.ports.formerErrors?.unheard === true) return false;
    return !this.#lane.stopping && nowMs() - this.#lastMs >= intervalMs;
  }

  /** Until there has been one, a crash of this server leaves everything to be compared. */
  #nextAtOnce(): void {
    const { stream, nowMs } = this.#lane.ports;
    this.#logBeganMs = nowMs();
    this.#lastMs = stream.hot?.kept === true ? -Infinity : this.#logBeganMs;
  }

  *ask(): Lane {
    const { stream, nowMs, beginSync } = this.#lane.ports;
    this.#lastMs = nowMs();
    const number = stream.marks.settle();
    stream.hot?.settle(number);
    if (stream.hot?.kept !== true) {
      yield* this.#askPeer(number);
      return;
    }
    // Our own disk first: then nothing but an answer lies between what the peer records and what we do.
    this.#ownSync = { call: ++this.#syncCall, checkpoint: number };
    beginSync.call = this.#syncCall;
    yield beginSync;
  }

  *#askPeer(number: number): Lane {
    const { stream } = this.#lane.ports;
    stream.reserve(8192);
    this.#told = this.#countsCheckpoints ? (this.#lane.record.contacts ?? 0) : 0;
    if (this.#told > 0) stream.writer.met(this.#told);
    stream.writer.checkpoint(stream.marks.log, number);
    yield* this.#sending.send();
  }

  /** Our own disk is being synced. */
  get syncing(): boolean {
    return this.#ownSync !== null;
  }

  *synced(message: ToPrimary & { type: 'synced' }): Lane {
    const pending = this.#ownSync;
    if (message.status < 0) this.#failures.note('fsync', -message.status);
    if (pending?.call !== message.call) return;
    this.#ownSync = null;
    const { marks } = this.#lane.ports.stream;
    // The link may have been lost, and another one made, in the meantime.
    if (message.status < 0 || !marks.settling || marks.stamp.checkpoint !== pending.checkpoint) return;
    this.#ownCheckpoint = pending.checkpoint;
    yield* this.#askPeer(pending.checkpoint);
  }

  /** Both disks have all that was changed before it. The record says so before anything of it is dropped. */
  *confirmed(checkpoint: number): Lane {
    const { marks, hot } = this.#lane.ports.stream;
    const told = marks.stamp.checkpoint === checkpoint ? this.#told : 0;
    if (told > 0) this.#told = 0;
    marks.confirmed(checkpoint);
    // What a disk that failed has taken is known to nobody.
    if (this.#failures.diskFailed || this.#lane.record.unwritten === true) return;
    const counted = lineage.contactsLead(this.#lane.record, told);
    if (hot?.kept !== true || checkpoint !== this.#ownCheckpoint || hot.log !== marks.log) {
      // Where it is not taken the target's stays one ahead, and the next checkpoint tells the same.
      if (told > 0) yield* this.#lane.persistIfPossible(counted);
      return;
    }
    // True whether or not the record takes it: the log still names what was changed before as well.
    const claim = { log: hot.log, checkpoint, peer: null };
    this.#history.claim = claim;
    if (yield* this.#lane.persistIfRoom(lineage.hotSince(counted, claim))) hot.confirmed(checkpoint);
  }

  /** A log that has ended, for whatever reason. What the record says of it was true until now. */
  claimTooMuch(): boolean {
    return this.#history.claim === null && this.#lane.claimsHot;
  }

  /** The hot log could not be written: before anything is changed that is not in it, the record says that there is none. Where it cannot, the change is refused. */
  abandoned(): void {
    this.#history.claim = null;
    if (this.#lane.claimsHot) this.#lane.persistAtOnce(lineage.hotSince(this.#lane.record, null));
  }

  /** Before the end of a resync is told. False: it must not be. */
  *walked(byMarks: boolean): Generator<Operation, boolean, number> {
    return !this.#beginsLog(byMarks) || (yield* this.#disclaim());
  }

  /** What was taken over from a disk ends with the resync that it was for: numbers of two servers' logs are never compared. */
  #beginsLog(byMarks: boolean): boolean {
    const { marks } = this.#lane.ports.stream;
    return !byMarks || !marks.kept || marks.adopted;
  }

  /** The end of a resync is a checkpoint too: the target syncs everything before it records it. What it is to record. */
  withResync(byMarks: boolean): VolumeRecord {
    const { stream, randomCheckpoint } = this.#lane.ports;
    const { marks } = stream;
    this.#finish = 0;
    if (!this.#keepsMarks) return this.#lane.record;
    if (this.#beginsLog(byMarks)) {
      this.#history.beginLog(randomCheckpoint());
    } else {
      this.#finish = marks.settle();
      stream.hot?.settle(this.#finish);
    }
    this.#nextAtOnce();
    return { ...this.#lane.record, marks: marks.stamp };
  }

  /** The target has recorded what `withResync` said. */
  resynced(): void {
    if (this.#finish !== 0) this.#lane.ports.stream.marks.confirmed(this.#finish);
  }
}
