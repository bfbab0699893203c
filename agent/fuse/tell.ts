/** Steps that several handlers share: a change on the local disk, and the sink told of it; also of one that failed. */
import { E, groupsOf, statOf, truncate } from '../sys/linux.ts';
import type { OpenFile, Service } from './service.ts';

const setIdBits = 0o6000;
const setGroupId = 0o2000;
const groupExecute = 0o0010;

/**
 * Changes the content of a file for somebody without CAP_FSETID, so that its set-id bits fall. By which rule is the kernel's affair: the
 * filesystem below applies it, because this thread has lost the capability as well. `tellFallenMode` afterwards.
 */
export function asWriter(service: Service, file: OpenFile, change: () => number): number {
  const { identity, header } = service;
  statOf(file.fd, service.otherAttributes);
  // Without the right to execute, the bit stays to members of the file's group (Linux 6.2 and later).
  const groupDecides = (service.otherAttributes.mode & (setGroupId | groupExecute)) === setGroupId;
  identity.becomeWriter(header.gid, groupDecides ? groupsOf(header.pid) : []);
  const status = change();
  identity.restore();
  return status;
}

/** `service.otherAttributes` are from before the change. */
export function tellFallenMode(service: Service, file: OpenFile): void {
  const { mode } = service.otherAttributes;
  const status = statOf(file.fd, service.attributes);
  if (status < 0) service.leftHalfDone('stat', status);
  else if (service.attributes.mode !== mode && !file.node.unlinked)
    service.sink.attributes(file.node, service.attributes);
}

/** For requests that do not say whether set-id bits have to fall: of files that have any, by anybody but root. */
export function killsSetId(service: Service, file: OpenFile): boolean {
  if (service.header.uid === 0 || statOf(file.fd, service.otherAttributes) < 0) return false;
  return (service.otherAttributes.mode & setIdBits) !== 0;
}

/** Changes the size of an open file; set-id bits fall when `kills`. */
export function truncateAndTell(service: Service, file: OpenFile, size: number, kills: boolean): number {
  const change = (): number => truncate(file.fd, size);
  const status = kills ? asWriter(service, file, change) : change();
  if (status < 0) {
    tellFailed(service, file, 'truncate', status, size);
    return status;
  }
  const read = statOf(file.fd, service.attributes);
  if (read < 0) service.leftHalfDone('stat', read);
  else if (!file.node.unlinked) service.sink.truncate(file.node, size, service.attributes.modified);
  if (kills) tellFallenMode(service, file);
  return 0;
}

/** Looked at before anything is touched. */
const refusals: readonly number[] = [-E.PERM, -E.ACCES, -E.INVAL, -E.FBIG, -E.TXTBSY, -E.BADF, -E.OPNOTSUPP, -E.NOSYS];

/** Some of it may have been done when the room ended. */
function hasNoRoom(error: number): boolean {
  return error === -E.NOSPC || error === -E.DQUOT;
}

/**
 * A change of a file's content has failed. What it left is told as it is: the size, the times, and the mode, which falls before the content changes.
 * `sizeMax`: a file that is longer may have been changed below its end, by a change that was to make it no longer than that.
 */
export function tellFailed(service: Service, file: OpenFile, call: string, error: number, sizeMax = Infinity): void {
  if (file.node.unlinked) {
    service.reportIfDisk(call, error);
    return;
  }
  const read = statOf(file.fd, service.attributes);
  const isKnown = refusals.includes(error) || (hasNoRoom(error) && service.attributes.size <= sizeMax);
  if (read < 0 || !isKnown) {
    service.leftHalfDone(call, read < 0 ? read : error);
    return;
  }
  if (hasNoRoom(error)) service.sink.truncate(file.node, service.attributes.size, service.attributes.modified);
  service.sink.attributes(file.node, service.attributes);
}
