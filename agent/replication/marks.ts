/**
 * Which objects the peer may not have as we have them: what was changed since the last checkpoint that the peer has confirmed, connected or alone. With
 * them a resync compares only that. They live as long as the primary lane: without them, or with more than fits, everything is compared.
 *
 * Invariants: whatever is not marked is identical on a peer whose record names this log and a checkpoint not below the confirmed one · a mark goes
 * only when the peer's disk has a checkpoint at or beyond its change, never by a handshake or by the end of a link · an object whose name changed is marked
 * together with both directories · where an old place is known, the peer's copy has the object there.
 */
import type { Name, Node, NodeId } from '../fuse/index.ts';
import { Extents } from './extents.ts';

/**
 * `same`: its names are those it had. `moved`, `linked`: it stood, or stands, at its old place on the peer. `unknown`: it may stand anywhere there. `made`: it
 * has been made since, so that every name of it is marked.
 */
export type Placed = 'same' | 'moved' | 'linked' | 'unknown' | 'made';

export class Mark {
  /** Null: removed. It is kept because others may have been moved out of it. */
  node: Node | null;
  placed: Placed = 'same';
  oldParent: NodeId = 0;
  oldName: Name = noName;
  /** Of a directory: names that were made, removed or given to something else; latin1. */
  names: Set<string> | null = null;
  /** Of a directory: each of its names that is not a directory, here or there. */
  entries = false;
  extents: Extents | null = null;
  extendedAttributes = false;
  constructor(node: Node) {
    this.node = node;
  }
}
const noName: Name = Buffer.alloc(0);

/** It was removed, but others are found by where it was. */
const isRemembered = (mark: Mark): boolean => mark.placed === 'moved' || mark.placed === 'linked';

export interface MarksStamp {
  readonly log: number;
  readonly checkpoint: number;
}

export interface MarkHolds {
  readonly hold: (id: NodeId) => void;
  /** To be called between requests only: the id may end with it. */
  readonly release: (id: NodeId) => void;
}

/** What is kept may take this much; beyond it the next resync compares everything. */
export const marksBytesMax = 64 * 1024 * 1024;
/** Estimated, generously: a mark with its node held in the table, a name in a set, a chunk in a set. */
const markBytes = 1000;
const nameBytes = 160;
const chunkCostBytes = 40;

export class Marks {
  /** Which log this is; 0: nothing is kept. */
  log = 0;
  /** True: nobody hears of changes, so the peer's copy stands still and old places can be known. */
  peerStands = false;
  #given = 0;
  #confirmed = 0;
  /** The highest number of this life. None is given twice, in whichever log: an answer to a former log may come late. */
  #highest = 0;
  /** Of the fresh marks, and of those that settle. */
  #freshBytes = 0;
  #settlingBytes = 0;
  #fresh = new Map<NodeId, Mark>();
  /** Waiting for the confirmation of checkpoint `#given`. */
  #settling: Map<NodeId, Mark> | null = null;
  #released: NodeId[] = [];
  #overflow = false;
  #hasOverflown = false;
  #attempted = false;
  /** Taken over from a log on disk: what stands where at the peer is known by names only. */
  #adopted = false;
  readonly #holds: MarkHolds;
  readonly #bytesMax: number;

  constructor(holds: MarkHolds, bytesMax = marksBytesMax) {
    this.#holds = holds;
    this.#bytesMax = bytesMax;
  }

  /** The log has ended for no other reason than its size: nothing was done that is not known, so a new one may begin as soon as the copies are the same. */
  get hasOverflown(): boolean {
    return this.#hasOverflown;
  }

  get kept(): boolean {
    return this.log !== 0;
  }
  /** There is more to be marked than fits: at the next `tidy` the log ends. */
  get isFull(): boolean {
    return this.#overflow;
  }
  get adopted(): boolean {
    return this.#adopted;
  }
  /** What a peer records that has everything up to now on its disk. */
  get stamp(): MarksStamp {
    return { log: this.log, checkpoint: this.#given };
  }
  get settling(): boolean {
    return this.#settling !== null;
  }
  get size(): number {
    return this.#fresh.size;
  }
  *[Symbol.iterator](): Generator<[NodeId, Mark]> {
    yield* this.#fresh;
  }
  get(id: NodeId): Mark | undefined {
    return this.#fresh.get(id);
  }

  /** From here on every change is marked. The peer has, or will have by its first checkpoint, all that came before. */
  begin(log: number): void {
    this.end();
    this.peerStands = false;
    this.log = log;
    this.#given = this.#confirmed = this.#next();
  }

  /**
   * Goes on with a log that is on a disk. `given`: the last checkpoint that was asked for; what the peer must have at least is `confirmed`. Where objects stand at
   * the peer is not known, so that what has moved is compared as a whole.
   */
  adopt(log: number, given: number, confirmed: number): void {
    this.begin(log);
    this.#given = given;
    this.#highest = Math.max(this.#highest, given);
    this.#confirmed = confirmed;
    this.#adopted = true;
  }

  /** The next resync compares everything. */
  end(): void {
    for (const map of [this.#settling, this.#fresh])
      for (const [id, mark] of map ?? []) if (mark.node) this.#released.push(id);
    this.#fresh = new Map();
    this.#settling = null;
    this.log = 0;
    this.#freshBytes = this.#settlingBytes = 0;
    this.#overflow = false;
    this.#hasOverflown = false;
    this.#attempted = false;
    this.#adopted = false;
  }

  /** Between requests. */
  tidy(): void {
    if (this.#overflow) {
      this.end();
      this.#hasOverflown = true;
    }
    if (this.#released.length === 0) return;
    for (const id of this.#released.splice(0)) this.#holds.release(id);
  }

  // --- checkpoints ----------------------------------------------------------------------------------------------------

  /** The number of a checkpoint that is about to be asked for: what is marked up to now goes when the peer confirms it. */
  settle(): number {
    this.#merge();
    this.#settling = this.#fresh;
    this.#settlingBytes = this.#freshBytes;
    this.#fresh = new Map();
    this.#freshBytes = 0;
    this.#given = this.#next();
    return this.#given;
  }
  #next(): number {
    this.#highest += 1;
    return this.#highest;
  }

  confirmed(number: number): void {
    if (this.#settling === null || number !== this.#given) return;
    for (const [id, mark] of this.#settling) if (mark.node) this.#released.push(id);
    this.#settling = null;
    this.#settlingBytes = 0;
    this.#confirmed = number;
  }

  /**
   * A peer that comes back with an older checkpoint than the one that it confirmed has been set back: what is not marked differs too. One with a newer
   * checkpoint than we have given has seen more of this log than we: it is we who have been set back.
   */
  cover(theirs: MarksStamp | null): boolean {
    if (!this.kept || this.#overflow || theirs?.log !== this.log) return false;
    return theirs.checkpoint >= this.#confirmed && theirs.checkpoint <= this.#given;
  }

  /** The link is gone: what was not confirmed has to be compared. */
  disconnected(): void {
    this.#merge();
    this.#endAttempt();
    this.peerStands = !this.#adopted;
  }

  /** A resync begins to change the peer's copy by these marks: when it is interrupted, old places are as good as unknown. */
  attempt(): void {
    this.#merge();
    this.#endAttempt();
    this.peerStands = false;
    this.#attempted = true;
  }
  #endAttempt(): void {
    if (!this.#attempted) return;
    this.#attempted = false;
    for (const mark of this.#fresh.values())
      if (mark.placed === 'moved' || mark.placed === 'linked') mark.placed = 'unknown';
  }

  #merge(): void {
    if (this.#settling === null) return;
    for (const [id, mark] of this.#settling) {
      const newer = this.#fresh.get(id);
      if (newer) this.#join(id, mark, newer);
      if (mark.node?.unlinked === true) {
        this.#released.push(id);
        mark.node = null;
      }
      if (mark.node !== null || isRemembered(mark)) this.#fresh.set(id, mark);
      else this.#fresh.delete(id);
    }
    this.#settling = null;
    // What was counted twice stays so until it settles: too much rather than too little.
    this.#freshBytes += this.#settlingBytes;
    this.#settlingBytes = 0;
  }
  #join(id: NodeId, mark: Mark, newer: Mark): void {
    // Each of both was held.
    if (mark.node) this.#released.push(id);
    mark.node = newer.node;
    if (mark.placed === 'same') {
      mark.placed = newer.placed;
      mark.oldParent = newer.oldParent;
      mark.oldName = newer.oldName;
    }
    for (const name of newer.names ?? []) (mark.names ??= new Set()).add(name);
    mark.entries ||= newer.entries;
    if (newer.extents) (mark.extents ??= new Extents()).merge(newer.extents);
    mark.extendedAttributes ||= newer.extendedAttributes;
  }

  // --- changes --------------------------------------------------------------------------------------------------------

  #mark(node: Node): Mark {
    const known = this.#fresh.get(node.id);
    if (known) return known;
    const mark = new Mark(node);
    this.#fresh.set(node.id, mark);
    this.#holds.hold(node.id);
    this.#count(markBytes);
    return mark;
  }
  #count(bytes: number): void {
    this.#freshBytes += bytes;
    if (this.#freshBytes + this.#settlingBytes > this.#bytesMax) this.#overflow = true;
  }

  #name(directory: Node, name: Name): void {
    const mark = this.#mark(directory);
    mark.names ??= new Set();
    const before = mark.names.size;
    mark.names.add(name.toString('latin1'));
    if (mark.names.size > before) this.#count(nameBytes);
  }

  #idle(node: Node): boolean {
    return this.log === 0 || this.#overflow || node.unlinked;
  }

  attributes(node: Node): void {
    if (!this.#idle(node)) this.#mark(node);
  }
  extendedAttributes(node: Node): void {
    if (!this.#idle(node)) this.#mark(node).extendedAttributes = true;
  }
  content(node: Node, offset: number, length: number): void {
    if (this.#idle(node)) return;
    const mark = this.#mark(node);
    mark.extents ??= new Extents();
    const before = mark.extents.size;
    mark.extents.add(offset, length);
    if (mark.extents.size > before) this.#count((mark.extents.size - before) * chunkCostBytes);
  }
  contentFrom(node: Node, offset: number): void {
    if (this.#idle(node)) return;
    const mark = this.#mark(node);
    mark.extents ??= new Extents();
    mark.extents.addFrom(offset);
  }

  /** By a log on disk: whatever stands under the name at the peer, here it is `node`, or nothing. */
  hotName(parent: Node, name: Name, node: Node | null): void {
    if (this.log === 0 || this.#overflow) return;
    this.#name(parent, name);
    if (node !== null) this.#mark(node).placed = 'unknown';
  }
  hotEntries(directory: Node): void {
    if (!this.#idle(directory)) this.#mark(directory).entries = true;
  }

  made(node: Node, parent: Node, name: Name): void {
    if (this.#idle(node)) return;
    this.#name(parent, name);
    this.#mark(node).placed = 'made';
  }

  /** `node` leaves parent/name for another name, or loses this one of several. */
  moved(node: Node, parent: Node, name: Name): void {
    if (this.#idle(node)) return;
    this.#name(parent, name);
    const mark = this.#mark(node);
    if (mark.placed === 'linked' && mark.oldParent === parent.id && mark.oldName.equals(name)) mark.placed = 'moved';
    if (mark.placed === 'same') this.#oldPlace(mark, 'moved', parent, name);
  }
  #oldPlace(mark: Mark, placed: Placed, parent: Node, name: Name): void {
    mark.placed = this.peerStands ? placed : 'unknown';
    mark.oldParent = parent.id;
    mark.oldName = Buffer.from(name);
  }

  /** Something of ours stands at parent/name now. */
  placed(node: Node, parent: Node, name: Name): void {
    if (!this.#idle(node)) this.#name(parent, name);
  }

  linked(node: Node, parent: Node, name: Name): void {
    if (this.#idle(node)) return;
    this.#name(parent, name);
    const mark = this.#mark(node);
    if (mark.placed !== 'same') return;
    if (node.parent === null) mark.placed = 'unknown';
    else this.#oldPlace(mark, 'linked', node.parent, node.name);
  }

  /** Its space must not wait for the peer's next checkpoint. */
  #letGo(id: NodeId): void {
    const mark = this.#settling?.get(id);
    if (!mark?.node) return;
    this.#released.push(id);
    mark.node = null;
    mark.placed = 'unknown';
  }

  /** The last name is gone. Of a directory the old place is remembered: what was moved out of it is found by it. */
  removed(node: Node, parent: Node, name: Name): void {
    if (this.#idle(node)) return;
    if (node.type !== 0o040000) this.#letGo(node.id);
    if (node.type !== 0o040000 && !this.#fresh.has(node.id)) {
      this.#name(parent, name);
      return;
    }
    this.moved(node, parent, name);
    const mark = this.#mark(node);
    mark.node = null;
    this.#released.push(node.id);
    mark.names = null;
    mark.extents = null;
    if (node.type === 0o040000 && isRemembered(mark)) return;
    this.#fresh.delete(node.id);
    this.#freshBytes -= markBytes;
  }
}
