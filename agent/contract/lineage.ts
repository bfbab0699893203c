/** Data lineage: which copy descends from which. No clock takes part. Stored with every volume and spoken in every heartbeat. */
import * as z from 'zod';

export const generationSchema = z.object({
  /** Grows by one at every start of a period in which one node writes without the other. */
  number: z.number().int().positive(),
  /** Unique: two nodes that go alone from the same generation get the same number and different ids (a fork). */
  id: z.string().min(1).max(120),
});
export type Generation = z.infer<typeof generationSchema>;

/** How many former generation ids a copy remembers, newest first. Older ancestors count as unrelated. */
export const historyLengthMax = 256;

/**
 * The durable record of one copy of one volume: `<path>/.holdfast/volume.json` in the filesystem of the data, so that a disk
 * restored from a snapshot brings its old record with it. Written by rename, file and directory fsynced. Never replicated.
 */
export const volumeRecordSchema = z.object({
  /** 2 while `settingAside` is set: a version that does not know it must not use this copy. */
  format: z.literal([1, 2]),
  /** Same on both nodes; another one means "not the same data at all". */
  volumeUuid: z.string(),
  /** null: this copy has never held the data (a blank target). */
  generation: generationSchema.nullable(),
  /** Ids of former generations, newest first, the current one not included. */
  history: z.array(z.string()),
  /** `stale`: must not be used without a recorded order: blank, known to be behind, or in the middle of a resync as its target. */
  copy: z.enum(['up-to-date', 'stale']),
  /** The durable "peer is stale" record. True before the first write is acknowledged that the peer will not get. */
  peerStale: z.boolean(),
  /**
   * Both copies were byte-identical and on disk when this checkpoint was agreed, and nothing was written here since.
   * Cleared, durably, before the first write. Null: not known to be clean, contact compares.
   */
  cleanCheckpoint: z.number().int().nullable(),
  /**
   * Of a target: its disk holds everything of that log of marks up to this checkpoint; whatever has changed since is in the log. Durable only after the
   * data is. Null, or of another log: everything has to be compared. Absent: written by a version that knows no marks.
   */
  marks: z.object({ log: z.number().int(), checkpoint: z.number().int() }).nullish(),
  /**
   * Of a primary, now or when it ended: both disks hold everything of that log of marks up to this checkpoint, and the hot log beside this record names all that
   * was changed here since. `peer`: of a copy that took over, the number of the former primary's hot log that it has heard of last; what it got since the
   * checkpoint stands in that log only. Null: after a crash of this node everything has to be compared. Absent: a version that keeps no such log.
   */
  hot: z.object({ log: z.number().int(), checkpoint: z.number().int(), peer: z.number().int().nullable() }).nullish(),
  /**
   * A sync of this disk has failed. The kernel keeps what it could not write as if it were written, and says so once: what is read here may be in memory
   * only. The next resync compares everything and writes all of it again. Absent: no.
   */
  unwritten: z.boolean().optional(),
  /**
   * What stands here is being moved into this directory beside ours, to be kept; durable before the first name moves. Until the record is replaced this copy is
   * used for nothing: neither run, nor made equal to another one, which would remove what has not been moved yet.
   */
  settingAside: z.string().nullish(),
  /**
   * How far the meetings of both copies have gone: grows with every contact, on each side in turn, durably before it has a consequence. Of two copies of one generation neither is ever
   * more than one ahead; one that is two or more behind was set back. Absent: written by a version that does not count.
   */
  contacts: z.number().int().optional(),
  /** What it was when the last generation began: a copy of the former one that is further has met somebody since. */
  leftAtContacts: z.number().int().optional(),
  /** Of a target: a comparison found that this copy differs. It may be the right one of the two: nothing overwrites it before a person has ordered that. */
  foundDifferent: z.boolean().optional(),
  /**
   * At the level `received`: the boot of this server in whose memory changes may be that were acknowledged because the other one has them too. Durable before the first of them; gone
   * when both copies are on disk, or this one goes on alone. In another boot they are lost. Absent: nothing of the kind, or written by a version that does not note it.
   */
  memoryBoot: z.string().optional(),
  /** The same at the level `durable`, for contents of files that were closed and not synced. */
  closedBoot: z.string().optional(),
  /** With `memoryBoot`: this copy was the source of that contact, so that what was synced is on its disk. */
  syncedHere: z.boolean().optional(),
  /** Of a source: that order. Until the target has been made equal, or is found to be. */
  repairsPeer: z.boolean().optional(),
});
export type VolumeRecord = z.infer<typeof volumeRecordSchema>;

/** Of each volume of a module that counts, by the beginning of its identity: places in a configuration change. */
export const contactCountsSchema = z.record(z.string(), z.number().int());
export type ContactCounts = z.infer<typeof contactCountsSchema>;
/** A datagram has room for so much of the identity of each volume; within a module that tells them apart. */
const identityLength = 8;

export function contactCounts(records: readonly VolumeRecord[]): ContactCounts {
  // Asked many times a second for every module.
  const counts: ContactCounts = {};
  for (const { volumeUuid, contacts } of records)
    if (contacts !== undefined) counts[volumeUuid.slice(0, identityLength)] = contacts;
  return counts;
}

/** Any of them. What is not counted on both sides says nothing. */
export function anySetBack(counts: ContactCounts, known: ContactCounts): boolean {
  return Object.entries(counts).some(([volume, count]) => isSetBack(count, known[volume]));
}

/** Of one generation: whoever is so far behind was set back to an image or a snapshot. Counting is done on one side after the other, so one is nothing. */
export function isSetBack(contacts: number | undefined, known: number | undefined): boolean {
  return contacts !== undefined && known !== undefined && known - contacts >= 2;
}
