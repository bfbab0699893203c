/** What a module's level asks beyond what a request waits for anyhow (docs/replication.md, "Levels"). Of `durable`, nothing. */
import { outcome } from './primary-context.ts';
import type { LaneContext } from './primary-context.ts';
import type { PrimarySending } from './primary-sending.ts';
import type { PrimarySyncs } from './primary-syncs.ts';
import type { Operation } from './operations.ts';
import type { RequestInHand } from './request-in-hand.ts';

export class PrimaryLevels {
  readonly #lane: LaneContext;
  readonly #hand: RequestInHand;
  readonly #sending: PrimarySending;
  readonly #syncs: PrimarySyncs;
  /** With the answer that is made already, `length` bytes of it. False: nobody is waited for. */
  readonly #park: (unique: number, sequence: number, written: number, reply: Uint8Array, length: number) => boolean;

  constructor(
    lane: LaneContext,
    parts: { hand: RequestInHand; sending: PrimarySending; syncs: PrimarySyncs },
    park: (unique: number, sequence: number, written: number, reply: Uint8Array, length: number) => boolean,
  ) {
    this.#lane = lane;
    this.#hand = parts.hand;
    this.#sending = parts.sending;
    this.#syncs = parts.syncs;
    this.#park = park;
  }

  /** `before`: the stream's sequence before the request. The outcome from here on. */
  *keepPromise(result: number, before: number): Generator<Operation, number, number> {
    const { level, touched, stream } = this.#lane.ports;
    if (result === outcome.reply && level === 'write-through' && touched.length > 0) {
      result = yield* this.#syncTouched();
    } else if (result === outcome.reply && level === 'received' && this.#hand.changes) {
      // What cannot be told any more waits for the record that says so.
      const told = stream.writer.sequence > before;
      const sequence = told ? stream.writer.sequence : stream.open ? 0 : before + 1;
      if (sequence !== 0 && this.#parkReply(sequence)) {
        this.#syncs.askDue ||= told;
        result = outcome.parked;
      }
    }
    touched.length = 0;
    return result;
  }

  *#syncTouched(): Generator<Operation, number, number> {
    const { touched, stream, syncTouched, reply } = this.#lane.ports;
    let sequence = 0;
    for (const node of touched) sequence = Math.max(sequence, stream.sync(node, false));
    if (stream.writer.length > 0) yield* this.#sending.send();
    const status = yield syncTouched;
    if (status >= 0) return sequence !== 0 && this.#parkReply(sequence) ? outcome.parked : outcome.reply;
    stream.localFailure('fsync', -status);
    yield* this.#syncs.answerFailed(reply.unique);
    return outcome.none;
  }

  /** With the answer that the filesystem has made. */
  #parkReply(sequence: number): boolean {
    const { unique, bytes, length } = this.#lane.ports.reply;
    if (this.#lane.mode === 'alone') return false;
    this.#lane.ports.noteParkedReply();
    return this.#park(unique, sequence, 0, bytes, length);
  }
}
