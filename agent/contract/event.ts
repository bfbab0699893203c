/** The timeline: each entry says what was decided and on what evidence. Kept on each node, durable, newest last. */
import * as z from 'zod';

export const eventSchema = z.object({
  /** Wall clock, for people only. */
  at: z.iso.datetime(),
  node: z.string(),
  /** Grows by one per event and node. */
  sequence: z.number().int(),
  module: z.string().nullable(),
  /** kebab-case. */
  code: z.string(),
  /** A sentence with its reason: "n2 became primary because n1 missed 6 heartbeats on 2 networks and the witness granted the lease." */
  message: z.string(),
  severity: z.enum(['good', 'info', 'attention', 'bad']),
  /** The facts that the decision was made on. */
  evidence: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type TimelineEvent = z.infer<typeof eventSchema>;
/** What decides emits; the runtime adds time, node and sequence. */
export type EventDraft = Omit<TimelineEvent, 'at' | 'node' | 'sequence'>;
