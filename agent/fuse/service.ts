/** What all request handlers of one mounted directory share: the open files, the reply being written, the caller's identity. */
import { invariant } from '../contract/index.ts';
import { Attributes, E, fileType, Memory, O, statAt, statOf } from '../sys/linux.ts';
import type { ThreadIdentity, Time } from '../sys/linux.ts';
import type { Backing } from './backing.ts';
import { hiddenName } from './backing.ts';
import type { ChangeSink } from './change-sink.ts';
import { RequestHeader, writeAttributesReply, writeEntry, writeReplyHeader } from './codec.ts';
import type { CacheMode, Negotiation } from './codec.ts';
import { DirectoryStream } from './directory-stream.ts';
import { keptFileFlag } from './kept-files.ts';
import type { KeptFile } from './kept-files.ts';
import { asking } from './kept-memory.ts';
import type { KeptMemory } from './kept-memory.ts';
import { keepsNothing } from './kept-requests.ts';
import type { RequestKeeper } from './kept-requests.ts';
import { LastSync } from './last-sync.ts';
import type { TableNode } from './node-table.ts';
import { entryBytes, replyBytesMax, replyHeaderBytes } from './protocol.ts';

/**
 * What becomes of a request. `reply`: `service.reply.bytes[0, service.replyLength)` is the answer. `none`: it has no answer. `deferred`: nothing has
 * been done, keep a copy and handle it again. `sync-waits`: the same, once `formerErrors` are known; others need not wait for that. `parked`: the sink's owner answers. `destroyed`: answer, then end.
 */
export type Outcome = 'reply' | 'none' | 'deferred' | 'sync-waits' | 'parked' | 'destroyed';

export type Handler = (service: Service, request: Memory) => Outcome;

export interface OpenFile {
  readonly fd: number;
  readonly node: TableNode;
  readonly writable: boolean;
  /** Of directories. */
  readonly stream: DirectoryStream | null;
}

/** One that the kernel knows by a number. */
export interface KnownFile extends OpenFile {
  readonly handle: number;
  readonly lastSync: LastSync;
}

/** All changes go through this mount, so what the kernel remembers stays true. */
export const validS = 86_400;

const setUserId = 0o4000;
const setGroupId = 0o2000;

export class Service {
  readonly backing: Backing;
  readonly sink: ChangeSink;
  readonly cache: CacheMode;
  readonly identity: ThreadIdentity;
  readonly header = new RequestHeader();
  readonly reply: Memory;
  /** What is noted of the request that is carried out, for a successor. */
  readonly keeper: RequestKeeper;
  readonly kept: KeptMemory | null;
  replyLength = 0;
  negotiation: Negotiation | null = null;
  /** By FUSE's file handle. */
  readonly files: (KnownFile | undefined)[] = [undefined];
  readonly #freeHandles: number[] = [];
  /** Of the object that the request is about. */
  readonly attributes = new Attributes();
  readonly otherAttributes = new Attributes();
  readonly parentTime: Time = { seconds: 0, nanoseconds: 0 };
  readonly otherParentTime: Time = { seconds: 0, nanoseconds: 0 };
  /**
   * Of a mount that was taken over: an error of writing may have been told to the predecessor, or to nobody, and the descriptors of now do not know it. `unheard`: the
   * filesystem as a whole is being asked, and nothing is called synced before it has answered. `failed`: nothing is any more.
   */
  formerErrors: 'none' | 'unheard' | 'failed' = 'none';
  /** Somebody else is asking for this process: only its answer may clear the word in the memory. */
  asksElsewhere = false;
  #hasHeard = false;
  /** Counts requests; a supervisor sees that the lane lives. */
  handled = 0;

  constructor(
    backing: Backing,
    sink: ChangeSink,
    cache: CacheMode,
    identity: ThreadIdentity,
    kept: KeptMemory | null = null,
  ) {
    this.kept = kept;
    this.keeper = kept?.requests ?? keepsNothing;
    this.reply = kept?.reply ?? new Memory(replyBytesMax);
    this.backing = backing;
    this.sink = sink;
    this.cache = cache;
    this.identity = identity;
  }

  /** The node that the request names. Undefined cannot happen with a kernel that keeps its promises. */
  node(): TableNode | undefined {
    return this.backing.nodes.get(this.header.node);
  }

  /** Success without a body. */
  done(): Outcome {
    return this.send(replyHeaderBytes);
  }

  /** Success; `length` includes the header. */
  send(length: number): Outcome {
    this.replyLength = writeReplyHeader(this.reply.bytes, length, 0, this.header.unique);
    return 'reply';
  }

  /** `error` is -errno. */
  fail(error: number): Outcome {
    this.replyLength = writeReplyHeader(this.reply.bytes, replyHeaderBytes, error, this.header.unique);
    return 'reply';
  }

  sendAttributes(node: TableNode, attributes: Attributes): Outcome {
    this.forKernel(node, attributes);
    return this.send(writeAttributesReply(this.reply.bytes, attributes, attributesValidS(attributes)));
  }

  /** The kernel gets the id once more and will forget it as often. */
  putEntry(at: number, node: TableNode, attributes: Attributes): void {
    this.backing.nodes.looked(node);
    this.forKernel(node, attributes);
    writeEntry(this.reply.bytes, at, node.id, attributes, validS, attributesValidS(attributes));
  }

  sendEntry(node: TableNode, attributes: Attributes): Outcome {
    this.putEntry(replyHeaderBytes, node, attributes);
    return this.send(replyHeaderBytes + entryBytes);
  }

  /** The root does not count the directory that nobody sees, an orphan not the link in it. */
  forKernel(node: TableNode, attributes: Attributes): void {
    if (node.orphan && attributes.links > 0) attributes.links -= 1;
    if (node === this.backing.nodes.root && this.#rootHasHidden() && attributes.links > 2) attributes.links -= 1;
  }

  #hidden: boolean | null = null;
  #rootHasHidden(): boolean {
    this.#hidden ??= statAt(this.backing.directoryFd, hiddenName, this.otherAttributes) === 0;
    return this.#hidden;
  }

  isHidden(parent: TableNode, name: Buffer): boolean {
    return parent === this.backing.nodes.root && name.equals(hiddenName);
  }

  /** Modification time of a directory after a change in it. */
  readTimeOf(directory: TableNode, into: Time): void {
    const fd = this.backing.nodes.descriptor(directory);
    const status = fd < 0 ? fd : statOf(fd, this.otherAttributes);
    if (status < 0) {
      this.leftHalfDone('stat', status);
      return;
    }
    into.seconds = this.otherAttributes.modified.seconds;
    into.nanoseconds = this.otherAttributes.modified.nanoseconds;
  }

  file(handle: number): KnownFile | undefined {
    return this.files[handle];
  }

  /** `flags`: of the open(2) below. */
  addFile(fd: number, node: TableNode, writable: boolean, stream: DirectoryStream | null, flags: number): KnownFile {
    const handle = this.#freeHandles.pop() ?? this.files.length;
    const file = this.#putFile({ handle, fd, node, writable, stream, lastSync: new LastSync() });
    const keptFlags =
      (writable ? keptFileFlag.writable : 0) |
      (stream ? keptFileFlag.directory : 0) |
      ((flags & O.ACCMODE) === O.RDWR ? keptFileFlag.readWrite : 0) |
      ((flags & O.NOATIME) === 0 ? 0 : keptFileFlag.noAccessTime);
    this.kept?.files.opened({ handle, node: node.id, flags: keptFlags, unique: this.header.unique });
    return file;
  }
  #putFile(file: KnownFile): KnownFile {
    const { node } = file;
    this.files[file.handle] = file;
    node.holds += 1;
    node.opens += 1;
    if (file.writable) node.writers += 1;
    return file;
  }

  removeFile(file: KnownFile): void {
    const { node } = file;
    this.kept?.files.closed(file.handle);
    this.files[file.handle] = undefined;
    this.#freeHandles.push(file.handle);
    node.holds -= 1;
    node.opens -= 1;
    if (node.opens === 0) this.backing.letGoOrphan(node);
    if (file.writable) node.writers -= 1;
    // The kernel may have forgotten the node before it released the file.
    if (this.backing.nodes.collect(node)) this.sink.forgotten(node.id);
  }

  /** What a predecessor had open is opened again. Why that is not possible; null: it is. */
  adoptFiles(files: readonly KeptFile[]): string | null {
    for (const kept of files) {
      const { handle, flags } = kept;
      const node = this.backing.nodes.get(kept.node);
      if (!node) return `an open file of node ${kept.node}, which is not known`;
      const isDirectory = (flags & keptFileFlag.directory) !== 0;
      const access = (flags & keptFileFlag.readWrite) === 0 ? O.RDONLY : O.RDWR;
      const more = isDirectory ? O.DIRECTORY : (flags & keptFileFlag.noAccessTime) === 0 ? 0 : O.NOATIME;
      const fd = this.backing.openNode(node, access | more);
      // Of a removed directory nothing is ever asked again but to close it. The note of its removal may be missing.
      if (isDirectory && fd === -E.STALE) this.backing.nodes.setUnlinked(node);
      if (fd < 0 && !(isDirectory && node.unlinked)) return `an open file that does not open again (errno ${-fd})`;
      while (this.files.length < handle) this.#freeHandles.push(this.files.push(undefined) - 1);
      const at = this.#freeHandles.indexOf(handle);
      if (at >= 0) this.#freeHandles.splice(at, 1);
      const writable = (flags & keptFileFlag.writable) !== 0;
      const stream = isDirectory ? new DirectoryStream(fd) : null;
      this.#putFile({ handle, fd, node, writable, stream, lastSync: new LastSync() });
    }
    return null;
  }

  /** False: what a predecessor's disk has failed to write may be missing in any file. */
  formerErrorsAllowSync(): boolean {
    invariant(this.formerErrors !== 'unheard', 'a sync before it is known what a predecessor has failed to write');
    return this.formerErrors === 'none';
  }

  /** syncfs(2). 0 or -errno. A successor asks where this process was killed before it could record what it has heard. */
  syncAll(): number {
    const { kept, backing } = this;
    if (this.formerErrors === 'failed') return -E.IO;
    if (!kept) return backing.syncAll();
    const before = kept.asking;
    if (before === asking.nothing) kept.asking = asking.asked;
    const status = backing.syncAll(kept.askedFd);
    this.#hasHeard ||= status < 0;
    if (status < 0) kept.asking = asking.failed;
    else if (before === asking.nothing) kept.asking = asking.nothing;
    return status;
  }

  /** What predecessors have heard or may have heard of the disk counts here. */
  takeOverErrors(): void {
    this.formerErrors = this.kept?.asking === asking.failed ? 'failed' : 'unheard';
  }
  /** To be asked in our place, all of them; `heard` is to follow. Empty: there is nothing to ask. */
  descriptionsToAsk(): readonly number[] {
    const { kept } = this;
    if (!kept || kept.asking === asking.failed) return [];
    const isFirst = kept.asking === asking.nothing;
    kept.asking = isFirst ? asking.asked : asking.failed;
    this.asksElsewhere = true;
    return isFirst ? [kept.askedFd] : [kept.askedFd, kept.unaskedFd];
  }
  /** 0 or -errno. */
  heard(status: number): void {
    const { kept } = this;
    if (!this.asksElsewhere) return;
    this.asksElsewhere = false;
    this.#hasHeard ||= status < 0;
    if (this.formerErrors === 'unheard') this.formerErrors = this.#hasHeard ? 'failed' : 'none';
    if (kept) kept.asking = this.#hasHeard ? asking.failed : asking.nothing;
  }

  /** An errno of the disk itself: the copy here cannot be trusted to go on. */
  reportIfDisk(call: string, error: number): void {
    if (isOfDisk(error)) this.sink.localFailure(call, -error);
  }

  /** A change was made, in part at least, and what it has led to cannot be told. */
  leftHalfDone(call: string, error: number): void {
    this.reportIfDisk(call, error);
    // Of a disk that fails the sink knows by now that nothing is certain.
    if (!isOfDisk(error)) this.sink.untold();
  }
}

function isOfDisk(error: number): boolean {
  return error === -E.IO || error === -E.ROFS;
}

/** Set-id bits fall by a write that the kernel does not connect with the mode that it remembers: it must ask each time. */
function attributesValidS(attributes: Attributes): number {
  const isFile = (attributes.mode & fileType.mask) === fileType.file;
  return isFile && (attributes.mode & (setUserId | setGroupId)) !== 0 ? 0 : validS;
}
