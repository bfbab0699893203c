/** Setting a directory up as a copy: the first record, and what stood there moved aside, kept for a person to look at. */
import { basename, dirname, join } from 'node:path';
import { Fault, keptManifestName } from '../contract/index.ts';
import type { Generation, KeptManifest, VolumeRecord } from '../contract/index.ts';
import { canonicalPath, openBacking } from '../fuse/index.ts';
import {
  Attributes,
  changeMode,
  changeOwner,
  checked,
  cloneMount,
  close,
  E,
  makeDirectoryAt,
  O,
  openAt,
  renameAt,
  statOf,
  sync,
} from '../sys/linux.ts';
import { writeDurably } from './durable-file.ts';
import { DirectoryRecordDisk, RecordStore } from './record-store.ts';
import { freshBlank, freshGood } from './volume-lineage.ts';

export interface SetUp {
  readonly as: 'good' | 'blank';
  readonly generation: Generation | null;
  readonly keepAside: boolean;
  readonly replaceRecord: boolean;
}

export interface VolumePlace {
  readonly id: string;
  readonly path: string;
  readonly volumeUuid: string;
  readonly directoryFd: number;
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** UTC, as a name: 20261123-020800. Only people read it. */
export function timestampName(date: Date): string {
  const day = `${date.getUTCFullYear()}${twoDigits(date.getUTCMonth() + 1)}${twoDigits(date.getUTCDate())}`;
  return `${day}-${twoDigits(date.getUTCHours())}${twoDigits(date.getUTCMinutes())}${twoDigits(date.getUTCSeconds())}`;
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
  if (options.as === 'good' && readable(store, place.volumeUuid)?.settingAside) throw setAsideUnfinished(place);
  const keptAt = options.as === 'blank' ? setAside(place, store, options, now) : null;
  const record = options.as === 'good' ? freshGood(place.volumeUuid, options.generation) : freshBlank(place.volumeUuid);
  store.create(record);
  return { record, keptAt };
}

export function setAsideUnfinished({ id, path }: { readonly id: string; readonly path: string }): Fault {
  return new Fault(
    'set-aside-unfinished',
    {
      message: `What stands in ${path} was being set aside when this was interrupted; nothing is lost.`,
      remedy: 'Order again which server’s version is kept: holdfast fork keep MODULE --node NODE.',
    },
    { volume: id },
  );
}

/** A damaged one counts: it is replaced by order only. */
function hasRecord(store: RecordStore, volumeUuid: string): boolean {
  try {
    return store.read(volumeUuid) !== null;
  } catch {
    return true;
  }
}

/**
 * What stands there goes into a directory beside it, and nothing is erased. The record says so before the first name moves, and where to: interrupted
 * anywhere, this is repeated and goes on in the same place. Null: there was nothing.
 */
function setAside(place: VolumePlace, store: RecordStore, options: SetUp, now: Date): string | null {
  const former = readable(store, place.volumeUuid);
  const begun = former?.settingAside ?? null;
  const names = namesIn(place);
  if (names.length === 0 && begun === null) return null;
  if (!options.keepAside)
    throw new Fault(
      'directory-not-empty',
      {
        message: `${place.path} is not empty, and the other node’s copy is the good one.`,
        remedy: 'Say that what stands there may be kept aside, or choose this copy.',
      },
      { volume: place.id, entries: names.length },
    );
  const path = canonicalPath(place.path);
  const name = begun ?? `${basename(path)}.kept-${timestampName(now)}`;
  if (former !== null && begun === null)
    store.write({ ...former, copy: 'stale', cleanCheckpoint: null, marks: null, settingAside: name });
  return moveAside(path, name, names, (keptAt, complete) => {
    const manifest: KeptManifest = {
      format: 1,
      volume: place.id,
      path: place.path,
      at: now.toISOString(),
      complete,
      generation: former?.generation ?? null,
    };
    writeDurably(join(keptAt, '.holdfast', keptManifestName), `${JSON.stringify(manifest)}\n`);
  });
}

/** Null also when it is damaged: nobody uses such a copy. */
function readable(store: RecordStore, volumeUuid: string): VolumeRecord | null {
  try {
    return store.read(volumeUuid);
  } catch {
    return null;
  }
}

function namesIn(place: VolumePlace): Buffer[] {
  const backing = openBacking(place.directoryFd, { idsAreGiven: false });
  const entries = backing.list(1);
  backing.close();
  checked(typeof entries === 'number' ? entries : 0, 'list', place.path);
  return typeof entries === 'number' ? [] : entries.map((entry) => entry.name);
}

/** Entry by entry, because the directory itself carries the cover. The names are on disk on both sides before `tell` says that all is there. */
function moveAside(
  path: string,
  name: string,
  names: readonly Buffer[],
  tell: (keptAt: string, complete: boolean) => void,
): string {
  const keptAt = join(dirname(path), name);
  // One copy of the mount for both directories: rename(2) does not cross mounts, not even to another copy of the same one.
  const parent = checked(cloneMount(dirname(path)), 'open_tree', dirname(path));
  const from = checked(openAt(parent, Buffer.from(basename(path)), O.RDONLY | O.DIRECTORY), 'open', path);
  const to = makeSibling(parent, from, keptAt);
  const made = makeDirectoryAt(to, Buffer.from('.holdfast'), 0o700);
  if (made !== -E.EXIST) checked(made, 'mkdir', keptAt);
  // The clone itself is only a place to start from (O_PATH).
  const siblings = checked(openAt(parent, Buffer.from('.'), O.RDONLY | O.DIRECTORY), 'open', dirname(path));
  checked(sync(siblings, false), 'fsync', dirname(path));
  close(siblings);
  tell(keptAt, false);
  for (const one of names) checked(renameAt(from, one, to, one), 'rename', path);
  for (const fd of [to, from]) checked(sync(fd, false), 'fsync', keptAt);
  for (const fd of [to, from, parent]) close(fd);
  tell(keptAt, true);
  return keptAt;
}

/** With the mode and owner of the directory it takes over from. It stands there already when this was interrupted. */
function makeSibling(parent: number, from: number, keptAt: string): number {
  const name = Buffer.from(basename(keptAt));
  const attributes = new Attributes();
  checked(statOf(from, attributes), 'stat');
  const made = makeDirectoryAt(parent, name, 0o700);
  if (made !== -E.EXIST) checked(made, 'mkdir', keptAt);
  const fd = checked(openAt(parent, name, O.RDONLY | O.DIRECTORY), 'open', keptAt);
  checked(changeOwner(fd, attributes.uid, attributes.gid), 'chown', keptAt);
  checked(changeMode(fd, attributes.mode & 0o7777), 'chmod', keptAt);
  return fd;
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
