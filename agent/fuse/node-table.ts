/**
 * Node ids and what they stand for. An object is known by its file handle, which survives renames and needs no path; ids are
 * numbers of our own because the filesystem below reuses its inode numbers at once.
 *
 * Invariants: a node in the table is found by its handle (or by the descriptor that it keeps once it is unlinked); a parent stays in
 * the table as long as one of its links is recorded; at most `descriptorsMax` descriptors are open beside the pinned ones.
 */
import { invariant } from '../contract/fault.ts';
import { close, fileType, handleOf, O, openHandle } from '../sys/linux.ts';
import { IdleNodes } from './idle-nodes.ts';
import type { IdleNode } from './idle-nodes.ts';

/** A node id: FUSE's and the stream's. Never reused within a process. */
export type NodeId = number;
export const rootId: NodeId = 1;
/** One file name, bytes without a terminating NUL. */
export type Name = Buffer;

/** What others may know of a node. */
export interface Node {
  readonly id: NodeId;
  /** One link under which the object can be found. `parent` null: the root, or no link is known (any more). */
  readonly parent: Node | null;
  readonly name: Name;
  /** Type bits only (S_IFMT). */
  readonly type: number;
  /** Belongs to replication: the session in which the peer was told what this id means. Starts at 0. */
  boundSession: number;
  /** True when the object is gone from the tree (last name removed). A file that was made without a name, and may still get one, is not. */
  readonly unlinked: boolean;
}

interface Link {
  readonly parent: TableNode;
  readonly name: Name;
}

const noName: Name = Buffer.alloc(0);

export class TableNode implements Node {
  readonly id: NodeId;
  readonly type: number;
  readonly handle: Buffer;
  readonly key: string;
  links: Link[] = [];
  boundSession = 0;
  unlinked = false;
  /** How often the kernel has got this id and not forgotten it yet. */
  lookups = 0;
  /** Open files, and whoever else needs the node to stay. */
  holds = 0;
  /** Open files that may write: as long as there are any, the kernel may hold pages that a shared map has changed and we have not seen. */
  writers = 0;
  /** Recorded links of other nodes in this directory. */
  children = 0;
  /** O_PATH, or -1. */
  fd = -1;
  pinned = false;
  newer: TableNode | null = null;
  older: TableNode | null = null;

  constructor(id: NodeId, type: number, handle: Buffer, key: string) {
    this.id = id;
    this.type = type;
    this.handle = handle;
    this.key = key;
  }

  get parent(): TableNode | null {
    return this.links[0]?.parent ?? null;
  }

  get name(): Name {
    return this.links[0]?.name ?? noName;
  }
}

/** Open files are limited (20,000 on small machines), and each lane has a table. */
const descriptorsMax = 2000;

/** Nodes as objects; of more than these, those that nobody uses become records. */
const nodeObjectsMax = 20_000;
/** Looked at for one request; more when one request has brought many. */
const looksPerRequest = 32;
/** When none of them could go: so many requests are left alone. */
const requestsBetweenLooks = 256;

/** Type and bytes of the handle; its length follows from the type. */
function keyOf(handle: Buffer): string {
  return handle.toString('latin1', 4);
}

export class NodeTable {
  readonly root: TableNode;
  readonly #directoryFd: number;
  readonly #byId = new Map<NodeId, TableNode>();
  readonly #byHandle = new Map<string, TableNode>();
  readonly #idle = new IdleNodes();
  readonly #objectsMax: number;
  /** Of a target: the stream's own. */
  readonly #holdsOfIdle: number;
  #requestsLeft = 0;
  #nextId: NodeId;
  #newest: TableNode | null = null;
  #oldest: TableNode | null = null;
  #cached = 0;

  /** `directoryFd` is open for reading on the root, not O_PATH; it stays the caller's. */
  constructor(directoryFd: number, firstOwnId: NodeId, objects = nodeObjectsMax, holdsOfIdle = 0) {
    this.#directoryFd = directoryFd;
    this.#objectsMax = objects;
    this.#holdsOfIdle = holdsOfIdle;
    this.#nextId = firstOwnId;
    const handle = handleOf(directoryFd, noName);
    invariant(typeof handle !== 'number', 'the directory has no file handle');
    this.root = new TableNode(rootId, fileType.directory, handle, keyOf(handle));
    this.root.fd = directoryFd;
    this.root.pinned = true;
    this.root.lookups = 1;
    this.#byId.set(rootId, this.root);
    this.#byHandle.set(this.root.key, this.root);
  }

  get size(): number {
    return this.#byId.size + this.#idle.size;
  }

  get(id: NodeId): TableNode | undefined {
    return this.#byId.get(id) ?? this.#wake(this.#idle.take(id));
  }

  /** The node that stands for this handle, if it is known. */
  withHandle(handle: Buffer): TableNode | undefined {
    return this.#byHandle.get(keyOf(handle)) ?? this.#wake(this.#idle.takeByHandle(handle));
  }

  #wake(record: IdleNode | null): TableNode | undefined {
    if (record === null) return undefined;
    // A directory stays in the table as long as what is in it, unless a stream gives its id to something else: then no name is known.
    const parent = this.#byId.get(record.parentId);
    const node = new TableNode(record.id, record.type, record.handle, keyOf(record.handle));
    node.lookups = record.lookups;
    node.holds = record.holds;
    node.boundSession = record.boundSession;
    // Counted in its directory all the time.
    if (parent) node.links.push({ parent, name: record.name });
    this.#byId.set(node.id, node);
    this.#byHandle.set(node.key, node);
    return node;
  }

  /**
   * To be called between requests, frames or steps of a walk only: whoever has got a node and does not hold it may not keep it. The oldest are looked at first; what is in use
   * goes to the end.
   */
  putIdleAside(): void {
    if (this.#byId.size <= this.#objectsMax) return;
    if (this.#requestsLeft > 0) {
      this.#requestsLeft -= 1;
      return;
    }
    let looks = looksPerRequest + ((this.#byId.size - this.#objectsMax) >> 5);
    let put = 0;
    for (const [id, node] of this.#byId) {
      if (looks-- === 0) break;
      if (this.#putAside(node)) {
        put += 1;
        continue;
      }
      this.#byId.delete(id);
      this.#byId.set(id, node);
    }
    if (put === 0) this.#requestsLeft = requestsBetweenLooks;
  }

  #putAside(node: TableNode): boolean {
    const [link, another] = node.links;
    const isUsed = node.holds > this.#holdsOfIdle || node.writers > 0 || node.children > 0 || node.pinned;
    if (isUsed || node.unlinked || node.type === fileType.directory || !link || another) return false;
    if (this.#byHandle.get(node.key) !== node) return false;
    const { id, type, handle, lookups, holds, boundSession } = node;
    const [parentId, { name }] = [link.parent.id, link];
    if (!this.#idle.put({ id, type, handle, parentId, name, lookups, holds, boundSession })) return false;
    this.#closeDescriptor(node);
    this.#byId.delete(id);
    this.#byHandle.delete(node.key);
    return true;
  }

  /** `id` 0: the next one. An id that is in use is taken over: the stream says what it means from now on. */
  add(handle: Buffer, type: number, id: NodeId = 0): TableNode {
    const chosen = id === 0 ? this.#nextId++ : id;
    invariant(chosen !== rootId, 'the root keeps its id');
    const previous = this.get(chosen);
    if (previous) this.#drop(previous);
    const node = new TableNode(chosen, type, handle, keyOf(handle));
    this.#byId.set(chosen, node);
    this.#byHandle.set(node.key, node);
    return node;
  }

  addLink(node: TableNode, parent: TableNode, name: Name): void {
    if (node.links.some((link) => link.parent === parent && link.name.equals(name))) return;
    // A directory has one name: what we knew is out of date.
    if (node.type === fileType.directory) this.#clearLinks(node);
    node.links.unshift({ parent, name });
    parent.children += 1;
  }

  removeLink(node: TableNode, parent: TableNode, name: Name): void {
    const index = node.links.findIndex((link) => link.parent === parent && link.name.equals(name));
    if (index < 0) return;
    node.links.splice(index, 1);
    parent.children -= 1;
    this.collect(parent);
  }

  /** The object has lost its last name. The handle may stop working now: the descriptor is what is left. */
  setUnlinked(node: TableNode): void {
    node.unlinked = true;
    this.#clearLinks(node);
    if (this.#byHandle.get(node.key) === node) this.#byHandle.delete(node.key);
    this.collect(node);
  }

  #clearLinks(node: TableNode): void {
    for (const { parent } of node.links.splice(0)) {
      parent.children -= 1;
      this.collect(parent);
    }
  }

  /** Removes the node when nobody needs it; true when it is gone. */
  collect(node: TableNode): boolean {
    if (node.lookups > 0 || node.holds > 0 || node.children > 0) return false;
    if (this.#byId.get(node.id) !== node) return true;
    this.#drop(node);
    return true;
  }

  #drop(node: TableNode): void {
    this.#byId.delete(node.id);
    if (this.#byHandle.get(node.key) === node) this.#byHandle.delete(node.key);
    this.#closeDescriptor(node);
    this.#clearLinks(node);
  }

  /** An O_PATH descriptor of the object, for this call only: it may be closed by the next-but-one. Or -errno. */
  descriptor(node: TableNode): number {
    if (node.fd >= 0) {
      if (!node.pinned && this.#newest !== node) {
        this.#unchain(node);
        this.#chain(node);
      }
      return node.fd;
    }
    const fd = openHandle(this.#directoryFd, node.handle, O.PATH | O.NOFOLLOW);
    if (fd < 0) return fd;
    node.fd = fd;
    this.#chain(node);
    this.#cached += 1;
    while (this.#cached > descriptorsMax && this.#oldest && this.#oldest !== node) this.#closeDescriptor(this.#oldest);
    return fd;
  }

  /** Keeps a descriptor for as long as the node lives. To be called before the last name goes. */
  pin(node: TableNode): number {
    if (node.pinned) return node.fd;
    const fd = this.descriptor(node);
    if (fd < 0) return fd;
    this.#unchain(node);
    this.#cached -= 1;
    node.pinned = true;
    return fd;
  }

  /** Pins a descriptor that the caller has opened: of a file without a name, which no handle may open. */
  adopt(node: TableNode, fd: number): void {
    node.fd = fd;
    node.pinned = true;
  }

  unpin(node: TableNode): void {
    if (!node.pinned || node === this.root) return;
    node.pinned = false;
    this.#chain(node);
    this.#cached += 1;
  }

  closeAll(): void {
    for (const node of this.#byId.values()) this.#closeDescriptor(node);
  }

  #closeDescriptor(node: TableNode): void {
    if (node.fd < 0 || node === this.root) return;
    if (!node.pinned) {
      this.#unchain(node);
      this.#cached -= 1;
    }
    close(node.fd);
    node.fd = -1;
    node.pinned = false;
  }

  #chain(node: TableNode): void {
    node.older = this.#newest;
    node.newer = null;
    if (this.#newest) this.#newest.newer = node;
    this.#newest = node;
    this.#oldest ??= node;
  }

  #unchain(node: TableNode): void {
    if (node.newer) node.newer.older = node.older;
    else if (this.#newest === node) this.#newest = node.older;
    if (node.older) node.older.newer = node.newer;
    else if (this.#oldest === node) this.#oldest = node.newer;
    node.newer = null;
    node.older = null;
  }
}
