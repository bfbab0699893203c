/** What the app and the client of the practice cluster say to each other, one JSON object per line. */
import { z } from 'zod';

export interface TrafficOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Between two transactions. */
  readonly pauseMs: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

export const trafficReportSchema = z.object({
  /** COMMITs that were answered. */
  acknowledged: z.number(),
  /** Sent and never answered: the row may be there or not. */
  undecided: z.number(),
  /** Who answered last; null: nobody yet. */
  server: z.string().nullable(),
  lastError: z.string(),
});
export type TrafficReport = z.infer<typeof trafficReportSchema>;

/** Another server answers. */
export const handoverSchema = z.object({
  from: z.string(),
  to: z.string(),
  /** From the last answered COMMIT of the one to the first of the other. */
  gapMs: z.number(),
});
export type Handover = z.infer<typeof handoverSchema>;

export const trafficVerdictSchema = z.object({
  acknowledged: z.number(),
  /** Rows that are there, of this client. */
  rows: z.number(),
  /** Acknowledged and not there. */
  missing: z.array(z.number()),
  /** There, and never sent, or there twice. */
  impossible: z.array(z.number()),
});
export type TrafficVerdict = z.infer<typeof trafficVerdictSchema>;

export const trafficRequestSchema = z.discriminatedUnion('ask', [
  z.object({ id: z.number(), ask: z.literal('report') }),
  /** The next change to another server than `from`, also when it has happened meanwhile. */
  z.object({ id: z.number(), ask: z.literal('handover'), from: z.string(), timeoutMs: z.number() }),
  z.object({ id: z.number(), ask: z.literal('verify'), timeoutMs: z.number() }),
]);
export type TrafficRequest = z.infer<typeof trafficRequestSchema>;

export const trafficAnswerSchema = z.union([
  z.object({ id: z.number(), error: z.string() }),
  z.object({ id: z.number(), value: z.unknown() }),
]);

/** Wall time that does not jump, comparable between processes of one machine. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
