/**
 * The replicated directory itself, below the mount: every operation by node id, or by parent id and name. The primary's filesystem and
 * the secondary's applier both stand on it. Nothing here throws for what a filesystem may answer: a negative errno is an answer.
 */
import {
  allocate,
  changeMode,
  changeOwner,
  changeTimes,
  close,
  dropCached,
  E,
  fileType,
  getXattr,
  listXattrs,
  O,
  readAt,
  readLinkAt,
  removeXattr,
  seek,
  setXattr,
  statOf,
  sync,
  syncFilesystem,
  truncate,
  writeWhole,
} from '../sys/linux.ts';
import type { Attributes, Time } from '../sys/linux.ts';
import { BackingTree } from './backing-tree.ts';
import type { BackingOptions, Errno } from './backing-tree.ts';
import { DirectoryStream } from './directory-stream.ts';
import { NameSet } from './name-set.ts';
import { rootId } from './node-table.ts';
import type { Name, NodeId } from './node-table.ts';

export interface DirectoryEntry {
  readonly name: Name;
  readonly inode: number;
  /** S_IFMT bits. */
  readonly type: number;
}

/** Holds what is ours (the volume record); the application cannot see or reach it. */
export const hiddenName: Name = Buffer.from('.holdfast');

const nothing = Buffer.alloc(0);

export class Backing extends BackingTree {
  /** Whole length or an error; by id, through a small cache of open files. `address` comes from Memory. */
  write(id: NodeId, address: bigint, length: number, offset: number): Errno {
    const fd = this.files.get(id);
    if (fd < 0) return fd;
    return writeWhole(fd, address, length, offset);
  }

  /** Bytes read, 0 at the end of the file. */
  read(id: NodeId, address: bigint, length: number, offset: number): number {
    const fd = this.files.get(id);
    return fd < 0 ? fd : readAt(fd, address, length, offset);
  }

  /** The next read of this range comes from the disk, except for what has not been written there yet. Nothing is lost, whatever comes of it. */
  dropCached(id: NodeId, offset: number, length: number): void {
    const fd = this.files.get(id);
    if (fd >= 0) dropCached(fd, offset, length);
  }

  truncate(id: NodeId, size: number): Errno {
    const fd = this.files.get(id);
    return fd < 0 ? fd : truncate(fd, size);
  }

  allocate(id: NodeId, mode: number, offset: number, length: number): Errno {
    const fd = this.files.get(id);
    return fd < 0 ? fd : allocate(fd, mode, offset, length);
  }

  /** fsync or fdatasync of a file or directory; of other types 0: they have no data, their entry is the directory's. */
  sync(id: NodeId, dataOnly: boolean): Errno {
    const node = this.nodes.get(id);
    if (!node) return -E.STALE;
    if (node.type === fileType.file) {
      const fd = this.files.get(id);
      return fd < 0 ? this.#syncWithout(fd) : sync(fd, dataOnly);
    }
    if (node.type !== fileType.directory) return 0;
    const fd = this.openNode(node, O.RDONLY | O.DIRECTORY);
    if (fd < 0) return this.#syncWithout(fd);
    const status = sync(fd, dataOnly);
    close(fd);
    return status;
  }

  /** Of a regular file, for a sync on another thread: it stays open while this one does nothing else. -1: not such a file, see `sync`. */
  descriptorToSync(id: NodeId): number {
    return this.nodes.get(id)?.type === fileType.file ? this.files.get(id) : -1;
  }

  /** No descriptor or no memory for one says nothing of the disk. */
  #syncWithout(failure: Errno): Errno {
    const isOfProcess = failure === -E.MFILE || failure === -E.NOMEM;
    return isOfProcess ? this.syncAll() : failure;
  }

  /** syncfs(2) of the whole filesystem below. */
  syncAll(directoryFd = this.directoryFd): Errno {
    return syncFilesystem(directoryFd);
  }

  /** SEEK.DATA or SEEK.HOLE; -ENXIO past the last data. */
  seek(id: NodeId, offset: number, whence: number): number {
    const fd = this.files.get(id);
    return fd < 0 ? fd : seek(fd, offset, whence);
  }

  attributes(id: NodeId, into: Attributes): Errno {
    const node = this.nodes.get(id);
    const fd = node ? this.nodes.descriptor(node) : -E.STALE;
    const status = fd < 0 ? fd : statOf(fd, into);
    // The link that a successor finds it by is none.
    if (status === 0 && node?.orphan === true) into.links -= 1;
    return status;
  }

  setMode(id: NodeId, mode: number): Errno {
    const fd = this.descriptor(id);
    return fd < 0 ? fd : changeMode(fd, mode);
  }

  /**
   * A real change clears the set-id bits, as chown(2) does: set the mode after it. Nothing is called when the owner is so already, because
   * chown(2) would also take a program's capabilities away.
   */
  setOwner(id: NodeId, uid: number, gid: number): Errno {
    const fd = this.descriptor(id);
    if (fd < 0) return fd;
    const status = statOf(fd, this.scratch);
    if (status < 0) return status;
    return this.scratch.uid === uid && this.scratch.gid === gid ? 0 : changeOwner(fd, uid, gid);
  }

  /** Null: leave. */
  setTimes(id: NodeId, accessed: Time | 'now' | null, modified: Time | 'now' | null): Errno {
    const fd = this.descriptor(id);
    return fd < 0 ? fd : changeTimes(fd, accessed, modified);
  }

  /** Value bytes, or an errno (-ENODATA). */
  getXattr(id: NodeId, name: Buffer): Buffer | Errno {
    const fd = this.descriptor(id);
    return fd < 0 ? fd : getXattr(fd, name);
  }

  /** flags: XATTR_CREATE 1, XATTR_REPLACE 2. */
  setXattr(id: NodeId, name: Buffer, value: Buffer, flags = 0): Errno {
    const fd = this.descriptor(id);
    return fd < 0 ? fd : setXattr(fd, name, value, flags);
  }

  removeXattr(id: NodeId, name: Buffer): Errno {
    const fd = this.descriptor(id);
    return fd < 0 ? fd : removeXattr(fd, name);
  }

  listXattrs(id: NodeId): Buffer[] | Errno {
    const fd = this.descriptor(id);
    if (fd < 0) return fd;
    const packed = listXattrs(fd);
    if (typeof packed === 'number') return packed;
    const names: Buffer[] = [];
    for (let start = 0; start < packed.length;) {
      const end = packed.indexOf(0, start);
      names.push(packed.subarray(start, end));
      start = end + 1;
    }
    return names;
  }

  readlink(id: NodeId): Buffer | Errno {
    const fd = this.descriptor(id);
    return fd < 0 ? fd : readLinkAt(fd, nothing);
  }

  /** Complete, without `.`, `..` and the root's hidden directory, in the directory's own order. */
  list(id: NodeId): DirectoryEntry[] | Errno {
    const entries: DirectoryEntry[] = [];
    const status = this.#readEntries(id, (stream) => {
      const inode = stream.inodeLow + stream.inodeHigh * 4294967296;
      entries.push({ name: Buffer.from(stream.name), inode, type: stream.type });
    });
    return status < 0 ? status : entries;
  }

  /** The same of a directory that may have millions. */
  names(id: NodeId): NameSet | Errno {
    const names = new NameSet();
    const status = this.#readEntries(id, ({ name, type }) => {
      names.add(name, type);
    });
    return status < 0 ? status : names;
  }

  /** What `take` is given is valid during the call only. */
  #readEntries(id: NodeId, take: (entry: DirectoryStream) => void): Errno {
    const fd = this.open(id, O.RDONLY | O.DIRECTORY);
    if (fd < 0) return fd;
    const stream = new DirectoryStream(fd);
    let status = stream.peek();
    for (; status > 0; status = stream.peek()) {
      if (!stream.isDot() && !(id === rootId && stream.name.equals(hiddenName))) take(stream);
      stream.advance();
    }
    close(fd);
    return status;
  }

  /** Closes every descriptor that it opened (not `directoryFd`). */
  close(): void {
    this.files.closeAll();
    this.nodes.closeAll();
    this.orphans?.close();
  }
}

export function openBacking(directoryFd: number, options: BackingOptions): Backing {
  return new Backing(directoryFd, options);
}
