/**
 * What the primary's filesystem tells about every change, and whom it asks before making one. Replication implements it;
 * `passthroughSink` is the implementation of a directory without a peer.
 *
 * Rules of the calls:
 * - `changesAllowed` is asked once per request, before anything is touched. False: nothing has happened, the handler
 *   answers `deferred`, and the same request comes again later.
 * - Every other method is called after the local success and before the reply, in the order of application. There is one caller, and
 *   it waits for the return: the order of calls *is* the order in which the changes reached the disk.
 * - While it is told of a change the sink sees the node's known link as it was *before* the change, so that it can still send
 *   `bind(node, parent, name)` ahead of it. A created node has its new link already.
 * - `bytes` buffers are valid during the call only.
 * - A sink that cannot send keeps that to itself (the link is lost, the mode changes): it never throws for it, since the change
 *   has been made and must be answered.
 */
import type { Attributes, Time } from '../sys/attributes.ts';
import type { LastSync } from './last-sync.ts';
import type { Name, Node, NodeId } from './node-table.ts';

/**
 * Thrown by `will…`: this change must not be made, because it could not be written down before. Nothing has been touched; the request fails with EIO. An exception,
 * because no handler may pass over it.
 */
export class ChangeRefused extends Error {
  override readonly name = 'ChangeRefused';
}

/** Numbers one change in the stream. 0: nothing to wait for. */
export type Sequence = number;

/** What a disk can still take. */
export interface Room {
  bytes: number;
  /** Objects that can still be made. */
  names: number;
  totalBytes: number;
  totalNames: number;
}

/** What a sink has to know of an open file. */
export interface SyncedFile {
  readonly fd: number;
  readonly node: Node;
  readonly lastSync: LastSync;
}

export interface ChangeSink {
  changesAllowed(): boolean;

  /**
   * Also before anything is touched: so many bytes, in whole blocks, and so many new objects. False: the copy has no room for them as far as is known, and
   * nothing is counted. `asksRoom` then: true, and the handler answers `deferred`, once more when it is known; false: it answers ENOSPC.
   */
  takes(bytes: number, names: number): boolean;
  asksRoom(): boolean;
  /** What the copy can still take, for statfs. False: there is none, or it is not known. */
  peerRoom(into: Room): boolean;

  /**
   * Before anything is touched, after `changesAllowed`: what this request may change, whether or not it will. A sink may have to write that down first, and
   * throws ChangeRefused when it cannot.
   * `willName`: the name gets another object, gets its first or loses its last; `isDirectory`: one stands there before or after; `node`: the object that
   * loses the name or is moved to it, with the number of its names. `willLink`: it gets a further name, which `willName` tells as well.
   * Each of them counts in `changed` of every node that it names.
   * `willWrite`: content in [start, end) or the size; `end` may lie beyond every file. `willSet`: attributes of any kind.
   */
  willName(parent: Node, name: Name, isDirectory: boolean, node: Node | null, links: number): void;
  willLink(node: Node, links: number): void;
  willWrite(node: Node, start: number, end: number): void;
  willSet(node: Node): void;

  /** Regular file, directory, symbolic link (then `target`), FIFO, socket or device, by the type in `attributes.mode`. */
  create(node: Node, parent: Node, name: Name, attributes: Attributes, target: Buffer | null, parentTime: Time): void;
  /** A regular file without a name (O_TMPFILE): nobody finds it until `link` gives it its first one. */
  createUnnamed(node: Node, attributes: Attributes): void;
  /** A further name of a file, or the first one. `attributes` are the file's after the change. */
  link(node: Node, parent: Node, name: Name, attributes: Attributes, parentTime: Time): void;
  /** File or directory. The node may stay open; what is done to it once it has no name is not told any more. */
  unlink(node: Node, parent: Node, name: Name, isDirectory: boolean, parentTime: Time): void;
  /**
   * `exchanged`: the node that was at the new place and is now at the old one (RENAME_EXCHANGE). `replaced`: the node that stood at the
   * new place and lost that name. At most one of them is not null. Times: of the directories after the change.
   */
  rename(
    node: Node,
    from: Node,
    fromName: Name,
    to: Node,
    toName: Name,
    exchanged: Node | null,
    replaced: Node | null,
    fromTime: Time,
    toTime: Time,
  ): void;
  /** `bytes[start, start+length)` now stand at `offset`; `modified` is the file's mtime after it. */
  write(node: Node, offset: number, bytes: Buffer, start: number, length: number, modified: Time): void;
  /** Size after the change; shorter or longer. */
  truncate(node: Node, size: number, modified: Time): void;
  /** Mode, owner, access and modification time as they now are. */
  attributes(node: Node, attributes: Attributes): void;
  setXattr(node: Node, name: Buffer, value: Buffer): void;
  removeXattr(node: Node, name: Buffer): void;
  /** fallocate(2) with its mode bits. `attributes` are the file's after the change. */
  allocate(node: Node, mode: number, offset: number, length: number, attributes: Attributes): void;

  /**
   * fsync or fdatasync of a file or directory: sends the sync, does not wait. Called *before* the local sync so that both disks
   * work at once. Returns what to park on.
   */
  sync(node: Node, dataOnly: boolean): Sequence;
  /** Instead of `sync`: both disks have all that it would bring there, by an earlier one through the same open file. Missing: nobody knows. */
  isSynced?(file: SyncedFile, dataOnly: boolean): boolean;
  /**
   * After `sync`: the owner syncs the file itself, together with others, then parks and answers. The descriptor is good until then: the kernel releases no file
   * that a request of its own is about. False, or missing: the handler does it.
   */
  collect?(unique: number, sequence: Sequence, file: SyncedFile, dataOnly: boolean, writtenBytes: number): boolean;
  /** A descriptor of the file is being closed: the sequence that the peer must have acknowledged before close(2) returns. */
  closing(node: Node): Sequence;
  /**
   * The request waits until `sequence` is acknowledged; whoever gets the acknowledgement answers it with
   * `writeParkedReply(bytes, unique, writtenBytes)` (0 but for a synchronous write). False: nothing to wait for, the handler answers at once.
   */
  park(unique: number, sequence: Sequence, writtenBytes: number): boolean;

  /**
   * The directory may have changed in a way that could not be told: a change was made in part, or what it has led to cannot be read. Whoever
   * keeps a copy does not know any more what differs. Called instead of the call that would have told it, before the reply.
   */
  untold(): void;
  /** The local disk failed to sync or write (EIO and the like). The application has got the error; it is never retried as success. */
  localFailure(call: string, errno: number): void;
  /** The process that made this request got a signal. Only for requests that the sink's owner keeps (deferred or parked). */
  interrupted(unique: number): void;
  /** The kernel has forgotten the node and its id will never be used again. */
  forgotten(id: NodeId): void;
}

/** A directory without a peer: everything is allowed and acknowledged at once. */
export const passthroughSink: ChangeSink = {
  changesAllowed: () => true,
  takes: () => true,
  asksRoom: () => false,
  peerRoom: () => false,
  willName: () => undefined,
  willLink: () => undefined,
  willWrite: () => undefined,
  willSet: () => undefined,
  create: () => undefined,
  createUnnamed: () => undefined,
  link: () => undefined,
  unlink: () => undefined,
  rename: () => undefined,
  write: () => undefined,
  truncate: () => undefined,
  attributes: () => undefined,
  setXattr: () => undefined,
  removeXattr: () => undefined,
  allocate: () => undefined,
  sync: () => 0,
  closing: () => 0,
  park: () => false,
  untold: () => undefined,
  localFailure: (call, errno) => {
    process.stderr.write(`${call} failed: errno ${errno}\n`);
  },
  interrupted: () => undefined,
  forgotten: () => undefined,
};
