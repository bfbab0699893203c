/**
 * The order in which a resync by marks meets the marked objects, see docs/replication.md:
 *   1. at once, before any change: what was moved while the peer stood still is found at its old place there and put into limbo, under its id
 *   2. names that may differ, one directory after another; what is not known by then, or was made since, is walked as a whole
 *   3. contents and attributes: every name is reached now, so each marked object can be named to the target
 * Whatever does not fit ends the attempt, and everything is compared.
 */
import { rootId } from '../fuse/index.ts';
import type { Name, Node, NodeId } from '../fuse/index.ts';
import { Attributes } from '../sys/attributes.ts';
import { E } from '../sys/errno.ts';
import type { Time } from '../sys/attributes.ts';
import { frameBytesMax, isDirectoryMode } from './change-codec.ts';
import type { ChangeStream } from './change-stream.ts';
import type { Extents } from './extents.ts';
import type { Mark } from './marks.ts';
import type { SourceTree } from './tree.ts';

/** What ResyncSource does with the objects that are met. Each is held for it. */
export interface MetObjects {
  whole(node: Node): void;
  /** `extents` null: attributes only. */
  part(node: Node, extents: Extents | null, extendedAttributes: boolean): void;
  sent(sequence: number, bytes: number): void;
}

const namesPerStep = 64;
const countsPerStep = 256;
const smallFrameBytes = 8192;
/** The directory's own time follows when its names are done. */
const noTime: Time = { seconds: 0, nanoseconds: 0 };
const nothing = Buffer.alloc(0);

/** The first part is told at once, and no request is served meanwhile: about a tenth of a millisecond each. */
const movedMax = 10_000;

export class MarkedWalk {
  #failed = false;
  readonly #tree: SourceTree;
  readonly #stream: ChangeStream;
  readonly #met: MetObjects;
  readonly #movedMax: number;
  readonly #attributes = new Attributes();
  readonly #absent = new Attributes();
  readonly #located = new Set<NodeId>([rootId]);
  readonly #names = new Map<NodeId, Set<string>>();
  /** Directories to be listed. Which of the directories in them are another one than before is asked of their marks, when they are met: more may be by then. */
  readonly #entries = new Set<NodeId>();
  readonly #listed = new Set<NodeId>();
  #uncounted: NodeId[] | null = null;
  #countedBytes = 0;
  /** Ids of the third part, once the second is over. */
  #rest: NodeId[] | null = null;

  /** Beyond `moved` objects whatever else has moved is compared where it stands now. */
  constructor(tree: SourceTree, stream: ChangeStream, met: MetObjects, moved = movedMax) {
    this.#movedMax = moved;
    this.#tree = tree;
    this.#stream = stream;
    this.#met = met;
  }

  /** The marks do not suffice: everything has to be compared. */
  fail(): void {
    this.#failed = true;
  }
  hasFailed(): boolean {
    return this.#failed;
  }

  /** How much there is to compare, as far as it is known. Null: call again, this goes on. */
  count(): number | null {
    this.#uncounted ??= [...this.#stream.marks].map(([id]) => id);
    for (let left = countsPerStep; left > 0; left--) {
      const id = this.#uncounted.pop();
      if (id === undefined) return this.#countedBytes;
      const mark = this.#stream.marks.get(id);
      if (mark?.node?.type !== 0o100000 || this.#tree.attributes(id, this.#attributes) < 0) continue;
      const { size } = this.#attributes;
      if (isElsewhere(mark)) this.#countedBytes += size;
      else for (const [start, end] of mark.extents?.ranges(size) ?? []) this.#countedBytes += end - start;
    }
    return null;
  }

  /** The first part. */
  begin(): void {
    const { marks, writer, reach } = this.#stream;
    const { log, checkpoint } = marks.stamp;
    writer.marked(log, checkpoint);
    reach.names = this.#names;
    this.#locateMoved();
    for (const [id, mark] of marks) {
      if (mark.node === null || mark.placed !== 'moved') continue;
      this.#stream.reserve(smallFrameBytes);
      this.#met.sent(writer.park(id, mark.oldParent, mark.oldName, noTime), 128);
    }
    for (const [id, mark] of marks) {
      if (mark.node?.type !== 0o040000) continue;
      if (isElsewhere(mark)) reach.addWhole(id);
      else if (mark.entries) {
        reach.addWhole(id);
        this.#entries.add(id);
      } else if (mark.names !== null) this.#names.set(id, new Set(mark.names));
    }
  }

  /**
   * An object that stands in a listing. Of a directory of which each name but those of directories may differ, the others are where they were: what is in
   * them has marks of its own.
   */
  meetListed(directory: Node, name: Name, node: Node, attributes: Attributes): void {
    const others = this.#stream.marks.get(directory.id)?.names;
    const isOther = others?.has(name.toString('latin1')) === true || !this.#stream.marks.kept;
    const isSame = this.#listed.has(directory.id) && !isOther && isDirectoryMode(attributes.mode);
    // Not given back: the id might end with it, and the target would be told of that in the middle of the listing.
    if (isSame) this.#stream.keepHold(node);
    else this.meetUnknown(node, attributes);
  }

  /** Directories first: they bring what is below them. One that leads to another has been introduced with it, and stays where it was found. */
  #locateMoved(): void {
    const { marks } = this.#stream;
    let left = this.#movedMax;
    for (const directories of [true, false])
      for (const [id, mark] of marks) {
        if (mark.placed !== 'moved' && mark.placed !== 'linked') continue;
        // Only of a directory anything is remembered beyond its end.
        if ((mark.node === null || mark.node.type === 0o040000) !== directories || this.#located.has(id)) continue;
        if (left > 0 && this.#locate(id, mark)) left -= 1;
        else mark.placed = 'unknown';
      }
  }

  /** Introduces an object by where the target has it. False: that is not known. */
  #locate(id: NodeId, mark = this.#stream.marks.get(id)): boolean {
    // From the top, and in a loop: directories may be deeper in each other than a stack is.
    const way: { readonly at: NodeId; readonly parent: NodeId; readonly name: Name }[] = [];
    for (let [at, its] = [id, mark]; !this.#located.has(at); its = this.#stream.marks.get(at)) {
      const place = oldPlace(this.#tree.node(at), its);
      if (place === null) return false;
      way.push({ at, ...place });
      at = place.parent;
    }
    for (const { at, parent, name } of way.reverse()) {
      const node = this.#tree.node(at);
      this.#stream.reserve(smallFrameBytes);
      this.#stream.writer.bind(at, parent, name);
      if (node !== undefined && !node.unlinked) this.#stream.markBound(node);
      this.#located.add(at);
    }
    return true;
  }

  /** One bounded piece of the second and third part. False: nothing is left. */
  step(): boolean {
    if (!this.#stream.marks.kept || this.#stream.marks.isFull) this.fail();
    if (this.hasFailed()) return true;
    const directory = this.#nextDirectory();
    if (directory !== null) {
      if (this.#names.has(directory.id)) this.#sendNames(directory);
      else this.#listEntries(directory);
      return true;
    }
    // A directory that was gone, or the attempt that ends.
    if (this.#names.size > 0 || this.#entries.size > 0 || this.hasFailed()) return true;
    // The root stands at its place before the cover does: what a boot sets there (owner, mode, labels) is in no log.
    this.#rest ??= [...new Set([...this.#stream.marks].map(([id]) => id)).add(rootId)];
    const id = this.#rest.pop();
    if (id === undefined) return false;
    this.#meet(id);
    return true;
  }

  /** One whose names are next and that the target knows: the way to it may lead over others. */
  #nextDirectory(): Node | null {
    const [id] = this.#names.size > 0 ? this.#names.keys() : this.#entries.keys();
    if (id === undefined) return null;
    let node: Node | null = this.#tree.node(id) ?? null;
    if (node === null || node.unlinked) {
      this.#names.delete(id);
      this.#entries.delete(id);
      return null;
    }
    while (node !== null && !this.#stream.bind(node)) node = this.#blockerOf(node);
    if (node !== null && (this.#names.has(node.id) || this.#entries.has(node.id))) return node;
    this.fail();
    return null;
  }

  #blockerOf(directory: Node): Node | null {
    const { reach } = this.#stream;
    let blocker: Node | null = null;
    for (let node: Node = directory; node.parent !== null && !this.#stream.isBound(node); node = node.parent)
      if (!reach.has(node.parent.id, node.name)) blocker = node.parent;
    return blocker;
  }

  #listEntries(directory: Node): void {
    this.#listed.add(directory.id);
    this.#entries.delete(directory.id);
    this.#tree.hold(directory.id);
    this.#met.whole(directory);
  }

  #sendNames(directory: Node): void {
    if (this.#tree.attributes(directory.id, this.#attributes) < 0) {
      this.fail();
      return;
    }
    this.#stream.reserve(frameBytesMax);
    const { writer } = this.#stream;
    writer.beginNames(directory.id, this.#attributes);
    let left = namesPerStep;
    for (const key of this.#names.get(directory.id) ?? []) {
      this.#sendName(directory, key);
      if (--left === 0) break;
    }
    const bytes = writer.frameLength;
    this.#met.sent(writer.endListing(true), bytes);
  }

  #sendName(directory: Node, key: string): void {
    const { writer, reach } = this.#stream;
    const name = Buffer.from(key, 'latin1');
    reach.nameDone(directory.id, key);
    const node = this.#tree.lookup(directory.id, name);
    if (typeof node === 'number') {
      // What cannot be read is not absent. The whole comparison says what it is.
      if (node !== -E.NOENT) {
        this.fail();
        return;
      }
      writer.listedEntry(name, 0, this.#absent, nothing);
      return;
    }
    const status = this.#tree.attributes(node.id, this.#attributes);
    const target = node.type === 0o120000 ? this.#tree.readlink(node.id) : nothing;
    if (status < 0 || typeof target === 'number') {
      this.fail();
      this.#stream.giveBack(node.id);
      return;
    }
    writer.listedEntry(name, node.id, this.#attributes, target);
    if (this.#stream.isBound(node)) {
      this.#stream.giveBack(node.id);
      return;
    }
    this.#stream.markBound(node);
    this.meetUnknown(node, this.#attributes);
  }

  /** An object that the target may have nothing of, or something else. It is held. */
  meetUnknown(node: Node, attributes: Attributes): void {
    if (isDirectoryMode(attributes.mode)) this.#stream.reach.addWhole(node.id);
    // Another of its names may stand at the target, and both must lead to one file.
    else if (attributes.links > 1 && this.#stream.marks.get(node.id)?.placed !== 'made') this.fail();
    this.#met.whole(node);
  }

  #meet(id: NodeId): void {
    const node = this.#tree.node(id);
    const mark = this.#stream.marks.get(id);
    if (node === undefined || node.unlinked) return;
    if (id !== rootId && (mark === undefined || mark.node === null)) return;
    if (!this.#stream.bind(node)) {
      this.fail();
      return;
    }
    this.#tree.hold(id);
    this.#met.part(node, mark?.extents ?? null, id === rootId || mark?.extendedAttributes === true);
  }
}

/** Not where it was, and not found where it was either. */
function isElsewhere(mark: Mark): boolean {
  return mark.placed === 'made' || mark.placed === 'unknown';
}

function oldPlace(node: Node | undefined, mark: Mark | undefined): { parent: NodeId; name: Name } | null {
  if (mark !== undefined && isElsewhere(mark)) return null;
  if (mark !== undefined && mark.placed !== 'same') return { parent: mark.oldParent, name: mark.oldName };
  if (node === undefined || node.unlinked || node.parent === null) return null;
  return { parent: node.parent.id, name: node.name };
}
