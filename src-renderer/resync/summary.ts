/** A series in a few numbers, for people who listen, and for what stands beside a line. Pure. */
import type { Series } from '../../src-main/app-api/index.ts';

export type Column = Exclude<keyof Series, 'at'>;
type Values = readonly (number | null)[];

export interface Summary {
  readonly highest: number | null;
  readonly mean: number | null;
  readonly last: number | null;
}

export function summaryOf(values: Values): Summary {
  let sum = 0;
  let count = 0;
  let highest: number | null = null;
  for (const value of values) {
    if (value === null) continue;
    sum += value;
    count += 1;
    if (highest === null || value > highest) highest = value;
  }
  return { highest, mean: count === 0 ? null : sum / count, last: values.findLast((value) => value !== null) ?? null };
}

/** Stretches of time without a gap in these values, as first and last index. */
export function stretches(values: Values): { first: number; last: number }[] {
  const found: { first: number; last: number }[] = [];
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    const open = found.at(-1);
    if (open?.last === index - 1) open.last = index;
    else found.push({ first: index, last: index });
  }
  return found;
}

export function hasAny(values: Values): boolean {
  return values.some((value) => value !== null);
}

export const emptySeries: Series = {
  at: [],
  replicatedBytesPerSecond: [],
  writeLatencyP50Ms: [],
  writeLatencyP99Ms: [],
  resyncBytesPerSecond: [],
  resyncDone: [],
  resyncEtaSeconds: [],
  protected: [],
};
