/**
 * The primary's end of the ordered stream: what the filesystem tells about its changes becomes frames, in the same order. While a resync
 * runs, only what the walk has reached is told (see Reach); objects are introduced by `bind` before their first use.
 *
 * Never throws for a lost link: the change has been made and its answer is due. Frames then go nowhere, and the lane changes its mode.
 */
import { invariant } from '../contract/index.ts';
import { ChangeRefused, rootId } from '../fuse/index.ts';
import type { ChangeSink, Name, Node, NodeId, Sequence, SyncedFile } from '../fuse/index.ts';
import { Attributes } from '../sys/attributes.ts';
import type { Time } from '../sys/attributes.ts';
import { reached } from './acknowledgement.ts';
import type { FrameWriter } from './change-codec.ts';
import { frameBytesMax, isDirectoryMode } from './change-codec.ts';
import type { HotRegions } from './hot-regions.ts';
import { Marks, marksBytesMax } from './marks.ts';
import { Reach } from './reach.ts';
import type { Room } from './room.ts';
import type { SourceTree } from './tree.ts';

/** A name, an id and times: what every small frame is made of, generously. */
const smallFrameBytes = 8192;
const fallocateCollapse = 0x08;
const fallocateInsert = 0x20;

export interface StreamPorts {
  /** Sends `writer.bytes[0, writer.length)` and clears it. Gives up quietly when the link is lost. */
  flush(): void;
  /** Acknowledged so far; only the low 32 bits count. */
  acknowledged(): Sequence;
  /** The peer's copy is not what it is thought to be: the lane lets it go before it does anything else. */
  breakLink(): void;
}

/** What the lane answers for the stream: which mode it is in, and how requests wait. */
export interface LaneHooks {
  changesAllowed(): boolean;
  park(unique: number, sequence: Sequence, written: number): boolean;
  /** A sync of something that nobody has acknowledged and nobody is connected to acknowledge. */
  syncWaits(): boolean;
  /** See ChangeSink. */
  collect?(unique: number, sequence: Sequence, file: SyncedFile, dataOnly: boolean, written: number): boolean;
  localFailure(call: string, errno: number): void;
  /** Missing: the peer is not asked for room. */
  readonly room?: AskedRoom;
  /** After a change was to be written down: the record on the disk claims a hot log that does not name it. */
  claimsTooMuch?(): boolean;
}

/** See ChangeSink. */
export interface AskedRoom {
  take(bytes: number, names: number): boolean;
  ask(): boolean;
  left(into: Room): boolean;
}

/** Given by the running resync: objects whose content or entries the target has still to get. */
export interface WalkQueue {
  add(node: Node): void;
}

export class ChangeStream implements ChangeSink {
  readonly writer: FrameWriter;
  /** Grows with every link: `node.boundSession === session` means that the target knows the id. */
  session = 0;
  /** False: nobody listens (alone, undecided, or the link is about to be let go). */
  open = false;
  /** Something could not be told: until the link has ended, no sync may be answered. */
  #broken = false;
  reach = new Reach();
  walk: WalkQueue | null = null;
  /** What is recorded on our own disk before it is changed. Null: nothing is. */
  hot: HotRegions | null = null;
  /** The target of this link wants to know how far that record has come. */
  hearsHot = false;
  /** What this stream's peer may lack. */
  readonly marks: Marks;
  readonly #tree: SourceTree;
  readonly #ports: StreamPorts;
  readonly #hooks: LaneHooks;
  /** Ids the target knows, so that it is told when they end. */
  readonly #bound = new Set<NodeId>();
  /** Nodes that must keep their id until the resync ends: their names may be reached at different times. */
  readonly #held = new Set<NodeId>();
  /** Files without a name: a target that comes while they are open is told of them, since they may get one. */
  readonly #unnamed = new Map<NodeId, Node>();
  readonly #scratch = new Attributes();

  constructor(tree: SourceTree, writer: FrameWriter, ports: StreamPorts, hooks: LaneHooks, bytesMax = marksBytesMax) {
    this.#tree = tree;
    this.writer = writer;
    this.#ports = ports;
    this.#hooks = hooks;
    const holds = {
      hold: (id: NodeId) => {
        tree.hold(id);
      },
      release: (id: NodeId) => {
        this.giveBack(id);
      },
    };
    this.marks = new Marks(holds, bytesMax);
  }

  /** A new target that knows nothing but the root. `complete`: it holds exactly what this side holds. */
  begin(complete: boolean): void {
    this.end();
    this.session += 1;
    this.open = true;
    this.#broken = false;
    this.writer.clear();
    this.writer.sequence = 0;
    this.reach = new Reach();
    if (complete) this.reach.finish();
    const root = this.#tree.node(rootId);
    invariant(root !== undefined, 'the root is always known');
    root.boundSession = this.session;
    invariant(!complete || this.#unnamed.size === 0, 'nothing has changed since the checkpoint');
  }

  /** After `begin` of a resync, with its walk in place: the walk brings their content. */
  tellUnnamed(): void {
    for (const node of this.#unnamed.values()) {
      if (this.#tree.attributes(node.id, this.#scratch) < 0) {
        this.untold();
        return;
      }
      this.createUnnamed(node, this.#scratch);
      this.walk?.add(node);
    }
  }

  /** The walk is over: every name is told from now on. */
  walked(): void {
    this.reach.finish();
    this.walk = null;
    this.#releaseHeld();
  }

  end(): void {
    this.open = false;
    this.#broken = false;
    this.walk = null;
    this.#bound.clear();
    this.#releaseHeld();
    this.writer.clear();
  }

  #releaseHeld(): void {
    const held = [...this.#held];
    this.#held.clear();
    for (const id of held) this.giveBack(id);
  }

  /** Between requests. A walk by marks that are not kept any more leads nowhere, and objects are told by ids that the target was never given. */
  tidyMarks(): void {
    this.marks.tidy();
    if (this.reach.names !== null && !this.marks.kept) this.untold();
  }

  /** A hold of the walk ends; the id may end with it. */
  giveBack(id: NodeId): void {
    if (this.#tree.forget(id)) this.forgotten(id);
  }

  /** Makes room for one more frame. */
  #room(bytes: number): FrameWriter {
    if (this.writer.room < bytes) this.#ports.flush();
    return this.writer;
  }

  /** The same for whoever writes frames of its own into this stream. */
  reserve(bytes: number): void {
    this.#room(bytes);
  }

  isBound(node: Node): boolean {
    return node.boundSession === this.session;
  }
  markBound(node: Node): void {
    node.boundSession = this.session;
    node.lastChange = 0;
    this.#bound.add(node.id);
  }

  /** Introduces the node by the link it is known by. False: the target does not have it (not reached, or without a name). */
  bind(node: Node): boolean {
    if (node.boundSession === this.session) return true;
    // From the top, and in a loop: directories may be deeper in each other than a stack is.
    const way: Node[] = [];
    for (let at: Node | null = node; at?.boundSession !== this.session; at = at.parent) {
      if (at === null || at.unlinked) return false;
      way.push(at);
    }
    for (let next = way.pop(); next; next = way.pop()) {
      const { parent } = next;
      if (parent === null || !this.reach.has(parent.id, next.name)) return false;
      this.#room(smallFrameBytes).bind(next.id, parent.id, next.name);
      this.markBound(next);
    }
    return true;
  }

  /** Introduces the node for a change of it. False: the walk will meet it with the change, or the change could not be told and the link goes. */
  #tells(node: Node): boolean {
    if (this.bind(node)) return true;
    if (!this.#willBeMet(node)) this.untold();
    return false;
  }

  /**
   * A walk of everything meets every name. One of what is marked meets what it leads over, and never a file of which we know no name (it was
   * opened by one that is gone, and has others): nothing would lead to it.
   */
  #willBeMet(node: Node): boolean {
    if (node.unlinked) return true;
    if (this.reach.complete) return false;
    return this.reach.names === null || node.parent !== null;
  }

  /** Until the walk is over this object keeps its id, whatever the kernel forgets. */
  #hold(node: Node): void {
    if (this.reach.complete || this.#held.has(node.id)) return;
    this.#tree.hold(node.id);
    this.#held.add(node.id);
  }
  /** The walk has looked the node up and leaves its hold to us. */
  keepHold(node: Node): void {
    if (this.#held.has(node.id)) this.#tree.forget(node.id);
    else this.#held.add(node.id);
  }

  #linksLeft(node: Node): number {
    if (this.reach.complete || node.unlinked) return 0;
    if (this.#tree.attributes(node.id, this.#scratch) >= 0) return this.#scratch.links;
    this.untold();
    return 0;
  }

  changesAllowed(): boolean {
    return this.#hooks.changesAllowed();
  }

  // --- room of the peer ------------------------------------------------------------------------------------------------

  takes(bytes: number, names: number): boolean {
    return !this.open || this.#hooks.room === undefined || this.#hooks.room.take(bytes, names);
  }
  asksRoom(): boolean {
    return this.open && this.#hooks.room?.ask() === true;
  }
  peerRoom(into: Room): boolean {
    return this.open && this.#hooks.room?.left(into) === true;
  }

  /** At once: somebody waits for the answer. Its sequence. */
  askRoom(): Sequence {
    const sequence = this.#room(smallFrameBytes).askRoom();
    this.#ports.flush();
    return sequence;
  }

  // --- before a change ------------------------------------------------------------------------------------------------

  willName(parent: Node, name: Name, isDirectory: boolean, node: Node | null, links: number): void {
    parent.changed += 1;
    if (node !== null) node.changed += 1;
    this.hot?.name(parent, name, isDirectory, node, links);
    this.#refuseUnnamed();
  }
  willLink(node: Node, links: number): void {
    node.changed += 1;
    if (this.hot?.kept === true) {
      if (this.#isNamed(node)) this.hot.furtherName(node, links);
      else this.hot.firstName(node);
    }
    this.#refuseUnnamed();
  }
  willWrite(node: Node, start: number, end: number): void {
    node.changed += 1;
    if (this.hot?.kept === true && this.#isNamed(node)) this.hot.content(node, start, end);
    this.#refuseUnnamed();
  }
  willSet(node: Node): void {
    node.changed += 1;
    if (this.hot?.kept === true && this.#isNamed(node)) this.hot.attributes(node);
    this.#refuseUnnamed();
  }

  /** After a crash nobody would compare what neither the log nor the record knows of. */
  #refuseUnnamed(): void {
    if (this.#hooks.claimsTooMuch?.() === true) throw new ChangeRefused();
  }

  /** The target hears of it before it hears of any change that follows: it has to know a copy that was set back. */
  hotRecorded(): void {
    if (this.open && this.hearsHot && this.hot?.kept === true)
      this.#room(smallFrameBytes).hot(this.hot.log, this.hot.number);
  }

  // --- changes --------------------------------------------------------------------------------------------------------

  create(node: Node, parent: Node, name: Name, attributes: Attributes, target: Buffer | null, parentTime: Time): void {
    this.marks.made(node, parent, name);
    if (!this.open || !this.#canTell(parent, name)) return;
    this.#room(2 * smallFrameBytes).create(node.id, parent.id, name, attributes, target, parentTime);
    this.markBound(node);
    if (this.reach.complete || !isDirectoryMode(attributes.mode)) return;
    this.reach.addListed(node.id);
    this.#hold(node);
  }

  createUnnamed(node: Node, attributes: Attributes): void {
    this.#unnamed.set(node.id, node);
    if (!this.open) return;
    this.#room(smallFrameBytes).createUnnamed(node.id, attributes);
    this.markBound(node);
  }

  /** The name is one that the target follows, and its directory is introduced. */
  #canTell(parent: Node, name: Name): boolean {
    if (this.reach.has(parent.id, name)) {
      if (this.bind(parent)) return true;
      // The target has the directory as it was, and the way to it is not reached yet.
      this.reach.addName(parent.id, name);
    }
    if (this.reach.complete) this.untold();
    return false;
  }

  link(node: Node, parent: Node, name: Name, attributes: Attributes, parentTime: Time): void {
    // Without a name it was not marked: whole, then, and everything that names it is.
    if (this.#unnamed.delete(node.id)) this.marks.made(node, parent, name);
    else this.marks.linked(node, parent, name);
    if (!this.open) return;
    if (this.#canTell(parent, name)) this.#place(node, parent, name, attributes, parentTime);
    else if (!this.#broken && this.bind(node)) this.#hold(node);
  }

  /** An object that the target may know gets a reached name: by its id, or as something new that the walk then fills. */
  #place(node: Node, parent: Node, name: Name, attributes: Attributes, parentTime: Time): void {
    if (this.bind(node)) {
      this.#room(smallFrameBytes).link(node.id, parent.id, name, parentTime);
      this.#hold(node);
      return;
    }
    const target = (attributes.mode & 0o170000) === 0o120000 ? this.#tree.readlink(node.id) : null;
    // Made anew it is empty: only a walk fills it.
    if (typeof target === 'number' || this.walk === null) {
      this.untold();
      return;
    }
    this.#room(2 * smallFrameBytes).create(node.id, parent.id, name, attributes, target, parentTime);
    this.markBound(node);
    this.#hold(node);
    this.walk.add(node);
  }

  unlink(node: Node, parent: Node, name: Name, isDirectory: boolean, parentTime: Time): void {
    this.#losesName(node, parent, name);
    if (!this.open) return;
    const linksLeft = isDirectory ? 0 : this.#linksLeft(node);
    if (this.#broken) return;
    if (this.#canTell(parent, name)) {
      const id = this.isBound(node) ? node.id : 0;
      this.#room(smallFrameBytes).unlink(parent.id, name, id, linksLeft, isDirectory, parentTime);
    } else {
      this.#lostName(node, linksLeft);
    }
  }

  /**
   * Still open, and with another name that we may never have seen: then the target must know its id by now, because nothing could introduce it
   * any more.
   */
  #losesName(node: Node, parent: Node, name: Name): void {
    if (!this.open && !this.marks.kept) return;
    const isDirectory = node.type === 0o040000;
    if (!isDirectory && this.#tree.attributes(node.id, this.#scratch) < 0) {
      // Whether it has another name is not known, so neither is where the target finds it.
      this.untold();
      return;
    }
    if (isDirectory || this.#scratch.links === 0) {
      this.marks.removed(node, parent, name);
      return;
    }
    this.marks.moved(node, parent, name);
    if (this.open) this.bind(node);
  }

  /** A name that the target does not follow is gone. Was it the last, then an object that waits in limbo goes too. */
  #lostName(node: Node, linksLeft: number): void {
    if (linksLeft > 0 || !this.isBound(node)) return;
    this.#room(smallFrameBytes).forget(node.id);
    this.#bound.delete(node.id);
    node.boundSession = 0;
  }

  rename(
    node: Node,
    from: Node,
    fromName: Name,
    to: Node,
    toName: Name,
    exchanged: Node | null,
    replaced: Node | null,
    fromTime: Time,
    toTime: Time,
  ): void {
    this.marks.moved(node, from, fromName);
    this.marks.placed(node, to, toName);
    if (exchanged) {
      this.marks.moved(exchanged, to, toName);
      this.marks.placed(exchanged, from, fromName);
    }
    if (replaced) this.#losesName(replaced, to, toName);
    if (!this.open) return;
    const fromTold = this.#canTell(from, fromName);
    const toTold = this.#canTell(to, toName);
    const linksLeft = replaced === null || replaced.type === 0o040000 ? 0 : this.#linksLeft(replaced);
    if (this.#broken) return;
    if (fromTold && toTold) {
      const otherId = replaced !== null && this.isBound(replaced) ? replaced.id : 0;
      this.#room(smallFrameBytes).rename(
        from.id,
        fromName,
        to.id,
        toName,
        exchanged !== null,
        replaced !== null,
        otherId,
        linksLeft,
        fromTime,
        toTime,
      );
      return;
    }
    // What was at either place is introduced by its old name, before anything moves on the target.
    if (fromTold) this.#park(node, from, fromName, fromTime);
    if (toTold && exchanged !== null) this.#park(exchanged, to, toName, toTime);
    if (toTold && replaced !== null) {
      const id = this.isBound(replaced) ? replaced.id : 0;
      const isDirectory = replaced.type === 0o040000;
      this.#room(smallFrameBytes).unlink(to.id, toName, id, linksLeft, isDirectory, toTime);
    }
    if (!toTold && replaced !== null) this.#lostName(replaced, linksLeft);
    if (toTold) this.#placeMoved(node, to, toName, toTime);
    if (fromTold && exchanged !== null) this.#placeMoved(exchanged, from, fromName, fromTime);
  }

  /** Moves to where the walk has not been: it waits in limbo, under its id, until it is met there. */
  #park(node: Node, parent: Node, name: Name, time: Time): void {
    if (!this.isBound(node)) {
      this.#room(smallFrameBytes).bind(node.id, parent.id, name);
      this.markBound(node);
    }
    this.#hold(node);
    this.#room(smallFrameBytes).park(node.id, parent.id, name, time);
  }

  #placeMoved(node: Node, parent: Node, name: Name, time: Time): void {
    if (this.#tree.attributes(node.id, this.#scratch) < 0) this.untold();
    else this.#place(node, parent, name, this.#scratch, time);
  }

  write(node: Node, offset: number, bytes: Buffer, start: number, length: number, modified: Time): void {
    if (this.#isNamed(node)) this.marks.content(node, offset, length);
    if (!this.open || !this.#tells(node)) return;
    node.lastChange = this.#room(frameBytesMax).write(node.id, offset, bytes, start, length, modified);
  }

  truncate(node: Node, size: number, modified: Time): void {
    if (this.#isNamed(node)) this.marks.contentFrom(node, size);
    if (!this.open || !this.#tells(node)) return;
    node.lastChange = this.#room(smallFrameBytes).truncate(node.id, size, modified);
  }

  attributes(node: Node, attributes: Attributes): void {
    if (this.#isNamed(node)) this.marks.attributes(node);
    if (!this.open || !this.#tells(node)) return;
    this.#room(smallFrameBytes).setAttributes(node.id, attributes);
  }

  setXattr(node: Node, name: Buffer, value: Buffer): void {
    if (this.#isNamed(node)) this.marks.extendedAttributes(node);
    if (!this.open || !this.#tells(node)) return;
    this.#room(smallFrameBytes + value.length).setXattr(node.id, name, value);
  }

  removeXattr(node: Node, name: Buffer): void {
    if (this.#isNamed(node)) this.marks.extendedAttributes(node);
    if (!this.open || !this.#tells(node)) return;
    this.#room(smallFrameBytes).removeXattr(node.id, name);
  }

  allocate(node: Node, mode: number, offset: number, length: number, attributes: Attributes): void {
    if (this.#isNamed(node)) this.#markAllocated(node, mode, offset, length);
    if (!this.open || !this.#tells(node)) return;
    const writer = this.#room(smallFrameBytes);
    node.lastChange = writer.allocate(node.id, mode, offset, length, attributes.modified);
  }

  /** A mark holds what it is about, and a file without a name must end with its last descriptor. */
  #isNamed(node: Node): boolean {
    return this.#unnamed.size === 0 || !this.#unnamed.has(node.id);
  }

  /** Some modes move what comes after. */
  #markAllocated(node: Node, mode: number, offset: number, length: number): void {
    const moving = (mode & (fallocateCollapse | fallocateInsert)) !== 0;
    if (moving) this.marks.contentFrom(node, offset);
    else this.marks.content(node, offset, length);
  }

  sync(node: Node, dataOnly: boolean): Sequence {
    if (!this.open) return this.#never();
    // What the target does not know yet it gets from the walk, and syncs with everything at the end.
    if (!this.#tells(node)) return this.#never();
    return this.#room(smallFrameBytes).sync(node.id, dataOnly);
  }

  isSynced({ node, lastSync }: SyncedFile, dataOnly: boolean): boolean {
    if (!this.open || !lastSync.covers(node.changed, this.session, dataOnly)) return false;
    return reached(this.#ports.acknowledged(), lastSync.sequence);
  }

  /** Both disks work at once: what is collected is sent before the local sync. */
  collect(unique: number, sequence: Sequence, file: SyncedFile, dataOnly: boolean, written: number): boolean {
    file.lastSync.begin(file.node.changed, sequence, this.session, dataOnly);
    if (this.#hooks.collect?.(unique, sequence, file, dataOnly, written) === true) return true;
    if (this.writer.length > 0) this.#ports.flush();
    return false;
  }

  closing(node: Node): Sequence {
    if (!this.isBound(node) || node.lastChange === 0) return 0;
    if (!this.open) return this.#never();
    // As long as it is not there every close waits, not only the first: each is of a descriptor of its own.
    if (reached(this.#ports.acknowledged(), node.lastChange)) {
      node.lastChange = 0;
      return 0;
    }
    // Contents alone are acknowledged in their own time; this says that somebody waits.
    const waited = this.#room(smallFrameBytes).barrier();
    this.#ports.flush();
    return waited;
  }

  /** What nobody will acknowledge: such a request waits until the record says that the peer is stale. 0 when it does already. */
  #never(): Sequence {
    return this.#broken || this.#hooks.syncWaits() ? this.writer.sequence + 1 : 0;
  }

  park(unique: number, sequence: Sequence, written = -1): boolean {
    return sequence !== 0 && this.#hooks.park(unique, sequence, written);
  }

  untold(): void {
    this.marks.end();
    if (!this.open) return;
    this.open = false;
    this.#broken = true;
    this.#ports.breakLink();
  }

  /**
   * What a failing disk has done of a change is not known, so the log ends. A copy that is up to date stays: it may have to take over. One that is
   * being made from this disk would be made of what is not known.
   */
  localFailure(call: string, errno: number): void {
    this.marks.end();
    if (!this.reach.complete) this.untold();
    this.#hooks.localFailure(call, errno);
  }

  interrupted(): void {
    // Waiting requests are bounded by the acknowledgement deadline; an early EINTR would say "not synced" of what may be.
  }

  forgotten(id: NodeId): void {
    this.#unnamed.delete(id);
    this.hot?.forgotten(id);
    if (!this.#bound.delete(id) || !this.open) return;
    this.#room(smallFrameBytes).forget(id);
  }
}
