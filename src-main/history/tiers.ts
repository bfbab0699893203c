/**
 * How long which resolution is kept. Every reading goes into all of them at once, so that nothing has to be computed later.
 *
 * Size: a row is about 45 bytes, 50 with the tree around it. For a module that is looked at without a pause: 3 days of seconds 259,200 rows,
 * 14 days of 10 s 120,960, 90 days of minutes 129,600, 400 days of 10 minutes 57,600; together 567,360 rows or 28 MB. Whoever looks at more than
 * nine of them day and night loses the oldest seconds first (`bytesMax` in store.ts).
 */
const day = 86_400;

export interface Tier {
  readonly stepSeconds: number;
  readonly keptSeconds: number;
}

/** Finest first. */
export const tiers: readonly Tier[] = [
  { stepSeconds: 1, keptSeconds: 3 * day },
  { stepSeconds: 10, keptSeconds: 14 * day },
  { stepSeconds: 60, keptSeconds: 90 * day },
  { stepSeconds: 600, keptSeconds: 400 * day },
];

/** Lengths of an interval that people can read at an axis; each is a multiple of some tier's step. */
const intervalsSeconds = [
  1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];

export interface Resolution {
  /** Which rows are read. */
  readonly stepSeconds: number;
  /** Which intervals they become: a multiple of the step. */
  readonly intervalSeconds: number;
  /** First interval; the following are contiguous. */
  readonly start: number;
  readonly count: number;
}

/**
 * The finest intervals of which at most `points` cover the time, from the coarsest rows that they can be made of and that reach back far enough.
 * Seconds; `from` < `to`.
 */
export function resolutionFor(from: number, to: number, points: number, now: number): Resolution {
  const reaching = tiers.filter((tier) => from >= now - tier.keptSeconds);
  const usable = reaching.length > 0 ? reaching : tiers.slice(-1);
  const finest = usable[0]?.stepSeconds ?? 1;
  const count = (interval: number): number => Math.ceil(to / interval) - Math.floor(from / interval);
  const interval =
    intervalsSeconds.find((one) => one >= finest && one % finest === 0 && count(one) <= points) ??
    // Longer than anybody keeps: still an answer, of as many intervals as were asked for.
    Math.ceil((to - from) / (points - 1) / 604_800) * 604_800;
  const step = usable.findLast((tier) => interval % tier.stepSeconds === 0)?.stepSeconds ?? finest;
  return {
    stepSeconds: step,
    intervalSeconds: interval,
    start: Math.floor(from / interval) * interval,
    count: count(interval),
  };
}
