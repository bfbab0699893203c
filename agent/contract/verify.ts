/** What a comparison of both copies of a volume has found. Unknown numbers are null, never 0. */
import * as z from 'zod';

/** What can differ. */
export const differenceKinds = [
  'only-on-primary',
  'only-on-secondary',
  'type',
  'content',
  'size',
  'mode',
  'owner',
  'device',
  'links',
  'link-target',
  'extended-attributes',
  'unreadable-on-secondary',
  'unreadable-on-primary',
  'times',
  'holes',
] as const;
export type DifferenceKind = (typeof differenceKinds)[number];

/**
 * These say nothing against the secondary's copy as data: a time that a filesystem keeps less exactly, zeros where the other side has a hole, and what
 * only the primary cannot read. They are told, and the first two repaired, but the copy stays one that may be used.
 */
const minorKinds: readonly DifferenceKind[] = ['times', 'holes', 'unreadable-on-primary'];
export function isMinor(kind: DifferenceKind): boolean {
  return minorKinds.includes(kind);
}

export const differencesMax = 100;

export const differenceSchema = z.object({
  /** Below the replicated directory. Bytes that are not UTF-8 are shown as replacement characters. */
  path: z.string(),
  kinds: z.array(z.enum(differenceKinds)).min(1),
  /** Of content: in blocks that differ. */
  bytes: z.number(),
  /** A directory, on whichever side has it. Absent: it is none, or that is not known. */
  directory: z.boolean().optional(),
});
export type Difference = z.infer<typeof differenceSchema>;

export const verificationSchema = z.object({
  /**
   * `different`: ended, and something differs that matters, or the primary could not read all of its own copy. `repairing`: the secondary is being made equal. `interrupted`: the link was lost, or the
   * role ended, before everything was compared.
   */
  state: z.enum(['running', 'equal', 'different', 'repairing', 'repaired', 'stopped', 'interrupted']),
  repair: z.boolean(),
  directories: z.number().int(),
  files: z.number().int(),
  comparedBytes: z.number(),
  /** While it runs: what there is to compare at most, as the filesystem counts what is used on it. Null: not known, or ended. Absent: a version that does not tell. */
  totalBytes: z.number().nullable().optional(),
  bytesPerSecond: z.number().nullable(),
  /** At most, like `totalBytes`. */
  etaSeconds: z.number().nullable().optional(),
  /** Objects that differ in something that matters, and those that differ in nothing else than what does not. */
  differing: z.number().int(),
  minor: z.number().int(),
  /** What the primary could not read, counted by attempts: neither known to be equal nor repaired. Absent: a version that does not tell. */
  unreadable: z.number().int().optional(),
  /** The first `differencesMax` of both. */
  differences: z.array(differenceSchema),
});
export type Verification = z.infer<typeof verificationSchema>;

/** What the last comparison that came to its end has found, of all roles that this node had. */
export const lastComparisonSchema = z.object({
  /** Wall clock, for people only. */
  at: z.iso.datetime(),
  outcome: z.enum(['equal', 'different', 'repaired']),
  files: z.number().int(),
  comparedBytes: z.number(),
  differing: z.number().int(),
});
export type LastComparison = z.infer<typeof lastComparisonSchema>;
