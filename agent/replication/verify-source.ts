/**
 * The primary's side of a comparison: walks the tree between the application's requests and asks the target about each part of it, in the same stream.
 * This thread makes every change and sends it in order, so a question describes both copies at one instant: there is nothing to wait for and nothing
 * to compare again. Of an object that goes away meanwhile nothing is said.
 *
 * Objects are named by directory and name, and a directory only after the target has said that it has it: a target without it must be able to
 * answer, where an ordinary change would make it leave.
 */
import { invariant, isMinor } from '../contract/index.ts';
import { rootId } from '../fuse/index.ts';
import type { Name, NameSet, Node, NodeId } from '../fuse/index.ts';
import { Attributes } from '../sys/attributes.ts';
import { E } from '../sys/errno.ts';
import type { Memory } from '../sys/memory.ts';
import type { ChangeStream } from './change-stream.ts';
import { reached } from './acknowledgement.ts';
import { hasLeftovers } from './resync-target.ts';
import { directoryType, fileType, linkType } from './tree.ts';
import type { SourceTree } from './tree.ts';
import {
  blockDigest,
  comparedAttributes,
  encodeQuestion,
  extendedDigest,
  isDamage,
  nameText8,
} from './verify-messages.ts';
import type { ComparedObject, Findings, Question } from './verify-messages.ts';
import { PendingDirectories } from './verify-directories.ts';
import type { VerifyReport } from './verify-report.ts';

const blockBytes = 64 * 1024;
/** One step reads and hashes at most this much: half a millisecond that an application's request may have to wait. */
export const verifyStepBytes = 2 * blockBytes;
/**
 * Asked and not answered: a sync of the application waits behind the target's work on it. Halved for each answer that was slow in coming, whatever it is
 * that takes the target so long.
 */
const windowBytesMax = 1024 * 1024;
const windowBytesMin = 16 * 1024;
const slowAnswerMs = 50;
/** Each looks up many names, on a disk that may have none of them in memory. */
const nameQuestionsMax = 2;
const entriesPerStep = 32;
const namesStepMs = 1;
/** Should the target have data there, it reads that much at one place of the stream. */
const holeBytesMax = 16 * 1024 * 1024;
/** Most of it is a hole there too. */
const holeShare = 8;
/** What a question costs the target besides bytes, in bytes. */
const questionBytes = 16 * 1024;
const linkedMax = 100_000;
const seek = { data: 3, hole: 4 } as const;

interface Asked {
  readonly sequence: number;
  readonly askedMs: number;
  readonly names: boolean;
  readonly bytes: number;
  readonly path: string;
  /** Held since the question; whoever takes the answer gives them back or keeps them. */
  readonly nodes: readonly { readonly name: string; readonly node: Node }[];
  /** Which of the names are directories here; empty name: what the question is about. */
  readonly directories: ReadonlySet<string>;
}
interface Listing {
  readonly node: Node;
  readonly names: NameSet;
  next: number;
}
interface FileInHand {
  readonly node: Node;
  offset: number;
}

export type VerifyStep = 'worked' | 'waiting' | 'compared';

export class VerifySource {
  readonly #tree: SourceTree;
  readonly #stream: ChangeStream;
  readonly #buffer: Memory;
  readonly #report: VerifyReport;
  readonly #attributes = new Attributes();
  readonly #directories: PendingDirectories;
  /** Each is held. */
  readonly #files: Node[] = [];
  #listing: Listing | null = null;
  #file: FileInHand | null = null;
  readonly #asked: Asked[] = [];
  #underWayBytes = 0;
  #windowBytes = windowBytesMax;
  readonly #nowMs: () => number;
  /** On either side a call failed in a way that says nothing of the copies: what was asked is not known. */
  failed = false;
  /** What is left over from a time as a secondary may hold further names of files: their number says nothing then. */
  readonly #moreLinks: { readonly moreLinks?: true };
  /** Files with several names, so that their ids last and their contents are compared once. */
  readonly #linked = new Set<NodeId>();

  constructor(tree: SourceTree, stream: ChangeStream, buffer: Memory, report: VerifyReport, nowMs: () => number) {
    invariant(buffer.length >= verifyStepBytes, 'a step reads into the buffer');
    this.#tree = tree;
    this.#stream = stream;
    this.#buffer = buffer;
    this.#report = report;
    this.#nowMs = nowMs;
    this.#directories = new PendingDirectories(tree, (id) => {
      stream.giveBack(id);
    });
    this.#moreLinks = hasLeftovers(tree) ? { moreLinks: true } : {};
    const root = tree.node(rootId);
    invariant(root !== undefined, 'the root is always known');
    tree.hold(rootId);
    this.#directories.add(root);
  }

  /** Ended, or the link is lost: nothing is held any more. */
  abandon(): void {
    this.#directories.clear();
    const held = this.#files.splice(0).map(({ id }) => id);
    if (this.#listing) held.push(this.#listing.node.id);
    if (this.#file) held.push(this.#file.node.id);
    for (const { nodes } of this.#asked.splice(0)) held.push(...nodes.map(({ node }) => node.id));
    held.push(...this.#linked);
    this.#linked.clear();
    this.#listing = this.#file = null;
    for (const id of held) this.#stream.giveBack(id);
  }

  /** One bounded piece of work. */
  step(): VerifyStep {
    if (this.#underWayBytes >= this.#windowBytes) return 'waiting';
    if (this.#file) this.#compare(this.#file);
    else if (this.#files.length > 0) this.#nextFile();
    else if (this.#asked.reduce((count, { names }) => count + (names ? 1 : 0), 0) >= nameQuestionsMax) return 'waiting';
    else if (this.#listing) this.#names(this.#listing);
    else if (!this.#directories.empty) this.#nextDirectory();
    else return this.#asked.length > 0 ? 'waiting' : 'compared';
    return 'worked';
  }

  /** Something differs already or is to be repaired: the target is told not to be used. Answered like everything else. */
  askToBeStale(): void {
    this.#ask({ ask: 'stale' }, 0, '');
  }

  #ask(question: Question, bytes: number, path: string, nodes: Asked['nodes'] = []): void {
    const encoded = encodeQuestion(question);
    this.#stream.reserve(encoded.length + 64);
    const sequence = this.#stream.writer.verify(encoded);
    const names = question.ask === 'directory' || question.ask === 'names';
    const directories = new Set(nodes.filter(({ node }) => node.type === directoryType).map(({ name }) => name));
    if (question.ask === 'directory') directories.add('');
    const askedMs = this.#nowMs();
    this.#asked.push({ sequence, askedMs, names, bytes: bytes + questionBytes, path, nodes, directories });
    this.#underWayBytes += bytes + questionBytes;
  }

  /** False: the target answers every question once, in order, and this is no such answer. Older than the first question: of an earlier comparison. */
  answered(sequence: number, findings: Findings): boolean {
    const [asked] = this.#asked;
    if (asked === undefined || !reached(sequence, asked.sequence)) return true;
    if (sequence !== asked.sequence) return false;
    this.#asked.shift();
    if (findings.failed !== undefined) this.failed = true;
    this.#underWayBytes -= asked.bytes;
    const slow = this.#nowMs() - asked.askedMs > slowAnswerMs;
    this.#windowBytes = slow
      ? Math.max(windowBytesMin, this.#windowBytes / 2)
      : Math.min(windowBytesMax, this.#windowBytes + questionBytes);
    const missing = new Set<string>();
    for (const { name, kinds, bytes, directory } of findings.found) {
      const isDirectory = directory === true || asked.directories.has(name);
      this.#report.differs(name === '' ? asked.path : joined(asked.path, name), kinds, bytes, isDirectory);
      if (kinds.some((kind) => kind === 'only-on-primary' || kind === 'type' || kind === 'unreadable-on-secondary'))
        missing.add(name);
    }
    if (findings.more > 0) this.#report.more(findings.more);
    for (const { name, node } of asked.nodes) {
      if (missing.has(name)) this.#stream.giveBack(node.id);
      else if (node.type === directoryType) this.#directories.add(node);
      else this.#files.push(node);
    }
    return true;
  }

  /** Of the source's own disk: told, and the rest is compared. The application gets the same error, and the secondary may have the better copy. */
  #unreadable(path: string, error: number): void {
    if (error === -E.NOENT || error === -E.STALE) return;
    if (isDamage(error)) this.#report.differs(path, ['unreadable-on-primary'], 0);
    else this.failed = true;
  }

  // --- directories ----------------------------------------------------------------------------------------------------

  #nextDirectory(): void {
    const next = this.#directories.next();
    if (next === null || next === 'gone') return;
    if ('error' in next) {
      this.#unreadable(joined(pathOf(next.parent), nameText8(next.name)), next.error);
      return;
    }
    const { node } = next;
    const object = this.#stream.bind(node) && !node.unlinked ? this.#object(node, pathOf(node)) : null;
    const names = object === null ? 0 : this.#tree.names(node.id);
    if (object === null || typeof names === 'number') {
      if (typeof names === 'number' && names < 0) this.#unreadable(pathOf(node), names);
      this.#stream.giveBack(node.id);
      return;
    }
    this.#report.directories += 1;
    this.#ask({ ask: 'directory', directory: node.id, object, ...this.#moreLinks }, 0, pathOf(node));
    this.#listing = { node, names, next: 0 };
  }

  #names(listing: Listing): void {
    const { node, names } = listing;
    // It went away, and with it, on both sides, all that it held.
    if (node.unlinked) {
      this.#endListing(node);
      return;
    }
    const entries: Extract<Question, { ask: 'names' }>['entries'] = [];
    const nodes: { name: string; node: Node }[] = [];
    const untilMs = this.#nowMs() + namesStepMs;
    let place = names.seek(listing.next);
    for (let taken = 0; taken < entriesPerStep && place >= 0; taken++) {
      if (taken > 0 && this.#nowMs() > untilMs) break;
      this.#entry(node, names.nameAt(place), entries, nodes);
      listing.next = names.after(place);
      place = names.seek(listing.next);
    }
    const last = place < 0;
    const question = { ask: 'names', directory: node.id, entries, last, ...this.#moreLinks } as const;
    this.#ask(question, entries.length * 1024, pathOf(node), nodes);
    if (last) this.#endListing(node);
  }

  #endListing(node: Node): void {
    this.#listing = null;
    this.#stream.giveBack(node.id);
  }

  #entry(
    directory: Node,
    name: Name,
    entries: Extract<Question, { ask: 'names' }>['entries'],
    nodes: { name: string; node: Node }[],
  ): void {
    const text = nameText8(name);
    const node = this.#tree.lookup(directory.id, name);
    if (typeof node === 'number') {
      entries.push(node === -E.NOENT ? { name: text, id: 0, object: null } : { name: text, id: 0 });
      this.#unreadable(joined(pathOf(directory), text), node);
      return;
    }
    const object = this.#object(node, joined(pathOf(directory), text));
    if (object === null) {
      entries.push({ name: text, id: 0 });
      this.#stream.giveBack(node.id);
      return;
    }
    entries.push({ name: text, id: node.id, object });
    if (node.type !== directoryType) this.#report.files += 1;
    if (node.type === directoryType || (node.type === fileType && this.#isFirstName(node, object)))
      nodes.push({ name: text, node });
    else this.#stream.giveBack(node.id);
  }

  /** False: its content was compared under another name, or it has none. */
  #isFirstName(node: Node, { attributes }: ComparedObject): boolean {
    if (attributes[5] === 0) return false;
    if (attributes[4] < 2) return true;
    if (this.#linked.has(node.id)) return false;
    if (this.#linked.size < linkedMax) {
      this.#linked.add(node.id);
      this.#tree.hold(node.id);
    }
    return true;
  }

  /** Null: it could not be read, which is told. */
  #object(node: Node, path: string): ComparedObject | null {
    const status = this.#tree.attributes(node.id, this.#attributes);
    const extended = status < 0 ? status : extendedDigest(this.#tree, node.id);
    const target = node.type === linkType ? this.#tree.readlink(node.id) : null;
    if (typeof extended === 'number' || typeof target === 'number') {
      this.#unreadable(path, typeof extended === 'number' ? extended : Number(target));
      return null;
    }
    const attributes = comparedAttributes(this.#attributes);
    return target === null ? { attributes, extended } : { attributes, extended, target: nameText8(target) };
  }

  // --- contents -------------------------------------------------------------------------------------------------------

  #nextFile(): void {
    const node = this.#files.pop();
    if (node) this.#file = { node, offset: 0 };
  }

  #endFile(file: FileInHand): void {
    this.#file = null;
    this.#stream.giveBack(file.node.id);
  }

  #compare(file: FileInHand): void {
    const { node } = file;
    const { parent } = node;
    if (node.unlinked || parent === null || !this.#stream.bind(parent)) {
      this.#endFile(file);
      return;
    }
    const status = this.#tree.attributes(node.id, this.#attributes);
    if (status < 0) this.#unreadable(pathOf(node), status);
    const { size } = this.#attributes;
    if (status < 0 || file.offset >= size) {
      this.#endFile(file);
      return;
    }
    const data = this.#tree.seek(node.id, file.offset, seek.data);
    // Not every filesystem can say where its holes are: then all of it is data.
    const dataStart = data === -E.NXIO ? size : data < 0 ? file.offset : data - (data % blockBytes);
    if (dataStart > file.offset) this.#hole(file, parent, Math.min(dataStart, size));
    else this.#data(file, parent, size);
  }

  #hole(file: FileInHand, parent: Node, end: number): void {
    const { node, offset } = file;
    const length = Math.min(end - offset, holeBytesMax);
    const question = { ask: 'hole', directory: parent.id, name: nameText8(node.name), offset, length } as const;
    this.#ask(question, length / holeShare, pathOf(node));
    file.offset += length;
    this.#report.comparedBytes += length;
    this.#report.holeBytes += length;
  }

  #data(file: FileInHand, parent: Node, size: number): void {
    const { node, offset } = file;
    const wanted = Math.min(verifyStepBytes, size - offset);
    const length = this.#tree.read(node.id, this.#buffer.address(), wanted, offset);
    if (length < wanted) {
      this.#unreadable(pathOf(node), length < 0 ? length : -E.IO);
      // What comes after may be readable still.
      file.offset += wanted;
      return;
    }
    const hashes: string[] = [];
    for (let at = 0; at < length; at += blockBytes)
      hashes.push(blockDigest(this.#buffer.bytes.subarray(at, Math.min(length, at + blockBytes))));
    const name = nameText8(node.name);
    const question = { ask: 'blocks', directory: parent.id, name, offset, length, blockBytes, hashes } as const;
    this.#ask({ ...question, hashes }, length, pathOf(node));
    file.offset += length;
    this.#report.comparedBytes += length;
  }
}

const joined = (directory: string, name: string): string => (directory === '' ? name : `${directory}/${name}`);

/** Below the root, with bytes as latin1; of a name that is gone only as far as it is known. */
function pathOf(node: Node): string {
  const names: string[] = [];
  for (let at = node; at.parent !== null; at = at.parent) names.unshift(nameText8(at.name));
  return names.join('/');
}

/** Whether what was found makes the secondary's copy one that must not be used. */
export function matters(findings: Findings): boolean {
  return findings.stale || findings.more > 0 || findings.found.some(({ kinds }) => kinds.some((one) => !isMinor(one)));
}
