/**
 * The counters of the replicator, read about once a second, as what people are shown: rates and latencies of the last seconds. The replicator's numbers only
 * grow, so a missed reading loses nothing; another role begins anew.
 */
import type { LatencyCount, ModuleMetrics, VolumeMetrics } from '../contract/index.ts';

/** What is shown is the mean over at most this long. */
const windowMs = 5000;
/** Older than this it is not "now" any more. */
const staleMs = 4000;

interface Reading {
  readonly atMs: number;
  readonly volumes: ReadonlyMap<string, VolumeMetrics>;
}

/** What happened between two readings of one volume. */
interface Difference {
  readonly bytes: number;
  readonly passedMs: number;
  readonly latency: readonly LatencyCount[];
  readonly linked: boolean;
}

export class Measurements {
  #readings: Reading[] = [];

  /** `atMs`: boot time. */
  take(atMs: number, volumes: readonly VolumeMetrics[]): void {
    this.#readings.push({ atMs, volumes: new Map(volumes.map((one) => [one.volume, one])) });
    // The newest of those that are too old stays: with it the window is full.
    while ((this.#readings[1]?.atMs ?? Infinity) <= atMs - windowMs) this.#readings.shift();
  }

  /** The replicator is away. */
  forget(): void {
    this.#readings = [];
  }

  /** Of the node that runs the module; null: not measured. */
  ofModule(volumes: readonly string[], nowMs: number): ModuleMetrics | null {
    const newest = this.#newest(nowMs);
    if (newest === null) return null;
    const differences = volumes.map((volume) => this.#difference(volume, newest));
    const known = differences.filter((one) => one !== null);
    if (known.length === 0 || known.length < differences.length) return null;
    const perSecond = (of: (difference: Difference) => number): number =>
      known.reduce((sum, one) => sum + (of(one) * 1000) / one.passedMs, 0);
    const latency = sorted(known.flatMap((one) => one.latency));
    const somebodyListens = known.some((one) => one.linked || one.bytes > 0);
    return {
      replicatedBytesPerSecond: somebodyListens ? Math.round(perSecond(({ bytes }) => bytes)) : null,
      writeLatencyP50Ms: quantileMs(latency, 0.5),
      writeLatencyP99Ms: quantileMs(latency, 0.99),
      changesPerSecond: Math.round(perSecond((one) => total(one.latency)) * 10) / 10,
    };
  }

  /** Addresses of the peer that replication uses now, with their round trips in milliseconds. */
  links(nowMs: number): ReadonlyMap<string, number | null> {
    const links = new Map<string, number | null>();
    for (const { link } of this.#newest(nowMs)?.volumes.values() ?? []) {
      if (link === null) continue;
      const times = [links.get(link.address) ?? null, link.roundTripMs].filter((time) => time !== null);
      links.set(link.address, times.length === 0 ? null : Math.min(...times));
    }
    return links;
  }

  #newest(nowMs: number): Reading | null {
    const newest = this.#readings.at(-1);
    return newest === undefined || nowMs - newest.atMs > staleMs ? null : newest;
  }

  #difference(volume: string, newest: Reading): Difference | null {
    const now = newest.volumes.get(volume);
    const primary = now?.primary ?? null;
    if (primary === null) return null;
    const first = this.#readings.find((one) => one.volumes.get(volume)?.primary?.role === primary.role);
    const before = first?.volumes.get(volume)?.primary ?? null;
    const passedMs = newest.atMs - (first?.atMs ?? newest.atMs);
    if (before === null || passedMs <= 0) return null;
    const counted = new Map(before.latency.map(([from, , count]) => [from, count]));
    return {
      bytes: primary.changeBytes + primary.resyncBytes - before.changeBytes - before.resyncBytes,
      passedMs,
      latency: primary.latency.map(([from, to, count]) => [from, to, count - (counted.get(from) ?? 0)]),
      linked: now?.link !== null,
    };
  }
}

function sorted(latency: LatencyCount[]): LatencyCount[] {
  return latency.sort(([a], [b]) => a - b);
}

function total(latency: readonly LatencyCount[]): number {
  return latency.reduce((sum, [, , count]) => sum + count, 0);
}

/** Within its bucket a quantile is put where it would be if the bucket were filled evenly. Null: nothing was counted. */
function quantileMs(latency: readonly LatencyCount[], quantile: number): number | null {
  const rank = total(latency) * quantile;
  let below = 0;
  for (const [from, to, count] of latency) {
    if (count > 0 && below + count >= rank) return Math.round(from + ((to - from) * (rank - below)) / count) / 1000;
    below += count;
  }
  return null;
}
