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
import { NodeRecords, recordFlag } from './node-records.ts';
import type { RecordMemory } from './node-records.ts';

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
  /** Belongs to replication: how often it was about to change, while it was an object of the table; of one that is held never less than before. */
  changed: number;
  /** Belongs to replication: number of the frame that last told of its content in that session, 0: every close may be answered. */
  lastChange: number;
  /** True when the object is gone from the tree (last name removed). A file that was made without a name, and may still get one, is not. */
  readonly unlinked: boolean;
}

interface Link {
  readonly parent: TableNode;
  readonly name: Name;
}

const noName: Name = Buffer.alloc(0);

function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

export class TableNode implements Node {
  readonly id: NodeId;
  readonly type: number;
  handle: Buffer;
  readonly key: string;
  links: Link[] = [];
  #isSettled = false;
  boundSession = 0;
  changed = 0;
  lastChange = 0;
  unlinked = false;
  /** How often the kernel has got this id and not forgotten it yet. */
  lookups = 0;
  /** Open files, and whoever else needs the node to stay. */
  holds = 0;
  /** Open files and directories. */
  opens = 0;
  /** It has lost its last name while it was open, or never had one; what a successor finds it by stands among the orphans. */
  orphan = false;
  /** Where its record is, -1: it has none. */
  unit = -1;
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

  /**
   * Small buffers are pieces of slabs, and the slab stays for any of them. Whoever stays among many that come and go, as directories do, has bytes of its own:
   * or each would keep what passed by when it came.
   */
  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.handle = ownCopy(this.handle);
    this.links = this.links.map(({ parent, name }) => ({ parent, name: ownCopy(name) }));
  }
  addLink(link: Link): void {
    this.links.unshift(link);
    this.#isSettled = false;
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
const nodeObjectsMax = 5000;
/** A successor begins behind the last ones that were reserved. */
const idsPerReservation = 1024;
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
  readonly #records: NodeRecords;
  readonly #idle: IdleNodes;
  readonly #objectsMax: number;
  /** Of a target: the stream's own. */
  readonly #holdsOfIdle: number;
  #requestsLeft = 0;
  #nextId: NodeId;
  readonly #memory: RecordMemory | undefined;
  #reservedIds = 0;
  #newest: TableNode | null = null;
  #oldest: TableNode | null = null;
  #cached = 0;
  /** Directories that have lost something, and may go. */
  readonly #emptied: TableNode[] = [];
  #collecting = false;

  /** `directoryFd` is open for reading on the root, not O_PATH; it stays the caller's. `memory`: where the records are. */
  constructor(
    directoryFd: number,
    firstOwnId: NodeId,
    objects = nodeObjectsMax,
    holdsOfIdle = 0,
    memory?: RecordMemory,
  ) {
    this.#records = new NodeRecords(memory);
    this.#idle = new IdleNodes(this.#records);
    this.#directoryFd = directoryFd;
    this.#objectsMax = objects;
    this.#holdsOfIdle = holdsOfIdle;
    this.#nextId = firstOwnId;
    this.#memory = memory;
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
    node.unit = record.unit ?? -1;
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
      node.settle();
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
    const { id, type, handle, lookups, holds, boundSession, unit } = node;
    const [parentId, { name }] = [link.parent.id, link];
    if (!this.#idle.put({ id, type, handle, parentId, name, lookups, holds, boundSession, unit })) return false;
    this.#closeDescriptor(node);
    this.#byId.delete(id);
    this.#byHandle.delete(node.key);
    return true;
  }

  /** `id` 0: the next one. An id that is in use is taken over: the stream says what it means from now on. */
  add(handle: Buffer, type: number, id: NodeId = 0): TableNode {
    const chosen = id === 0 ? this.#ownId() : id;
    invariant(chosen !== rootId, 'the root keeps its id');
    const previous = this.get(chosen);
    if (previous) this.#drop(previous);
    const node = new TableNode(chosen, type, handle, keyOf(handle));
    this.#byId.set(chosen, node);
    this.#byHandle.set(node.key, node);
    return node;
  }

  #ownId(): NodeId {
    if (this.#nextId >= this.#reservedIds) {
      this.#reservedIds = this.#nextId + idsPerReservation;
      this.#memory?.reserveIds?.(this.#reservedIds);
    }
    return this.#nextId++;
  }

  /**
   * What the kernel remembers from a predecessor, whose records lie in the first chunks of the memory. `isOpen`: somebody has it open. False: the records are not what
   * this version would have written.
   */
  adopt(chunks: number, isOpen: (id: NodeId) => boolean): boolean {
    const units = this.#records.adopt(chunks);
    if (units === null) return false;
    const isObject = (unit: number): boolean => {
      const isDirectory = this.#records.typeAt(unit) === fileType.directory;
      return isDirectory || this.#records.flagsAt(unit) !== 0 || isOpen(this.#records.idAt(unit));
    };
    const objects: TableNode[] = [];
    for (const unit of units) {
      const id = this.#records.idAt(unit);
      // An id that is counted from the beginning again would be given twice.
      if (!Number.isSafeInteger(id) || id <= rootId || id >= this.#nextId) return false;
      if (isObject(unit)) objects.push(this.#adoptNode(unit));
    }
    for (const node of objects) this.#adoptLink(node);
    for (const unit of units) if (!isObject(unit)) this.#adoptIdle(unit);
    for (const node of objects) if (!isOpen(node.id)) this.collect(node);
    return true;
  }

  #adoptNode(unit: number): TableNode {
    const { id, type, handle, lookups } = this.#records.read(unit);
    const node = new TableNode(id, type, handle, keyOf(handle));
    node.lookups = lookups;
    node.unit = unit;
    const flags = this.#records.flagsAt(unit);
    node.unlinked = (flags & recordFlag.unlinked) !== 0;
    node.orphan = (flags & recordFlag.orphan) !== 0;
    this.#byId.set(id, node);
    if (!node.unlinked) this.#byHandle.set(node.key, node);
    return node;
  }

  #adoptLink(node: TableNode): void {
    const { parentId, name } = this.#records.read(node.unit);
    const parent = this.#byId.get(parentId);
    if (!parent || node.unlinked) return;
    node.links.push({ parent, name });
    parent.children += 1;
  }

  #adoptIdle(unit: number): void {
    if (this.#records.lookupsAt(unit) === 0 || !this.#idle.putRecord(unit)) {
      this.#records.remove(unit);
      return;
    }
    const parent = this.#byId.get(this.#records.parentIdAt(unit));
    if (parent) parent.children += 1;
  }

  /** Those that are believed to stand there. Looks at all. */
  withLink(parent: TableNode, name: Name): TableNode[] {
    for (const id of this.#idle.idsAt(parent.id, name)) this.get(id);
    const isIt = (link: Link): boolean => link.parent === parent && link.name.equals(name);
    return [...this.#byId.values()].filter(({ links }) => links.some(isIt));
  }

  /** Those without a name that a successor finds among the orphans. */
  *orphans(): Generator<TableNode> {
    for (const node of this.#byId.values()) if (node.orphan) yield node;
  }

  addLink(node: TableNode, parent: TableNode, name: Name): void {
    if (node.links.some((link) => link.parent === parent && link.name.equals(name))) return;
    // A directory has one name: what we knew is out of date.
    if (node.type === fileType.directory) this.#clearLinks(node);
    node.addLink({ parent, name });
    parent.children += 1;
    this.#recordAgain(node);
  }

  removeLink(node: TableNode, parent: TableNode, name: Name): void {
    const index = node.links.findIndex((link) => link.parent === parent && link.name.equals(name));
    if (index < 0) return;
    node.links.splice(index, 1);
    parent.children -= 1;
    if (index === 0) this.#recordAgain(node);
    this.collect(parent);
  }

  /** The object has lost its last name. The handle may stop working now: the descriptor is what is left. */
  setUnlinked(node: TableNode): void {
    node.unlinked = true;
    this.#clearLinks(node);
    this.#recordAgain(node);
    if (this.#byHandle.get(node.key) === node) this.#byHandle.delete(node.key);
    this.collect(node);
  }

  /** A directory that goes with the last of what was in it takes its own along: in a loop, since they may be deeper in each other than a stack is. */
  #clearLinks(node: TableNode): void {
    for (const { parent } of node.links.splice(0)) {
      parent.children -= 1;
      this.#emptied.push(parent);
    }
    if (this.#collecting) return;
    this.#collecting = true;
    for (let parent = this.#emptied.pop(); parent; parent = this.#emptied.pop()) this.collect(parent);
    this.#collecting = false;
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
    if (node.unit >= 0) this.#records.remove(node.unit);
    node.unit = -1;
  }

  /** The kernel gets the id once more, and will forget it as often. Rather counted too often than too rarely: before it is told. */
  looked(node: TableNode): void {
    node.lookups += 1;
    if (!this.#records.isKept || node === this.root) return;
    if (node.unit >= 0) this.#records.setLookups(node.unit, node.lookups);
    else node.unit = this.#record(node);
  }

  /** The kernel has forgotten it so many times. True: it is gone. */
  forgotten(id: NodeId, count: number): boolean {
    const node = this.#byId.get(id);
    if (node === this.root) return false;
    if (node === undefined) return this.#forgottenIdle(id, count);
    node.lookups = Math.max(0, node.lookups - count);
    if (node.unit >= 0 && this.#records.isKept) this.#records.setLookups(node.unit, node.lookups);
    return this.collect(node);
  }

  #forgottenIdle(id: NodeId, count: number): boolean {
    const parentId = this.#idle.forget(id, count);
    if (parentId === 0) return false;
    const parent = this.#byId.get(parentId);
    if (parent !== undefined) {
      parent.children -= 1;
      this.collect(parent);
    }
    return true;
  }

  /** Something that a successor has to know of it has changed. */
  recordAgain(node: TableNode): void {
    this.#recordAgain(node);
  }
  #recordAgain(node: TableNode): void {
    if (node.unit < 0) return;
    const former = node.unit;
    node.unit = this.#record(node);
    this.#records.remove(former);
  }
  #record(node: TableNode): number {
    const { id, type, handle, lookups } = node;
    const link = node.links[0];
    const known = link && NodeRecords.fits(handle, link.name) ? link : null;
    const [parentId, name] = known ? [known.parent.id, known.name] : [0, noName];
    const flags = (node.unlinked ? recordFlag.unlinked : 0) | (node.orphan ? recordFlag.orphan : 0);
    return this.#records.add({ id, type, handle, parentId, name, lookups, holds: 0, boundSession: 0 }, flags);
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
  pinOpened(node: TableNode, fd: number): void {
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
