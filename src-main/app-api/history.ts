/** What was measured, kept on the laptop: as long as an app looked at the cluster. */
import { z } from 'zod';

/** Columns of equal length, the form in which charts are drawn. Null: nobody measured. */
export const seriesSchema = z.object({
  /** Middle of each interval, seconds since 1970. */
  at: z.array(z.number()),
  /** To the other node: changes and resync. */
  replicatedBytesPerSecond: z.array(z.number().nullable()),
  /** Of a change by the application, as it saw it. */
  writeLatencyP50Ms: z.array(z.number().nullable()),
  writeLatencyP99Ms: z.array(z.number().nullable()),
  resyncBytesPerSecond: z.array(z.number().nullable()),
  /** 0 … 1; null: no resync at that time. */
  resyncDone: z.array(z.number().nullable()),
  resyncEtaSeconds: z.array(z.number().nullable()),
  /** 1, 0. */
  protected: z.array(z.number().nullable()),
});
export type Series = z.infer<typeof seriesSchema>;

export const historyMethods = {
  /** At most `points` intervals; times are milliseconds since 1970. A peak is kept: rates are means, the p99 is the highest of its interval. */
  history: {
    params: z.object({
      cluster: z.string(),
      module: z.string(),
      fromMs: z.number(),
      toMs: z.number(),
      points: z.number().int().min(2).max(4000),
    }),
    result: seriesSchema,
  },
  /** Resyncs that were seen, newest first. */
  resyncs: {
    params: z.object({ cluster: z.string(), module: z.string(), limit: z.number().int().max(500) }),
    result: z.array(
      z.object({
        node: z.string(),
        fromMs: z.number(),
        /** Null: still running, or nobody saw its end. */
        toMs: z.number().nullable(),
        doneBytes: z.number(),
        sentBytes: z.number(),
        finished: z.boolean(),
      }),
    ),
  },
} as const;
