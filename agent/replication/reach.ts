/**
 * What the target knows during one session: which directories the resync walk has reached, and under which names. A name that is not reached
 * is not told to the target; the walk will meet the result of all that happened to it.
 */
import type { Name, NodeId } from '../fuse/index.ts';

const keyOf = (name: Name): string => name.toString('latin1');

export class Reach {
  /** Everything is: no resync, or its walk is over. */
  complete = false;
  readonly #listed = new Set<NodeId>();
  /** The directory being listed, and its names that are still to come. */
  #current: NodeId = 0;
  #remaining = new Set<string>();

  /** True when the target's view of parent/name is the source's. */
  has(parent: NodeId, name: Name): boolean {
    if (this.complete || this.#listed.has(parent)) return true;
    return parent === this.#current && !this.#remaining.has(keyOf(name));
  }

  listed(directory: NodeId): boolean {
    return this.complete || this.#listed.has(directory);
  }

  beginListing(directory: NodeId, names: readonly Name[]): void {
    this.#current = directory;
    this.#remaining = new Set(names.map(keyOf));
  }
  /** False: the name was taken out already. */
  take(name: Name): boolean {
    return this.#remaining.delete(keyOf(name));
  }
  endListing(): void {
    this.#listed.add(this.#current);
    this.#current = 0;
    this.#remaining.clear();
  }
  abandonListing(): void {
    this.#current = 0;
    this.#remaining.clear();
  }
  /** A directory that was made under our eyes: empty on both sides. */
  addListed(directory: NodeId): void {
    this.#listed.add(directory);
  }
  finish(): void {
    this.complete = true;
    this.#listed.clear();
    this.abandonListing();
  }
}
