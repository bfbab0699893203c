/**
 * The checkpoints that the primary asks its target for, and the log of marks that is kept since the last one: with both, a target that was away gets what it lacks and no
 * more (docs/replication.md, "Marks").
 */
import type { VolumeRecord } from '../contract/index.ts';
import type { Lane } from './operations.ts';
import type { LaneContext } from './primary-context.ts';
import type { PrimarySending } from './primary-sending.ts';

/** The kernel writes by itself what is this old: then a syncfs of the peer has little left to do. */
export const checkpointIntervalMs = 30_000;

export class PrimaryCheckpoints {
  readonly #lane: LaneContext;
  readonly #sending: PrimarySending;
  #lastMs = 0;
  /** The running resync has asked for a checkpoint with its end. */
  #finish = 0;
  /** The target can record what it has of a log. */
  #keepsMarks = false;

  constructor(lane: LaneContext, sending: PrimarySending) {
    this.#lane = lane;
    this.#sending = sending;
  }

  /** `theirs`: of the target's record. Undefined: it keeps none. True: it has all that our marks do not name, and the resync goes by them. */
  linked(theirs: VolumeRecord['marks'], resync: boolean): boolean {
    const { stream, nowMs } = this.#lane.ports;
    const byMarks = resync && stream.marks.cover(theirs ?? null);
    if (byMarks) stream.marks.attempt();
    else stream.marks.end();
    this.#keepsMarks = theirs !== undefined;
    this.#lastMs = nowMs();
    return byMarks;
  }

  /** The target has been told of everything: what is changed from here on can be told by marks, once it has recorded this. */
  *beginLog(): Lane {
    if (!this.#keepsMarks) return;
    const { stream, nowMs, randomCheckpoint } = this.#lane.ports;
    this.#lastMs = nowMs();
    const { marks, writer } = stream;
    marks.begin(randomCheckpoint());
    stream.reserve(8192);
    writer.checkpoint(marks.stamp.log, marks.stamp.checkpoint);
    yield* this.#sending.send();
  }

  /** The end of the log, for a reason that makes its marks worthless. */
  endLog(): void {
    this.#lane.ports.stream.marks.end();
  }

  isDue(): boolean {
    const { marks } = this.#lane.ports.stream;
    if (this.#lane.mode !== 'in-sync' || !marks.kept || marks.settling || marks.size === 0) return false;
    return this.#isTime();
  }

  isLogDue(): boolean {
    return this.#lane.mode === 'in-sync' && this.#lane.ports.stream.marks.hasOverflown && this.#isTime();
  }

  #isTime(): boolean {
    const { nowMs, checkpointIntervalMs: intervalMs } = this.#lane.ports;
    return !this.#lane.stopping && nowMs() - this.#lastMs >= intervalMs;
  }

  *ask(): Lane {
    const { stream, nowMs } = this.#lane.ports;
    this.#lastMs = nowMs();
    const number = stream.marks.settle();
    stream.reserve(8192);
    stream.writer.checkpoint(stream.marks.log, number);
    yield* this.#sending.send();
  }

  /** Both disks have all that was changed before it. */
  confirmed(checkpoint: number): void {
    this.#lane.ports.stream.marks.confirmed(checkpoint);
  }

  /** The end of a resync is a checkpoint too: the target syncs everything before it records it. What it is to record. */
  withResync(byMarks: boolean): VolumeRecord {
    const { stream, randomCheckpoint } = this.#lane.ports;
    const { marks } = stream;
    this.#finish = 0;
    if (!this.#keepsMarks) return this.#lane.record;
    if (byMarks && marks.kept) this.#finish = marks.settle();
    else marks.begin(randomCheckpoint());
    return { ...this.#lane.record, marks: marks.stamp };
  }

  /** The target has recorded what `withResync` said. */
  resynced(): void {
    if (this.#finish !== 0) this.confirmed(this.#finish);
  }
}
