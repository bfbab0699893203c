/** Requests about names: finding, making, linking, renaming and removing. */
import {
  AT,
  close,
  E,
  fileType,
  getXattr,
  groupsOf,
  handleOf,
  O,
  openAt,
  RENAME,
  reopen,
  statAt,
  statOf,
} from '../sys/linux.ts';
import type { Memory } from '../sys/linux.ts';
import { nameAt, readNumber, writeAbsentEntry } from './codec.ts';
import { writeOpened } from './handlers-files.ts';
import type { TableNode } from './node-table.ts';
import { fits, namedBytes, noRoom } from './peer-room.ts';
import { entryBytes, replyHeaderBytes, requestHeaderBytes } from './protocol.ts';
import { validS } from './service.ts';
import type { Handler, Outcome, Service } from './service.ts';

const body = requestHeaderBytes;
const nothing = Buffer.alloc(0);

export const lookup: Handler = (service, request) => {
  const parent = service.node();
  if (!parent) return service.fail(-E.STALE);
  const name = nameAt(request.bytes, body);
  const node = service.isHidden(parent, name) ? -E.NOENT : service.backing.find(parent, name, service.attributes);
  if (typeof node !== 'number') return service.sendEntry(node, service.attributes);
  if (node !== -E.NOENT) return service.fail(node);
  writeAbsentEntry(service.reply.bytes, replyHeaderBytes, validS);
  return service.send(replyHeaderBytes + entryBytes);
};

/** The node of an object that was just made, with its attributes; tells the sink. */
function announce(service: Service, parent: TableNode, name: Buffer, target: Buffer | null): TableNode | number {
  const { nodes } = service.backing;
  const directory = nodes.descriptor(parent);
  if (directory < 0) return directory;
  const handle = handleOf(directory, name);
  if (typeof handle === 'number') return handle;
  const status = statAt(directory, name, service.attributes);
  if (status < 0) return status;
  const ownName = Buffer.from(name);
  const known = service.keeper.isRepeated ? nodes.withHandle(handle) : undefined;
  const node = known ?? nodes.add(handle, service.attributes.mode & fileType.mask);
  nodes.addLink(node, parent, ownName);
  service.readTimeOf(parent, service.parentTime);
  service.sink.create(node, parent, ownName, service.attributes, target, service.parentTime);
  return node;
}

const setGroupId = 0o2000;

/**
 * The caller around a creation. Its supplementary groups are looked up only where they decide something: whether a file that is to have
 * the set-group-id bit may have it, in a directory that gives its group on.
 */
function becomeCaller(service: Service, directory: number, mode: number, umask: number): void {
  const { uid, gid, pid } = service.header;
  let groups: number[] = [];
  if (uid !== 0 && (mode & setGroupId) !== 0 && statOf(directory, service.otherAttributes) === 0) {
    const { gid: group, mode: givesOn } = service.otherAttributes;
    if ((givesOn & setGroupId) !== 0 && groupsOf(pid).includes(group)) groups = [group];
  }
  service.identity.become(uid, gid, umask, groups);
}

/**
 * The kernel asks for a creation only while it holds the directory and has seen that the name is free. So what stands there when a request is carried out again is what
 * a predecessor has made for it; nobody could have put anything else there.
 */
function isMadeAlready(service: Service, status: number): boolean {
  return status === -E.EXIST && service.keeper.isRepeated;
}

function make(
  service: Service,
  name: Buffer,
  mode: number,
  umask: number,
  rdev: number,
  target: Buffer | null,
): Outcome {
  const parent = service.node();
  if (!parent) return service.fail(-E.STALE);
  if (service.isHidden(parent, name)) return service.fail(-E.ACCES);
  if (!service.sink.changesAllowed()) return 'deferred';
  if (!fits(service, namedBytes, 1)) return noRoom(service);
  const directory = service.backing.nodes.descriptor(parent);
  if (directory < 0) return failed(service, 'create', directory);
  service.sink.willName(parent, name, (mode & fileType.mask) === fileType.directory, null, 0);
  becomeCaller(service, directory, mode, umask);
  const status = service.backing.make(parent, name, mode, rdev, target);
  service.identity.restore();
  if (status < 0 && !isMadeAlready(service, status)) return failed(service, 'create', status);
  const node = announce(service, parent, name, target);
  return typeof node === 'number' ? failedAfter(service, 'create', node) : service.sendEntry(node, service.attributes);
}

function failed(service: Service, call: string, error: number): Outcome {
  service.reportIfDisk(call, error);
  return service.fail(error);
}

/** It is there, but nobody was told. */
function failedAfter(service: Service, call: string, error: number): Outcome {
  service.leftHalfDone(call, error);
  return service.fail(error);
}

export const makeNode: Handler = (service, { bytes }) => {
  const [mode, rdev, umask] = [bytes.readUInt32LE(body), bytes.readUInt32LE(body + 4), bytes.readUInt32LE(body + 8)];
  return make(service, nameAt(bytes, body + 16), mode, umask, rdev, null);
};

export const makeDirectory: Handler = (service, { bytes }) => {
  const mode = (bytes.readUInt32LE(body) & ~fileType.mask) | fileType.directory;
  return make(service, nameAt(bytes, body + 8), mode, bytes.readUInt32LE(body + 4), 0, null);
};

export const symbolicLink: Handler = (service, { bytes }) => {
  const name = nameAt(bytes, body);
  const target = Buffer.from(nameAt(bytes, body + name.length + 1));
  return make(service, name, fileType.link | 0o777, 0, 0, target);
};

/** open(2) of a name that does not exist yet: the kernel has looked before. */
export const create: Handler = (service, { bytes }) => {
  const parent = service.node();
  if (!parent) return service.fail(-E.STALE);
  const name = nameAt(bytes, body + 16);
  if (service.isHidden(parent, name)) return service.fail(-E.ACCES);
  if (!service.sink.changesAllowed()) return 'deferred';
  if (!fits(service, namedBytes, 1)) return noRoom(service);
  const directory = service.backing.nodes.descriptor(parent);
  if (directory < 0) return failed(service, 'create', directory);
  const [mode, umask] = [bytes.readUInt32LE(body + 4), bytes.readUInt32LE(body + 8)];
  service.sink.willName(parent, name, false, null, 0);
  becomeCaller(service, directory, mode, umask);
  const made = openAt(directory, name, O.RDWR | O.CREAT | O.EXCL | O.NOFOLLOW, mode & 0o7777);
  service.identity.restore();
  const fd = isMadeAlready(service, made) ? openAt(directory, name, O.RDWR | O.NOFOLLOW) : made;
  if (fd < 0) return failed(service, 'create', fd);
  const node = announce(service, parent, name, null);
  if (typeof node === 'number') {
    close(fd);
    return failedAfter(service, 'create', node);
  }
  const writable = (bytes.readUInt32LE(body) & O.ACCMODE) !== O.RDONLY;
  const { handle } = service.addFile(fd, node, writable, null, O.RDWR);
  service.putEntry(replyHeaderBytes, node, service.attributes);
  return service.send(writeOpened(service, replyHeaderBytes + entryBytes, handle, true));
};

const here = Buffer.from('.');
const accessAcl = Buffer.from('system.posix_acl_access');

/** open(2) with O_TMPFILE: a file without a name, which linkat(2) may give it one later. */
export const createUnnamed: Handler = (service, { bytes }) => {
  const parent = service.node();
  if (!parent) return service.fail(-E.STALE);
  if (!service.sink.changesAllowed()) return 'deferred';
  if (!fits(service, namedBytes, 1)) return noRoom(service);
  const { nodes } = service.backing;
  const directory = nodes.descriptor(parent);
  if (directory < 0) return failed(service, 'create', directory);
  const flags = bytes.readUInt32LE(body);
  const [mode, umask] = [bytes.readUInt32LE(body + 4), bytes.readUInt32LE(body + 8)];
  becomeCaller(service, directory, mode, umask);
  // That it may not get a name is the kernel's affair; a successor finds it by a link that nobody sees.
  const exclusive = service.kept === null ? flags & O.EXCL : 0;
  const fd = openAt(directory, here, O.TMPFILE | O.RDWR | exclusive, mode & 0o7777);
  service.identity.restore();
  if (fd < 0) return failed(service, 'create', fd);
  const node = announceUnnamed(service, fd, (flags & O.EXCL) === 0);
  if (typeof node === 'number') {
    close(fd);
    return failed(service, 'create', node);
  }
  const { handle } = service.addFile(fd, node, true, null, O.RDWR);
  service.putEntry(replyHeaderBytes, node, service.attributes);
  service.backing.keepUnnamed(node, fd);
  return service.send(writeOpened(service, replyHeaderBytes + entryBytes, handle, true));
};

/** A file that can never get a name is ours alone: it is as good as unlinked. */
function announceUnnamed(service: Service, fd: number, mayGetName: boolean): TableNode | number {
  const { nodes } = service.backing;
  const handle = handleOf(fd, nothing);
  if (typeof handle === 'number') return handle;
  const pinned = reopen(fd, O.PATH);
  if (pinned < 0) return pinned;
  statOf(fd, service.attributes);
  const node = nodes.add(handle, fileType.file);
  nodes.pinOpened(node, pinned);
  node.unlinked = !mayGetName;
  if (!mayGetName) return node;
  service.sink.createUnnamed(node, service.attributes);
  const inherited = getXattr(fd, accessAcl);
  if (typeof inherited !== 'number') service.sink.setXattr(node, accessAcl, inherited);
  return node;
}

function isLinkedAlready(service: Service, parent: TableNode, name: Buffer, node: TableNode): boolean {
  if (!service.keeper.isRepeated) return false;
  const directory = service.backing.nodes.descriptor(parent);
  const handle = directory < 0 ? directory : handleOf(directory, name);
  if (typeof handle === 'number' || !handle.equals(node.handle)) return false;
  service.backing.hasGotName(node);
  return true;
}

export const link: Handler = (service, { bytes }) => {
  const parent = service.node();
  const node = service.backing.nodes.get(readNumber(bytes, body));
  if (!parent || !node) return service.fail(-E.STALE);
  const name = Buffer.from(nameAt(bytes, body + 8));
  if (service.isHidden(parent, name)) return service.fail(-E.ACCES);
  if (!service.sink.changesAllowed()) return 'deferred';
  if (!fits(service, namedBytes, 0)) return noRoom(service);
  const { nodes } = service.backing;
  const linked = nodes.descriptor(node);
  const known = linked < 0 ? linked : statOf(linked, service.otherAttributes);
  if (known < 0) return failed(service, 'link', known);
  service.sink.willLink(node, service.otherAttributes.links);
  service.sink.willName(parent, name, false, null, 0);
  const status = service.backing.linkOnDisk(node, parent, name);
  if (status < 0 && !isLinkedAlready(service, parent, name, node)) return failed(service, 'link', status);
  const fd = nodes.descriptor(node);
  const read = fd < 0 ? fd : statOf(fd, service.attributes);
  if (read < 0) return failedAfter(service, 'link', read);
  service.readTimeOf(parent, service.parentTime);
  service.sink.link(node, parent, name, service.attributes, service.parentTime);
  nodes.addLink(node, parent, name);
  // Its first name, perhaps: from now on its handle opens it.
  nodes.unpin(node);
  return service.sendEntry(node, service.attributes);
};

/** By a predecessor, who may not have come to tell anybody: from here on nobody's knowledge of what was there counts. */
function removedAlready(service: Service, parent: TableNode, name: Buffer): Outcome {
  const { backing, keeper } = service;
  const node = backing.nodes.get(keeper.before.subject);
  if (node?.links.some((link) => link.parent === parent && link.name.equals(name)) === true)
    backing.recordRemoved(parent, name, node);
  service.sink.untold();
  return service.done();
}

function remove(service: Service, request: Memory, flags: number): Outcome {
  const parent = service.node();
  if (!parent) return service.fail(-E.STALE);
  const name = Buffer.from(nameAt(request.bytes, body));
  if (service.isHidden(parent, name)) return service.fail(-E.NOENT);
  if (!service.sink.changesAllowed()) return 'deferred';
  const { backing, keeper } = service;
  const node = backing.find(parent, name, service.attributes);
  // The kernel asks only while it holds the directory and has seen the name.
  if (node === -E.NOENT && keeper.isRepeated) return removedAlready(service, parent, name);
  if (typeof node === 'number') return service.fail(node);
  keeper.noteSubject(node.id);
  service.sink.willName(parent, name, node.type === fileType.directory, node, service.attributes.links);
  const status = backing.removeOnDisk(parent, name, node, flags);
  if (status < 0) {
    backing.nodes.collect(node);
    return failed(service, 'unlink', status);
  }
  service.readTimeOf(parent, service.parentTime);
  service.sink.unlink(node, parent, name, flags !== 0, service.parentTime);
  backing.recordRemoved(parent, name, node);
  return service.done();
}

export const unlink: Handler = (service, request) => remove(service, request, 0);
export const removeDirectory: Handler = (service, request) => remove(service, request, AT.REMOVEDIR);

/** What was to be moved stands at its new place; two names of one file, which rename(2) leaves alone, included. */
function isRenamedAlready(service: Service, to: TableNode, toName: Buffer): boolean {
  const { nodes } = service.backing;
  const { subject } = service.keeper.before;
  const node = subject === 0 ? undefined : nodes.get(subject);
  const directory = node ? nodes.descriptor(to) : -E.NOENT;
  const handle = directory < 0 ? directory : handleOf(directory, toName);
  return typeof handle !== 'number' && node?.handle.equals(handle) === true;
}

/** `service.attributes` are of the node, `otherAttributes` of what stands at the new name. */
function willRename(
  service: Service,
  from: TableNode,
  name: Buffer,
  node: TableNode,
  to: TableNode,
  toName: Buffer,
  other: TableNode | null,
): void {
  const { sink, attributes, otherAttributes } = service;
  const isDirectory = node.type === fileType.directory || other?.type === fileType.directory;
  if (node.type !== fileType.directory && attributes.links > 1) sink.willLink(node, attributes.links);
  if (other && other.type !== fileType.directory && otherAttributes.links > 1)
    sink.willLink(other, otherAttributes.links);
  sink.willName(from, name, isDirectory, node, attributes.links);
  sink.willName(to, toName, isDirectory, other, other ? otherAttributes.links : 0);
}

/** The table is brought to what is there: whoever stood at the two places is found anew, or is gone. */
function renamedAlready(service: Service, from: TableNode, name: Buffer, to: TableNode, toName: Buffer): Outcome {
  const { backing } = service;
  backing.lookAgain([
    { parent: from, name },
    { parent: to, name: toName },
  ]);
  service.sink.untold();
  return service.done();
}

function renameWith(service: Service, bytes: Buffer, nameStart: number, flags: number): Outcome {
  const { backing, keeper } = service;
  const from = service.node();
  const to = backing.nodes.get(readNumber(bytes, body));
  if (!from || !to) return service.fail(-E.STALE);
  const name = Buffer.from(nameAt(bytes, nameStart));
  const toName = Buffer.from(nameAt(bytes, nameStart + name.length + 1));
  if (service.isHidden(from, name)) return service.fail(-E.NOENT);
  if (service.isHidden(to, toName)) return service.fail(-E.ACCES);
  if ((flags & ~(RENAME.NOREPLACE | RENAME.EXCHANGE)) !== 0) return service.fail(-E.INVAL);
  if (!service.sink.changesAllowed()) return 'deferred';
  if (keeper.isRepeated && isRenamedAlready(service, to, toName))
    return renamedAlready(service, from, name, to, toName);
  const node = backing.find(from, name, service.attributes);
  if (typeof node === 'number') return service.fail(node);
  keeper.noteSubject(node.id);
  const there = backing.find(to, toName, service.otherAttributes);
  // What stands there would go without anybody being told of it.
  if (typeof there === 'number' && there !== -E.NOENT) return failed(service, 'rename', there);
  const other = typeof there === 'number' ? null : there;
  willRename(service, from, name, node, to, toName, other);
  const status = backing.renameOnDisk(from, name, to, toName, flags, other);
  if (status < 0) return failed(service, 'rename', status);
  const exchanged = (flags & RENAME.EXCHANGE) !== 0;
  // Two names of one file: nothing has happened, so there is nothing to tell.
  if (node !== other) {
    service.readTimeOf(from, service.parentTime);
    service.readTimeOf(to, service.otherParentTime);
    const [swapped, replaced] = exchanged ? [other, null] : [null, other];
    service.sink.rename(node, from, name, to, toName, swapped, replaced, service.parentTime, service.otherParentTime);
  }
  backing.recordRenamed(from, name, node, to, toName, other, exchanged);
  return service.done();
}

export const rename: Handler = (service, { bytes }) => renameWith(service, bytes, body + 8, 0);
export const renameWithFlags: Handler = (service, { bytes }) =>
  renameWith(service, bytes, body + 16, bytes.readUInt32LE(body + 8));
