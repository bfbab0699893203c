/** Steps that several handlers share: a change on the local disk, and the sink told of it. */
import { groupsOf, statOf, truncate } from '../sys/linux.ts';
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
  statOf(file.fd, service.attributes);
  if (service.attributes.mode !== mode && !file.node.unlinked) service.sink.attributes(file.node, service.attributes);
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
    service.reportIfDisk('truncate', status);
    return status;
  }
  statOf(file.fd, service.attributes);
  if (!file.node.unlinked) service.sink.truncate(file.node, size, service.attributes.modified);
  if (kills) tellFallenMode(service, file);
  return 0;
}
