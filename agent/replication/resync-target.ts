/**
 * The secondary's side of a resync: makes each listed directory what the listing says, and asks for the blocks that differ.
 *
 * Nothing here keeps an old version: a stale copy has nothing to keep (forks are refused at contact). What goes is moved to
 * `.holdfast/trash` at once and removed between frames, so that a large old tree does not hold up the stream. What the source moved to where its
 * walk has not been waits in `.holdfast/limbo` under its id.
 */
import { createHash } from 'node:crypto';
import { invariant } from '../contract/index.ts';
import { NameSet, rootId } from '../fuse/index.ts';
import type { Node, NodeId } from '../fuse/index.ts';
import { Attributes } from '../sys/attributes.ts';
import { E } from '../sys/errno.ts';
import type { Memory } from '../sys/memory.ts';
import { checkEntryName, hashBytes, kind, malformed } from './change-codec.ts';
import type { Frame, ListedEntry } from './change-codec.ts';
import { directoryType, linkType, ownIdFirst, setAttributes, TargetError, typeMask } from './tree.ts';
import type { SourceTree, Tree } from './tree.ts';

/** The answer to one `blocks` frame; goes out on the acknowledgement connection. */
export type AnswerBlocks = (sequence: number, needed: Uint8Array) => void;

const holdfastId = ownIdFirst;
const limboId = ownIdFirst + 1;
const trashId = ownIdFirst + 2;
const holdfastName = Buffer.from('.holdfast');
const limboName = Buffer.from('limbo');
const trashName = Buffer.from('trash');
/** Unsynced resync data beyond this is written out, so that the syncfs at the end, and every fsync on the way, stays short. */
const unsyncedBytesMax = 32 * 1024 * 1024;

const keyOf = (name: Buffer): string => name.toString('latin1');

export class ResyncTarget {
  /** Between the first frame of a resync and its `finish`. */
  active = false;
  /** Only what differs is told: what is not named stands here as it stands at the source. */
  byMarks = false;
  readonly #tree: Tree;
  readonly #buffer: Memory;
  readonly #answer: AnswerBlocks;
  readonly #rewrites: boolean;
  readonly #attributes = new Attributes();
  readonly #limbo = new Set<NodeId>();
  /**
   * Inodes that had several names here when one of them was adopted, and whose object each has become: two objects of the source never share
   * one, and the last name of one is not removed while the source still has it.
   */
  readonly #claimed = new Map<number, NodeId>();
  #listing: { id: NodeId; names: NameSet } | null = null;
  #trashCount = 0;
  #unsyncedBytes = 0;
  /** Not the write itself, which a full disk refuses without giving anything up. */
  syncFailed = false;
  /** Directories in the trash that are being emptied, deepest last. */
  readonly #purging: { id: NodeId; parent: NodeId; name: Buffer; left: NameSet; next: number }[] = [];
  #nextOwnId = ownIdFirst + 16;

  /**
   * `buffer`: at least a megabyte, for the comparison. `rewrites`: nothing counts as the same, because what is read may stand in memory only.
   */
  constructor(tree: Tree, buffer: Memory, answer: AnswerBlocks, rewrites = false) {
    this.#rewrites = rewrites;
    this.#tree = tree;
    this.#buffer = buffer;
    this.#answer = answer;
  }

  /** Before the first frame. Leftovers of an interrupted resync become trash. */
  begin(): void {
    this.prepare();
    this.active = true;
    const leftover = this.#tree.list(limboId);
    for (const entry of typeof leftover === 'number' ? [] : leftover) this.#must(this.#discard(limboId, entry.name));
  }

  /** Makes our own directories where they are missing; also what a copy that is in sync needs to empty its trash. */
  prepare(): void {
    this.#directory(holdfastId, rootId, holdfastName);
    this.#directory(limboId, holdfastId, limboName);
    this.#directory(trashId, holdfastId, trashName);
    const old = this.#tree.list(trashId);
    for (const entry of typeof old === 'number' ? [] : old)
      this.#trashCount = Math.max(this.#trashCount, Number.parseInt(entry.name.toString(), 10) || 0);
  }

  #directory(id: NodeId, parent: NodeId, name: Buffer): void {
    const node = this.#tree.bind(id, parent, name);
    if (typeof node !== 'number') return;
    if (node !== -E.NOENT) this.#must(node);
    const made = this.#tree.create(parent, name, directoryType | 0o700, 0, null, id);
    this.#must(typeof made === 'number' ? made : 0);
  }

  #must(status: number): void {
    if (status < 0) throw new TargetError(status);
  }

  /** Counts what will have to be on disk at the end, and starts writing it early. */
  received(bytes: number): void {
    this.#unsyncedBytes += bytes;
    if (this.#unsyncedBytes < unsyncedBytesMax) return;
    this.#unsyncedBytes = 0;
    const status = this.#tree.syncAll();
    this.syncFailed ||= status < 0;
    this.#must(status);
  }

  apply(frame: Frame): number {
    if (!this.active) throw malformed('a part of a resync outside of one');
    try {
      switch (frame.kind) {
        case kind.park:
          return this.#park(frame);
        case kind.listing:
          this.#list(frame);
          return 0;
        case kind.names:
          this.#names(frame);
          return 0;
        case kind.xattrs:
          return this.#setXattrs(frame);
        case kind.blocks:
          return this.#compare(frame);
        case kind.hole:
          return this.#hole(frame);
        default:
          throw malformed('not a part of a resync');
      }
    } catch (error) {
      if (error instanceof TargetError) return error.status;
      throw error;
    }
  }

  /** Everything has been compared. What nobody came to fetch from limbo has no name at the source any more. */
  finish(): void {
    this.#listing = null;
    for (const id of this.#limbo) {
      this.#must(this.#discard(limboId, Buffer.from(String(id))));
      // It may have another name, which nobody had to tell. The source's `forget` ends the id.
      if (this.#tree.node(id)?.unlinked !== false) this.#tree.forget(id);
    }
    this.#limbo.clear();
    this.#claimed.clear();
    this.active = false;
  }

  // --- names ----------------------------------------------------------------------------------------------------------

  /** The application made a name in a directory that is being listed: an old entry of that name gives way. */
  toldName(parent: NodeId, name: Buffer, replaces = false): void {
    if (this.#listing?.id !== parent) return;
    const known = this.#listing.names.has(name);
    this.#listing.names.add(name);
    if (!known && !replaces) {
      const status = this.#discard(parent, name);
      if (status !== -E.NOENT) this.#must(status);
    }
  }

  /** Gives an object a further name, or brings it back from limbo. */
  place(id: NodeId, parent: NodeId, name: Buffer): number {
    if (!this.#limbo.has(id)) return this.#tree.link(id, parent, name);
    this.#limbo.delete(id);
    return this.#tree.rename(limboId, Buffer.from(String(id)), parent, name, 0);
  }

  #park(frame: Frame): number {
    const name = Buffer.from(checkEntryName(frame.name));
    // A further name of what waits already: a rename of one link over another of the same file would leave both.
    const status = this.#limbo.has(frame.id)
      ? this.#tree.unlink(frame.parent, name)
      : this.#tree.rename(frame.parent, name, limboId, Buffer.from(String(frame.id)), 0);
    if (status < 0) return status;
    this.#limbo.add(frame.id);
    return this.#tree.setTimes(frame.parent, null, frame.time);
  }

  /** A name goes. The last one here, but not at the source: the object waits in limbo for its other names. */
  removeName(parent: NodeId, name: Buffer, id: NodeId, linksLeft: number): number {
    if (id > 0 && linksLeft > 0 && !this.#limbo.has(id)) {
      const status = this.#tree.attributes(id, this.#attributes);
      if (status < 0) return status;
      if (this.#attributes.links === 1) {
        this.#limbo.add(id);
        return this.#tree.rename(parent, name, limboId, Buffer.from(String(id)), 0);
      }
    }
    return this.#discard(parent, name);
  }

  forget(id: NodeId): number {
    if (this.#limbo.has(id)) {
      const status = this.#discard(limboId, Buffer.from(String(id)));
      if (status < 0) return status;
      this.#limbo.delete(id);
    }
    this.#tree.forget(id);
    return 0;
  }

  /** An id was given to what stands under a name: a new one, perhaps, for an object that was forgotten in between. */
  bound(id: NodeId): void {
    if (this.#claimed.size === 0) return;
    this.#must(this.#tree.attributes(id, this.#attributes));
    if (this.#claimed.has(this.#attributes.inode)) this.#claimed.set(this.#attributes.inode, id);
  }

  /** Removes the name of something that is not a directory. Was it an old name, but the last one of an object in use, it goes to limbo. */
  #unlink(parent: NodeId, name: Buffer): number {
    if (this.#claimed.size === 0) return this.#tree.unlink(parent, name);
    const there = this.#peek(parent, name);
    if (there === null) return -E.NOENT;
    const id = this.#claimed.get(there.inode);
    const inUse = id !== undefined && this.#tree.node(id) !== undefined && !this.#limbo.has(id);
    if (!inUse || there.links > 1) return this.#tree.unlink(parent, name);
    this.#limbo.add(id);
    return this.#tree.rename(parent, name, limboId, Buffer.from(String(id)), 0);
  }

  /** Removes a name of any type; a directory that is not empty moves to the trash. */
  #discard(parent: NodeId, name: Buffer): number {
    const status = this.#unlink(parent, name);
    if (status !== -E.ISDIR && status !== -E.PERM) return status;
    const removed = this.#tree.rmdir(parent, name);
    if (removed !== -E.NOTEMPTY && removed !== -E.EXIST) return removed;
    this.#trashCount += 1;
    return this.#tree.rename(parent, name, trashId, Buffer.from(String(this.#trashCount)), 0);
  }

  // --- listings -------------------------------------------------------------------------------------------------------

  #list(frame: Frame): void {
    if (this.#listing?.id !== frame.id) this.#listing = { id: frame.id, names: new NameSet() };
    for (const entry of frame.entries) this.#entry(frame.id, entry);
    if (frame.flag) this.#endListing(frame.id);
    this.#must(setAttributes(this.#tree, frame.id, frame.attributes));
  }

  #names(frame: Frame): void {
    for (const entry of frame.entries) {
      if (entry.id !== 0) {
        this.#entry(frame.id, entry);
        continue;
      }
      const status = this.#discard(frame.id, Buffer.from(checkEntryName(entry.name)));
      if (status !== -E.NOENT) this.#must(status);
    }
    this.#must(setAttributes(this.#tree, frame.id, frame.attributes));
  }

  #endListing(id: NodeId): void {
    const there = this.#tree.names(id);
    if (typeof there === 'number') throw new TargetError(there);
    for (const name of there) if (this.#listing?.names.has(name) !== true) this.#must(this.#discard(id, name));
    this.#listing = null;
  }

  #entry(directory: NodeId, entry: ListedEntry): void {
    const name = Buffer.from(checkEntryName(entry.name));
    this.#listing?.names.add(name);
    if (this.#tree.node(entry.id) !== undefined) {
      this.#knownEntry(directory, name, entry.id);
      return;
    }
    if (!this.#adopt(directory, name, entry)) {
      const status = this.#discard(directory, name);
      if (status !== -E.NOENT) this.#must(status);
      const target = (entry.attributes.mode & typeMask) === linkType ? Buffer.from(entry.target) : null;
      const { mode, rdev } = entry.attributes;
      const node = this.#tree.create(directory, name, mode, rdev, target, entry.id);
      this.#must(typeof node === 'number' ? node : 0);
    }
    this.#must(setAttributes(this.#tree, entry.id, entry.attributes));
  }

  /** Another name of an object that the target knows: a hard link, or something that waits in limbo. */
  #knownEntry(directory: NodeId, name: Buffer, id: NodeId): void {
    this.#must(this.#tree.attributes(id, this.#attributes));
    const { inode } = this.#attributes;
    const there = this.#peek(directory, name);
    if (there !== null && there.inode === inode) {
      // An old name of the very same file; then limbo is not needed.
      if (this.#limbo.delete(id)) this.#must(this.#tree.unlink(limboId, Buffer.from(String(id))));
      return;
    }
    if (there !== null) this.#must(this.#discard(directory, name));
    this.#must(this.place(id, directory, name));
  }

  /** Attributes of what stands there now, null when nothing does. Reused. */
  #peek(directory: NodeId, name: Buffer): Attributes | null {
    const node = this.#tree.lookup(directory, name);
    if (node === -E.NOENT) return null;
    if (typeof node === 'number') throw new TargetError(node);
    this.#must(this.#tree.attributes(node.id, this.#attributes));
    this.#tree.forget(node.id);
    return this.#attributes;
  }

  /** Takes what stands there already as the listed object, when it can become that by changing contents and attributes only. */
  #adopt(directory: NodeId, name: Buffer, entry: ListedEntry): boolean {
    const there = this.#peek(directory, name);
    if (there === null) return false;
    const type = entry.attributes.mode & typeMask;
    if ((there.mode & typeMask) !== type) return false;
    const { inode, links, rdev } = there;
    // Its other names may belong to something that is not told, because it is as it was.
    if (this.byMarks && type !== directoryType && links > 1) return false;
    if (type !== directoryType && this.#claimed.has(inode)) return false;
    if (type !== directoryType && type !== 0o100000 && type !== linkType && rdev !== entry.attributes.rdev)
      return false;
    const node = this.#tree.bind(entry.id, directory, name);
    this.#must(typeof node === 'number' ? node : 0);
    if (type === linkType && !this.#sameTarget(node as Node, entry.target)) {
      this.#tree.forget(entry.id);
      return false;
    }
    if (type !== directoryType && links > 1) this.#claimed.set(inode, entry.id);
    return true;
  }

  #sameTarget(node: Node, target: Buffer): boolean {
    const ours = this.#tree.readlink(node.id);
    return typeof ours !== 'number' && ours.equals(target);
  }

  // --- contents -------------------------------------------------------------------------------------------------------

  #setXattrs(frame: Frame): number {
    const ours = this.#tree.listXattrs(frame.id);
    if (typeof ours === 'number' && ours !== -E.OPNOTSUPP) return ours;
    const wanted = new Set(frame.xattrs.map(([name]) => keyOf(name)));
    for (const name of typeof ours === 'number' ? [] : ours) {
      if (wanted.has(keyOf(name))) continue;
      const status = this.#tree.removeXattr(frame.id, name);
      if (status < 0 && status !== -E.NODATA) return status;
    }
    for (const [name, value] of frame.xattrs) {
      const there = this.#tree.getXattr(frame.id, name);
      if (typeof there !== 'number' && there.equals(value)) continue;
      const status = this.#tree.setXattr(frame.id, name, value);
      if (status < 0) return status;
    }
    return 0;
  }

  #compare(frame: Frame): number {
    invariant(frame.blockSize <= this.#buffer.length, 'a block fits into the buffer');
    const count = frame.bytes.length / hashBytes;
    const needed = new Uint8Array(Math.ceil(count / 8));
    for (let block = 0; block < count; block++) {
      const at = block * frame.blockSize;
      const wanted = Math.min(frame.blockSize, frame.size - at);
      const length = this.#tree.read(frame.id, this.#buffer.address(), wanted, frame.offset + at);
      if (length < 0) return length;
      const same =
        !this.#rewrites &&
        length === wanted &&
        createHash('sha256')
          .update(this.#buffer.bytes.subarray(0, length))
          .digest()
          .equals(frame.bytes.subarray(block * hashBytes, (block + 1) * hashBytes));
      if (!same) needed[block >> 3] = (needed[block >> 3] ?? 0) | (1 << (block & 7));
    }
    this.#answer(frame.sequence, needed);
    return 0;
  }

  /** Nothing but zeros there: whatever data we have goes. */
  #hole(frame: Frame): number {
    const { id, offset, size } = frame;
    const data = this.#tree.seek(id, offset, 3);
    const hasData = data >= 0 && data < offset + size;
    // After a failed sync zeros may be in memory only, too.
    if (hasData || this.#rewrites) {
      const punch = 1 | 2;
      const status = this.#tree.allocate(id, punch, offset, size);
      if (status < 0 && (hasData || status !== -E.OPNOTSUPP)) return status;
    }
    return this.#tree.setTimes(id, null, frame.time);
  }

  // --- trash ----------------------------------------------------------------------------------------------------------

  /** Removes some of the trash; false when there is none. For when the stream is quiet. */
  purge(entriesMax: number): boolean {
    try {
      for (let count = 0; count < entriesMax; count++) if (!this.#purgeOne()) return false;
      return true;
    } catch (error) {
      // Trash is only space: what cannot be removed now is tried again by the next resync.
      if (error instanceof TargetError) return false;
      throw error;
    }
  }

  /** Something in it may be a further name of a file that is in use. */
  hasTrash(): boolean {
    const left = this.#tree.list(trashId);
    return this.#purging.length > 0 || typeof left === 'number' || left.length > 0;
  }

  #purgeOne(): boolean {
    const deepest = this.#purging.at(-1);
    if (!deepest) {
      const first = this.#tree.list(trashId);
      if (typeof first === 'number' || first.length === 0) return false;
      const name = first[0]?.name;
      if (name) this.#remove(trashId, name);
      return true;
    }
    const place = deepest.left.seek(deepest.next);
    if (place >= 0) {
      deepest.next = deepest.left.after(place);
      this.#remove(deepest.id, deepest.left.nameAt(place));
      return true;
    }
    this.#purging.pop();
    this.#must(this.#tree.rmdir(deepest.parent, deepest.name));
    this.#tree.forget(deepest.id);
    return true;
  }

  #remove(parent: NodeId, name: Buffer): void {
    const status = this.#unlink(parent, name);
    if (status === 0) return;
    if (status !== -E.ISDIR && status !== -E.PERM) this.#must(status);
    const id = this.#nextOwnId++;
    const node = this.#tree.bind(id, parent, name);
    this.#must(typeof node === 'number' ? node : 0);
    const left = this.#tree.names(id);
    if (typeof left === 'number') throw new TargetError(left);
    this.#purging.push({ id, parent, name, left, next: 0 });
  }
}

/** Trash or parked objects of a time as a target, which are removed when this copy is one again. Under ids like any other: nothing of a role is bound. */
export function hasLeftovers(tree: SourceTree): boolean {
  const own = tree.lookup(rootId, holdfastName);
  if (typeof own === 'number') return false;
  let found = false;
  for (const name of [limboName, trashName]) {
    const place = tree.lookup(own.id, name);
    if (typeof place === 'number') continue;
    const left = tree.list(place.id);
    found ||= typeof left === 'number' || left.length > 0;
    tree.forget(place.id);
  }
  tree.forget(own.id);
  return found;
}
