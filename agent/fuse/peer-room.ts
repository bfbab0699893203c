/** Whether the copy on the other side has room for a change; asked before anything of it is done here. */
import { E, SEEK, seek, statOf } from '../sys/linux.ts';
import type { OpenFile, Outcome, Service } from './service.ts';

const blockBytes = 4096;
/** Its own block, and one by which the directory grows. */
export const namedBytes = 2 * blockBytes;

/** The blocks that [start, end) lies in. */
export function blocksOf(start: number, end: number): number {
  const rest = end % blockBytes;
  return end + (rest === 0 ? 0 : blockBytes - rest) - (start - (start % blockBytes));
}

/** What a predecessor may have carried out is told in any case: it is not refused any more. */
export function fits(service: Service, bytes: number, names: number): boolean {
  return service.keeper.isRepeated || service.sink.takes(bytes, names);
}

/** The same for content: one that overwrites what is there takes nothing, and is looked at only where there seems to be no room. */
export function contentFits(service: Service, file: OpenFile, start: number, end: number): boolean {
  // What has no name any more is on this side only.
  if (file.node.unlinked || fits(service, blocksOf(start, end), 0)) return true;
  return isAllocated(service, file, start, end);
}

export function noRoom(service: Service): Outcome {
  return service.sink.asksRoom() ? 'deferred' : service.fail(-E.NOSPC);
}

const sectorBytes = 512;

/** Below the end of a file without holes, or where there is data. Blocks that were allocated and never written look like a hole; behind the end the other side need not have them. */
function isAllocated(service: Service, file: OpenFile, start: number, end: number): boolean {
  const { attributes } = service;
  if (statOf(file.fd, attributes) < 0 || end > attributes.size) return false;
  if (attributes.blocks * sectorBytes >= blocksOf(0, attributes.size)) return true;
  return seek(file.fd, start, SEEK.HOLE) >= end;
}
