/** What will go wrong in a run, decided before it begins: each fault has its own luck, so that leaving one out changes no other. */
import { Random } from './random.ts';

export interface PlannedFault {
  /** Place in the whole list, whatever was left out. */
  readonly number: number;
  /** After the first possible one. */
  readonly atMs: number;
  readonly kind: string;
  readonly node: 'n1' | 'n2';
  /** Of its durations and choices. */
  readonly seed: number;
}

/** @param count at most so many. @param first number of the first one. */
export function planFaults(
  seed: number,
  kinds: readonly string[],
  periodMs: number,
  count = Infinity,
  first = 1,
): PlannedFault[] {
  const random = new Random(Math.imul(seed, 2654435761) ^ 0x5bd1e995);
  const faults: PlannedFault[] = [];
  for (let atMs = count < Infinity ? random.between(0, periodMs) : 0; atMs < periodMs && faults.length < count;) {
    faults.push({
      number: first + faults.length,
      atMs,
      kind: random.pick(kinds),
      node: random.pick(['n1', 'n2'] as const),
      seed: Math.floor(random.next() * 2 ** 32),
    });
    atMs += random.chance(0.3) ? random.between(1, 500) : random.between(500, 9000);
  }
  return faults;
}

export function faultInWords({ number, atMs, kind, node }: PlannedFault): string {
  return `${String(number).padStart(3)} ${(atMs / 1000).toFixed(3).padStart(8)} s ${kind} ${node}`;
}
