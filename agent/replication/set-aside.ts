/** What stands in the directory of a copy that was not chosen is moved beside it and kept. Nothing is erased, and nothing is written over. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Fault, keptDataName, keptManifestName, keptManifestSchema } from '../contract/index.ts';
import type { Generation, KeptManifest, VolumeRecord } from '../contract/index.ts';
import { canonicalPath, openBacking } from '../fuse/index.ts';
import {
  Attributes,
  changeMode,
  changeOwner,
  checked,
  cloneMount,
  close,
  currentDirectory,
  descriptorPath,
  E,
  getXattr,
  listXattrs,
  makeDirectoryAt,
  O,
  openAt,
  RENAME,
  renameAt,
  setXattr,
  statOf,
  sync,
} from '../sys/linux.ts';
import { writeDurably } from './durable-file.ts';
import type { RecordStore } from './record-store.ts';

export interface VolumePlace {
  readonly id: string;
  readonly path: string;
  readonly volumeUuid: string;
  readonly directoryFd: number;
}

const directoryFlags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW;

const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** UTC, as a name: 20261123-020800. Only people read it. */
export function timestampName(date: Date): string {
  const day = `${date.getUTCFullYear()}${twoDigits(date.getUTCMonth() + 1)}${twoDigits(date.getUTCDate())}`;
  return `${day}-${twoDigits(date.getUTCHours())}${twoDigits(date.getUTCMinutes())}${twoDigits(date.getUTCSeconds())}`;
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

/** Null also when it is damaged: nobody uses such a copy. */
function readableRecord(store: RecordStore, volumeUuid: string): VolumeRecord | null {
  try {
    return store.read(volumeUuid);
  } catch {
    return null;
  }
}

/**
 * Its directory and manifest are on disk before the record says so, and that before the first name moves: interrupted anywhere, also where the record cannot be
 * read, this is repeated and goes on in the same place. Where not even one name can be moved, the copy stays what it was. Null: there was nothing.
 */
export function setAside(place: VolumePlace, store: RecordStore, keepAside: boolean, now: Date): string | null {
  const former = readableRecord(store, place.volumeUuid);
  const path = canonicalPath(place.path);
  const names = namesIn(place);
  const begun = former?.settingAside ?? unfinishedBeside(path, place.id);
  if (names.length === 0 && begun === null) return null;
  if (!keepAside)
    throw new Fault(
      'directory-not-empty',
      {
        message: `${place.path} is not empty, and the other node’s copy is the good one.`,
        remedy: 'Say that what stands there may be kept aside, or choose this copy.',
      },
      { volume: place.id, entries: names.length },
    );
  const move = new AsideMove(path, begun, now);
  try {
    move.tell(place, former?.generation ?? null, now, false);
    if (former !== null && !former.settingAside)
      store.write({
        ...former,
        format: 2,
        copy: 'stale',
        cleanCheckpoint: null,
        marks: null,
        hot: null,
        settingAside: move.name,
      });
    try {
      move.run(names);
    } catch (error) {
      if (former !== null && move.isEmpty()) {
        store.write({ ...former, format: 1, settingAside: null });
        move.remove();
      }
      throw error;
    }
    move.tell(place, former?.generation ?? null, now, true);
    return move.keptAt;
  } finally {
    move.close();
  }
}

/** Also where the record cannot be read: what has moved tells it. */
export function isHalfMoved(place: VolumePlace, store: RecordStore): boolean {
  if (readableRecord(store, place.volumeUuid)?.settingAside) return true;
  const path = canonicalPath(place.path);
  const name = unfinishedBeside(path, place.id);
  return name !== null && readdirSync(join(dirname(path), name, keptDataName)).length > 0;
}

function namesIn(place: VolumePlace): Buffer[] {
  const backing = openBacking(place.directoryFd, { idsAreGiven: false });
  const entries = backing.list(1);
  backing.close();
  checked(typeof entries === 'number' ? entries : 0, 'list', place.path);
  return typeof entries === 'number' ? [] : entries.map((entry) => entry.name);
}

/** The name of what an earlier order has begun and not finished. */
function unfinishedBeside(path: string, volume: string): string | null {
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.kept-`)) continue;
    const manifest = manifestIn(join(dirname(path), name));
    if (manifest?.volume === volume && !manifest.complete) return name;
  }
  return null;
}

/** Only out of a directory that nobody else can have made or changed. */
function manifestIn(directory: string): KeptManifest | null {
  const fd = openAt(currentDirectory, Buffer.from(directory), directoryFlags);
  if (fd < 0) return null;
  try {
    if (!isOurs(fd)) return null;
    const text = readFileSync(join(descriptorPath(fd), '.holdfast', keptManifestName), 'utf8');
    return keptManifestSchema.parse(JSON.parse(text));
  } catch {
    return null;
  } finally {
    close(fd);
  }
}

function isOurs(fd: number): boolean {
  const attributes = new Attributes();
  return statOf(fd, attributes) >= 0 && attributes.uid === process.geteuid?.() && (attributes.mode & 0o077) === 0;
}

/**
 * Entry by entry, because the directory itself carries the cover, into `data` of a directory that only root can enter: the owner of the data could otherwise
 * put something else into what root copies back later.
 */
class AsideMove {
  readonly name: string;
  readonly keptAt: string;
  readonly #open: number[] = [];
  readonly #path: string;
  readonly #from: number;
  readonly #own: number;
  readonly #data: number;

  constructor(path: string, begun: string | null, now: Date) {
    this.#path = path;
    if (begun !== null && (begun.includes('/') || !begun.startsWith(`${basename(path)}.kept-`)))
      throw this.#notOurs(begun);
    try {
      // One copy of the mount for both directories: rename(2) does not cross mounts, not even to another copy of the same one.
      const parent = this.#keep(checked(cloneMount(dirname(path)), 'open_tree', dirname(path)));
      this.#from = this.#openAt(parent, basename(path));
      this.name = begun ?? newSibling(parent, `${basename(path)}.kept-${timestampName(now)}`);
      this.keptAt = join(dirname(path), this.name);
      if (begun !== null) makeOnce(parent, begun);
      this.#own = this.#openAt(parent, this.name);
      if (!isOurs(this.#own)) throw this.#notOurs(this.name);
      makeOnce(this.#own, '.holdfast');
      makeOnce(this.#own, keptDataName);
      this.#data = this.#openAt(this.#own, keptDataName);
      copyAttributes(this.#from, this.#data);
      // The clone itself is only a place to start from (O_PATH).
      for (const fd of [this.#own, this.#openAt(parent, '.')]) checked(sync(fd, false), 'fsync', this.keptAt);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  tell({ id, path }: VolumePlace, generation: Generation | null, now: Date, complete: boolean): void {
    const own = join(descriptorPath(this.#own), '.holdfast', keptManifestName);
    const earlier = manifestIn(this.keptAt);
    const manifest: KeptManifest = {
      format: 1,
      volume: id,
      path,
      at: earlier?.at ?? now.toISOString(),
      complete,
      generation: earlier?.generation ?? generation,
    };
    writeDurably(own, `${JSON.stringify(manifest)}\n`);
  }

  /** On disk on both sides when it returns. */
  run(names: readonly Buffer[]): void {
    for (const name of names)
      checked(renameAt(this.#from, name, this.#data, name, RENAME.NOREPLACE), 'rename', this.#path);
    for (const fd of [this.#data, this.#from]) checked(sync(fd, false), 'fsync', this.keptAt);
  }

  isEmpty(): boolean {
    return readdirSync(descriptorPath(this.#data)).length === 0;
  }

  /** Of what holds nothing but its manifest. */
  remove(): void {
    rmSync(this.keptAt, { recursive: true });
  }

  close(): void {
    for (const fd of this.#open.splice(0)) close(fd);
  }

  #keep(fd: number): number {
    this.#open.push(fd);
    return fd;
  }

  #openAt(directory: number, name: string): number {
    return this.#keep(checked(openAt(directory, Buffer.from(name), directoryFlags), 'open', this.#path));
  }

  #notOurs(name: string): Fault {
    return new Fault(
      'set-aside-unfinished',
      {
        message: `${join(dirname(this.#path), name)} does not belong to root alone, so nothing is set aside there.`,
        remedy: 'Look at what it is, and move it elsewhere.',
      },
      { path: name },
    );
  }
}

function makeOnce(directory: number, name: string): void {
  const made = makeDirectoryAt(directory, Buffer.from(name), 0o700);
  if (made !== -E.EXIST) checked(made, 'mkdir', name);
}

/** A clock that was set back gives a name a second time. */
function newSibling(parent: number, name: string): string {
  for (let count = 1; ; count += 1) {
    const one = count === 1 ? name : `${name}-${String(count)}`;
    const made = makeDirectoryAt(parent, Buffer.from(one), 0o700);
    if (made === -E.EXIST) continue;
    checked(made, 'mkdir', one);
    return one;
  }
}

/** Owner, access control lists and all other attributes; the mode last, because a change of the owner takes bits of it away. */
function copyAttributes(from: number, to: number): void {
  const attributes = new Attributes();
  checked(statOf(from, attributes), 'stat');
  checked(changeOwner(to, attributes.uid, attributes.gid), 'chown');
  const names = listXattrs(from);
  for (const name of typeof names === 'number' ? [] : names.toString('latin1').split('\0').filter(Boolean)) {
    const value = getXattr(from, Buffer.from(name, 'latin1'));
    if (typeof value !== 'number') checked(setXattr(to, Buffer.from(name, 'latin1'), value, 0), 'setxattr', name);
  }
  checked(changeMode(to, attributes.mode & 0o7777), 'chmod');
}
