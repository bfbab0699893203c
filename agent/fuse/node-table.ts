/** Node ids: see the class in this file. */
/** A node id: FUSE's and the stream's. Never reused within a process. */
export type NodeId = number;
export const rootId: NodeId = 1;
/** One file name, bytes without a terminating NUL. */
export type Name = Buffer;

export interface Node {
  readonly id: NodeId;
  /** One link under which the object can be found. `parent` null: the root, or no link is known (any more). */
  readonly parent: Node | null;
  readonly name: Name;
  /** Type bits only (S_IFMT). */
  readonly type: number;
  /** Belongs to replication: the session in which the peer was told what this id means. Starts at 0. */
  boundSession: number;
  /** True when the object is gone from the tree (last name removed). */
  readonly unlinked: boolean;
}
