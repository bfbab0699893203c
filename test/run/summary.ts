/**
 * What every stage of `npm test` leaves behind for the sum at the end. The orchestrator names a file in the
 * environment; a stage started by hand has none and writes nothing.
 */
import { writeFileSync } from 'node:fs';
import { z } from 'zod';

export const summaryVariable = 'HOLDFAST_TEST_SUMMARY';

export const stageSummarySchema = z.object({
  passed: z.number().int().nonnegative(),
  failed: z.number().int().nonnegative(),
  /** Repeated at the very end, where whoever sees only the end of a log looks. */
  failures: z.array(z.string()).default([]),
  /** Nothing is left out silently: each with the reason that a person can act on. */
  notRun: z.array(z.object({ name: z.string().min(1), reason: z.string().min(1) })),
});
export type StageSummary = z.infer<typeof stageSummarySchema>;

export function writeStageSummary(summary: z.input<typeof stageSummarySchema>): void {
  const file = process.env[summaryVariable];
  if (file !== undefined && file !== '') writeFileSync(file, JSON.stringify(stageSummarySchema.parse(summary)));
}
