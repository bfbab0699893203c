/** Setting a directory up as a copy: the first record, and what stood there moved aside, kept for a person to look at. */
import { basename, dirname, join } from 'node:path';
import { Fault } from '../contract/index.ts';
import type { Generation, VolumeRecord } from '../contract/index.ts';
import { canonicalPath, openBacking } from '../fuse/index.ts';
import {
  Attributes,
  changeMode,
  changeOwner,
  checked,
  cloneMount,
  close,
  makeDirectoryAt,
  O,
  openAt,
  renameAt,
  statOf,
  sync,
} from '../sys/linux.ts';
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
  const keptAt = options.as === 'blank' ? moveAside(place, options.keepAside, now) : null;
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

/** Entry by entry, because the directory itself carries the cover. */
function moveAside(place: VolumePlace, keepAside: boolean, now: Date): string | null {
  const backing = openBacking(place.directoryFd, { idsAreGiven: false });
  const entries = backing.list(1);
  backing.close();
  checked(typeof entries === 'number' ? entries : 0, 'list', place.path);
  const names = typeof entries === 'number' ? [] : entries.map((entry) => entry.name);
  if (names.length === 0) return null;
  if (!keepAside)
    throw new Fault(
      'directory-not-empty',
      {
        message: `${place.path} is not empty, and the other node’s copy is the good one.`,
        remedy: 'Say that what stands there may be kept aside, or choose this copy.',
      },
      { volume: place.id, entries: names.length },
    );
  const path = canonicalPath(place.path);
  const keptAt = join(dirname(path), `${basename(path)}.kept-${timestampName(now)}`);
  // One copy of the mount for both directories: rename(2) does not cross mounts, not even to another copy of the same one.
  const parent = checked(cloneMount(dirname(path)), 'open_tree', dirname(path));
  const from = checked(openAt(parent, Buffer.from(basename(path)), O.RDONLY | O.DIRECTORY), 'open', path);
  const to = makeSibling(parent, from, keptAt);
  for (const name of names) checked(renameAt(from, name, to, name), 'rename', path);
  for (const fd of [to, from]) checked(sync(fd, false), 'fsync', keptAt);
  for (const fd of [to, from, parent]) close(fd);
  return keptAt;
}

/** With the mode and owner of the directory it takes over from. */
function makeSibling(parent: number, from: number, keptAt: string): number {
  const name = Buffer.from(basename(keptAt));
  const attributes = new Attributes();
  checked(statOf(from, attributes), 'stat');
  checked(makeDirectoryAt(parent, name, 0o700), 'mkdir', keptAt);
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
