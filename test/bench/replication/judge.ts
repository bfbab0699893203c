/** Ratios out of interleaved rounds. Pure. */
import { median } from '../report.ts';
import type { PlaceName } from './site.ts';

export interface Floors {
  readonly limit: 'twin' | 'bare' | null;
  readonly glusterfsFloor: number;
  readonly limitFloor: number | null;
}

export interface Ratio {
  readonly ratio: number;
  readonly floor: number;
  readonly kept: boolean;
}

export interface ReplicationRow {
  readonly name: string;
  readonly words: string;
  readonly unit: string;
  /** Medians of the rounds. */
  readonly rates: Readonly<Partial<Record<PlaceName, number>>>;
  /** Of a place: largest through smallest rate of its rounds. */
  readonly spread: Readonly<Partial<Record<PlaceName, number>>>;
  /** Null: not measured, or the rounds differ so much that a ratio says nothing. */
  readonly besideGlusterfs: Ratio | null;
  readonly besideLimit: Ratio | null;
}

/** Beyond it a median of three is a matter of luck. */
export const spreadMax = 2.5;

export type Rounds = Readonly<Partial<Record<PlaceName, readonly number[]>>>;

/** The median of the ratios within each round: what drifts over the minutes cancels. */
export function ratioOf(rounds: Rounds, name: PlaceName, floor: number): Ratio | null {
  const [ours, theirs] = [rounds.holdfast ?? [], rounds[name] ?? []];
  const ratios = ours.flatMap((rate, round) => {
    const other = theirs[round];
    return other === undefined || other <= 0 ? [] : [rate / other];
  });
  const middle = median(ratios);
  if (middle === null || spreadOf(ratios) > spreadMax) return null;
  return { ratio: Math.round(middle * 100) / 100, floor, kept: middle >= floor };
}

export function spreadOf(values: readonly number[]): number {
  return values.length === 0 ? 1 : Math.max(...values) / Math.max(Math.min(...values), Number.MIN_VALUE);
}

const rounded = (value: number): number => Math.round(value * 10) / 10;

export function judgeRounds(
  workload: { readonly name: string; readonly words: string; readonly unit: string } & Floors,
  rounds: Rounds,
): ReplicationRow {
  const entries = Object.entries(rounds) as [PlaceName, readonly number[]][];
  const { limit, limitFloor, glusterfsFloor, name, words, unit } = workload;
  return {
    name,
    words,
    unit,
    rates: Object.fromEntries(entries.map(([place, rates]) => [place, rounded(median(rates) ?? 0)])),
    spread: Object.fromEntries(entries.map(([place, rates]) => [place, Math.round(spreadOf(rates) * 100) / 100])),
    besideGlusterfs: ratioOf(rounds, 'glusterfs', glusterfsFloor),
    besideLimit: limit === null || limitFloor === null ? null : ratioOf(rounds, limit, limitFloor),
  };
}

function ratioWords(ratio: Ratio | null, isWanted: boolean): string {
  if (!isWanted) return '';
  if (ratio === null) return 'spread too large';
  return `${ratio.ratio.toFixed(2)} × (≥ ${ratio.floor})${ratio.kept ? '' : ' MISSED'}`;
}

export function markdown(rows: readonly ReplicationRow[], limits: readonly (Floors & { name: string })[]): string {
  const head = '| workload | bare | twin | Holdfast | GlusterFS | beside GlusterFS | beside the limit |';
  const rate = (row: ReplicationRow, place: PlaceName): string => {
    const value = row.rates[place];
    return value === undefined ? '' : `${value >= 100 ? Math.round(value) : value} ${row.unit}`;
  };
  const lines = rows.map((row) => {
    const floors = limits.find(({ name }) => name === row.name);
    const limitWords = ratioWords(row.besideLimit, (floors?.limit ?? null) !== null);
    return `| ${row.words} | ${rate(row, 'bare')} | ${rate(row, 'twin')} | ${rate(row, 'holdfast')} | ${rate(row, 'glusterfs')} | ${ratioWords(row.besideGlusterfs, row.rates.glusterfs !== undefined)} | ${limitWords}${limitWords === '' ? '' : ` ${floors?.limit ?? ''}`} |`;
  });
  return [head, '|---|---|---|---|---|---|---|', ...lines].join('\n');
}
