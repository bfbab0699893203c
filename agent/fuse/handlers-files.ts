/** Requests about open files: opening, data, syncing, closing. */
import { allocate, close, E, FALLOC, O, readAt, SEEK, seek, statOf, sync, writeAt } from '../sys/linux.ts';
import { readNumber, writeNumber, writeParkedReply } from './codec.ts';
import { syncStage } from './kept-requests.ts';
import { contentFits, noRoom } from './peer-room.ts';
import { fsyncFlag, openedFlag, openFlag, replyHeaderBytes, requestHeaderBytes, writeFlag } from './protocol.ts';
import type { Handler, KnownFile, OpenFile, Outcome, Service } from './service.ts';
import { asWriter, killsSetId, tellFailed, tellFallenMode, truncateAndTell } from './tell.ts';

const body = requestHeaderBytes;
const writeHeaderBytes = 40;

/** `struct fuse_open_out`; returns the reply's length. */
export function writeOpened(service: Service, at: number, handle: number, writable: boolean): number {
  const { bytes } = service.reply;
  writeNumber(bytes, handle, at);
  // Whoever only reads has nothing to wait for at close. What is cached stays good: nothing changes but through this mount.
  bytes.writeUInt32LE(openedFlag.KEEP_CACHE | (writable ? 0 : openedFlag.NOFLUSH), at + 8);
  bytes.writeUInt32LE(0, at + 12);
  return at + 16;
}

export const open: Handler = (service, { bytes }) => {
  const node = service.node();
  if (!node) return service.fail(-E.STALE);
  const flags = bytes.readUInt32LE(body);
  const truncates = (flags & O.TRUNC) !== 0;
  if (truncates && !service.sink.changesAllowed()) return 'deferred';
  if (truncates) service.sink.willWrite(node, 0, Number.MAX_SAFE_INTEGER);
  const writable = (flags & O.ACCMODE) !== O.RDONLY;
  // Also for O_WRONLY: the kernel reads to fill up a page. Not O_APPEND, which would move writes to the end of the file, and not
  // O_DIRECT, which would ask for aligned memory. O_SYNC is kept by syncing on both disks. O_NOATIME is: who reads so leaves no trace.
  const belowFlags = (writable || truncates ? O.RDWR : O.RDONLY) | (flags & O.NOATIME);
  const fd = service.backing.openNode(node, belowFlags);
  if (fd < 0) {
    service.reportIfDisk('open', fd);
    return service.fail(fd);
  }
  if (truncates) {
    const kills = (bytes.readUInt32LE(body + 4) & openFlag.KILL_SUIDGID) !== 0;
    const status = truncateAndTell(service, { fd, node, writable, stream: null }, 0, kills);
    if (status < 0) {
      close(fd);
      return service.fail(status);
    }
  }
  const file = service.addFile(fd, node, writable, null, belowFlags);
  return service.send(writeOpened(service, replyHeaderBytes, file.handle, writable));
};

export const read: Handler = (service, { bytes }) => {
  const file = service.file(readNumber(bytes, body));
  if (!file) return service.fail(-E.BADF);
  const offset = readNumber(bytes, body + 8);
  const length = Math.min(bytes.readUInt32LE(body + 16), service.reply.length - replyHeaderBytes);
  const count = readAt(file.fd, service.reply.address(replyHeaderBytes), length, offset);
  if (count < 0) {
    service.reportIfDisk('read', count);
    return service.fail(count);
  }
  return service.send(replyHeaderBytes + count);
};

export const write: Handler = (service, request) => {
  const { bytes } = request;
  const file = service.file(readNumber(bytes, body));
  if (!file) return service.fail(-E.BADF);
  if (!service.sink.changesAllowed()) return 'deferred';
  const offset = readNumber(bytes, body + 8);
  const length = bytes.readUInt32LE(body + 16);
  const writeFlags = bytes.readUInt32LE(body + 20);
  const fileFlags = bytes.readUInt32LE(body + 32);
  const synchronous = (fileFlags & O.DSYNC) !== 0 && (writeFlags & writeFlag.CACHE) === 0;
  // The kernel lets nobody else write to this file before it is answered.
  if (synchronous && service.formerErrors === 'unheard') return 'sync-waits';
  const start = body + writeHeaderBytes;
  if (!Number.isSafeInteger(offset + length)) return service.fail(-E.FBIG);
  if (!contentFits(service, file, offset, offset + length)) return noRoom(service);
  service.sink.willWrite(file.node, offset, offset + length);
  const kills = (writeFlags & writeFlag.KILL_SUIDGID) !== 0;
  let count = kills
    ? asWriter(service, file, () => writeAt(file.fd, request.address(start), length, offset))
    : writeAt(file.fd, request.address(start), length, offset);
  let failure = 0;
  // What the kernel writes back it calls written whatever the answer says, but for an error. The kernel below tells why it wrote less only to the next write.
  if (count > 0 && count < length && (writeFlags & writeFlag.CACHE) !== 0) {
    const more = writeAt(file.fd, request.address(start + count), length - count, offset + count);
    count += Math.max(more, 0);
    if (count < length) failure = more < 0 ? more : -E.NOSPC;
  }
  if (count < 0) {
    tellFailed(service, file, 'write', count);
    return service.fail(count);
  }
  const { node } = file;
  if (!node.unlinked) {
    const status = statOf(file.fd, service.attributes);
    if (status < 0) service.leftHalfDone('stat', status);
    else service.sink.write(node, offset, bytes, start, count, service.attributes.modified);
  }
  if (failure < 0) {
    tellFailed(service, file, 'write', failure);
    return service.fail(failure);
  }
  if (kills) tellFallenMode(service, file);
  if (synchronous) return syncAndWait(service, file, (fileFlags & O.SYNC) !== O.SYNC, count);
  service.replyLength = writeParkedReply(service.reply.bytes, service.header.unique, count);
  return 'reply';
};

/**
 * Both disks: the peer is asked first and works while the local disk does. A failed sync is an error for good: the kernel below has
 * dropped the pages, a second one would lie.
 */
function syncAndWait(service: Service, file: KnownFile, dataOnly: boolean, writtenBytes: number): Outcome {
  const { node } = file;
  const { unique } = service.header;
  // A removed directory that a predecessor had open.
  if (file.fd < 0) return service.done();
  const sequence = node.unlinked ? 0 : service.sink.sync(node, dataOnly);
  // After what a predecessor's disk has failed to write none goes beside this lane.
  const isPlain = service.formerErrors === 'none';
  if (isPlain && service.sink.collect?.(unique, sequence, file, dataOnly, writtenBytes) === true) return 'parked';
  const status = syncHere(service, file, dataOnly);
  if (status < 0) {
    service.sink.localFailure('fsync', -status);
    return service.fail(-E.IO);
  }
  if (sequence !== 0 && service.sink.park(unique, sequence, writtenBytes)) return 'parked';
  service.replyLength = writeParkedReply(service.reply.bytes, unique, writtenBytes);
  return 'reply';
}

/**
 * An error is told once, to the first who asks: was that a process that died, then only the filesystem as a whole still knows, through a descriptor that has been open all
 * the time (Linux 5.8). Which file it was nobody can say, so from then on none is synced.
 */
function syncHere(service: Service, file: KnownFile, dataOnly: boolean): number {
  const { keeper } = service;
  keeper.noteSync(syncStage.begun);
  const status = service.formerErrorsAllowSync() ? sync(file.fd, dataOnly) : -E.IO;
  if (status === 0) keeper.noteSync(syncStage.succeeded);
  return status;
}

/** Files and directories. Never ENOSYS: the kernel would stop asking and answer success by itself. */
export const fsync: Handler = (service, { bytes }) => {
  const file = service.file(readNumber(bytes, body));
  if (!file) return service.fail(-E.BADF);
  if (!service.sink.changesAllowed()) return 'deferred';
  if (service.formerErrors === 'unheard') return 'sync-waits';
  const dataOnly = (bytes.readUInt32LE(body + 8) & fsyncFlag.DATA_ONLY) !== 0;
  const mayBeSynced = service.formerErrors === 'none' && !file.node.unlinked;
  if (mayBeSynced && service.sink.isSynced?.(file, dataOnly) === true) return service.done();
  return syncAndWait(service, file, dataOnly, 0);
};

/** close(2) of a descriptor: what was written has reached the peer before it returns. */
export const flush: Handler = (service, { bytes }) => {
  const file = service.file(readNumber(bytes, body));
  if (!file) return service.fail(-E.BADF);
  if (!file.writable || file.node.unlinked) return service.done();
  if (!service.sink.changesAllowed()) return 'deferred';
  const sequence = service.sink.closing(file.node);
  if (sequence !== 0 && service.sink.park(service.header.unique, sequence, 0)) return 'parked';
  return service.done();
};

export const release: Handler = (service, { bytes }) => {
  const file = service.file(readNumber(bytes, body));
  // Closed already, by a predecessor.
  if (!file && service.keeper.isRepeated) return service.done();
  if (!file) return service.fail(-E.BADF);
  close(file.fd);
  service.removeFile(file);
  return service.done();
};

/** Of what stays, but may be moved. */
const takesNothing = FALLOC.PUNCH_HOLE | FALLOC.COLLAPSE_RANGE | FALLOC.INSERT_RANGE;

/** These make a file longer at most, or change where it lies: what is read below its end stays the same. */
function keepsContent(mode: number): boolean {
  return (mode & ~(FALLOC.KEEP_SIZE | FALLOC.UNSHARE_RANGE)) === 0;
}

export const fallocate: Handler = (service, { bytes }) => {
  const file = service.file(readNumber(bytes, body));
  if (!file) return service.fail(-E.BADF);
  if (!service.sink.changesAllowed()) return 'deferred';
  const [offset, length] = [readNumber(bytes, body + 8), readNumber(bytes, body + 16)];
  const mode = bytes.readUInt32LE(body + 24);
  if (!Number.isSafeInteger(offset + length)) return service.fail(-E.FBIG);
  // Carried out twice these would move the content twice. The kernel's FUSE passes none of them on.
  if (service.keeper.isRepeated && (mode & (FALLOC.COLLAPSE_RANGE | FALLOC.INSERT_RANGE)) !== 0)
    return service.fail(-E.IO);
  if ((mode & takesNothing) === 0 && !contentFits(service, file, offset, offset + length)) return noRoom(service);
  // Some modes move what comes after.
  service.sink.willWrite(file.node, offset, keepsContent(mode) ? offset + length : Number.MAX_SAFE_INTEGER);
  const kills = killsSetId(service, file);
  const change = (): number => allocate(file.fd, mode, offset, length);
  const status = kills ? asWriter(service, file, change) : change();
  if (status < 0) {
    // Of the others nobody knows how far they came.
    tellFailed(service, file, 'fallocate', status, keepsContent(mode) ? Infinity : -1);
    return service.fail(status);
  }
  const read = statOf(file.fd, service.attributes);
  if (read < 0) service.leftHalfDone('stat', read);
  else if (!file.node.unlinked) service.sink.allocate(file.node, mode, offset, length, service.attributes);
  if (kills) tellFallenMode(service, file);
  return service.done();
};

/**
 * With a write-back cache the data may not have reached us yet: a hole seen here could be data there, and cp would skip it. Without one the
 * same is true of what was written through a shared map, so a file that anybody may write to is all data.
 */
export const lseek: Handler = (service, { bytes }) => {
  if (service.cache === 'writeback') return service.fail(-E.NOSYS);
  const file = service.file(readNumber(bytes, body));
  if (!file) return service.fail(-E.BADF);
  const [from, whence] = [readNumber(bytes, body + 8), bytes.readUInt32LE(body + 16)];
  const isMapped = file.node.writers > 0 && (whence === SEEK.DATA || whence === SEEK.HOLE);
  const offset = isMapped ? seekInData(service, file, from, whence) : seek(file.fd, from, whence);
  if (offset < 0) return service.fail(offset);
  writeNumber(service.reply.bytes, offset, replyHeaderBytes);
  return service.send(replyHeaderBytes + 8);
};

function seekInData(service: Service, file: OpenFile, from: number, whence: number): number {
  const status = statOf(file.fd, service.attributes);
  if (status < 0) return status;
  const { size } = service.attributes;
  if (from < 0 || from >= size) return -E.NXIO;
  return whence === SEEK.DATA ? from : size;
}
