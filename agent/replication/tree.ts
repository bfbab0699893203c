/**
 * The files of one copy, as replication sees them: what it uses of the Backing of agent/fuse. Source, target and applier run over it; in the
 * simulator it is a tree in memory.
 */
import type { Backing } from '../fuse/index.ts';
import { Attributes } from '../sys/attributes.ts';

export type Tree = Pick<
  Backing,
  | 'putIdleAside'
  | 'node'
  | 'lookup'
  | 'hold'
  | 'bind'
  | 'forget'
  | 'create'
  | 'createUnnamed'
  | 'link'
  | 'unlink'
  | 'rmdir'
  | 'rename'
  | 'write'
  | 'read'
  | 'dropCached'
  | 'truncate'
  | 'allocate'
  | 'sync'
  | 'syncAll'
  | 'seek'
  | 'attributes'
  | 'setMode'
  | 'setOwner'
  | 'setTimes'
  | 'getXattr'
  | 'setXattr'
  | 'removeXattr'
  | 'listXattrs'
  | 'readlink'
  | 'list'
  | 'names'
>;

/** Of a primary: who asks its whole filesystem says so first, in the memory that is kept (`Service`), and files are synced by descriptors. */
export type SourceTree = Omit<Tree, 'sync' | 'syncAll'>;

/**
 * Above every id that a stream will ever name, below those that a backing gives by itself: for objects that only the target knows (limbo,
 * trash).
 */
export const ownIdFirst = 2 ** 51;

export const typeMask = 0o170000;
export const directoryType = 0o040000;
export const linkType = 0o120000;
export const fileType = 0o100000;

/** A step of the target that failed, on its way to becoming the Fault of its frame. */
export class TargetError extends Error {
  /** Negative. */
  readonly status: number;
  constructor(status: number) {
    super(`target: ${status}`);
    this.status = status;
  }
}

const found = new Attributes();

/** Owner before mode: changing the owner clears set-id bits. Times last. What is so already costs no call, and no place in a journal. */
export function setAttributes(tree: Tree, id: number, attributes: Attributes): number {
  const { uid, gid, mode, accessed, modified } = attributes;
  const read = tree.attributes(id, found);
  if (read < 0) return read;
  const isOwned = found.uid === uid && found.gid === gid;
  const owned = isOwned ? 0 : tree.setOwner(id, uid, gid);
  if (owned < 0) return owned;
  const hasMode = isOwned && found.mode === mode;
  const permitted = hasMode || (mode & typeMask) === linkType ? 0 : tree.setMode(id, mode & 0o7777);
  return permitted || tree.setTimes(id, accessed, modified);
}
