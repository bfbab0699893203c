/** The primary's filesystem and the access to what lies below it. Others import only this file. */
export type { ChangeSink, Room, Sequence, SyncedFile } from './change-sink.ts';
export { ChangeRefused, passthroughSink } from './change-sink.ts';
export { LastSync } from './last-sync.ts';
export type { Name, Node, NodeId } from './node-table.ts';
export { rootId } from './node-table.ts';
export { NameSet } from './name-set.ts';
export { Backing, hiddenName, openBacking } from './backing.ts';
export type { DirectoryEntry } from './backing.ts';
export type { Errno } from './backing-tree.ts';
export type { CacheMode } from './codec.ts';
export { KeptMemory, makeKeptFile } from './kept-memory.ts';
export type { KeptIdentity } from './kept-memory.ts';
export { syncStage } from './kept-requests.ts';
export type { Carried } from './kept-requests.ts';
export { writeFailedReply, writeParkedReply } from './codec.ts';
export { Filesystem } from './filesystem.ts';
export type { FilesystemOptions } from './filesystem.ts';
export type { Outcome } from './service.ts';
export { requestBytesMax } from './protocol.ts';
export * from './device.ts';
export { removeOrphans } from './orphans.ts';
export { runFilesystemLane } from './lane.ts';
export type { FilesystemLaneOptions } from './lane.ts';
export {
  canonicalPath,
  comparablePath,
  connectionAt,
  coverDirectory,
  holdersOfDirectory,
  holdersOfMount,
  inspectDirectory,
  isCovered,
  isMounted,
  mountTable,
  openBackingDirectory,
  ourMounts,
  seenBesideCover,
  seenBesideCoverFault,
  uncoverDirectory,
  unmountIfUnused,
  unmountNow,
} from './door.ts';
export { nestedPaths } from './refusals.ts';
export { describeHolder } from './holders.ts';
export type { Holder } from './holders.ts';
