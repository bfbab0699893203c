/**
 * `holdfast restore-kept KEPT TARGET [PATH]` copies what was set aside into a living tree in which users may exchange a directory for a link at any moment. Every directory is opened from its
 * parent's descriptor and never through a link, and every name is used in such a descriptor only: a copy made by root cannot be led out of the tree, or elsewhere in it. What `cp`
 * does with whole paths can.
 */
import { readdirSync } from 'node:fs';
import { Attributes, fileType } from '../sys/attributes.ts';
import { checked, E, errorName } from '../sys/errno.ts';
import * as file from '../sys/file.ts';
import {
  changeMode,
  changeOwner,
  changeTimes,
  close,
  descriptorPath,
  linkAt,
  makeDirectoryAt,
  makeNodeAt,
  mountIdOf,
  O,
  openAt,
  openPath,
  readLinkAt,
  renameAt,
  statAt,
  statOf,
  symbolicLinkAt,
  unlinkAt,
} from '../sys/filesystem.ts';
import { Memory } from '../sys/memory.ts';
import { getXattr, listXattrs, setXattr } from '../sys/xattr.ts';

/** Something else than a directory stands where one is needed: a link, most of all. */
export class LeadsElsewhere extends Error {}

const hidden = '.holdfast';
/** What is being copied stands under it until it is whole: the living version stays until then, and where there is no room for both. */
const unfinished = Buffer.from('.holdfast-restoring');
const directoryFlags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.NONBLOCK;
const chunk = new Memory(1 << 20);
/** Each server's own, or not for this filesystem to take. */
const ignoredXattrErrors: readonly number[] = [-E.OPNOTSUPP, -E.PERM, -E.INVAL];

/** A file of several names: the first that was made, looked for again by its way. */
interface FirstName {
  readonly way: readonly Buffer[];
  readonly inode: number;
}

export class KeptRestorer {
  readonly #links = new Map<number, FirstName>();
  readonly #target: number;

  /** @param target descriptor of the directory that everything stays in. */
  constructor(target: number) {
    this.#target = target;
  }

  /** All of `kept`, or what `path` names in it; the directories above it are made where they are missing. */
  run(kept: number, path: string | null): void {
    const names = path === null ? [] : namesOn(kept, path);
    const last = names.pop();
    if (last === undefined) this.#contents(kept, this.#target, []);
    else this.#below(kept, this.#target, names, [], last);
    checked(file.sync(this.#target, false), 'fsync', '.');
  }

  #below(from: number, to: number, rest: readonly Buffer[], way: readonly Buffer[], last: Buffer): void {
    const [name, ...deeper] = rest;
    if (name === undefined) {
      this.#entry(from, to, last, way);
      return;
    }
    const source = opened(from, name);
    const { fd: target, made } = this.#directoryIn(to, name);
    try {
      if (made) copyAttributes(source, target, attributesOf(source));
      this.#below(source, target, deeper, [...way, name], last);
      checked(file.sync(target, false), 'fsync', name.toString());
    } finally {
      close(source);
      close(target);
    }
  }

  #contents(from: number, to: number, way: readonly Buffer[]): void {
    for (const name of readdirSync(descriptorPath(from), { encoding: 'buffer' }))
      if (way.length > 0 || name.toString() !== hidden) this.#entry(from, to, name, way);
  }

  #entry(from: number, to: number, name: Buffer, way: readonly Buffer[]): void {
    const what = new Attributes();
    checked(statAt(from, name, what), 'stat', name.toString());
    switch (what.mode & fileType.mask) {
      case fileType.directory:
        this.#directory(from, to, name, way, what);
        break;
      case fileType.file:
        this.#file(from, to, name, way, what);
        break;
      case fileType.link: {
        const leadsTo = readLinkAt(from, name);
        if (typeof leadsTo === 'number') throw new Error(`readlink ${name.toString()}: ${errorName(leadsTo)}`);
        clear(to, name);
        checked(symbolicLinkAt(leadsTo, to, name), 'symlink', name.toString());
        finish(from, to, name, what);
        break;
      }
      default:
        clear(to, name);
        checked(makeNodeAt(to, name, what.mode, what.rdev), 'mknod', name.toString());
        finish(from, to, name, what);
    }
  }

  #directory(from: number, to: number, name: Buffer, way: readonly Buffer[], what: Attributes): void {
    const source = opened(from, name);
    const { fd: target } = this.#directoryIn(to, name);
    try {
      this.#contents(source, target, [...way, name]);
      copyAttributes(source, target, what);
      checked(file.sync(target, false), 'fsync', name.toString());
    } finally {
      close(source);
      close(target);
    }
  }

  #directoryIn(parent: number, name: Buffer): { fd: number; made: boolean } {
    const made = makeDirectoryAt(parent, name, 0o700);
    if (made < 0 && made !== -E.EXIST) checked(made, 'mkdir', name.toString());
    return { fd: openedBelow(parent, name), made: made === 0 };
  }

  #file(from: number, to: number, name: Buffer, way: readonly Buffer[], what: Attributes): void {
    const first = what.links > 1 ? this.#links.get(what.inode) : undefined;
    if (first !== undefined) {
      clear(to, name);
      if (this.#linked(first, to, name)) return;
    }
    const source = checked(openAt(from, name, O.RDONLY | O.NOFOLLOW), 'open', name.toString());
    clear(to, unfinished);
    const target = openAt(to, unfinished, O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW, 0o600);
    let placed = false;
    try {
      checked(target, 'create', name.toString());
      copyContent(source, target, what.size);
      copyAttributes(source, target, what);
      // What was set aside may be discarded as soon as this has ended.
      checked(file.sync(target, false), 'fsync', name.toString());
      const renamed = renameAt(to, unfinished, to, name);
      if (renamed === -E.ISDIR) throw new LeadsElsewhere(name.toString());
      placed = checked(renamed, 'rename', name.toString()) === 0;
      if (what.links > 1) this.#links.set(what.inode, { way: [...way, name], inode: attributesOf(target).inode });
    } finally {
      if (!placed) unlinkAt(to, unfinished);
      close(source);
      if (target >= 0) close(target);
    }
  }

  /** False: what was made first is not there any more; a file of its own then. */
  #linked({ way, inode }: FirstName, to: number, name: Buffer): boolean {
    const last = way.at(-1);
    let directory = openAt(this.#target, Buffer.from('.'), directoryFlags);
    for (const part of way.slice(0, -1)) {
      const next = directory < 0 ? directory : openAt(directory, part, directoryFlags);
      if (directory >= 0) close(directory);
      directory = next;
    }
    if (directory < 0 || last === undefined) return false;
    try {
      const there = new Attributes();
      if (statAt(directory, last, there) < 0 || there.inode !== inode) return false;
      return linkAt(directory, last, to, name, 0) === 0;
    } finally {
      close(directory);
    }
  }
}

/** The names that a path leads over, as they stand there. A name that is not UTF-8 is shown with signs in its place, and found by what is shown. */
function namesOn(kept: number, path: string): Buffer[] {
  const names: Buffer[] = [];
  for (const shown of path.split('/')) {
    const exact = Buffer.from(shown);
    const place = [descriptorPath(kept), ...names.map((name) => name.toString('latin1'))].join('/');
    const alike = shown.includes('\ufffd')
      ? readdirSync(Buffer.from(place, 'latin1'), { encoding: 'buffer' }).filter((name) => name.toString() === shown)
      : [];
    if (alike.length > 1)
      throw new Error(`${path}: ${String(alike.length)} names are shown like this one; restore the directory`);
    names.push(alike[0] ?? exact);
  }
  return names;
}

function attributesOf(fd: number): Attributes {
  const what = new Attributes();
  checked(statOf(fd, what), 'stat');
  return what;
}

function opened(parent: number, name: Buffer): number {
  const fd = openAt(parent, name, directoryFlags);
  if (fd === -E.LOOP || fd === -E.NOTDIR) throw new LeadsElsewhere(name.toString());
  return checked(fd, 'open', name.toString());
}

/** The same in the tree that is written to: what somebody has mounted there is another one. */
function openedBelow(parent: number, name: Buffer): number {
  const fd = opened(parent, name);
  if (mountIdOf(descriptorPath(fd)) === mountIdOf(descriptorPath(parent))) return fd;
  close(fd);
  throw new LeadsElsewhere(name.toString());
}

/** A link that stands in the place of a file is removed and not followed. A directory stays: nothing but a directory takes its place. */
function clear(directory: number, name: Buffer): void {
  const removed = unlinkAt(directory, name);
  if (removed === -E.ISDIR) throw new LeadsElsewhere(name.toString());
  if (removed < 0 && removed !== -E.NOENT) checked(removed, 'unlink', name.toString());
}

function copyContent(source: number, target: number, size: number): void {
  for (let at = 0; at < size;) {
    const data = file.seek(source, at, file.SEEK.DATA);
    if (data === -E.NXIO) break;
    const begin = data < 0 ? at : data;
    const hole = data < 0 ? -1 : file.seek(source, begin, file.SEEK.HOLE);
    const end = hole < 0 ? size : hole;
    for (let offset = begin; offset < end;) {
      const count = checked(file.readAt(source, chunk.address(), Math.min(chunk.length, end - offset), offset), 'read');
      if (count === 0) break;
      const written = checked(file.writeAt(target, chunk.address(), count, offset), 'write');
      if (written < count) throw new Error('write: the disk is full, or fails');
      offset += count;
    }
    at = Math.max(end, at + 1);
  }
  checked(file.truncate(target, size), 'truncate');
}

/** Owner before mode: a change of the owner takes the set-id bits. Access lists after the mode, which they refine. Times last: everything else sets them. */
function copyAttributes(source: number, target: number, what: Attributes): void {
  checked(changeOwner(target, what.uid, what.gid), 'chown');
  checked(changeMode(target, what.mode), 'chmod');
  copyXattrs(source, target);
  checked(changeTimes(target, what.accessed, what.modified), 'utimes');
}

function copyXattrs(source: number, target: number): void {
  const names = listXattrs(source);
  if (typeof names === 'number') return;
  for (const name of names.toString('latin1').split('\0')) {
    if (name === '' || name === 'security.selinux') continue;
    const bytes = Buffer.from(name, 'latin1');
    const value = getXattr(source, bytes);
    if (typeof value === 'number') continue;
    const status = setXattr(target, bytes, value, 0);
    if (status < 0 && !ignoredXattrErrors.includes(status)) checked(status, 'setxattr', name);
  }
}

/** Of what cannot be opened: links, pipes, sockets, devices. */
function finish(from: number, to: number, name: Buffer, what: Attributes): void {
  const source = checked(openAt(from, name, O.PATH | O.NOFOLLOW), 'open', name.toString());
  const target = openAt(to, name, O.PATH | O.NOFOLLOW);
  try {
    checked(target, 'open', name.toString());
    // Exchanged since it was made.
    if ((attributesOf(target).mode & fileType.mask) !== (what.mode & fileType.mask))
      throw new LeadsElsewhere(name.toString());
    checked(changeOwner(target, what.uid, what.gid), 'chown');
    if ((what.mode & fileType.mask) !== fileType.link) checked(changeMode(target, what.mode), 'chmod');
    checked(changeTimes(target, what.accessed, what.modified), 'utimes');
  } finally {
    close(source);
    if (target >= 0) close(target);
  }
}

/** Prints the name at which something else than a directory stands, as JSON; null: all was copied. */
export function restoreKeptMain(argv: readonly string[]): number {
  const [kept = '', target = '', path = null] = argv;
  const from = checked(openPath(kept, O.RDONLY | O.DIRECTORY | O.NOFOLLOW), 'open', kept);
  const to = checked(openPath(target, O.RDONLY | O.DIRECTORY), 'open', target);
  try {
    new KeptRestorer(to).run(from, path);
    process.stdout.write('null\n');
  } catch (error) {
    if (!(error instanceof LeadsElsewhere)) throw error;
    process.stdout.write(`${JSON.stringify(error.message)}\n`);
  }
  return 0;
}
