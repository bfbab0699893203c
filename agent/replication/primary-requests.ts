/**
 * The application's requests on the primary: read, applied, told to the peer and answered, in this order. What may not change anything now is held and tried again
 * before anything that comes later.
 */
import { parkedMax } from './acknowledgement.ts';
import { HeldRequests } from './held-requests.ts';
import type { HeldRequest } from './held-requests.ts';
import type { Lane } from './operations.ts';
import type { PrimaryAnswers } from './primary-answers.ts';
import { outcome, woken } from './primary-context.ts';
import type { LaneContext } from './primary-context.ts';
import type { PrimaryFailures } from './primary-failures.ts';
import type { PrimaryFormerErrors } from './primary-former-errors.ts';
import { PrimaryLevels } from './primary-levels.ts';
import type { PrimarySending } from './primary-sending.ts';
import type { PrimarySyncs } from './primary-syncs.ts';
import type { RequestInHand } from './request-in-hand.ts';
import type { Memory } from '../sys/memory.ts';

/** Unacknowledged bytes of changes beyond which further changes wait: the socket takes what is below without blocking. */
const windowBytes = 2 * 1024 * 1024;
/** As a sequence: no session gets so far. */
const neverReached = 0x7fffffff;

/** Works beside the application, and yields to it. */
export interface Yielding {
  readonly running: boolean;
  /** The application has asked for something. */
  served(nowMs: number): void;
}

export interface RequestParts {
  readonly hand: RequestInHand;
  readonly sending: PrimarySending;
  readonly answers: PrimaryAnswers;
  readonly failures: PrimaryFailures;
  readonly formerErrors: PrimaryFormerErrors;
  readonly syncs: PrimarySyncs;
  readonly resync: Yielding;
  readonly verify: Yielding;
  readonly room: { readonly waits: boolean };
}

export class PrimaryRequests {
  readonly #lane: LaneContext;
  readonly #hand: RequestInHand;
  readonly #sending: PrimarySending;
  readonly #answers: PrimaryAnswers;
  readonly #failures: PrimaryFailures;
  readonly #formerErrors: PrimaryFormerErrors;
  readonly #syncs: PrimarySyncs;
  readonly #levels: PrimaryLevels;
  readonly #resync: Yielding;
  readonly #verify: Yielding;
  readonly #room: RequestParts['room'];
  readonly #held = new HeldRequests();
  /** Syncs that wait for what this disk has failed to write before. Nothing else waits for them. */
  #waitingSyncs: HeldRequest[] = [];

  constructor(lane: LaneContext, parts: RequestParts) {
    this.#lane = lane;
    this.#hand = parts.hand;
    this.#sending = parts.sending;
    this.#answers = parts.answers;
    this.#failures = parts.failures;
    this.#formerErrors = parts.formerErrors;
    this.#syncs = parts.syncs;
    this.#resync = parts.resync;
    this.#verify = parts.verify;
    this.#room = parts.room;
    this.#levels = new PrimaryLevels(lane, parts, (unique, sequence, written, reply, length) =>
      this.park(unique, sequence, written, reply, length),
    );
  }

  get areHeld(): boolean {
    return this.#held.count > 0;
  }

  /**
   * What was read and not answered comes first, in the order in which it came. What waited for a former peer waits for the next decision: none of its numbers is reached
   * by what a new link acknowledges.
   */
  *takeOver(): Lane {
    const { carried, control, nowMs, request, replyAgain } = this.#lane.ports;
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
    for (const { memory, length } of carried.held) this.#held.add({ memory, length, readAtMs: now });
    if (carried.replyLength > 0 && (yield* this.#answers.permitted())) yield replyAgain;
    this.#hand.readAtMs = now;
    if (carried.inHandLength > 0) yield* this.#handle(request, carried.inHandLength);
  }

  changesAllowed(): boolean {
    this.#hand.changes = true;
    return this.mayChange() && (this.#held.replaying || this.#held.count === 0);
  }

  mayChange(): boolean {
    const { control, window, collected, stream } = this.#lane.ports;
    if (this.#lane.mode === 'undecided' || this.#lane.stopping) return false;
    if (control.parked.count + collected.count >= parkedMax || collected.full) return false;
    if (!this.#formerErrors.allowChange()) return false;
    if (!stream.open) return true;
    if (this.#room.waits) return false;
    window.settle(control.acknowledged);
    return window.bytes < windowBytes;
  }

  /** `reply`: the answer that is made already, `length` bytes of it; otherwise one about `written` bytes. */
  park(unique: number, sequence: number, written: number, reply?: Uint8Array, length?: number): boolean {
    const { control, nowMs } = this.#lane.ports;
    if (this.#lane.mode === 'alone') return false;
    control.parked.park(
      (unique % 4294967296) | 0,
      Math.floor(unique / 4294967296),
      sequence | 0,
      Math.floor(nowMs()) | 0,
      written,
      this.#hand.readAtMs,
      reply,
      length,
    );
    return true;
  }

  /** A request, and as long as syncs are collected the next ones that are there already: they share the way to both disks. */
  *serve(): Lane {
    const { wait, readRequest, request } = this.#lane.ports;
    do {
      const length = yield readRequest;
      if (this.#wasRead(length)) yield* this.#handle(request, length);
      while (this.#syncs.wait && !(this.#mayCollect() && (yield wait) === woken.request)) yield* this.#syncs.finish();
    } while (this.#syncs.wait);
  }

  /** The next request may join what is collected, if it is there already. */
  #mayCollect(): boolean {
    const { collected, wait } = this.#lane.ports;
    collected.age += 1;
    wait.timeoutMs = 0;
    return this.#syncs.mayCollect();
  }

  /** False: there is nothing to handle. */
  #wasRead(length: number): boolean {
    if (length < 0) this.#unmounted();
    if (length <= 0) return false;
    const { wait, nowMs } = this.#lane.ports;
    // What came while a resync was at work had to wait for the end of its step. It counts from the beginning: rather too long than too short.
    const stepBeganMs = wait.timeoutMs === 0 ? this.#hand.stepBeganMs : 0;
    this.#hand.stepBeganMs = 0;
    this.#hand.readAtMs = stepBeganMs === 0 ? nowMs() : stepBeganMs;
    if (this.#verify.running) this.#verify.served(this.#hand.readAtMs);
    if (this.#resync.running) this.#resync.served(this.#hand.readAtMs);
    return true;
  }

  /** What is left to do is up to the supervisor: a clean stop, or the end. */
  #unmounted(): void {
    const { wait, tell } = this.#lane.ports;
    this.#held.clear();
    this.#waitingSyncs = [];
    wait.requests = false;
    tell({ type: 'unmounted' });
  }

  /** The oldest of those that are held. */
  *replay(): Lane {
    const request = this.#held.oldest();
    if (!request) return;
    this.#held.replaying = true;
    this.#hand.readAtMs = request.readAtMs;
    yield* this.#handle(request.memory, request.length);
    if (this.#syncs.wait) yield* this.#syncs.finish();
    this.#held.replaying = false;
    if (this.#held.count === 0 && this.#waitingSyncs.length === 0) this.#lane.ports.noneHeld();
  }

  *#handle(memory: Memory, length: number): Lane {
    const { apply, stream, control, level, reply, linkBroken } = this.#lane.ports;
    this.#hand.changes = false;
    apply.memory = memory;
    apply.length = length;
    const before = stream.writer.sequence;
    let result = yield apply;
    if (result === outcome.deferred || result === outcome.syncWaits) {
      this.#hold(memory, length, result === outcome.syncWaits);
      // It may have sent a question, which nobody answers then.
      if (linkBroken()) yield* this.#lane.lost();
      return;
    }
    if (level !== 'durable') result = yield* this.#levels.keepPromise(result, before);
    if (stream.writer.length > 0 && !this.#sending.mayLinger(result, this.#syncs.wait))
      if ((yield this.#sending.now()) < 0) yield* this.#lane.lost();
    this.#sending.count(false);
    // Acknowledged before it was parked: nobody else will look at it.
    if (result === outcome.parked && control.parked.count > 0) yield* this.#answers.reached(control.acknowledged);
    if (result === outcome.reply || result === outcome.ended) {
      // Before anybody hears of it: a process that dies in between would leave a copy behind that seems good.
      if (this.#failures.unrecorded) yield* this.#failures.record();
      if (this.#answers.isPermitted() || (yield* this.#answers.permitted())) {
        yield reply;
        if (this.#asksForChange()) this.#answers.count(this.#hand.readAtMs);
      }
    }
    if (linkBroken()) yield* this.#lane.lost();
  }

  #hold(memory: Memory, length: number, isSync: boolean): void {
    const { request, hold } = this.#lane.ports;
    const copy = memory === request ? hold(length) : memory;
    const held = { memory: copy, length, readAtMs: this.#hand.readAtMs };
    if (isSync) this.#waitingSyncs.push(held);
    else this.#held.add(held);
  }

  /** What they waited for is known. */
  syncsGoOn(): void {
    for (const request of this.#waitingSyncs.splice(0)) this.#held.add(request);
  }

  /** As the stream has noted it meanwhile. */
  #asksForChange(): boolean {
    return this.#hand.changes;
  }
}
