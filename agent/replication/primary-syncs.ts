/**
 * Syncs of the application: read one after the other, and as long as the next ones are there already they are collected, for they share the way to both disks. The
 * peer is asked first, and works while the local disk does.
 */
import type { SyncedFile } from '../fuse/index.ts';
import type { PrimaryAnswers } from './primary-answers.ts';
import type { LaneContext } from './primary-context.ts';
import type { PrimaryFailures } from './primary-failures.ts';
import type { PrimarySending } from './primary-sending.ts';
import type { Lane } from './operations.ts';
import type { RequestInHand } from './request-in-hand.ts';

const ioError = 5;
/** A sync that was read waits for so many further requests at most, and only while they are there already. */
const syncAgeMax = 24;
/** And no longer than this: what is read meanwhile may be slow, and the first one waits. */
const collectForMs = 1;

export class PrimarySyncs {
  readonly #lane: LaneContext;
  readonly #hand: RequestInHand;
  readonly #sending: PrimarySending;
  readonly #answers: PrimaryAnswers;
  readonly #failures: PrimaryFailures;
  /** Changes were parked until the peer has them, and it has not been told that somebody waits. */
  askDue = false;

  constructor(
    lane: LaneContext,
    parts: { hand: RequestInHand; sending: PrimarySending; answers: PrimaryAnswers; failures: PrimaryFailures },
  ) {
    this.#lane = lane;
    this.#hand = parts.hand;
    this.#sending = parts.sending;
    this.#answers = parts.answers;
    this.#failures = parts.failures;
  }

  /** Somebody waits for `finish`. */
  get wait(): boolean {
    return this.#lane.ports.collected.count > 0 || this.askDue;
  }

  collect(unique: number, sequence: number, file: SyncedFile, dataOnly: boolean, written: number): void {
    const { collected, level } = this.#lane.ports;
    // With `write-through` the mode that a write has taken away is on both disks too.
    collected.add(unique, sequence, file, dataOnly && level !== 'write-through', written, this.#hand.readAtMs);
  }

  /** The next request may join what is collected. */
  mayCollect(): boolean {
    const { collected } = this.#lane.ports;
    if (collected.full || collected.age >= syncAgeMax) return false;
    return collected.count === 0 || this.#hand.readAtMs - collected.readAtMs(0) < collectForMs;
  }

  /** Only when somebody does: what is collected goes to both disks. */
  finish(): Lane {
    return this.askDue ? this.#askAndSync() : this.#syncCollected();
  }

  *#askAndSync(): Lane {
    const { collected } = this.#lane.ports;
    yield* this.#ask();
    if (collected.count > 0) yield* this.#syncCollected();
    collected.age = 0;
  }

  /** Contents alone are acknowledged in their own time; this says that somebody waits. */
  *#ask(): Lane {
    const { stream, control, collected } = this.#lane.ports;
    this.askDue = false;
    if (!stream.open) return;
    stream.reserve(8192);
    stream.writer.barrier();
    if (collected.count > 0) return;
    yield* this.#sending.send();
    yield* this.#answers.reached(control.acknowledged);
  }

  /** No message is looked at in between: the link and the mode are those of the requests. */
  *#syncCollected(): Lane {
    const { collected, syncFiles, stream, control, linkBroken } = this.#lane.ports;
    if (stream.writer.length > 0 && (yield this.#sending.now()) < 0) yield* this.#lane.lost();
    this.#sending.count(false);
    yield syncFiles;
    // An error for good: the kernel below has dropped the pages, a second sync would lie. Recorded before anybody hears of it.
    for (let place = 0; place < collected.count; place++)
      if (collected.status(place) < 0) stream.localFailure('fsync', -collected.status(place));
      else collected.succeed(place);
    if (this.#failures.unrecorded) yield* this.#failures.record();
    for (let place = 0; place < collected.count; place++) {
      const status = collected.status(place);
      this.#hand.readAtMs = collected.readAtMs(place);
      const waits =
        status >= 0 && stream.park(collected.unique(place), collected.sequence(place), collected.written(place));
      if (!waits) yield* this.#answer(place, status < 0);
    }
    collected.clear();
    // Acknowledged before they were parked: nobody else will look at them.
    if (control.parked.count > 0) yield* this.#answers.reached(control.acknowledged);
    if (linkBroken()) yield* this.#lane.lost();
  }

  *#answer(place: number, failed: boolean): Lane {
    const { collected, answerSync } = this.#lane.ports;
    if (!this.#answers.isPermitted() && !(yield* this.#answers.permitted())) return;
    answerSync.unique = collected.unique(place);
    answerSync.written = collected.written(place);
    answerSync.error = failed ? -ioError : 0;
    yield answerSync;
    this.#answers.count(collected.readAtMs(place));
  }

  /** The request in hand has failed to sync what it changed: answered so, after the record says it. */
  *answerFailed(unique: number): Lane {
    const { answerSync } = this.#lane.ports;
    yield* this.#failures.record();
    answerSync.unique = unique;
    answerSync.error = -ioError;
    if (yield* this.#answers.permitted()) {
      yield answerSync;
      this.#answers.count(this.#hand.readAtMs);
    }
  }
}
