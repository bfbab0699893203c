/** Setting a directory up as a copy: the first record, and what stood there moved aside, kept for a person to look at. */
import { Fault } from '../contract/index.ts';
import type { Generation, VolumeRecord } from '../contract/index.ts';
import { openBacking } from '../fuse/index.ts';
import { DirectoryRecordDisk, RecordStore } from './record-store.ts';
import { isHalfMoved, setAside, setAsideUnfinished } from './set-aside.ts';
import type { VolumePlace } from './set-aside.ts';
import { freshBlank, freshGood } from './volume-lineage.ts';

export interface SetUp {
  readonly as: 'good' | 'blank';
  readonly generation: Generation | null;
  readonly keepAside: boolean;
  readonly replaceRecord: boolean;
}

/** Throws Fault: already-initialised, directory-not-empty. Interrupted, it can be repeated. */
export function setUp(place: VolumePlace, options: SetUp, now: Date): { record: VolumeRecord; keptAt: string | null } {
  const store = new RecordStore(new DirectoryRecordDisk(place.directoryFd), place.id);
  if (!options.replaceRecord && hasRecord(store, place.volumeUuid))
    throw new Fault(
      'already-initialised',
      {
        message: `${place.path} is set up already.`,
        remedy: 'Say which copy is good, and that the other record may be replaced.',
      },
      { volume: place.id },
    );
  // Half of it lies elsewhere: it would be taken for the whole.
  if (options.as === 'good' && isHalfMoved(place, store)) throw setAsideUnfinished(place);
  const keptAt = options.as === 'blank' ? setAside(place, store, options.keepAside, now) : null;
  const record = options.as === 'good' ? freshGood(place.volumeUuid, options.generation) : freshBlank(place.volumeUuid);
  store.create(record);
  return { record, keptAt };
}

/** A damaged one counts: it is replaced by order only. */
function hasRecord(store: RecordStore, volumeUuid: string): boolean {
  try {
    return store.read(volumeUuid) !== null;
  } catch {
    return true;
  }
}

/** Removes `.holdfast` with everything in it. */
export function removeOwnDirectory(place: VolumePlace): void {
  new RecordStore(new DirectoryRecordDisk(place.directoryFd), place.id).remove();
  const backing = openBacking(place.directoryFd, { idsAreGiven: false });
  const remove = (parent: number, name: Buffer): void => {
    const node = backing.lookup(parent, name);
    if (typeof node === 'number') return;
    const entries = node.type === 0o040000 ? backing.list(node.id) : [];
    for (const entry of typeof entries === 'number' ? [] : entries) remove(node.id, entry.name);
    if (node.type === 0o040000) backing.rmdir(parent, name);
    else backing.unlink(parent, name);
    backing.forget(node.id);
  };
  remove(1, Buffer.from('.holdfast'));
  backing.close();
}
