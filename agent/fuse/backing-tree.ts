/** The tree of the replicated directory: names, links and the nodes that they lead to. See Backing. */
import {
  AT,
  close,
  E,
  fileType,
  handleOf,
  linkAt,
  makeDirectoryAt,
  makeNodeAt,
  O,
  openAt,
  openHandle,
  RENAME,
  renameAt,
  removeXattr,
  reopen,
  statAt,
  statOf,
  symbolicLinkAt,
  unlinkAt,
  Attributes,
} from '../sys/linux.ts';
import { NodeTable, rootId } from './node-table.ts';
import type { Name, Node, NodeId, TableNode } from './node-table.ts';
import { OpenFileCache } from './open-file-cache.ts';
import { Orphans } from './orphans.ts';
import type { RecordMemory } from './node-records.ts';

/** A negative errno, as the kernel returns it, or 0. */
export type Errno = number;

const nothing = Buffer.alloc(0);
/** A target meets objects that the stream has not named yet: their ids must never be ones that the stream will use. */
const ownIdsOfTarget = 2 ** 52;
const permissionBits = 0o7777;
const accessAcl = Buffer.from('system.posix_acl_access');

/** One component of a path. A name with a slash would reach out of the directory. */
function isName(name: Name): boolean {
  if (name.length === 0 || name.includes(0x2f) || name.includes(0)) return false;
  return !(name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e)));
}

export interface BackingOptions {
  /** A target, where the stream says which id means what. A primary gives them itself. */
  readonly idsAreGiven: boolean;
  /** Nodes that are kept as objects; see NodeTable. */
  readonly objectsMax?: number;
  /** Of a primary that a successor may take over from: where it finds the nodes, and the first id that no predecessor has given. */
  readonly kept?: { readonly nodes: RecordMemory; readonly firstId: NodeId };
}

export class BackingTree {
  /** Open on the directory itself, reached by a private clone of its mount. Belongs to whoever opened it. */
  readonly directoryFd: number;
  readonly nodes: NodeTable;
  /** Null: nobody takes over, so files without a name are held by their descriptors alone. */
  readonly orphans: Orphans | null;
  protected readonly files: OpenFileCache;
  protected readonly scratch = new Attributes();

  constructor(directoryFd: number, options: BackingOptions) {
    this.directoryFd = directoryFd;
    const { idsAreGiven, objectsMax, kept } = options;
    const firstOwnId = idsAreGiven ? ownIdsOfTarget : Math.max(rootId + 1, kept?.firstId ?? 0);
    this.nodes = new NodeTable(directoryFd, firstOwnId, objectsMax, idsAreGiven ? 1 : 0, kept?.nodes);
    this.orphans = kept ? new Orphans(directoryFd) : null;
    this.files = new OpenFileCache((id) => this.open(id, O.RDWR));
  }

  /** See NodeTable. */
  putIdleAside(): void {
    this.nodes.putIdleAside();
  }

  /** In the table already? Root always is. */
  node(id: NodeId): Node | undefined {
    return this.nodes.get(id);
  }

  /** Finds or makes the node of parent/name (a new one gets the next id) and holds it: give it back with `forget`. */
  lookup(parent: NodeId, name: Name): Node | Errno {
    const directory = this.nodes.get(parent);
    if (!directory) return -E.STALE;
    const node = this.find(directory, name, this.scratch);
    if (typeof node !== 'number') node.holds += 1;
    return node;
  }

  /** Target: from now on `id` means the object that stands at parent/name. Binding again replaces. */
  bind(id: NodeId, parent: NodeId, name: Name): Node | Errno {
    const directory = this.nodes.get(parent);
    if (!directory) return -E.STALE;
    return this.#found(directory, name, id);
  }

  /** One more hold on a node that is in the table; `forget` gives it back. */
  hold(id: NodeId): void {
    const node = this.nodes.get(id);
    if (node) node.holds += 1;
  }

  /** Gives back a hold of `lookup`, or the id of `bind` and `create`. True: the id is gone. */
  forget(id: NodeId): boolean {
    const node = this.nodes.get(id);
    if (!node) return true;
    if (node.holds > 0) node.holds -= 1;
    const gone = this.nodes.collect(node);
    if (gone) this.files.close(id);
    return gone;
  }

  /** An O_PATH descriptor of a node, for this call. */
  descriptor(id: NodeId): number {
    const node = this.nodes.get(id);
    return node ? this.nodes.descriptor(node) : -E.STALE;
  }

  /** The node of parent/name, allocated when new; `attributes` are its. */
  find(parent: TableNode, name: Name, attributes: Attributes): TableNode | Errno {
    if (!isName(name)) return -E.INVAL;
    const directory = this.nodes.descriptor(parent);
    if (directory < 0) return directory;
    const handle = handleOf(directory, name);
    if (typeof handle === 'number') return handle;
    const status = statAt(directory, name, attributes);
    if (status < 0) return status;
    const node = this.nodes.withHandle(handle) ?? this.nodes.add(handle, attributes.mode & fileType.mask);
    this.nodes.addLink(node, parent, Buffer.from(name));
    return node;
  }

  #found(parent: TableNode, name: Name, id: NodeId): TableNode | Errno {
    if (!isName(name)) return -E.INVAL;
    const directory = this.nodes.descriptor(parent);
    if (directory < 0) return directory;
    const handle = handleOf(directory, name);
    if (typeof handle === 'number') return handle;
    const status = statAt(directory, name, this.scratch);
    if (status < 0) return status;
    const known = this.nodes.get(id);
    if (known?.handle.equals(handle)) {
      this.nodes.addLink(known, parent, Buffer.from(name));
      return known;
    }
    this.files.close(id);
    const node = this.nodes.add(handle, this.scratch.mode & fileType.mask, id);
    node.holds = 1;
    this.nodes.addLink(node, parent, Buffer.from(name));
    return node;
  }

  /** All types but hard links; type in `mode`, permission bits less the thread's umask. `id`: given by the stream. */
  create(parent: NodeId, name: Name, mode: number, rdev: number, target: Buffer | null, id?: NodeId): Node | Errno {
    const directory = this.nodes.get(parent);
    if (!directory) return -E.STALE;
    const status = this.make(directory, name, mode, rdev, target);
    if (status < 0) return status;
    return id === undefined ? this.lookup(parent, name) : this.#found(directory, name, id);
  }

  /** Target: a regular file without a name and without the access rules of any directory; `link` gives it its first name. */
  createUnnamed(id: NodeId, mode: number): Node | Errno {
    const fd = openAt(this.directoryFd, Buffer.from('.'), O.TMPFILE | O.RDWR, mode & permissionBits);
    if (fd < 0) return fd;
    const handle = handleOf(fd, nothing);
    const pinned = typeof handle === 'number' ? handle : reopen(fd, O.PATH);
    const removed = removeXattr(fd, accessAcl);
    close(fd);
    if (typeof handle === 'number') return handle;
    if (pinned < 0) return pinned;
    if (removed < 0 && removed !== -E.NODATA && removed !== -E.OPNOTSUPP) {
      close(pinned);
      return removed;
    }
    this.files.close(id);
    const node = this.nodes.add(handle, fileType.file, id);
    this.nodes.pinOpened(node, pinned);
    node.holds = 1;
    return node;
  }

  /** Makes an object of any type and leaves the table alone. */
  make(parent: TableNode, name: Name, mode: number, rdev: number, target: Buffer | null): Errno {
    if (!isName(name)) return -E.INVAL;
    const directory = this.nodes.descriptor(parent);
    if (directory < 0) return directory;
    const type = mode & fileType.mask;
    if (type === fileType.directory) return makeDirectoryAt(directory, name, mode & permissionBits);
    if (type === fileType.link) return symbolicLinkAt(target ?? nothing, directory, name);
    return makeNodeAt(directory, name, mode, rdev);
  }

  link(id: NodeId, parent: NodeId, name: Name): Errno {
    const node = this.nodes.get(id);
    const directory = this.nodes.get(parent);
    if (!node || !directory) return -E.STALE;
    const status = this.linkOnDisk(node, directory, name);
    if (status === 0) this.nodes.addLink(node, directory, Buffer.from(name));
    return status;
  }

  /** The first half of a link: the disk has it, the table not yet. */
  linkOnDisk(node: TableNode, parent: TableNode, name: Name): Errno {
    if (!isName(name)) return -E.INVAL;
    const fd = this.nodes.descriptor(node);
    const directory = this.nodes.descriptor(parent);
    if (fd < 0 || directory < 0) return Math.min(fd, directory);
    if (node.orphan && this.orphans) {
      const status = this.orphans.give(node.id, directory, name);
      if (status === 0) this.#setOrphan(node, false);
      return status;
    }
    return linkAt(fd, nothing, directory, name, AT.EMPTY_PATH);
  }

  #setOrphan(node: TableNode, orphan: boolean): void {
    node.orphan = orphan;
    this.nodes.recordAgain(node);
  }

  /** A file that has just been made without a name. Without a link it only cannot be found by a successor. */
  keepUnnamed(node: TableNode, fd: number): void {
    if (this.orphans?.link(fd, node.id) === 0) this.#setOrphan(node, true);
  }

  /** A predecessor has given an orphan its first name. */
  hasGotName(node: TableNode): void {
    if (node.orphan) this.#setOrphan(node, false);
  }

  /**
   * Whoever is at one of these places has its name; whoever the table believes there, and is not, has lost it. All are found before anybody loses anything: a directory that
   * was moved from one of them to the other is not gone.
   */
  lookAgain(places: readonly { readonly parent: TableNode; readonly name: Name }[]): void {
    for (const { parent } of places) parent.holds += 1;
    const found = places.map(({ parent, name }) => this.find(parent, name, this.scratch));
    places.forEach(({ parent, name }, index) => {
      for (const node of this.nodes.withLink(parent, name))
        if (node !== found[index]) this.recordRemoved(parent, name, node);
    });
    for (const { parent } of places) parent.holds -= 1;
  }

  /**
   * Files without a name that a predecessor had; it may have been killed between a link and the note of it. Why one that is open is not found; null: all are.
   */
  adoptOrphans(isOpen: (id: NodeId) => boolean): string | null {
    const { orphans } = this;
    if (!orphans) return null;
    for (const id of orphans.ids()) if (!isOpen(id) || !this.#adoptOrphan(id)) orphans.remove(id);
    for (const node of [...this.nodes.orphans()]) {
      if (node.pinned) continue;
      const fd = this.nodes.descriptor(node);
      const hasName = fd >= 0 && statOf(fd, this.scratch) === 0 && this.scratch.links > 0;
      if (!hasName && isOpen(node.id)) return 'a file without a name is not there any more';
      this.#setOrphan(node, false);
    }
    return null;
  }

  /** False: its link was not needed yet, or is not any more. */
  #adoptOrphan(id: NodeId): boolean {
    const node = this.nodes.get(id);
    const fd = node ? (this.orphans?.open(id) ?? -1) : -1;
    if (!node || fd < 0) return false;
    const handle = handleOf(fd, nothing);
    const isIt = typeof handle !== 'number' && handle.equals(node.handle);
    if (!isIt || statOf(fd, this.scratch) < 0 || this.scratch.links !== 1) {
      close(fd);
      return false;
    }
    this.nodes.pinOpened(node, fd);
    this.#setOrphan(node, true);
    return true;
  }

  /** Nobody has it open any more. */
  letGoOrphan(node: TableNode): void {
    if (!node.orphan) return;
    this.orphans?.remove(node.id);
    this.#setOrphan(node, false);
  }

  /** It loses its last name, and somebody has it open. */
  #becomesOrphan(node: TableNode, fd: number): boolean {
    if (!this.orphans || node.opens === 0 || node.type !== fileType.file) return false;
    return statOf(fd, this.scratch) === 0 && this.scratch.links === 1;
  }

  unlink(parent: NodeId, name: Name): Errno {
    return this.#remove(parent, name, 0);
  }

  rmdir(parent: NodeId, name: Name): Errno {
    return this.#remove(parent, name, AT.REMOVEDIR);
  }

  #remove(parent: NodeId, name: Name, flags: number): Errno {
    const directory = this.nodes.get(parent);
    if (!directory) return -E.STALE;
    const node = this.find(directory, name, this.scratch);
    if (typeof node === 'number') return node;
    const status = this.removeOnDisk(directory, name, node, flags);
    if (status === 0) this.recordRemoved(directory, name, node);
    else this.#settle(node);
    return status;
  }

  /** The first half of a removal: the disk has it, the table not yet. */
  removeOnDisk(parent: TableNode, name: Name, node: TableNode, flags: number): Errno {
    // An open file goes on living without a name, and its handle may not open it any more.
    const fd = this.nodes.pin(node);
    const directory = this.nodes.descriptor(parent);
    if (fd < 0 || directory < 0) return Math.min(fd, directory);
    const orphan = this.#becomesOrphan(node, fd) && this.orphans?.move(directory, name, node.id) === 0;
    if (orphan) this.#setOrphan(node, true);
    const status = orphan ? 0 : unlinkAt(directory, name, flags);
    if (status < 0) this.nodes.unpin(node);
    return status;
  }

  /** The second half: `node` has lost this name. */
  recordRemoved(parent: TableNode, name: Name, node: TableNode): void {
    const gone = node.type === fileType.directory || node.orphan || this.#hasNoLink(node);
    node.holds += 1;
    this.nodes.removeLink(node, parent, name);
    node.holds -= 1;
    if (gone) {
      this.files.close(node.id);
      this.nodes.setUnlinked(node);
      return;
    }
    this.nodes.unpin(node);
    this.#settle(node);
  }

  #hasNoLink(node: TableNode): boolean {
    const fd = this.nodes.pin(node);
    return fd === -E.STALE || (statOf(fd, this.scratch) >= 0 && this.scratch.links === 0);
  }

  /** A node that was only looked at goes again; one that anybody uses stays. */
  #settle(node: TableNode): void {
    this.nodes.collect(node);
  }

  /** flags: RENAME.NOREPLACE, RENAME.EXCHANGE. */
  rename(parent: NodeId, name: Name, toParent: NodeId, toName: Name, flags: number): Errno {
    const from = this.nodes.get(parent);
    const to = this.nodes.get(toParent);
    if (!from || !to) return -E.STALE;
    const node = this.find(from, name, this.scratch);
    if (typeof node === 'number') return node;
    const there = this.find(to, toName, this.scratch);
    const other = typeof there === 'number' ? null : there;
    const status = this.renameOnDisk(from, name, to, toName, flags, other);
    if (status === 0) this.recordRenamed(from, name, node, to, toName, other, (flags & RENAME.EXCHANGE) !== 0);
    return status;
  }

  /** The first half of a rename. `other` stands at the new place, or null. */
  renameOnDisk(
    from: TableNode,
    name: Name,
    to: TableNode,
    toName: Name,
    flags: number,
    other: TableNode | null,
  ): Errno {
    if (!isName(name) || !isName(toName)) return -E.INVAL;
    const replaces = other !== null && (flags & RENAME.EXCHANGE) === 0;
    // Without a descriptor of its own nobody could tell afterwards whether it has other names.
    const kept = replaces ? this.nodes.pin(other) : 0;
    if (kept < 0) return kept;
    // Its link first: the rename itself stays the one step that it is on the disk.
    const orphan = replaces && this.#becomesOrphan(other, kept) && this.orphans?.link(kept, other.id) === 0;
    const fromFd = this.nodes.descriptor(from);
    const toFd = this.nodes.descriptor(to);
    const status = fromFd < 0 || toFd < 0 ? Math.min(fromFd, toFd) : renameAt(fromFd, name, toFd, toName, flags);
    if (status === 0 && orphan) this.#setOrphan(other, true);
    if (status < 0 && orphan) this.orphans.remove(other.id);
    if (status < 0 && replaces) this.nodes.unpin(other);
    return status;
  }

  /** The second half. Two names of one file: rename(2) has done nothing, and neither do we. */
  recordRenamed(
    from: TableNode,
    name: Name,
    node: TableNode,
    to: TableNode,
    toName: Name,
    other: TableNode | null,
    exchanged: boolean,
  ): void {
    if (node === other) {
      if (!exchanged) this.nodes.unpin(node);
      return;
    }
    // Held while links come and go, so that neither a node nor a directory is dropped in between.
    const held = [node, from, to, ...(other ? [other] : [])];
    for (const one of held) one.holds += 1;
    this.nodes.removeLink(node, from, name);
    if (other && exchanged) {
      this.nodes.removeLink(other, to, toName);
      this.nodes.addLink(other, from, Buffer.from(name));
    }
    if (other && !exchanged) this.recordRemoved(to, toName, other);
    this.nodes.addLink(node, to, Buffer.from(toName));
    for (const one of held) one.holds -= 1;
    for (const one of held) this.#settle(one);
  }

  /** A descriptor of one's own, to be closed by the caller. */
  open(id: NodeId, flags: number): number {
    const node = this.nodes.get(id);
    return node ? this.openNode(node, flags) : -E.STALE;
  }

  openNode(node: TableNode, flags: number): number {
    if (node === this.nodes.root) return openAt(this.directoryFd, Buffer.from('.'), flags);
    return node.pinned ? reopen(node.fd, flags) : openHandle(this.directoryFd, node.handle, flags);
  }
}
