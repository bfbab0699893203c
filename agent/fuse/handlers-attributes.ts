/** Requests about what an object is: attributes, extended attributes, link targets, the filesystem's numbers. */
import {
  changeMode,
  changeOwner,
  changeTimes,
  close,
  E,
  filesystemStatistics,
  getXattr,
  listXattrs,
  O,
  readLinkAt,
  removeXattr,
  setXattr,
  statOf,
} from '../sys/linux.ts';
import type { FilesystemStatistics, Time } from '../sys/linux.ts';
import { nameAt, readNumber, readTime, writeNumber } from './codec.ts';
import type { TableNode } from './node-table.ts';
import { blocksOf, fits, noRoom } from './peer-room.ts';
import { getattrFlag, replyHeaderBytes, requestHeaderBytes, setattrField, setxattrFlag } from './protocol.ts';
import type { Handler, OpenFile, Outcome, Service } from './service.ts';
import { truncateAndTell } from './tell.ts';

const body = requestHeaderBytes;
const nothing = Buffer.alloc(0);
const keepOwner = 0xffffffff;

export const getAttributes: Handler = (service, { bytes }) => {
  const node = service.node();
  if (!node) return service.fail(-E.STALE);
  const usesFile = (bytes.readUInt32LE(body) & getattrFlag.FH) !== 0;
  const file = usesFile ? service.file(readNumber(bytes, body + 8)) : undefined;
  const fd = file ? file.fd : service.backing.nodes.descriptor(node);
  const status = fd < 0 ? fd : statOf(fd, service.attributes);
  if (status < 0) {
    service.reportIfDisk('stat', status);
    return service.fail(status);
  }
  return service.sendAttributes(node, service.attributes);
};

export const setAttributes: Handler = (service, { bytes }) => {
  const node = service.node();
  if (!node) return service.fail(-E.STALE);
  if (!service.sink.changesAllowed()) return 'deferred';
  const fields = bytes.readUInt32LE(body);
  // What is known of a content is known of all of the file.
  if ((fields & setattrField.SIZE) === 0) service.sink.willSet(node);
  const sizeStatus = (fields & setattrField.SIZE) === 0 ? 0 : setSize(service, bytes, node, fields);
  if (sizeStatus < 0) return service.fail(sizeStatus);
  const status = setOwnerModeTimes(service, bytes, node, fields);
  const fd = service.backing.nodes.descriptor(node);
  const read = fd < 0 ? fd : statOf(fd, service.attributes);
  const others = setattrField.MODE | setattrField.UID | setattrField.GID | setattrField.ATIME | setattrField.MTIME;
  if ((fields & others) !== 0 && !node.unlinked) {
    // Also when it failed: the owner is changed before the mode, and that one before the times.
    if (read < 0) service.leftHalfDone('stat', read);
    else service.sink.attributes(node, service.attributes);
  }
  if (status < 0) {
    service.reportIfDisk('setattr', status);
    return service.fail(status);
  }
  if (read < 0) return service.fail(-E.STALE);
  return service.sendAttributes(node, service.attributes);
};

function setSize(service: Service, bytes: Buffer, node: TableNode, fields: number): number {
  const size = readNumber(bytes, body + 16);
  if (!Number.isSafeInteger(size)) return -E.FBIG;
  service.sink.willWrite(node, size, Number.MAX_SAFE_INTEGER);
  const known = (fields & setattrField.FH) === 0 ? undefined : service.file(readNumber(bytes, body + 8));
  const fd = known ? known.fd : service.backing.openNode(node, O.RDWR);
  if (fd < 0) return fd;
  const file: OpenFile = known ?? { fd, node, writable: true, stream: null };
  const status = truncateAndTell(service, file, size, (fields & setattrField.KILL_SUIDGID) !== 0);
  if (!known) close(fd);
  return status;
}

/** Owner first: chown(2) clears the set-id bits, and a mode given together with it is meant to stand. */
function setOwnerModeTimes(service: Service, bytes: Buffer, node: TableNode, fields: number): number {
  const fd = service.backing.nodes.descriptor(node);
  if (fd < 0) return fd;
  if ((fields & (setattrField.UID | setattrField.GID)) !== 0) {
    const uid = (fields & setattrField.UID) !== 0 ? bytes.readUInt32LE(body + 76) : keepOwner;
    const gid = (fields & setattrField.GID) !== 0 ? bytes.readUInt32LE(body + 80) : keepOwner;
    const status = changeOwner(fd, uid, gid);
    if (status < 0) return status;
  }
  if ((fields & setattrField.MODE) !== 0) {
    const status = changeMode(fd, bytes.readUInt32LE(body + 68));
    if (status < 0) return status;
  }
  if ((fields & (setattrField.ATIME | setattrField.MTIME)) === 0) return 0;
  const accessed = timeOf(bytes, fields, setattrField.ATIME, setattrField.ATIME_NOW, 32, 56);
  const modified = timeOf(bytes, fields, setattrField.MTIME, setattrField.MTIME_NOW, 40, 60);
  return changeTimes(fd, accessed, modified);
}

function timeOf(
  bytes: Buffer,
  fields: number,
  given: number,
  now: number,
  secondsAt: number,
  nanosecondsAt: number,
): Time | 'now' | null {
  if ((fields & given) === 0) return null;
  return (fields & now) !== 0 ? 'now' : readTime(bytes, body + secondsAt, body + nanosecondsAt);
}

export const readLink: Handler = (service) => {
  const node = service.node();
  if (!node) return service.fail(-E.STALE);
  const fd = service.backing.nodes.descriptor(node);
  const target = fd < 0 ? fd : readLinkAt(fd, nothing);
  return typeof target === 'number' ? service.fail(target) : sendBytes(service, target);
};

function sendBytes(service: Service, value: Buffer): Outcome {
  value.copy(service.reply.bytes, replyHeaderBytes);
  return service.send(replyHeaderBytes + value.length);
}

/** The caller asks with room 0 for the size, and with too little room for an error. */
function sendSized(service: Service, value: Buffer, room: number): Outcome {
  if (room !== 0) return value.length > room ? service.fail(-E.RANGE) : sendBytes(service, value);
  service.reply.bytes.writeUInt32LE(value.length, replyHeaderBytes);
  service.reply.bytes.writeUInt32LE(0, replyHeaderBytes + 4);
  return service.send(replyHeaderBytes + 8);
}

export const getExtended: Handler = (service, { bytes }) => {
  const node = service.node();
  if (!node) return service.fail(-E.STALE);
  const fd = service.backing.nodes.descriptor(node);
  const value = fd < 0 ? fd : getXattr(fd, nameAt(bytes, body + 8));
  return typeof value === 'number' ? service.fail(value) : sendSized(service, value, bytes.readUInt32LE(body));
};

const trustedPrefix = Buffer.from('trusted.');

/** A filesystem shows `trusted.` names only to administrators; we see them all. */
function visibleNames(packed: Buffer, uid: number): Buffer {
  if (uid === 0 || !packed.includes(trustedPrefix)) return packed;
  const kept: Buffer[] = [];
  for (let start = 0; start < packed.length;) {
    const end = packed.indexOf(0, start) + 1;
    const name = packed.subarray(start, end);
    if (!name.subarray(0, trustedPrefix.length).equals(trustedPrefix)) kept.push(name);
    start = end;
  }
  return Buffer.concat(kept);
}

export const listExtended: Handler = (service, { bytes }) => {
  const node = service.node();
  if (!node) return service.fail(-E.STALE);
  const fd = service.backing.nodes.descriptor(node);
  const packed = fd < 0 ? fd : listXattrs(fd);
  if (typeof packed === 'number') return service.fail(packed);
  return sendSized(service, visibleNames(packed, service.header.uid), bytes.readUInt32LE(body));
};

/** It must not be there yet. */
const xattrCreate = 1;
const aclPrefix = Buffer.from('system.posix_acl_');
const setGroupId = 0o2000;

/** Tells a new extended attribute; an access ACL also is the mode. */
function tellExtended(service: Service, node: TableNode, fd: number, name: Buffer, value: Buffer | null): void {
  if (node.unlinked) return;
  if (value) service.sink.setXattr(node, name, value);
  else service.sink.removeXattr(node, name);
  if (!name.subarray(0, aclPrefix.length).equals(aclPrefix)) return;
  const status = statOf(fd, service.attributes);
  if (status < 0) service.leftHalfDone('stat', status);
  else service.sink.attributes(node, service.attributes);
}

export const setExtended: Handler = (service, { bytes }) => {
  const node = service.node();
  if (!node) return service.fail(-E.STALE);
  if (!service.sink.changesAllowed()) return 'deferred';
  const extended = service.negotiation?.setxattrExtended === true;
  const nameStart = body + (extended ? 16 : 8);
  const name = Buffer.from(nameAt(bytes, nameStart));
  const valueStart = nameStart + name.length + 1;
  const value = Buffer.from(bytes.subarray(valueStart, valueStart + bytes.readUInt32LE(body)));
  if (!node.unlinked && !fits(service, blocksOf(0, Math.max(1, value.length)), 0)) return noRoom(service);
  service.sink.willSet(node);
  const fd = service.backing.nodes.descriptor(node);
  const flags = bytes.readUInt32LE(body + 4);
  const { keeper } = service;
  const wasMade = keeper.isRepeated && keeper.before.subject !== 0;
  // Nothing else would tell a successor whether it was there before.
  if ((flags & xattrCreate) !== 0 && (wasMade || typeof getXattr(fd, name) === 'number')) keeper.noteSubject(node.id);
  const result = fd < 0 ? fd : setXattr(fd, name, value, flags);
  const status = result === -E.EXIST && wasMade ? 0 : result;
  if (status < 0) {
    service.reportIfDisk('setxattr', status);
    return service.fail(status);
  }
  if (extended && (bytes.readUInt32LE(body + 8) & setxattrFlag.ACL_KILL_SGID) !== 0) {
    const read = statOf(fd, service.attributes);
    const falls = read === 0 && (service.attributes.mode & setGroupId) !== 0;
    const fallen = falls ? changeMode(fd, service.attributes.mode & ~setGroupId) : read;
    if (fallen < 0) service.leftHalfDone('setxattr', fallen);
  }
  tellExtended(service, node, fd, name, value);
  return service.done();
};

export const removeExtended: Handler = (service, { bytes }) => {
  const node = service.node();
  if (!node) return service.fail(-E.STALE);
  if (!service.sink.changesAllowed()) return 'deferred';
  const name = Buffer.from(nameAt(bytes, body));
  service.sink.willSet(node);
  const fd = service.backing.nodes.descriptor(node);
  const { keeper } = service;
  const wasRemoved = keeper.isRepeated && keeper.before.subject !== 0;
  const isThere = wasRemoved || (fd >= 0 && typeof getXattr(fd, name) !== 'number');
  // Nothing else would tell a successor whether it was there before.
  if (isThere) keeper.noteSubject(node.id);
  const result = fd < 0 ? fd : removeXattr(fd, name);
  const status = result === -E.NODATA && wasRemoved ? 0 : result;
  if (status < 0) {
    service.reportIfDisk('removexattr', status);
    return service.fail(status);
  }
  tellExtended(service, node, fd, name, null);
  return service.done();
};

const peer = { bytes: 0, names: 0, totalBytes: 0, totalNames: 0 };

/** Only what fits on both sides can be written here. */
function boundByPeer(service: Service, found: FilesystemStatistics): void {
  if (!service.sink.peerRoom(peer)) return;
  const reserved = found.blocksFree - found.blocksAvailable;
  found.blocks = Math.min(found.blocks, Math.floor(peer.totalBytes / found.fragmentSize));
  found.blocksAvailable = Math.min(found.blocksAvailable, Math.floor(peer.bytes / found.fragmentSize));
  found.blocksFree = Math.min(found.blocksFree, found.blocksAvailable + reserved, found.blocks);
  found.files = Math.min(found.files, peer.totalNames);
  found.filesFree = Math.min(found.filesFree, peer.names);
}

/** `struct fuse_kstatfs`. */
export const statistics: Handler = (service) => {
  const found = filesystemStatistics(service.backing.directoryFd);
  if (typeof found === 'number') return service.fail(found);
  boundByPeer(service, found);
  const { bytes } = service.reply;
  const at = replyHeaderBytes;
  bytes.fill(0, at, at + 80);
  writeNumber(bytes, found.blocks, at);
  writeNumber(bytes, found.blocksFree, at + 8);
  writeNumber(bytes, found.blocksAvailable, at + 16);
  writeNumber(bytes, found.files, at + 24);
  writeNumber(bytes, found.filesFree, at + 32);
  bytes.writeUInt32LE(found.blockSize, at + 40);
  bytes.writeUInt32LE(found.nameLengthMax, at + 44);
  bytes.writeUInt32LE(found.fragmentSize, at + 48);
  return service.send(at + 80);
};
