/** Rows of the file → the columns that charts are drawn from. Pure. */
import type { Series } from '../app-api/index.ts';
import type { Resolution } from './tiers.ts';

/** As the file has it: sums and how many readings they are of, the highest p99, the last of a resync, the worst of protection. */
export type Row = readonly (number | null)[];
export const column = {
  at: 0,
  rateSum: 1,
  rateCount: 2,
  p50Sum: 3,
  p50Count: 4,
  p99Max: 5,
  resyncRateSum: 6,
  resyncRateCount: 7,
  resyncDone: 8,
  resyncEta: 9,
  protectedMin: 10,
} as const;

/** An agent measures over five seconds: a reading stands for as much of the time before it, unless there was another one in between. */
const coveredSeconds = 5;

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

interface Bin {
  rateSum: number;
  rateCount: number;
  p50Sum: number;
  p50Count: number;
  p99: number | null;
  resyncRateSum: number;
  resyncRateCount: number;
  resyncDone: number | null;
  resyncEta: number | null;
  protected: number | null;
}

function emptyBin(): Bin {
  return {
    rateSum: 0,
    rateCount: 0,
    p50Sum: 0,
    p50Count: 0,
    p99: null,
    resyncRateSum: 0,
    resyncRateCount: 0,
    resyncDone: null,
    resyncEta: null,
    protected: null,
  };
}

function add(bin: Bin, row: Row): void {
  bin.rateSum += row[column.rateSum] ?? 0;
  bin.rateCount += row[column.rateCount] ?? 0;
  bin.p50Sum += row[column.p50Sum] ?? 0;
  bin.p50Count += row[column.p50Count] ?? 0;
  bin.resyncRateSum += row[column.resyncRateSum] ?? 0;
  bin.resyncRateCount += row[column.resyncRateCount] ?? 0;
  const p99 = row[column.p99Max] ?? null;
  if (p99 !== null && (bin.p99 === null || p99 > bin.p99)) bin.p99 = p99;
  bin.resyncDone = row[column.resyncDone] ?? bin.resyncDone;
  bin.resyncEta = row[column.resyncEta] ?? bin.resyncEta;
  const guarded = row[column.protectedMin] ?? null;
  if (guarded !== null && (bin.protected === null || guarded < bin.protected)) bin.protected = guarded;
}

function mean(sum: number, count: number): number | null {
  return count === 0 ? null : sum / count;
}

/** Rows in the order of time. Intervals without any stay null: a gap is shown, never bridged. */
export function seriesOf(rows: readonly Row[], { stepSeconds, intervalSeconds, start, count }: Resolution): Series {
  if (rows.length === 0) return emptySeries;
  const bins: (Bin | null)[] = new Array<Bin | null>(count).fill(null);
  let before = -Infinity;
  const binAt = (at: number): number => Math.floor((at - start) / intervalSeconds);
  for (const row of rows) {
    const at = row[column.at] ?? 0;
    const last = binAt(at);
    const bin = (bins[last] ??= emptyBin());
    add(bin, row);
    // Readings come every second or every few: what lies between two of them was measured by the later one.
    if (at - before <= coveredSeconds && stepSeconds < coveredSeconds)
      for (let index = last - 1; index > Math.max(-1, binAt(before)); index--) bins[index] = { ...bin };
    before = at;
  }
  const series: Series = {
    at: new Array<number>(count),
    replicatedBytesPerSecond: new Array<number | null>(count),
    writeLatencyP50Ms: new Array<number | null>(count),
    writeLatencyP99Ms: new Array<number | null>(count),
    resyncBytesPerSecond: new Array<number | null>(count),
    resyncDone: new Array<number | null>(count),
    resyncEtaSeconds: new Array<number | null>(count),
    protected: new Array<number | null>(count),
  };
  for (let index = 0; index < count; index++) {
    const bin = bins[index] ?? null;
    series.at[index] = start + (index + 0.5) * intervalSeconds;
    series.replicatedBytesPerSecond[index] = bin && mean(bin.rateSum, bin.rateCount);
    series.writeLatencyP50Ms[index] = bin && thousandth(mean(bin.p50Sum, bin.p50Count));
    series.writeLatencyP99Ms[index] = bin && thousandth(bin.p99);
    series.resyncBytesPerSecond[index] = bin && mean(bin.resyncRateSum, bin.resyncRateCount);
    const done = bin?.resyncDone ?? null;
    series.resyncDone[index] = done === null ? null : done / 1e6;
    series.resyncEtaSeconds[index] = bin?.resyncEta ?? null;
    series.protected[index] = bin?.protected ?? null;
  }
  return series;
}

function thousandth(microseconds: number | null): number | null {
  return microseconds === null ? null : microseconds / 1000;
}
