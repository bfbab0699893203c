/** The primary's way to its peer: what the stream's writer holds is given to the link, now or with what comes next, and counted. */
import { outcome } from './primary-context.ts';
import type { LaneContext } from './primary-context.ts';
import type { Lane, Operation } from './operations.ts';

const lingerBytesMax = 64 * 1024;
/** So many requests pass them at most: an application that never stops reading must not keep them here. */
const lingerRequestsMax = 32;

export class PrimarySending {
  readonly #lane: LaneContext;
  /** Requests since contents were kept back. */
  #lingered = 0;
  /** Of the stream's bytes, told to the measures. */
  #countedBytes = 0;

  constructor(lane: LaneContext) {
    this.#lane = lane;
  }

  *send(): Lane {
    if ((yield this.now()) < 0) yield* this.#lane.lost();
  }

  /** The same without a generator, for the way of every request. After a negative result `lost` is due. */
  now(): Operation {
    this.#lingered = 0;
    return this.#lane.ports.send;
  }

  /** What is collected is sent with the syncs (`syncsWait`); contents that nobody waits for with what comes next. */
  mayLinger(result: number, syncsWait: boolean): boolean {
    const { writer } = this.#lane.ports.stream;
    this.#lingered += 1;
    if (writer.length >= lingerBytesMax || this.#lingered > lingerRequestsMax) return false;
    return syncsWait || (result === outcome.reply && this.#lane.mode === 'in-sync' && !writer.urgent);
  }

  /** Whatever has been given to the socket since the last time. */
  count(resync: boolean): void {
    const { control, window } = this.#lane.ports;
    const bytes = window.totalBytes - this.#countedBytes;
    if (bytes === 0) return;
    this.#countedBytes = window.totalBytes;
    control.measures.sent(resync ? 0 : bytes, resync ? bytes : 0);
  }
}
