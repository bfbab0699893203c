/**
 * Directories that a comparison has met and not looked into yet. The first of them are nodes, which are found wherever they are moved meanwhile; what is beyond them is kept
 * as names of their directory, since a node of each of a million would cost 700 bytes.
 */
import type { Name, Node, NodeId } from '../fuse/index.ts';
import { E } from '../sys/errno.ts';
import type { SourceTree } from './tree.ts';
import { directoryType } from './tree.ts';

/** 7 MB. */
const nodesMax = 10_000;

/** `error`: the name stands there, and cannot be looked up. */
export type NextDirectory =
  { readonly node: Node } | { readonly parent: Node; readonly name: Name; readonly error: number } | 'gone' | null;

export class PendingDirectories {
  readonly #tree: SourceTree;
  readonly #giveBack: (id: NodeId) => void;
  readonly #nodesMax: number;
  /** Each is held. */
  readonly #nodes: Node[] = [];
  /** One for each directory that has some; each is held. */
  readonly #named: { readonly parent: Node; readonly names: Name[] }[] = [];

  constructor(tree: SourceTree, giveBack: (id: NodeId) => void, max = nodesMax) {
    this.#tree = tree;
    this.#giveBack = giveBack;
    this.#nodesMax = max;
  }

  get empty(): boolean {
    return this.#nodes.length === 0 && this.#named.length === 0;
  }

  /** Takes over the hold of `node`. */
  add(node: Node): void {
    const { parent, name } = node;
    if (parent === null || this.#nodes.length < this.#nodesMax) {
      this.#nodes.push(node);
      return;
    }
    const last = this.#named.at(-1);
    if (last?.parent === parent) last.names.push(name);
    else {
      this.#tree.hold(parent.id);
      this.#named.push({ parent, names: [name] });
    }
    this.#giveBack(node.id);
  }

  /** Held. `gone`: what stood under the next name is not there any more. */
  next(): NextDirectory {
    const node = this.#nodes.pop();
    if (node) return { node };
    const last = this.#named.at(-1);
    if (!last) return null;
    const { parent } = last;
    const name = last.names.pop();
    const found = name === undefined ? -E.NOENT : this.#tree.lookup(parent.id, name);
    if (last.names.length === 0) {
      this.#named.pop();
      this.#giveBack(parent.id);
    }
    if (typeof found === 'number')
      return name === undefined || found === -E.NOENT || found === -E.STALE ? 'gone' : { parent, name, error: found };
    if (found.type === directoryType) return { node: found };
    this.#giveBack(found.id);
    return 'gone';
  }

  /** Nothing is held any more. */
  clear(): void {
    for (const { id } of this.#nodes.splice(0)) this.#giveBack(id);
    for (const { parent } of this.#named.splice(0)) this.#giveBack(parent.id);
  }
}
