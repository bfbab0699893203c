/** The primary's filesystem: one request in, one outcome out. Knows no device; whoever calls it reads and replies. */
import { release } from 'node:os';
import { close, E } from '../sys/linux.ts';
import { kernelAtLeast } from '../sys/kernel.ts';
import type { Memory, ThreadIdentity } from '../sys/linux.ts';
import type { Backing } from './backing.ts';
import { ChangeRefused } from './change-sink.ts';
import type { ChangeSink } from './change-sink.ts';
import { negotiate, readNumber, writeInitReply } from './codec.ts';
import type { CacheMode } from './codec.ts';
import * as attributes from './handlers-attributes.ts';
import * as directories from './handlers-directories.ts';
import * as files from './handlers-files.ts';
import * as names from './handlers-names.ts';
import { keptFileFlag } from './kept-files.ts';
import type { KeptMemory } from './kept-memory.ts';
import type { Carried } from './kept-requests.ts';
import { opcode, requestHeaderBytes } from './protocol.ts';
import { Service } from './service.ts';
import type { Handler, Outcome } from './service.ts';

export interface FilesystemOptions {
  readonly backing: Backing;
  readonly sink: ChangeSink;
  readonly cache: CacheMode;
  /** Of the thread that will call `handle`. */
  readonly identity: ThreadIdentity;
  /** Memory that a successor of this process reads. */
  readonly kept?: KeptMemory;
}

const body = requestHeaderBytes;

const initialise: Handler = (service, { bytes }) => {
  const negotiation = negotiate(bytes, service.cache);
  if (negotiation === 'too-old') return service.fail(-E.PROTO);
  if (negotiation !== 'again') {
    service.negotiation = negotiation;
    service.kept?.keepNegotiation(negotiation);
  }
  return service.send(writeInitReply(service.reply.bytes, negotiation));
};

function forgetNode(service: Service, id: number, count: number): void {
  if (service.backing.nodes.forgotten(id, count)) service.sink.forgotten(id);
}

const forget: Handler = (service, { bytes }) => {
  forgetNode(service, service.header.node, readNumber(bytes, body));
  return 'none';
};

const forgetMany: Handler = (service, { bytes }) => {
  const count = bytes.readUInt32LE(body);
  for (let index = 0; index < count; index += 1) {
    const at = body + 8 + index * 16;
    forgetNode(service, readNumber(bytes, at), readNumber(bytes, at + 8));
  }
  return 'none';
};

/** An fsync is not interruptible on a local disk either: the request is answered in its own time. */
const interrupt: Handler = (service, { bytes }) => {
  service.sink.interrupted(readNumber(bytes, body));
  return 'none';
};

const destroy: Handler = (service) => {
  service.done();
  return 'destroyed';
};

const notATerminal = 25;

const handlers = new Map<number, Handler>([
  [opcode.INIT, initialise],
  [opcode.LOOKUP, names.lookup],
  [opcode.FORGET, forget],
  [opcode.BATCH_FORGET, forgetMany],
  [opcode.INTERRUPT, interrupt],
  [opcode.DESTROY, destroy],
  [opcode.GETATTR, attributes.getAttributes],
  [opcode.SETATTR, attributes.setAttributes],
  [opcode.READLINK, attributes.readLink],
  [opcode.GETXATTR, attributes.getExtended],
  [opcode.SETXATTR, attributes.setExtended],
  [opcode.LISTXATTR, attributes.listExtended],
  [opcode.REMOVEXATTR, attributes.removeExtended],
  [opcode.STATFS, attributes.statistics],
  [opcode.SYMLINK, names.symbolicLink],
  [opcode.MKNOD, names.makeNode],
  [opcode.MKDIR, names.makeDirectory],
  [opcode.CREATE, names.create],
  [opcode.TMPFILE, names.createUnnamed],
  [opcode.LINK, names.link],
  [opcode.UNLINK, names.unlink],
  [opcode.RMDIR, names.removeDirectory],
  [opcode.RENAME, names.rename],
  [opcode.RENAME2, names.renameWithFlags],
  [opcode.OPEN, files.open],
  [opcode.READ, files.read],
  [opcode.WRITE, files.write],
  [opcode.FSYNC, files.fsync],
  [opcode.FLUSH, files.flush],
  [opcode.RELEASE, files.release],
  [opcode.FALLOCATE, files.fallocate],
  [opcode.LSEEK, files.lseek],
  [opcode.OPENDIR, directories.openDirectory],
  [opcode.READDIR, directories.readDirectory],
  [opcode.READDIRPLUS, directories.readDirectoryPlus],
  [opcode.RELEASEDIR, directories.releaseDirectory],
  [opcode.FSYNCDIR, files.fsync],
  [opcode.IOCTL, (service) => service.fail(-notATerminal)],
]);

/** syncfs(2) returns what went wrong since the descriptor was opened from Linux 5.8 on. */
function tellsFailedSyncs(kernel: string): boolean {
  return kernelAtLeast(kernel, 5, 8);
}

export class Filesystem {
  readonly #service: Service;

  constructor(options: FilesystemOptions) {
    const { backing, sink, cache, identity, kept = null } = options;
    this.#service = new Service(backing, sink, cache, identity, kept);
  }

  /**
   * Goes on where a predecessor ended, before the first request is read. What it was carrying out or holding; a string says why this is not possible: then nothing may be
   * answered through this connection any more.
   */
  takeOver(): Carried | string {
    const { kept, backing } = this.#service;
    if (!kept) return 'nothing was kept';
    const carried = kept.requests.carried();
    if (carried === null) return 'its requests cannot be read';
    const open = [...kept.files.all(kept.fileChunks)];
    const files = open.filter(({ unique }) => !kept.requests.wasBegun(unique));
    for (const file of open) if (kept.requests.wasBegun(file.unique)) kept.files.closed(file.handle);
    const isWritten = kept.requests.hasUnheardSync || files.some(({ flags }) => (flags & keptFileFlag.readWrite) !== 0);
    if (isWritten && !tellsFailedSyncs(release())) return 'this kernel would not tell of a failed sync';
    const ids = new Set(files.map(({ node }) => node));
    const isOpen = (id: number): boolean => ids.has(id);
    if (!backing.nodes.adopt(kept.nodeChunks, isOpen)) return 'its nodes cannot be read';
    const problem = backing.adoptOrphans(isOpen) ?? this.#service.adoptFiles(files);
    if (problem !== null) return problem;
    this.#service.negotiation = kept.negotiation;
    this.#service.takeOverErrors();
    this.#tellUnnamed();
    return carried;
  }

  /** See Service. */
  formerErrorsAllowSync(): boolean {
    return this.#service.formerErrorsAllowSync();
  }
  syncAll(): number {
    return this.#service.syncAll();
  }
  get hasUnheardErrors(): boolean {
    return this.#service.formerErrors === 'unheard';
  }
  get hasLostErrors(): boolean {
    return this.#service.formerErrors === 'failed';
  }
  get asksElsewhere(): boolean {
    return this.#service.asksElsewhere;
  }
  descriptionsToAsk(): readonly number[] {
    return this.#service.descriptionsToAsk();
  }
  heard(status: number): void {
    this.#service.heard(status);
  }

  get openFiles(): number {
    return this.#service.files.filter((file) => file !== undefined).length;
  }

  /** Closes what is still open; nothing may be handled afterwards. */
  close(): void {
    for (const file of this.#service.files) if (file && file.fd >= 0) close(file.fd);
  }

  /** Files that were made without a name and may still get one. */
  #tellUnnamed(): void {
    const { backing, sink, attributes: found } = this.#service;
    for (const node of backing.nodes.orphans())
      if (!node.unlinked && backing.attributes(node.id, found) === 0) sink.createUnnamed(node, found);
  }

  /** The answer to the last request with the outcome `reply` or `destroyed`: its first `replyLength` bytes. */
  get reply(): Memory {
    return this.#service.reply;
  }

  get replyLength(): number {
    return this.#service.replyLength;
  }

  /** Number of the last request. */
  get unique(): number {
    return this.#service.header.unique;
  }

  /**
   * Carries out one request. What is not implemented is answered ENOSYS, which the kernel remembers and then does without: locks
   * (they are local to this node), copy_file_range, poll, bmap.
   */
  handle(request: Memory, length: number): Outcome {
    const service = this.#service;
    service.backing.nodes.putIdleAside();
    service.header.read(request.bytes);
    if (length < requestHeaderBytes || service.header.length !== length) return service.fail(-E.IO);
    const handler = handlers.get(service.header.opcode);
    if (!handler) return service.fail(-E.NOSYS);
    service.handled += 1;
    try {
      return handler(service, request);
    } catch (error) {
      if (!(error instanceof ChangeRefused)) throw error;
      return service.fail(-E.IO);
    }
  }
}
