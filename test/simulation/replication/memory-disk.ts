/**
 * A filesystem in memory that forgets what was not synced when its machine loses power. Metadata is journaled as on ext4: a sync of one
 * file commits every change of names and attributes so far, and the data of that file; other data may be lost (zeros) or not.
 */
import type { Attributes } from '../../../agent/sys/attributes.ts';
import { E } from '../../../agent/sys/errno.ts';

export interface Inode {
  readonly number: number;
  readonly type: number;
  permissions: number;
  uid: number;
  gid: number;
  readonly rdev: number;
  links: number;
  data: Buffer;
  readonly target: Buffer;
  /** Of directories: name (latin1) → inode number. */
  readonly entries: Map<string, number>;
  readonly xattrs: Map<string, Buffer>;
  accessed: { seconds: number; nanoseconds: number };
  modified: { seconds: number; nanoseconds: number };
}

const directory = 0o040000;
const nothing = Buffer.alloc(0);
const pageBytes = 4096;

/** Contents are never changed in place once they are shared: `write` copies. */
function copyInode(inode: Inode, data: Buffer): Inode {
  return {
    ...inode,
    data,
    entries: new Map(inode.entries),
    xattrs: new Map(inode.xattrs),
    accessed: { ...inode.accessed },
    modified: { ...inode.modified },
  };
}

/** Contents are replaced, not changed: each is counted once. */
const countedPages = new WeakMap<Buffer, number>();
const emptyPage = Buffer.alloc(pageBytes);

/** Bytes of the pages that hold something. */
function pagesOf(data: Buffer): number {
  let bytes = countedPages.get(data);
  if (bytes !== undefined) return bytes;
  bytes = 0;
  for (let at = 0; at < data.length; at += pageBytes) {
    const page = data.subarray(at, at + pageBytes);
    if (!page.equals(emptyPage.subarray(0, page.length))) bytes += pageBytes;
  }
  countedPages.set(data, bytes);
  return bytes;
}

/** Opaque: what `restore` puts back. */
export type DiskImage = ReadonlyMap<number, Inode>;

export class MemoryDisk {
  inodes = new Map<number, Inode>();
  #durable = new Map<number, Inode>();
  #next = 2;
  #clock = 0;
  /** Pages that could not be written: they read as if they had been, and no later sync writes them. By inode. */
  #lost = new Map<number, Set<number>>();
  /** The next sync finds that it could not write. */
  failsNextSync = false;
  /** Infinity: never full. */
  capacityBytes = Infinity;

  constructor() {
    this.inodes.set(1, this.#inode(1, directory, 0o755, 0, Buffer.alloc(0)));
    // As after the set-up: the record stands there.
    this.make(this.get(1), '.holdfast', directory, 0o700, 0, nothing);
    this.syncAll();
  }

  /** A page for each object, and for what of it is no hole; files without a name that somebody has open included. */
  get freeBytes(): number {
    if (this.capacityBytes === Infinity) return Infinity;
    let used = 0;
    for (const { data } of this.inodes.values()) used += pageBytes + pagesOf(data);
    return this.capacityBytes - used;
  }

  #inode(number: number, type: number, permissions: number, rdev: number, target: Buffer): Inode {
    const now = this.now();
    return {
      number,
      type,
      permissions,
      uid: 0,
      gid: 0,
      rdev,
      links: type === directory ? 2 : 0,
      data: Buffer.alloc(0),
      target,
      entries: new Map(),
      xattrs: new Map(),
      accessed: now,
      modified: { ...now },
    };
  }

  now(): { seconds: number; nanoseconds: number } {
    this.#clock += 1;
    return { seconds: 1000 + this.#clock, nanoseconds: this.#clock % 1000 };
  }

  get(number: number): Inode {
    const inode = this.inodes.get(number);
    if (!inode) throw new Error(`inode ${number} is gone`);
    return inode;
  }

  make(parent: Inode, name: string, type: number, permissions: number, rdev: number, target: Buffer): Inode | number {
    if (parent.entries.has(name)) return -E.EXIST;
    if (this.freeBytes < pageBytes) return -E.NOSPC;
    const inode = this.#inode(this.#next++, type, permissions, rdev, target);
    this.inodes.set(inode.number, inode);
    parent.entries.set(name, inode.number);
    if (type !== directory) inode.links = 1;
    parent.modified = this.now();
    return inode;
  }

  makeUnnamed(permissions: number): Inode {
    const inode = this.#inode(this.#next++, 0o100000, permissions, 0, nothing);
    this.inodes.set(inode.number, inode);
    return inode;
  }

  link(inode: Inode, parent: Inode, name: string): number {
    if (parent.entries.has(name)) return -E.EXIST;
    if (inode.type === directory) return -E.PERM;
    parent.entries.set(name, inode.number);
    inode.links += 1;
    parent.modified = this.now();
    return 0;
  }

  unlink(parent: Inode, name: string, asDirectory: boolean): number {
    const number = parent.entries.get(name);
    if (number === undefined) return -E.NOENT;
    const inode = this.get(number);
    if (asDirectory !== (inode.type === directory)) return asDirectory ? -E.NOTDIR : -E.ISDIR;
    if (inode.type === directory && inode.entries.size > 0) return -E.NOTEMPTY;
    parent.entries.delete(name);
    inode.links -= inode.type === directory ? 2 : 1;
    parent.modified = this.now();
    return 0;
  }

  #isBelow(directoryNumber: number, candidate: number): boolean {
    if (directoryNumber === candidate) return true;
    for (const child of this.get(directoryNumber).entries.values())
      if (this.get(child).type === directory && this.#isBelow(child, candidate)) return true;
    return false;
  }

  rename(from: Inode, name: string, to: Inode, toName: string, exchange: boolean): number {
    const moved = from.entries.get(name);
    const there = to.entries.get(toName);
    if (moved === undefined || (exchange && there === undefined)) return -E.NOENT;
    const node = this.get(moved);
    if (node.type === directory && this.#isBelow(moved, to.number)) return -E.INVAL;
    if (exchange && there !== undefined) {
      if (this.get(there).type === directory && this.#isBelow(there, from.number)) return -E.INVAL;
      from.entries.set(name, there);
      to.entries.set(toName, moved);
    } else if (there === moved) {
      return 0;
    } else {
      if (there !== undefined) {
        const old = this.get(there);
        if ((old.type === directory) !== (node.type === directory))
          return old.type === directory ? -E.ISDIR : -E.NOTDIR;
        const status = this.unlink(to, toName, old.type === directory);
        if (status < 0) return status;
      }
      from.entries.delete(name);
      to.entries.set(toName, moved);
    }
    from.modified = this.now();
    to.modified = this.now();
    return 0;
  }

  write(inode: Inode, bytes: Buffer, offset: number): number {
    const end = offset + bytes.length;
    const more = Math.max(0, end - inode.data.length);
    const data = Buffer.concat([inode.data, Buffer.alloc(more)]);
    bytes.copy(data, offset);
    if (this.capacityBytes !== Infinity && pagesOf(data) - pagesOf(inode.data) > this.freeBytes) return -E.NOSPC;
    inode.data = data;
    this.#rewritten(inode, offset, end);
    inode.modified = this.now();
    return 0;
  }

  /** What is dirty again is written again, a page at a time. */
  #rewritten(inode: Inode, start: number, end: number): void {
    for (let page = Math.floor(start / pageBytes); page * pageBytes < end; page++)
      this.#lost.get(inode.number)?.delete(page);
  }

  punch(inode: Inode, offset: number, length: number): void {
    const end = Math.min(inode.data.length, offset + length);
    inode.data = Buffer.from(inode.data);
    inode.data.fill(0, offset, end);
    this.#rewritten(inode, offset, end);
  }

  truncate(inode: Inode, size: number): void {
    // Pages behind the new end are gone, the one that it lies in is written again.
    if (size < inode.data.length) this.#rewritten(inode, size, inode.data.length);
    inode.data =
      size <= inode.data.length
        ? Buffer.from(inode.data.subarray(0, size))
        : Buffer.concat([inode.data, Buffer.alloc(size - inode.data.length)]);
    inode.modified = this.now();
  }

  attributes(inode: Inode, into: Attributes): void {
    into.inode = inode.number;
    into.size = inode.data.length;
    into.mode = inode.type | inode.permissions;
    into.links = inode.links;
    into.uid = inode.uid;
    into.gid = inode.gid;
    into.rdev = inode.rdev;
    Object.assign(into.accessed, inode.accessed);
    Object.assign(into.modified, inode.modified);
  }

  /** What a sync brings to the disk: not the pages that it has given up. */
  #written(inode: Inode): Buffer {
    const lost = this.#lost.get(inode.number);
    if (lost === undefined || lost.size === 0) return inode.data;
    const data = Buffer.from(inode.data);
    const old = this.#durable.get(inode.number)?.data ?? nothing;
    for (const page of lost) {
      const end = Math.min(data.length, (page + 1) * pageBytes);
      data.fill(0, page * pageBytes, end);
      old.subarray(page * pageBytes, end).copy(data, page * pageBytes);
    }
    return data;
  }

  /** Once: names and sizes are journaled later, whatever data has changed since the last sync is lost. */
  #fail(): boolean {
    if (!this.failsNextSync) return false;
    this.failsNextSync = false;
    for (const inode of this.inodes.values()) {
      const old = this.#durable.get(inode.number)?.data ?? nothing;
      for (let at = 0; at < inode.data.length; at += pageBytes) {
        if (inode.data.subarray(at, at + pageBytes).equals(old.subarray(at, at + pageBytes))) continue;
        const lost = this.#lost.get(inode.number) ?? new Set();
        this.#lost.set(inode.number, lost.add(at / pageBytes));
      }
    }
    return true;
  }

  /** 0 or -errno. */
  syncAll(): number {
    if (this.#fail()) return -E.IO;
    this.#durable = new Map(
      [...this.inodes].map(([number, inode]) => [number, copyInode(inode, this.#written(inode))]),
    );
    return 0;
  }

  sync(synced: Inode): number {
    if (this.#fail()) return -E.IO;
    const next = new Map<number, Inode>();
    for (const [number, inode] of this.inodes) {
      const old = this.#durable.get(number)?.data ?? nothing;
      let data = old;
      if (old.length !== inode.data.length) {
        data = Buffer.alloc(inode.data.length);
        old.copy(data);
      }
      next.set(number, copyInode(inode, inode === synced ? this.#written(inode) : data));
    }
    this.#durable = next;
    return 0;
  }

  /** A file in the root as it is read now; null: there is none. */
  content(name: string): Buffer | null {
    const number = this.get(1).entries.get(name);
    return number === undefined ? null : this.get(number).data;
  }

  /** What a power cut now would leave of a file in the root; null: nothing. */
  durableContent(name: string): Buffer | null {
    const number = this.#durable.get(1)?.entries.get(name);
    return (number === undefined ? undefined : this.#durable.get(number))?.data ?? null;
  }

  /** `survives`: of everything unsynced, whether it happened to reach the disk. */
  powerCut(survives: boolean): void {
    this.failsNextSync = false;
    if (survives) this.syncAll();
    this.#lost.clear();
    this.inodes = new Map([...this.#durable].map(([number, inode]) => [number, copyInode(inode, inode.data)]));
  }

  /** What is durable now. */
  image(): DiskImage {
    return new Map([...this.#durable].map(([number, inode]) => [number, copyInode(inode, inode.data)]));
  }
  restore(image: DiskImage): void {
    this.#durable = new Map([...image].map(([number, inode]) => [number, copyInode(inode, inode.data)]));
    this.powerCut(false);
  }

  describeDurable(): string[] {
    const now = this.inodes;
    this.inodes = this.#durable;
    try {
      return this.describe();
    } finally {
      this.inodes = now;
    }
  }

  /** Every name below, its attributes and content; inode numbers only as far as they say which names are one file. */
  describe(): string[] {
    const lines: string[] = [];
    const firstNames = new Map<number, string>();
    const visit = (inode: Inode, path: string): void => {
      const shared = inode.type === directory ? undefined : firstNames.get(inode.number);
      firstNames.set(inode.number, path);
      const xattrs = [...inode.xattrs].map(([key, value]) => `${key}=${value.toString('hex')}`).sort();
      const time = `${inode.modified.seconds}.${inode.modified.nanoseconds}`;
      lines.push(
        shared !== undefined
          ? `${path} is ${shared}`
          : `${path} ${(inode.type | inode.permissions).toString(8)} ${inode.uid}:${inode.gid} ${inode.rdev} ${time} ` +
              `${inode.target.toString()} [${xattrs.join()}] ${inode.data.length} ${inode.data.toString('base64')}`,
      );
      for (const name of [...inode.entries.keys()].sort())
        if (!(inode.number === 1 && name === '.holdfast')) visit(this.get(inode.entries.get(name)!), `${path}/${name}`);
    };
    visit(this.get(1), '');
    return lines;
  }
}
