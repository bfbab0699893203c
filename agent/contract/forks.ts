/** Copies that were set aside because another one was chosen: where they are, and what in them is not in the living copy. */
import * as z from 'zod';
import { generationSchema } from './lineage.ts';

/** In `.holdfast` of a directory that only root can enter; what was set aside is in `data` beside it. */
export const keptManifestName = 'kept.json';
export const keptDataName = 'data';
export const keptManifestSchema = z.object({
  format: z.literal(1),
  volume: z.string(),
  /** The replicated directory that it comes from; for people only. */
  path: z.string(),
  /** Wall clock, for people only. */
  at: z.iso.datetime(),
  /** False: interrupted; the rest still stands in the replicated directory. */
  complete: z.boolean(),
  generation: generationSchema.nullable(),
});
export type KeptManifest = z.infer<typeof keptManifestSchema>;

export const keptCopySchema = z.object({
  /** Name of its directory; what other orders call it by. */
  id: z.string(),
  directory: z.string(),
  ...keptManifestSchema.omit({ format: true }).shape,
  /** Null: not counted in time. */
  bytes: z.number().nullable(),
});
export type KeptCopy = z.infer<typeof keptCopySchema>;

const standsThereSchema = z.object({
  type: z.enum(['file', 'directory', 'link', 'other']),
  bytes: z.number(),
  modified: z.iso.datetime(),
});
export const keptDifferenceSchema = z.object({
  path: z.string(),
  kind: z.enum(['only-kept', 'only-living', 'differs']),
  kept: standsThereSchema.nullable(),
  living: standsThereSchema.nullable(),
});
export type KeptDifference = z.infer<typeof keptDifferenceSchema>;

export const keptComparisonSchema = z.object({
  /** Files and directories that are the same, and those that differ. */
  same: z.number().int(),
  differing: z.number().int(),
  /** The first of those that differ. */
  differences: z.array(keptDifferenceSchema),
});
export type KeptComparison = z.infer<typeof keptComparisonSchema>;

/** What a replicated directory needs, and what its disk has. */
export const volumeSpaceSchema = z.object({
  volume: z.string(),
  path: z.string(),
  /** Volumes of the same disk share what is free. */
  disk: z.string(),
  freeBytes: z.number(),
  /** Null: not asked for, or not counted. */
  dataBytes: z.number().nullable(),
});
export type VolumeSpace = z.infer<typeof volumeSpaceSchema>;
