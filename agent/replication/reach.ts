/**
 * What the target knows during one session: which directories the resync walk has reached, and under which names. A name that is not reached
 * is not told to the target; the walk will meet the result of all that happened to it. Of a resync by marks everything is reached but what is named here.
 */
import { NameSet } from '../fuse/index.ts';
import type { Name, NodeId } from '../fuse/index.ts';

const keyOf = (name: Name): string => name.toString('latin1');

export class Reach {
  /** Everything is: no resync, or its walk is over. */
  complete = false;
  readonly #listed = new Set<NodeId>();
  /** A resync by marks: names that may differ, of directories that are otherwise the same, and directories to be listed as a whole. */
  names: Map<NodeId, Set<string>> | null = null;
  readonly #whole = new Set<NodeId>();
  /** The directory being listed, and its names that are still to come. */
  #current: NodeId = 0;
  #remaining = new NameSet();

  /** True when the target's view of parent/name is the source's. */
  has(parent: NodeId, name: Name): boolean {
    if (this.complete || this.#listed.has(parent)) return true;
    if (parent === this.#current) return !this.#remaining.has(name);
    if (this.names === null) return false;
    return !this.#whole.has(parent) && this.names.get(parent)?.has(keyOf(name)) !== true;
  }

  addWhole(directory: NodeId): void {
    this.#whole.add(directory);
    this.names?.delete(directory);
  }
  /** By marks only: nothing else leads the walk to a name that was changed where it had no reason to look. */
  addName(directory: NodeId, name: Name): void {
    const named = this.names?.get(directory);
    if (named === undefined) this.names?.set(directory, new Set([keyOf(name)]));
    else named.add(keyOf(name));
  }
  nameDone(directory: NodeId, name: string): void {
    const names = this.names?.get(directory);
    names?.delete(name);
    if (names?.size === 0) this.names?.delete(directory);
  }

  /** `names` belongs to the reach from now on: those that are taken go from it. */
  beginListing(directory: NodeId, names: NameSet): void {
    this.#current = directory;
    this.#remaining = names;
  }
  take(name: Name): void {
    this.#remaining.delete(name);
  }
  endListing(): void {
    if (this.names === null) this.#listed.add(this.#current);
    this.#whole.delete(this.#current);
    this.abandonListing();
  }
  abandonListing(): void {
    this.#current = 0;
    this.#remaining = new NameSet();
  }
  /** A directory that was made under our eyes: empty on both sides. */
  addListed(directory: NodeId): void {
    if (this.names === null) this.#listed.add(directory);
  }
  finish(): void {
    this.complete = true;
    this.#listed.clear();
    this.#whole.clear();
    this.names = null;
    this.abandonListing();
  }
}
