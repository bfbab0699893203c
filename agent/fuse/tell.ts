/** Steps that several handlers share: a change on the local disk, and the sink told of it. */
import { changeMode, statOf, truncate } from '../sys/linux.ts';
import type { TableNode } from './node-table.ts';
import { modeWithoutSetId } from './service.ts';
import type { OpenFile, Service } from './service.ts';

/** Sets the mode; for set-id bits that have to fall. */
function changeModeAndTell(service: Service, node: TableNode, mode: number): number {
  const fd = service.backing.nodes.descriptor(node);
  if (fd < 0) return fd;
  const status = changeMode(fd, mode);
  if (status < 0) return status;
  statOf(fd, service.attributes);
  if (!node.unlinked) service.sink.attributes(node, service.attributes);
  return 0;
}

/** Changes the size of an open file. */
export function truncateAndTell(service: Service, file: OpenFile, size: number): number {
  const status = truncate(file.fd, size);
  if (status < 0) {
    service.reportIfDisk('truncate', status);
    return status;
  }
  statOf(file.fd, service.attributes);
  if (!file.node.unlinked) service.sink.truncate(file.node, size, service.attributes.modified);
  return 0;
}

/** Set-id bits that must fall when somebody without CAP_FSETID changes the content. */
export function dropSetId(service: Service, file: OpenFile): number {
  statOf(file.fd, service.attributes);
  const { mode } = service.attributes;
  const left = modeWithoutSetId(mode);
  return left === mode ? 0 : changeModeAndTell(service, file.node, left);
}
