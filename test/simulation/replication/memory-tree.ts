/** The Tree of replication over a MemoryDisk, with the node table's rules: ids are never reused, a node that nobody holds is dropped. */
import { NameSet } from '../../../agent/fuse/index.ts';
import type { Name, Node, NodeId } from '../../../agent/fuse/index.ts';
import type { Attributes } from '../../../agent/sys/attributes.ts';
import { E } from '../../../agent/sys/errno.ts';
import type { Memory } from '../../../agent/sys/memory.ts';
import type { Tree } from '../../../agent/replication/tree.ts';
import type { Inode, MemoryDisk } from './memory-disk.ts';

export class SimNode implements Node {
  readonly id: NodeId;
  readonly inode: Inode;
  links: { parent: SimNode; name: Name }[] = [];
  boundSession = 0;
  changed = 0;
  lastChange = 0;
  unlinked = false;
  holds = 0;
  lookups = 0;
  children = 0;
  constructor(id: NodeId, inode: Inode) {
    this.id = id;
    this.inode = inode;
  }
  get type(): number {
    return this.inode.type;
  }
  get parent(): SimNode | null {
    return this.links[0]?.parent ?? null;
  }
  get name(): Name {
    return this.links[0]?.name ?? Buffer.alloc(0);
  }
}

const key = (name: Name): string => name.toString('latin1');
const typeMask = 0o170000;

export class MemoryTree implements Tree {
  readonly disk: MemoryDisk;
  readonly #memories: readonly Memory[];
  readonly #byId = new Map<NodeId, SimNode>();
  readonly #byInode = new Map<number, SimNode>();
  #nextId = 2;
  readonly root: SimNode;

  constructor(disk: MemoryDisk, memories: readonly Memory[]) {
    this.disk = disk;
    this.#memories = memories;
    this.root = new SimNode(1, disk.get(1));
    this.root.lookups = 1;
    this.#byId.set(1, this.root);
    this.#byInode.set(1, this.root);
  }

  #bytes(address: bigint, length: number): Buffer {
    for (const memory of this.#memories) {
      const at = Number(address - memory.address());
      if (at >= 0 && at + length <= memory.length) return memory.bytes.subarray(at, at + length);
    }
    throw new Error('an address of no memory of ours');
  }

  putIdleAside(): void {
    // Nodes cost nothing here.
  }
  node(id: NodeId): SimNode | undefined {
    return this.#byId.get(id);
  }
  #add(inode: Inode, id: NodeId): SimNode {
    const previous = this.#byId.get(id);
    if (previous) this.#drop(previous);
    const node = new SimNode(id, inode);
    this.#nextId = Math.max(this.#nextId, id + 1);
    this.#byId.set(id, node);
    this.#byInode.set(inode.number, node);
    return node;
  }
  #drop(node: SimNode): void {
    this.#byId.delete(node.id);
    if (this.#byInode.get(node.inode.number) === node) this.#byInode.delete(node.inode.number);
    for (const { parent } of node.links.splice(0)) {
      parent.children -= 1;
      this.collect(parent);
    }
  }
  collect(node: SimNode): boolean {
    if (node.lookups > 0 || node.holds > 0 || node.children > 0) return false;
    if (this.#byId.get(node.id) === node) this.#drop(node);
    return true;
  }
  addLink(node: SimNode, parent: SimNode, name: Name): void {
    if (node.links.some((link) => link.parent === parent && link.name.equals(name))) return;
    if (node.type === 0o040000) for (const link of node.links.splice(0)) link.parent.children -= 1;
    node.links.unshift({ parent, name: Buffer.from(name) });
    parent.children += 1;
  }
  removeLink(node: SimNode, parent: SimNode, name: Name): void {
    const index = node.links.findIndex((link) => link.parent === parent && link.name.equals(name));
    if (index < 0) return;
    node.links.splice(index, 1);
    parent.children -= 1;
    this.collect(parent);
  }
  setUnlinked(node: SimNode): void {
    node.unlinked = true;
    for (const { parent } of node.links.splice(0)) {
      parent.children -= 1;
      this.collect(parent);
    }
    if (this.#byInode.get(node.inode.number) === node) this.#byInode.delete(node.inode.number);
    this.collect(node);
  }

  #inodeAt(parent: NodeId, name: Name): { directory: SimNode; inode: Inode } | number {
    const directory = this.#byId.get(parent);
    if (!directory) return -E.STALE;
    const number = directory.inode.entries.get(key(name));
    return number === undefined ? -E.NOENT : { directory, inode: this.disk.get(number) };
  }
  find(parent: NodeId, name: Name): SimNode | number {
    const found = this.#inodeAt(parent, name);
    if (typeof found === 'number') return found;
    const node = this.#byInode.get(found.inode.number) ?? this.#add(found.inode, this.#nextId++);
    this.addLink(node, found.directory, name);
    return node;
  }
  lookup(parent: NodeId, name: Name): SimNode | number {
    const node = this.find(parent, name);
    if (typeof node !== 'number') node.holds += 1;
    return node;
  }
  hold(id: NodeId): void {
    const node = this.#byId.get(id);
    if (!node) throw new Error(`held node ${id} is gone`);
    node.holds += 1;
  }
  bind(id: NodeId, parent: NodeId, name: Name): SimNode | number {
    const found = this.#inodeAt(parent, name);
    if (typeof found === 'number') return found;
    const known = this.#byId.get(id);
    const node = known?.inode === found.inode ? known : this.#add(found.inode, id);
    if (node !== known) node.holds = 1;
    this.addLink(node, found.directory, name);
    return node;
  }
  forget(id: NodeId): boolean {
    const node = this.#byId.get(id);
    if (!node) return true;
    if (node.holds > 0) node.holds -= 1;
    return this.collect(node);
  }

  create(parent: NodeId, name: Name, mode: number, rdev: number, target: Buffer | null, id?: NodeId): SimNode | number {
    const directory = this.#byId.get(parent);
    if (!directory) return -E.STALE;
    const bytes = Buffer.from(target ?? Buffer.alloc(0));
    const made = this.disk.make(directory.inode, key(name), mode & typeMask, mode & 0o7777, rdev, bytes);
    if (typeof made === 'number') return made;
    return id === undefined ? this.lookup(parent, name) : this.bind(id, parent, name);
  }
  createUnnamed(id: NodeId, mode: number): SimNode {
    const node = this.#add(this.disk.makeUnnamed(mode & 0o7777), id);
    node.holds = 1;
    return node;
  }
  /** As an application opens one. */
  openUnnamed(mode: number): SimNode {
    return this.createUnnamed(this.#nextId, mode);
  }
  link(id: NodeId, parent: NodeId, name: Name): number {
    const [node, directory] = [this.#byId.get(id), this.#byId.get(parent)];
    if (!node || !directory) return -E.STALE;
    const status = this.disk.link(node.inode, directory.inode, key(name));
    if (status === 0) this.addLink(node, directory, name);
    return status;
  }
  unlink(parent: NodeId, name: Name): number {
    return this.#remove(parent, name, false);
  }
  rmdir(parent: NodeId, name: Name): number {
    return this.#remove(parent, name, true);
  }
  #remove(parent: NodeId, name: Name, asDirectory: boolean): number {
    const directory = this.#byId.get(parent);
    if (!directory) return -E.STALE;
    const node = this.find(parent, name);
    if (typeof node === 'number') return node;
    const status = this.disk.unlink(directory.inode, key(name), asDirectory);
    if (status === 0) this.recordRemoved(node, directory, name);
    else this.collect(node);
    return status;
  }
  recordRemoved(node: SimNode, directory: SimNode, name: Name): void {
    node.holds += 1;
    this.removeLink(node, directory, name);
    node.holds -= 1;
    if (node.inode.links === 0) this.setUnlinked(node);
    else this.collect(node);
  }
  rename(parent: NodeId, name: Name, toParent: NodeId, toName: Name, flags: number): number {
    const [from, to] = [this.#byId.get(parent), this.#byId.get(toParent)];
    if (!from || !to) return -E.STALE;
    const node = this.find(parent, name);
    if (typeof node === 'number') return node;
    const there = this.find(toParent, toName);
    const other = typeof there === 'number' ? null : there;
    const status = this.disk.rename(from.inode, key(name), to.inode, key(toName), flags === 2);
    if (status === 0) this.recordRenamed(node, from, name, to, toName, other, flags === 2);
    return status;
  }
  recordRenamed(
    node: SimNode,
    from: SimNode,
    name: Name,
    to: SimNode,
    toName: Name,
    other: SimNode | null,
    exchanged: boolean,
  ): void {
    if (node === other) return;
    const held = [node, from, to, ...(other ? [other] : [])];
    for (const one of held) one.holds += 1;
    this.removeLink(node, from, name);
    if (other && exchanged) {
      this.removeLink(other, to, toName);
      this.addLink(other, from, name);
    }
    if (other && !exchanged) this.recordRemoved(other, to, toName);
    this.addLink(node, to, toName);
    for (const one of held) one.holds -= 1;
    for (const one of held) this.collect(one);
  }

  #inode(id: NodeId): Inode | null {
    return this.#byId.get(id)?.inode ?? null;
  }
  write(id: NodeId, address: bigint, length: number, offset: number): number {
    const inode = this.#inode(id);
    return inode ? this.disk.write(inode, this.#bytes(address, length), offset) : -E.STALE;
  }
  read(id: NodeId, address: bigint, length: number, offset: number): number {
    const inode = this.#inode(id);
    if (!inode) return -E.STALE;
    if (offset >= inode.data.length) return 0;
    return inode.data.copy(this.#bytes(address, length), 0, offset, offset + length);
  }
  dropCached(): void {
    // This memory is the disk.
  }
  truncate(id: NodeId, size: number): number {
    const inode = this.#inode(id);
    if (!inode) return -E.STALE;
    this.disk.truncate(inode, size);
    return 0;
  }
  /** Modes: 0 extends, 3 (punch, keep size) zeroes. */
  allocate(id: NodeId, mode: number, offset: number, length: number): number {
    const inode = this.#inode(id);
    if (!inode) return -E.STALE;
    if (mode === 0 && offset + length > inode.data.length) this.disk.truncate(inode, offset + length);
    if (mode === 3) this.disk.punch(inode, offset, length);
    return mode === 0 || mode === 3 ? 0 : -E.OPNOTSUPP;
  }
  sync(id: NodeId): number {
    const inode = this.#inode(id);
    if (!inode) return -E.STALE;
    return this.disk.sync(inode);
  }
  syncAll(): number {
    return this.disk.syncAll();
  }
  seek(id: NodeId, offset: number, whence: number): number {
    const data = this.#inode(id)?.data;
    if (!data || offset >= data.length) return -E.NXIO;
    for (let at = offset; at < data.length; at = (Math.floor(at / 4096) + 1) * 4096) {
      const isHole = data
        .subarray(Math.floor(at / 4096) * 4096, (Math.floor(at / 4096) + 1) * 4096)
        .every((b) => b === 0);
      if (isHole === (whence === 4)) return at;
    }
    return whence === 4 ? data.length : -E.NXIO;
  }
  attributes(id: NodeId, into: Attributes): number {
    const inode = this.#inode(id);
    if (!inode) return -E.STALE;
    this.disk.attributes(inode, into);
    return 0;
  }
  #set(id: NodeId, change: (inode: Inode) => void): number {
    const inode = this.#inode(id);
    if (!inode) return -E.STALE;
    change(inode);
    return 0;
  }
  setMode(id: NodeId, mode: number): number {
    return this.#set(id, (inode) => (inode.permissions = mode & 0o7777));
  }
  setOwner(id: NodeId, uid: number, gid: number): number {
    return this.#set(id, (inode) => Object.assign(inode, { uid, gid }));
  }
  setTimes(id: NodeId, accessed: Inode['accessed'] | null, modified: Inode['modified'] | null): number {
    return this.#set(id, (inode) => {
      if (accessed) inode.accessed = { ...accessed };
      if (modified) inode.modified = { ...modified };
    });
  }
  getXattr(id: NodeId, name: Buffer): Buffer | number {
    return this.#inode(id)?.xattrs.get(key(name)) ?? -E.NODATA;
  }
  setXattr(id: NodeId, name: Buffer, value: Buffer): number {
    return this.#set(id, (inode) => inode.xattrs.set(key(name), Buffer.from(value)));
  }
  removeXattr(id: NodeId, name: Buffer): number {
    return this.#inode(id)?.xattrs.delete(key(name)) === true ? 0 : -E.NODATA;
  }
  listXattrs(id: NodeId): Buffer[] {
    return [...(this.#inode(id)?.xattrs.keys() ?? [])].map((name) => Buffer.from(name, 'latin1'));
  }
  readlink(id: NodeId): Buffer | number {
    return this.#inode(id)?.target ?? -E.INVAL;
  }
  names(id: NodeId): NameSet | number {
    const entries = this.list(id);
    if (typeof entries === 'number') return entries;
    const names = new NameSet();
    for (const { name, type } of entries) names.add(name, type);
    return names;
  }

  list(id: NodeId): { name: Name; inode: number; type: number }[] | number {
    const inode = this.#inode(id);
    if (!inode) return -E.STALE;
    return [...inode.entries]
      .filter(([name]) => id !== 1 || name !== '.holdfast')
      .map(([name, number]) => ({
        name: Buffer.from(name, 'latin1'),
        inode: number,
        type: this.disk.get(number).type,
      }));
  }
}
