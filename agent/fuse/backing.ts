import type { Attributes, Time } from '../sys/attributes.ts';
import type { Memory } from '../sys/memory.ts';
import type { Name, Node, NodeId } from './node-table.ts';

/** A negative errno, as the kernel returns it. Every method that can fail returns it instead of throwing. */
export type Errno = number;

export interface DirectoryEntry {
  readonly name: Name;
  readonly inode: number;
  /** S_IFMT bits. */
  readonly type: number;
}

export interface Backing {
  /** Open on the directory itself, reached by a private clone of its mount. Belongs to whoever opened it. */
  readonly directoryFd: number;
  /** In the table already? Undefined when not. Root is always there. */
  node(id: NodeId): Node | undefined;
  /** Finds or makes the node of parent/name. Primary: allocates an id. Counts no kernel lookup. */
  lookup(parent: NodeId, name: Name): Node | Errno;
  /** Target: from now on `id` means the object that stands at parent/name. -ENOENT when there is none. Binding again replaces. */
  bind(id: NodeId, parent: NodeId, name: Name): Node | Errno;
  /** Drops an id that nobody uses any more (target: after the peer forgot it). */
  forget(id: NodeId): void;

  /** All types but hard links; type in `mode`, permission bits taken as they are less the thread's umask. `id`: given by the stream. */
  create(parent: NodeId, name: Name, mode: number, rdev: number, target: Buffer | null, id?: NodeId): Node | Errno;
  link(id: NodeId, parent: NodeId, name: Name): Errno;
  unlink(parent: NodeId, name: Name): Errno;
  rmdir(parent: NodeId, name: Name): Errno;
  /** flags: RENAME_NOREPLACE 1, RENAME_EXCHANGE 2. Keeps the known links of both nodes and of everything below right. */
  rename(parent: NodeId, name: Name, toParent: NodeId, toName: Name, flags: number): Errno;

  /** A descriptor of one's own, to be closed by the caller. */
  open(id: NodeId, flags: number): number | Errno;
  /** By id, through a small cache of open files. Whole length or error. `address` is Memory.address(start). */
  write(id: NodeId, address: bigint, length: number, offset: number): Errno;
  /** Bytes read, 0 at the end of the file. */
  read(id: NodeId, address: bigint, length: number, offset: number): number | Errno;
  truncate(id: NodeId, size: number): Errno;
  allocate(id: NodeId, mode: number, offset: number, length: number): Errno;
  sync(id: NodeId, dataOnly: boolean): Errno;
  /** syncfs(2) of the whole filesystem below. */
  syncAll(): Errno;
  /** SEEK_DATA 3 / SEEK_HOLE 4; -ENXIO past the last data. */
  seek(id: NodeId, offset: number, whence: number): number | Errno;

  attributes(id: NodeId, into: Attributes): Errno;
  setMode(id: NodeId, mode: number): Errno;
  setOwner(id: NodeId, uid: number, gid: number): Errno;
  /** Null: leave. */
  setTimes(id: NodeId, accessed: Time | null, modified: Time | null): Errno;

  /** Value bytes, or an errno (-ENODATA). */
  getXattr(id: NodeId, name: Buffer): Buffer | Errno;
  /** flags: XATTR_CREATE 1, XATTR_REPLACE 2. */
  setXattr(id: NodeId, name: Buffer, value: Buffer, flags?: number): Errno;
  removeXattr(id: NodeId, name: Buffer): Errno;
  listXattrs(id: NodeId): Buffer[] | Errno;

  readlink(id: NodeId): Buffer | Errno;
  /** Complete, without `.`, `..` and the hidden `.holdfast` of the root, in the directory's own order. */
  list(id: NodeId): DirectoryEntry[] | Errno;
  /** Closes every descriptor that it opened (not `directoryFd`). */
  close(): void;
}

/** How the memory for calls is made: see Memory in agent/sys/memory.ts. */
export type { Memory };
