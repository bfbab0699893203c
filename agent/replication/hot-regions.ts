/**
 * What a primary is about to change, recorded on its own disk before it does: after a crash of it, or of both, only that is compared. Regions are coarse,
 * grow where they are often missed, and stay hot while they are used: a database that rewrites its files records next to nothing.
 *
 * Invariants: nothing is changed before a batch that names it is durable · a name that leads to an object with further names is recorded so that the changes
 * through each of them are compared, or everything is · whatever is dropped here is on both disks.
 */
import type { Name, Node, NodeId } from '../fuse/index.ts';
import type { HotLog, ReadLog } from './hot-log.ts';
import { covers, depthMax, entriesAt, HotSet } from './hot-set.ts';
import type { HotEntry, HotPlace } from './hot-set.ts';

const endOfAll = Number.MAX_SAFE_INTEGER;

export interface HotLimits {
  /** The part of a file that is recorded at once; doubles after so many misses in this file, so often at most. */
  readonly unitBytes: number;
  readonly missesPerDoubling: number;
  readonly doublingsMax: number;
  /** Records of single names and files in one directory, before all of them are: fewer when so much has been recorded since the last checkpoint. */
  readonly perDirectory: readonly { readonly misses: number; readonly max: number }[];
  /** From so many records on, each names a directory with all that is below; then the one above it; then everything. */
  readonly treesFrom: number;
  readonly higherFrom: number;
  readonly everythingFrom: number;
}
/** A megabyte, up to a gigabyte. Between two checkpoints at most 4096 records, each a sync, in whatever the application does. */
export const hotLimits: HotLimits = {
  unitBytes: 1024 * 1024,
  missesPerDoubling: 8,
  doublingsMax: 10,
  perDirectory: [
    { misses: 0, max: 32 },
    { misses: 256, max: 8 },
    { misses: 1024, max: 0 },
  ],
  treesFrom: 2048,
  higherFrom: 3072,
  everythingFrom: 4096,
};
const rememberedMax = 20_000;
/** So many places at most stay hot over a checkpoint, which writes them all while requests wait; further ones are missed again. */
const carriedMax = 4000;
const directoryType = 0o040000;
const ioError = 5;

const keyOf = (name: Name): string => name.toString('latin1');

export interface HotPorts {
  /** A batch is durable: the peer has to hear of its number before it hears of any change that follows. */
  readonly recorded: () => void;
  /** The log cannot be kept any more: nothing may be changed before the record says so. */
  readonly abandoned: () => void;
  /** The disk has failed, which says something about the data beside the log as well. */
  readonly failed: (errno: number) => void;
}

export class HotRegions {
  /** 0: none is kept. */
  log = 0;
  #base = 0;
  #given = 0;
  #misses = 0;
  /** What was changed through which name of an object is not all known here. */
  #hasPeer = false;
  #set = new HotSet();
  /** Until its checkpoint is confirmed: what stood in the set before it. */
  #old: HotSet | null = null;
  /** Every change of the node is covered by this place, or by a hot name (null). */
  readonly #remembered = new Map<NodeId, HotPlace | null>();
  /** Objects of which every name is hot: further ones are too. */
  readonly #allNamesHot = new Set<NodeId>();
  readonly #disk: HotLog;
  readonly #ports: HotPorts;
  readonly #limits: HotLimits;

  constructor(disk: HotLog, ports: HotPorts, limits = hotLimits) {
    this.#disk = disk;
    this.#ports = ports;
    this.#limits = limits;
  }

  get kept(): boolean {
    return this.log !== 0;
  }
  /** Asked again after what may have ended it. */
  #isKept(): boolean {
    return this.log !== 0;
  }
  /** Of the newest record. */
  get number(): number {
    return this.#disk.number;
  }
  /** The last checkpoint that was asked for. */
  get given(): number {
    return this.#given;
  }
  /** All since the last checkpoint that both disks have. */
  get set(): HotSet {
    this.merge();
    return this.#set;
  }

  /** `hasPeer`: more was changed since then, and stands in the log of another server. */
  begin(log: number, checkpoint: number, hasPeer = false): void {
    this.end();
    this.#hasPeer = hasPeer;
    if (this.#heard(this.#disk.begin(log, checkpoint)) < 0) return;
    this.log = log;
    this.#base = this.#given = checkpoint;
    this.#ports.recorded();
  }

  /** The log of a former life. False: there is nothing to be believed. */
  restore(log: number, checkpoint: number, hasPeer = false): boolean {
    this.end();
    this.#hasPeer = hasPeer;
    const found: ReadLog | null = this.#disk.restore(log, checkpoint);
    if (found === null || found.set.everything) return false;
    this.log = log;
    this.#base = checkpoint;
    this.#given = found.given;
    this.#set = found.set;
    return true;
  }

  end(): void {
    this.log = 0;
    this.#set = new HotSet();
    this.#old = null;
    this.#forgetPlaces();
  }

  #forgetPlaces(): void {
    this.#remembered.clear();
    this.#allNamesHot.clear();
    this.#misses = 0;
  }

  forgotten(id: NodeId): void {
    this.#remembered.delete(id);
    this.#allNamesHot.delete(id);
  }

  // --- checkpoints ----------------------------------------------------------------------------------------------------

  /** A checkpoint is about to be asked for: what is hot only from before it goes once both disks have it. What is in use stays hot, without having to be missed again. */
  settle(number: number): void {
    if (!this.kept) return;
    this.merge();
    const carried = new HotSet();
    if (!this.#set.everything) carry(this.#set.root, [], carried);
    const entries = [...carried];
    let status = this.#heard(this.#disk.append(number, entries));
    if (status < 0 && this.#disk.rewrite(this.#base, this.#set) === 0) status = this.#disk.append(number, entries);
    if (status < 0) {
      this.#abandon();
      return;
    }
    this.#given = number;
    this.#old = this.#set;
    this.#set = carried;
    this.#forgetPlaces();
    this.#ports.recorded();
  }

  /** The record says it by now. */
  confirmed(number: number): void {
    if (!this.kept || number !== this.#given) return;
    this.#old = null;
    this.#base = number;
    this.#disk.confirmed(number);
  }

  /** What waits for a confirmation may wait for ever. */
  merge(): void {
    if (this.#old) this.#set.merge(this.#old);
    this.#old = null;
  }

  // --- before changes -------------------------------------------------------------------------------------------------

  /** Null: no name of it is known. */
  #pathOf(node: Node): string[] | null {
    const path: string[] = [];
    for (let at: Node = node; ; at = at.parent) {
      if (at.parent === null) return at.id === 1 ? path.reverse() : null;
      path.push(keyOf(at.name));
    }
  }

  #isCovered(path: readonly string[], isDirectory: boolean): boolean {
    let place: HotPlace = this.#set.root;
    if (place.whole) return true;
    for (const [index, name] of path.entries()) {
      const next = place.places?.get(name);
      const isEntry = place.entries && !isDirectory && index === path.length - 1;
      const cover = isEntry ? place : next?.whole === true ? next : null;
      if (cover) {
        cover.used = true;
        return true;
      }
      if (!next) return false;
      place = next;
    }
    return false;
  }

  content(node: Node, start: number, end: number): void {
    if (!this.kept || node.unlinked) return;
    const known = this.#remembered.get(node.id);
    if (known === null) return;
    if (known?.ranges && covers(known.ranges, start, end)) {
      known.used = true;
      return;
    }
    const path = this.#pathOf(node);
    if (path === null) {
      this.everything();
      return;
    }
    if (this.#isCovered(path, false)) {
      this.#remember(node.id, null);
      return;
    }
    const place = this.#set.make(path);
    if (!place.ranges || !covers(place.ranges, start, end)) this.#missContent(path, place, start, end);
    if (this.#isKept()) this.#remember(node.id, this.#isCovered(path, false) ? null : place);
  }

  #missContent(path: string[], place: HotPlace, start: number, end: number): void {
    const { unitBytes, missesPerDoubling, doublingsMax } = this.#limits;
    const unit = unitBytes * 2 ** Math.min(doublingsMax, Math.floor(place.misses / missesPerDoubling));
    place.misses += 1;
    const entry: HotEntry = {
      kind: 'content',
      path,
      start: Math.floor(start / unit) * unit,
      end: Math.min(endOfAll, Math.ceil(Math.max(end, start + 1) / unit) * unit),
    };
    this.#record(place.ranges ? entry : this.#coarser(path, entry, false));
  }

  #remember(id: NodeId, place: HotPlace | null): void {
    if (this.#remembered.size >= rememberedMax) this.#remembered.clear();
    this.#remembered.set(id, place);
  }

  attributes(node: Node): void {
    if (!this.kept || node.unlinked || node.id === 1) return;
    const known = this.#remembered.get(node.id);
    if (known === null || known?.attributes === true || known?.ranges) return;
    const path = this.#pathOf(node);
    if (path === null) {
      this.everything();
      return;
    }
    if (this.#isCovered(path, node.type === directoryType)) return;
    const place = this.#set.make(path);
    place.used = true;
    if (place.attributes || place.ranges) return;
    this.#record(this.#coarser(path, { kind: 'attributes', path }, node.type === directoryType));
  }

  /** `node`: what stands there, or will. `links`: the names that it has before the change. */
  name(parent: Node, name: Name, isDirectory: boolean, node: Node | null, links: number): void {
    if (!this.kept || parent.unlinked) return;
    const directory = this.#pathOf(parent);
    if (directory === null) {
      this.everything();
      return;
    }
    const path = [...directory, keyOf(name)];
    const isCovered = this.#isCovered(path, isDirectory);
    if (node !== null && !isDirectory && links > 1) this.#losesOneOfSeveral(node, path, isCovered);
    if (this.#isKept() && !isCovered) this.#record(this.#coarser(path, { kind: 'whole', path }, isDirectory));
  }

  /** What was changed through the name that goes has to be looked for under names that nobody knows. */
  #losesOneOfSeveral(node: Node, path: readonly string[], isCovered: boolean): void {
    if (this.#allNamesHot.has(node.id)) return;
    const isOfOld = this.#old !== null && mayHaveChanged(this.#old, path);
    if (isCovered || isOfOld || this.#hasPeer || mayHaveChanged(this.#set, path)) this.everything();
  }

  /** A further name, or another one of several: what is changed through it is not recorded, so the others have to be hot as well. */
  furtherName(node: Node, links: number): void {
    if (!this.kept || node.unlinked || this.#allNamesHot.has(node.id)) return;
    const path = links === 1 ? this.#pathOf(node) : null;
    if (path !== null && this.#isCovered(path, false)) this.#nameAllHot(node.id);
    else this.everything();
  }

  /** It has no name yet, so every name that it will get is hot. */
  firstName(node: Node): void {
    if (this.kept) this.#nameAllHot(node.id);
  }

  #nameAllHot(id: NodeId): void {
    // Without a peer there is no checkpoint at which they are forgotten.
    if (this.#allNamesHot.size >= rememberedMax) this.everything();
    else this.#allNamesHot.add(id);
  }

  everything(): void {
    if (this.kept && !this.#set.everything) this.#record({ kind: 'whole', path: [] });
  }

  /** Much that is recorded in a short time is recorded in larger pieces. */
  #coarser(path: readonly string[], entry: HotEntry, isDirectory: boolean): HotEntry {
    this.#misses += 1;
    const { perDirectory, treesFrom, higherFrom, everythingFrom } = this.#limits;
    const directory = path.slice(0, -1);
    if (this.#misses >= everythingFrom) return { kind: 'whole', path: [] };
    if (this.#misses >= higherFrom) return { kind: 'whole', path: directory.slice(0, -1) };
    if (this.#misses >= treesFrom) return { kind: 'whole', path: directory };
    const place = this.#set.make(directory);
    place.misses += 1;
    const max = perDirectory.findLast(({ misses }) => this.#misses >= misses)?.max ?? 0;
    if (place.misses <= max) return entry;
    return { kind: isDirectory ? 'whole' : 'entries', path: directory };
  }

  #record(region: HotEntry): void {
    const entry: HotEntry = region.path.length > depthMax ? { kind: 'whole', path: [] } : region;
    let status = this.#heard(this.#disk.append(0, [entry]));
    if (status < 0) status = this.#rewrite(entry);
    if (status < 0) {
      this.#abandon();
      return;
    }
    this.#set.add(entry);
    this.#ports.recorded();
  }

  /** All of it in one batch; and once more what came since a checkpoint was asked for, because the record may claim that one next. */
  #rewrite(entry: HotEntry): number {
    const since = new HotSet();
    since.merge(this.#set);
    since.add(entry);
    const all = new HotSet();
    if (this.#old) all.merge(this.#old);
    all.merge(since);
    const status = this.#heard(this.#disk.rewrite(this.#base, all));
    return status < 0 || this.#given === this.#base ? status : this.#heard(this.#disk.append(this.#given, since));
  }

  /** Of the disk itself; want of room is none. */
  #heard(status: number): number {
    if (status === -ioError) this.#ports.failed(ioError);
    return status;
  }

  #abandon(): void {
    this.end();
    this.#ports.abandoned();
  }
}

/** Something of the object that stands there, through this name. */
function mayHaveChanged(set: HotSet, path: readonly string[]): boolean {
  if (set.isWhole(path) || set.find(path.slice(0, -1))?.entries === true) return true;
  const place = set.find(path);
  return place !== null && (place.ranges !== null || place.attributes);
}

/** Contents and directories that were used since the last checkpoint; single names are not used again. */
function carry(place: HotPlace, path: readonly string[], into: HotSet): void {
  if (place.whole || into.size >= carriedMax) return;
  if (place.used && (place.entries || place.ranges !== null))
    for (const entry of entriesAt(place, path)) {
      into.add(entry);
      into.make(path).used = false;
    }
  for (const [name, below] of place.places ?? [])
    if (!place.entries || below.places !== null) carry(below, [...path, name], into);
}
