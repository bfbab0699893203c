/** A module with several directories, interrupted between two of them: what is set up as it is wanted stays, with its generation. Pure. */
import type { Generation, VolumeRecord, VolumeStatus } from '../contract/index.ts';

export interface StillToSetUp {
  readonly missing: readonly { readonly id: string }[];
  /** Of a good copy that is begun: all directories of a module begin with the same one. */
  readonly generation: Generation | null;
}

/** Nothing has been written since: a module with a directory that is not set up was never started. */
function isAsWanted(record: VolumeRecord, as: 'good' | 'blank'): boolean {
  if (as === 'blank') return record.generation === null;
  return record.generation !== null && record.copy === 'up-to-date' && record.history.length === 0;
}

export function stillToSetUp(
  volumes: readonly { readonly id: string }[],
  known: ReadonlyMap<string, VolumeStatus> | null,
  wanted: { readonly as: 'good' | 'blank'; readonly replaceRecord: boolean },
): StillToSetUp {
  const recordOf = (id: string): VolumeRecord | null => known?.get(id)?.record ?? null;
  const missing = volumes.filter(({ id }) => {
    const record = recordOf(id);
    return record === null || !isAsWanted(record, wanted.as);
  });
  // All of them: nothing was interrupted, and the replicator says so.
  if (wanted.replaceRecord || missing.length === 0) return { missing: volumes, generation: null };
  const begun = volumes.find((volume) => !missing.includes(volume));
  return { missing, generation: begun === undefined ? null : (recordOf(begun.id)?.generation ?? null) };
}
