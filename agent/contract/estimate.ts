/** What a resync would have to do if the other copy came back now, as far as it is known without looking at the data. Unknown numbers are null, never 0. */
import * as z from 'zod';

/** `new`: the whole of it. `content`: parts of it. `moved`: its name only. */
export const changedKinds = ['new', 'content', 'moved', 'attributes', 'names'] as const;
export type ChangedKind = (typeof changedKinds)[number];

/** Why everything has to be compared. */
export const wholeReasons = ['no-log', 'too-many-changes', 'unwritten', 'copies-differ'] as const;
export type WholeReason = (typeof wholeReasons)[number];

export const changedObjectsMax = 10_000;

export const resyncEstimateSchema = z.object({
  /**
   * `nothing`: the other copy has everything. `marks`: what was changed since the last checkpoint of both, if the other copy comes back as it was then. `everything`:
   * the whole directory is compared.
   */
  scope: z.enum(['nothing', 'marks', 'everything']),
  why: z.enum(wholeReasons).nullable(),
  /** Files and directories; of `everything`: what is used on the filesystem, so at most. */
  objects: z.number().int().nullable(),
  /** Single names that were made, removed or given to something else. */
  names: z.number().int().nullable(),
  /** Directories that are compared with all that is in them, which is not counted in `bytes`. */
  wholeDirectories: z.number().int(),
  /** That would be compared, at most; what is the same on both sides is not sent. */
  bytes: z.number().nullable(),
  /** As the last resync or comparison of this role has run; null: there was none. */
  bytesPerSecond: z.number().nullable(),
  seconds: z.number().nullable(),
  /** The first of the objects, as many as were asked for. */
  files: z.array(z.object({ path: z.string(), kind: z.enum(changedKinds), bytes: z.number() })),
});
export type ResyncEstimate = z.infer<typeof resyncEstimateSchema>;
export type ChangedObject = ResyncEstimate['files'][number];
