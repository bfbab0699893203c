/**
 * The primary's side of a resync: walks the tree from the root in bounded steps between the application's requests, in the same stream, so
 * that each step describes the source exactly at its place in the order. Everything, or what is marked, is compared by hash; what differs is sent.
 *
 * Order of the work: blocks that the target asked for, then the file in hand, then files and other objects that were listed, then the
 * directory being listed, then the next directory: what has been listed is finished first, so that little is held.
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { invariant } from '../contract/index.ts';
import type { ResyncProgress } from '../contract/index.ts';
import { NameSet, rootId } from '../fuse/index.ts';
import type { Name, Node, NodeId } from '../fuse/index.ts';
import { Attributes } from '../sys/attributes.ts';
import { E } from '../sys/errno.ts';
import type { Memory } from '../sys/memory.ts';
import { reached } from './acknowledgement.ts';
import { frameBytesMax, hashBytes, isDirectoryMode } from './change-codec.ts';
import type { ChangeStream, WalkQueue } from './change-stream.ts';
import type { Extents } from './extents.ts';
import { MarkedWalk } from './marked-walk.ts';
import { afterAnswer, blockBytes, coarseBytes, stepBytes } from './refinement.ts';
import type { Piece, Texture } from './refinement.ts';
import type { ResyncPace } from './resync-pace.ts';
import type { SourceTree } from './tree.ts';

const entriesPerStep = 64;
const listingPartBytesMax = 256 * 1024;
const xattrBytesMax = 512 * 1024;

/** One answer of the target to one `blocks` frame: which of its blocks differ. */
export interface BlocksAnswer {
  readonly sequence: number;
  /** One bit per block, lowest first. */
  readonly needed: Uint8Array;
}

interface AskedBlocks {
  readonly sequence: number;
  readonly file: FileInHand;
  readonly offset: number;
  readonly length: number;
  readonly unitBytes: number;
}
interface FileInHand {
  readonly node: Node;
  /** What is to be compared, first to last; the file in hand is at `offset` in the first. Null: up to the end. */
  readonly ranges: [start: number, end: number][] | null;
  offset: number;
  /** Frames of hashes not answered yet, and pieces of the answers not dealt with yet. */
  open: number;
  read: boolean;
  readonly texture: Texture;
  /** Of a megabyte, as far as steps have read it. */
  coarse: { readonly hash: Hash; readonly offset: number; length: number } | null;
}
interface WaitingObject {
  readonly node: Node;
  readonly part: { readonly extents: Extents | null; readonly extendedAttributes: boolean } | null;
}
interface Counting {
  readonly id: NodeId;
  readonly names: NameSet;
  next: number;
}
/** Names that are taken are gone from `names`. */
interface Listing {
  readonly node: Node;
  readonly names: NameSet;
  next: number;
}
interface FilePiece {
  readonly file: FileInHand;
  readonly piece: Piece;
}

/** `insufficient`: the marks do not say enough, everything has to be compared. `unreadable`: our own disk does not give what the target lacks. */
export type StepResult = 'worked' | 'waiting' | 'walked' | 'insufficient' | 'unreadable';

/** What an object that went away meanwhile answers; anything else is a disk that does not read. */
const gone: readonly number[] = [-E.NOENT];
/** That there is none, or that this kind of object has none. */
const noXattr: readonly number[] = [-E.NODATA, -E.OPNOTSUPP, -E.PERM, -E.ACCES];

export class ResyncSource implements WalkQueue {
  readonly #tree: SourceTree;
  readonly #stream: ChangeStream;
  readonly #acknowledged: () => number;
  readonly #buffer: Memory;
  readonly #attributes = new Attributes();
  readonly #noTarget = Buffer.alloc(0);

  /** Directories not counted yet, then those not listed yet; each is held. */
  #toCount: NodeId[] = [];
  readonly #directories: Node[] = [];
  readonly #objects: WaitingObject[] = [];
  /** Null: everything is compared. */
  readonly #marked: MarkedWalk | null;
  /** Files that were met as a whole, by a resync of what is marked. */
  readonly #whole = new Set<NodeId>();
  #listing: Listing | null = null;
  #counting: Counting | null = null;
  #file: FileInHand | null = null;
  readonly #pieces: FilePiece[] = [];
  readonly #asked: AskedBlocks[] = [];
  /** Sent and not acknowledged, oldest first, to bound what is under way. */
  readonly #underWay: { sequence: number; bytes: number; sentMs: number }[] = [];
  readonly #pace: ResyncPace;
  readonly #nowMs: () => number;
  #underWayBytes = 0;

  #totalBytes: number | null = null;
  #countedBytes = 0;
  #doneBytes = 0;
  #sentBytes = 0;
  /** The error of the first object that could not be read. A copy without it must never be called up to date. */
  #readError = 0;

  /** `buffer`: at least one step. `byMarks`: the target has all that the stream's marks do not name. */
  constructor(
    tree: SourceTree,
    stream: ChangeStream,
    buffer: Memory,
    options: { acknowledged: () => number; byMarks: boolean; pace: ResyncPace; nowMs: () => number },
  ) {
    const { acknowledged, byMarks } = options;
    this.#pace = options.pace;
    this.#nowMs = options.nowMs;
    invariant(buffer.length >= stepBytes, 'a step reads into the buffer');
    this.#tree = tree;
    this.#stream = stream;
    this.#buffer = buffer;
    this.#acknowledged = acknowledged;
    this.#marked = byMarks ? this.#beginMarked() : null;
    if (byMarks) return;
    const root = tree.node(rootId);
    invariant(root !== undefined, 'the root is always known');
    tree.hold(rootId);
    this.#toCount.push(rootId);
    tree.hold(rootId);
    this.#directories.push(root);
  }

  #beginMarked(): MarkedWalk {
    const marked = new MarkedWalk(this.#tree, this.#stream, {
      whole: (node) => {
        this.#meetWhole(node);
      },
      part: (node, extents, extendedAttributes) => {
        if (this.#whole.has(node.id)) this.#stream.giveBack(node.id);
        else this.#objects.push({ node, part: { extents, extendedAttributes } });
      },
      sent: (sequence, bytes) => {
        this.#sent(sequence, bytes);
      },
    });
    marked.begin();
    return marked;
  }

  #meetWhole(node: Node): void {
    if (node.type === 0o040000) {
      this.#directories.push(node);
      return;
    }
    if (this.#marked) this.#whole.add(node.id);
    this.#objects.push({ node, part: null });
  }

  get byMarks(): boolean {
    return this.#marked !== null;
  }

  get progress(): ResyncProgress {
    return {
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes === null ? null : Math.max(this.#totalBytes, this.#doneBytes),
      sentBytes: this.#sentBytes,
      bytesPerSecond: null,
      etaSeconds: null,
    };
  }

  /** WalkQueue: an object that came to a reached place from where the walk has not been. The stream holds it. */
  add(node: Node): void {
    this.#tree.hold(node.id);
    if (this.#marked === null) {
      this.#meetWhole(node);
      return;
    }
    if (this.#tree.attributes(node.id, this.#attributes) < 0) this.#marked.fail();
    this.#marked.meetUnknown(node, this.#attributes);
  }

  /** The link is lost: nothing of this walk counts any more. */
  abandon(): void {
    if (this.#counting) this.#stream.giveBack(this.#counting.id);
    this.#counting = null;
    for (const id of this.#toCount.splice(0)) this.#stream.giveBack(id);
    for (const node of this.#directories.splice(0)) this.#stream.giveBack(node.id);
    for (const { node } of this.#objects.splice(0)) this.#stream.giveBack(node.id);
    for (const file of this.#filesInHand()) this.#stream.giveBack(file.node.id);
    if (this.#listing) this.#stream.giveBack(this.#listing.node.id);
    this.#listing = null;
    this.#file = null;
    this.#pieces.length = 0;
    this.#asked.length = 0;
  }

  #filesInHand(): Set<FileInHand> {
    const files = new Set<FileInHand>([...this.#asked, ...this.#pieces].map((one) => one.file));
    if (this.#file) files.add(this.#file);
    return files;
  }

  answered(answer: BlocksAnswer): void {
    const asked = this.#asked.shift();
    invariant(asked?.sequence === answer.sequence, 'the target answers every blocks frame once, in order');
    const { file } = asked;
    file.open -= 1;
    for (const piece of afterAnswer(asked, answer.needed, file.texture)) {
      this.#pieces.push({ file, piece });
      file.open += 1;
    }
    this.#closeWhenDone(file);
  }

  /** One bounded piece of work. 'walked': everything has been compared and sent, the target only has to finish. */
  step(): StepResult {
    this.#settle();
    if (!this.#readable()) return 'unreadable';
    if (this.#marked?.hasFailed() === true) return 'insufficient';
    if (this.#underWayBytes >= this.#pace.windowBytes) return 'waiting';
    const next = this.#pieces.shift();
    if (next) this.#follow(next);
    else if (this.#isToCount() && this.#objects.length === 0 && !this.#file) this.#count();
    else if (this.#file) this.#compare(this.#file);
    else if (this.#objects.length > 0) this.#nextObject();
    else if (this.#listing) this.#list(this.#listing);
    else if (this.#directories.length > 0) this.#nextDirectory();
    else if (this.#marked !== null && this.#totalBytes === null) this.#totalBytes = this.#marked.count();
    else if (this.#marked?.step() === true) return this.#marked.hasFailed() ? 'insufficient' : 'worked';
    else return this.#asked.length > 0 ? 'waiting' : 'walked';
    return this.#readable() ? 'worked' : 'unreadable';
  }

  /** Negated error number; 0: everything could be read. */
  get readError(): number {
    return this.#readError;
  }

  #readable(): boolean {
    return this.#readError === 0;
  }

  /** Whether `answer` is an error; one of a disk is remembered. */
  #failed(answer: number): boolean {
    if (answer < 0 && !gone.includes(answer) && this.#readError === 0) this.#readError = answer;
    return answer < 0;
  }

  /** The attributes, of something that still has a name. */
  #readAttributes(node: Node): boolean {
    return this.#alive(node) && !this.#failed(this.#tree.attributes(node.id, this.#attributes));
  }

  /** Forgets what has been acknowledged. */
  #settle(): void {
    const acknowledged = this.#acknowledged();
    for (let first = this.#underWay[0]; first && reached(acknowledged, first.sequence); first = this.#underWay[0]) {
      this.#underWayBytes -= first.bytes;
      const now = this.#nowMs();
      this.#pace.answered(now - first.sentMs, now);
      this.#underWay.shift();
    }
  }
  #sent(sequence: number, bytes: number): void {
    this.#underWay.push({ sequence, bytes, sentMs: this.#nowMs() });
    this.#underWayBytes += bytes;
  }

  #alive(node: Node): boolean {
    return !node.unlinked && this.#stream.isBound(node);
  }

  // --- counting: only so that people see how long it will take --------------------------------------------------------

  #isToCount(): boolean {
    return this.#counting !== null || this.#toCount.length > 0;
  }

  #count(): void {
    const counting = this.#counting ?? this.#beginCounting();
    const { id, names } = counting;
    for (let taken = 0; taken < entriesPerStep; taken++) {
      const place = names.seek(counting.next);
      if (place < 0) {
        this.#endCounting(id);
        return;
      }
      counting.next = names.after(place);
      const type = names.typeAt(place);
      if (type !== 0o100000 && type !== 0o040000 && type !== 0) continue;
      const node = this.#tree.lookup(id, names.nameAt(place));
      if (typeof node === 'number') continue;
      if (node.type === 0o040000) {
        this.#toCount.push(node.id);
        continue;
      }
      if (node.type === 0o100000 && this.#tree.attributes(node.id, this.#attributes) === 0)
        this.#countedBytes += this.#attributes.size;
      this.#stream.giveBack(node.id);
    }
  }

  #beginCounting(): Counting {
    const id = this.#toCount.pop();
    invariant(id !== undefined, 'something is left to be counted');
    const names = this.#tree.names(id);
    this.#counting = { id, names: typeof names === 'number' ? new NameSet() : names, next: 0 };
    return this.#counting;
  }

  #endCounting(id: NodeId): void {
    this.#counting = null;
    this.#stream.giveBack(id);
    if (this.#toCount.length === 0) this.#totalBytes = this.#countedBytes;
  }

  // --- directories ----------------------------------------------------------------------------------------------------

  #nextDirectory(): void {
    const node = this.#directories.pop();
    if (!node) return;
    const names = this.#alive(node) ? this.#tree.names(node.id) : -E.NOENT;
    if (typeof names === 'number') {
      this.#failed(names);
      this.#stream.giveBack(node.id);
      return;
    }
    this.#xattrs(node);
    this.#listing = { node, names, next: 0 };
    this.#stream.reach.beginListing(node.id, names);
    // The first part at once: from here on new names are told, and the target must know that it is being given a listing.
    this.#list(this.#listing);
  }

  /** The next part. What the application changes meanwhile under names that were taken is told as it happens. */
  #list(listing: Listing): void {
    const { node, names } = listing;
    if (!this.#readAttributes(node)) {
      this.#stream.reach.abandonListing();
      this.#listing = null;
      this.#stream.giveBack(node.id);
      return;
    }
    const writer = this.#stream.writer;
    this.#stream.reserve(frameBytesMax);
    writer.beginListing(node.id, this.#attributes);
    const child = new Attributes();
    for (let taken = 0; names.size > 0 && taken < entriesPerStep; taken++) {
      const place = names.seek(listing.next);
      listing.next = names.after(place);
      const name = names.nameAt(place);
      this.#stream.reach.take(name);
      this.#listEntry(node, name, child);
      if (writer.frameLength > listingPartBytesMax) break;
    }
    const last = names.size === 0;
    const length = writer.frameLength;
    this.#sent(writer.endListing(last), length);
    if (!last) return;
    this.#stream.reach.endListing();
    this.#listing = null;
    // A listed directory keeps its id until the walk is over: that it is listed is known by its id.
    this.#stream.keepHold(node);
  }

  #listEntry(directory: Node, name: Name, attributes: Attributes): void {
    const node = this.#tree.lookup(directory.id, name);
    if (typeof node === 'number') {
      this.#failed(node);
      return;
    }
    const isLink = node.type === 0o120000;
    const target = isLink ? this.#tree.readlink(node.id) : this.#noTarget;
    if (this.#failed(typeof target === 'number' ? target : this.#tree.attributes(node.id, attributes))) {
      this.#stream.giveBack(node.id);
      return;
    }
    this.#stream.writer.listedEntry(name, node.id, attributes, target as Buffer);
    if (this.#stream.isBound(node)) {
      // Another name of something that is known already: hard link, or back from limbo.
      this.#stream.giveBack(node.id);
      return;
    }
    this.#stream.markBound(node);
    if (attributes.links > 1 && !isDirectoryMode(attributes.mode)) {
      this.#tree.hold(node.id);
      this.#stream.keepHold(node);
    }
    if (this.#marked) this.#marked.meetListed(directory, name, node, attributes);
    else this.#meetWhole(node);
  }

  // --- everything else ------------------------------------------------------------------------------------------------

  #nextObject(): void {
    const object = this.#objects.shift();
    if (!object) return;
    const { node, part } = object;
    if (!this.#readAttributes(node)) {
      this.#stream.giveBack(node.id);
      return;
    }
    this.#stream.reserve(8192);
    if (node.type === 0o100000 && part?.extents !== null) {
      const { size } = this.#attributes;
      // The size first: what the target has beyond it is not compared.
      this.#stream.writer.truncate(node.id, size, this.#attributes.modified);
      const ranges = part?.extents?.ranges(size) ?? null;
      // A small file that is new costs one question.
      const texture = { sparse: true, dense: ranges === null && size < coarseBytes };
      this.#file = { node, ranges, offset: ranges?.[0]?.[0] ?? 0, open: 0, read: false, texture, coarse: null };
      if (size === 0 || ranges?.length === 0) this.#endFile(this.#file);
      return;
    }
    if (part === null || part.extendedAttributes) this.#xattrs(node);
    this.#stream.reserve(8192);
    this.#sent(this.#stream.writer.setAttributes(node.id, this.#attributes), 128);
    this.#stream.giveBack(node.id);
  }

  #xattrs(node: Node): void {
    const names = this.#tree.listXattrs(node.id);
    if (typeof names === 'number' && !noXattr.includes(names)) this.#failed(names);
    const pairs: [Buffer, Buffer][] = [];
    let bytes = 0;
    const later: [Buffer, Buffer][] = [];
    for (const name of typeof names === 'number' ? [] : names) {
      const value = this.#tree.getXattr(node.id, name);
      if (typeof value === 'number') {
        if (!noXattr.includes(value)) this.#failed(value);
        continue;
      }
      bytes += name.length + value.length + 16;
      (bytes > xattrBytesMax ? later : pairs).push([name, value]);
    }
    this.#stream.reserve(frameBytesMax);
    this.#sent(this.#stream.writer.xattrs(node.id, pairs), bytes + 64);
    for (const [name, value] of later) {
      this.#stream.reserve(8192 + value.length);
      this.#sent(this.#stream.writer.setXattr(node.id, name, value), value.length);
    }
  }

  #endFile(file: FileInHand): void {
    file.read = true;
    this.#file = null;
    this.#closeWhenDone(file);
  }

  /** The times last: all that came before has changed them. Attributes of a program's rights fall with every write to it. */
  #closeWhenDone(file: FileInHand): void {
    if (!file.read || file.open > 0) return;
    if (this.#readAttributes(file.node)) {
      this.#xattrs(file.node);
      this.#stream.reserve(8192);
      this.#sent(this.#stream.writer.setAttributes(file.node.id, this.#attributes), 128);
    }
    this.#stream.giveBack(file.node.id);
  }

  #compare(file: FileInHand): void {
    const id = file.node.id;
    if (!this.#readAttributes(file.node)) {
      this.#endFile(file);
      return;
    }
    const { ranges } = file;
    if (ranges && file.offset >= (ranges[0]?.[1] ?? 0)) {
      ranges.shift();
      file.offset = ranges[0]?.[0] ?? Infinity;
    }
    const size = Math.min(this.#attributes.size, ranges?.[0]?.[1] ?? Infinity);
    if (file.offset >= this.#attributes.size || file.offset >= size) {
      // Shorter by now than a range that is left: others are further behind.
      this.#endFile(file);
      return;
    }
    const data = this.#tree.seek(id, file.offset, 3);
    // Not every filesystem can say where its holes are: then all of it is data.
    const dataStart = data === -6 ? size : data < 0 ? file.offset : data - (data % blockBytes);
    if (dataStart > file.offset) {
      this.#hole(file, Math.min(dataStart, size), size);
      return;
    }
    const hole = this.#tree.seek(id, file.offset, 4);
    const dataEnd = hole > file.offset ? Math.ceil(hole / blockBytes) * blockBytes : size;
    const dataBytes = Math.min(size, dataEnd) - file.offset;
    const isCoarse = file.texture.sparse && file.offset % coarseBytes === 0 && dataBytes >= coarseBytes;
    if (!isCoarse || file.coarse?.offset !== file.offset) file.coarse = null;
    const done = isCoarse ? (file.coarse?.length ?? 0) : 0;
    const wanted = Math.min(stepBytes, dataBytes - done);
    const length = this.#tree.read(id, this.#buffer.address(), wanted, file.offset + done);
    if (this.#failed(length) || length === 0) {
      this.#endFile(file);
      return;
    }
    if (isCoarse) this.#addToCoarse(file, length);
    else this.#goOn(file, length, this.#ask(file, file.offset, length, blockBytes, this.#hashes(length, blockBytes)));
  }

  /**
   * In steps: what is changed in between is told before this hash is. So a target that finds the same has what is new, and where it is the same as what was
   * read here, nothing differs.
   */
  #addToCoarse(file: FileInHand, length: number): void {
    file.coarse ??= { hash: createHash('sha256'), offset: file.offset, length: 0 };
    file.coarse.hash.update(this.#buffer.bytes.subarray(0, length));
    file.coarse.length += length;
    if (file.coarse.length < coarseBytes) return;
    const digest = file.coarse.hash.digest();
    file.coarse = null;
    this.#goOn(file, coarseBytes, this.#ask(file, file.offset, coarseBytes, coarseBytes, digest));
  }

  #goOn(file: FileInHand, length: number, sequence: number): void {
    file.open += 1;
    file.offset += length;
    this.#doneBytes += length;
    this.#sent(sequence, length);
  }

  /** Of what the buffer holds. */
  #hashes(length: number, unitBytes: number): Buffer {
    const hashes = Buffer.allocUnsafe(Math.ceil(length / unitBytes) * hashBytes);
    for (let unit = 0; unit * unitBytes < length; unit++) {
      const end = Math.min(length, (unit + 1) * unitBytes);
      const digest = createHash('sha256')
        .update(this.#buffer.bytes.subarray(unit * unitBytes, end))
        .digest();
      digest.copy(hashes, unit * hashBytes);
    }
    return hashes;
  }

  /** Returns the number of the frame. */
  #ask(file: FileInHand, offset: number, length: number, unitBytes: number, hashes: Buffer): number {
    this.#stream.reserve(frameBytesMax);
    const sequence = this.#stream.writer.blocks(file.node.id, offset, length, unitBytes, hashes);
    this.#asked.push({ sequence, file, offset, length, unitBytes });
    return sequence;
  }

  #hole(file: FileInHand, end: number, size: number): void {
    const length = end - file.offset;
    this.#stream.reserve(8192);
    const { writer } = this.#stream;
    this.#sent(writer.hole(file.node.id, file.offset, length, this.#attributes.modified), 4096);
    this.#doneBytes += length;
    file.offset = end;
    if (end >= size && file.ranges === null) this.#endFile(file);
  }

  /** Of an answer: data that is asked for, or hashes of smaller units. */
  #follow({ file, piece }: FilePiece): void {
    const { offset, length, unitBytes } = piece;
    const count = this.#readPiece(file.node, offset, length);
    if (this.#failed(count) || count === 0) {
      file.open -= 1;
      this.#closeWhenDone(file);
    } else if (unitBytes > 0) {
      this.#sent(this.#ask(file, offset, count, unitBytes, this.#hashes(count, unitBytes)), count);
    } else {
      this.#send(file, offset, count);
    }
  }

  #readPiece(node: Node, offset: number, length: number): number {
    if (!this.#readAttributes(node)) return 0;
    const count = this.#tree.read(node.id, this.#buffer.address(), length, offset);
    // Read as far as the disk gave it: the rest is no end of the file.
    return count >= 0 && count < Math.min(length, this.#attributes.size - offset) ? -E.IO : count;
  }

  #send(file: FileInHand, offset: number, count: number): void {
    this.#stream.reserve(frameBytesMax);
    const { id } = file.node;
    const sequence = this.#stream.writer.data(id, offset, this.#buffer.bytes, 0, count, this.#attributes.modified);
    this.#sent(sequence, count);
    this.#sentBytes += count;
    file.open -= 1;
    this.#closeWhenDone(file);
  }
}
