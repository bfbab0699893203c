/**
 * What the lanes of a primary count, for people: how long changes took, and how much went to the peer. Preallocated memory that both lanes and the supervisor
 * share; nothing is allocated, converted or waited for while counting. All numbers only grow, from the beginning of the role.
 *
 * Every word has one writer, so that nothing has to be atomic: an aligned 64-bit number is written in one piece on every machine that we run on.
 */
import type { LatencyCount } from '../contract/index.ts';

/** Eight buckets per doubling: none is wider than an eighth of where it begins. Microseconds; the last one takes everything beyond half an hour. */
const stepBits = 3;
const steps = 1 << stepBits;
const microsecondsMax = 0x7fffffff;
export const bucketCount = (31 - stepBits) * steps + steps;

export function bucketOf(microseconds: number): number {
  const whole = microseconds < microsecondsMax ? Math.max(0, microseconds) | 0 : microsecondsMax;
  if (whole < steps) return whole;
  const shift = 31 - Math.clz32(whole) - stepBits;
  return shift * steps + (whole >>> shift);
}

/** First microsecond of a bucket; of the one after the last: where the last one ends. */
export function bucketStart(bucket: number): number {
  if (bucket < 2 * steps) return bucket;
  const shift = (bucket >>> stepBits) - 1;
  return (steps + (bucket & (steps - 1))) * 2 ** shift;
}

const changeBytesWord = 0;
const resyncBytesWord = 1;
const histogramsStart = 2;
export const measuresBytes = (histogramsStart + 2 * bucketCount) * 8;

/** `answers`: of requests that a lane answered itself. The acknowledgement lane answers those that waited for the peer. */
export type Histogram = 'primary' | 'acknowledgement';

export class Measures {
  readonly #words: Float64Array;

  constructor(memory: SharedArrayBuffer, byteOffset: number) {
    this.#words = new Float64Array(memory, byteOffset, measuresBytes / 8);
  }

  /** A change was answered. Each lane counts into a histogram of its own. */
  answered(by: Histogram, tookMs: number): void {
    const at = histogramsStart + (by === 'primary' ? 0 : bucketCount) + bucketOf(tookMs * 1000);
    this.#words[at] = (this.#words[at] ?? 0) + 1;
  }

  /** Primary lane only: bytes of the stream, of the application's changes and of a resync. */
  sent(ofChanges: number, ofResync: number): void {
    this.#words[changeBytesWord] = (this.#words[changeBytesWord] ?? 0) + ofChanges;
    this.#words[resyncBytesWord] = (this.#words[resyncBytesWord] ?? 0) + ofResync;
  }

  get changeBytes(): number {
    return this.#words[changeBytesWord] ?? 0;
  }
  get resyncBytes(): number {
    return this.#words[resyncBytesWord] ?? 0;
  }

  /** Of both lanes; only buckets that hold something. */
  latency(): LatencyCount[] {
    const counts: LatencyCount[] = [];
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      const at = histogramsStart + bucket;
      const count = (this.#words[at] ?? 0) + (this.#words[at + bucketCount] ?? 0);
      if (count > 0) counts.push([bucketStart(bucket), bucketStart(bucket + 1), count]);
    }
    return counts;
  }
}
