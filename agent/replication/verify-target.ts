/**
 * The secondary's side of a comparison: answers what stands here, at the place of the question in the stream. Changes nothing. A disk that does not read is a
 * finding and not the end of the link: to know of it is what the comparison is for.
 */
import { invariant, isMinor } from '../contract/index.ts';
import type { DifferenceKind } from '../contract/index.ts';
import type { NameSet, NodeId } from '../fuse/index.ts';
import { Attributes } from '../sys/attributes.ts';
import { E } from '../sys/errno.ts';
import type { Memory } from '../sys/memory.ts';
import { directoryType, fileType, linkType, typeMask } from './tree.ts';
import type { Tree } from './tree.ts';
import {
  blockDigest,
  comparedAttributes,
  decodeQuestion,
  extendedDigest,
  isDamage,
  nameOf,
  nameText8,
} from './verify-messages.ts';
import type { ComparedAttributes, ComparedObject, Findings, Found, Question } from './verify-messages.ts';

const namesToldMax = 100;
/** Names of one file that are remembered to be of one file; what is beyond them is compared by the number of its links only. */
const linkedMax = 100_000;
const seekData = 3;
const zeros = Buffer.alloc(256 * 1024);

type Asked<K extends Question['ask']> = Extract<Question, { ask: K }>;

export class VerifyTarget {
  readonly #tree: Tree;
  readonly #buffer: Memory;
  /** Objects that are being removed may be further links of files that are compared. */
  readonly #hasTrash: () => boolean;
  readonly #attributes = new Attributes();
  /** The directory in hand, and those of its names that the source has not spoken of yet, with whether each is a directory. */
  #directory: { id: NodeId; unnamed: NameSet } | null = null;
  /** Inode here, by the source's id of a file with several names. */
  readonly #linked = new Map<NodeId, number>();
  #found: Found[] = [];
  /** Of the question in hand; 0: nothing has. */
  #failed = 0;

  constructor(tree: Tree, buffer: Memory, hasTrash: () => boolean) {
    this.#tree = tree;
    this.#buffer = buffer;
    this.#hasTrash = hasTrash;
  }

  /** Throws Fault for what is no question. `stale` of the answer: something was found that matters, or the question says so. */
  answer(bytes: Buffer): Findings {
    this.#found = [];
    this.#failed = 0;
    const question = decodeQuestion(bytes);
    const more = this.#ask(question);
    const found = this.#found;
    const stale = question.ask === 'stale' || more > 0 || found.some(({ kinds }) => kinds.some((one) => !isMinor(one)));
    return { found, more, stale, ...this.#failure() };
  }

  #ask(question: Question): number {
    switch (question.ask) {
      case 'directory':
        this.#begin(question);
        return 0;
      case 'names':
        return this.#names(question);
      case 'blocks':
        this.#blocks(question);
        return 0;
      case 'hole':
        this.#hole(question);
        return 0;
      case 'stale':
        return 0;
    }
  }

  #tell(name: string, kinds: readonly DifferenceKind[], bytes = 0, directory = false): void {
    if (kinds.length > 0) this.#found.push({ name, kinds: [...kinds], bytes, ...(directory && { directory }) });
  }

  #failure(): { failed?: number } {
    return this.#failed === 0 ? {} : { failed: this.#failed };
  }

  #unreadable(name: string, status: number): void {
    if (isDamage(status)) this.#tell(name, ['unreadable-on-secondary']);
    else this.#failed = status;
  }

  // --- names ----------------------------------------------------------------------------------------------------------

  #begin({ directory, object, moreLinks = false }: Asked<'directory'>): void {
    this.#directory = null;
    const unnamed = this.#tree.names(directory);
    if (typeof unnamed === 'number') {
      this.#unreadable('', unnamed);
      return;
    }
    this.#directory = { id: directory, unnamed };
    this.#compare('', directory, object, 0, moreLinks);
  }

  #names({ directory, entries, last, moreLinks = false }: Asked<'names'>): number {
    const ours = this.#directory?.id === directory ? this.#directory.unnamed : null;
    for (const { name, id, object } of entries) {
      ours?.delete(nameOf(name));
      if (object !== undefined) this.#name(directory, name, id, object, moreLinks);
    }
    if (!last || ours === null) return 0;
    this.#directory = null;
    let told = 0;
    for (let at = ours.seek(0); at >= 0 && told < namesToldMax; at = ours.seek(ours.after(at)), told++)
      this.#tell(nameText8(ours.nameAt(at)), ['only-on-secondary'], 0, ours.typeAt(at) === directoryType);
    return ours.size - told;
  }

  #name(directory: NodeId, name: string, sourceId: NodeId, object: ComparedObject | null, moreLinks: boolean): void {
    const node = this.#tree.lookup(directory, nameOf(name));
    if (typeof node === 'number') {
      if (node !== -E.NOENT) this.#unreadable(name, node);
      else if (object !== null) this.#tell(name, ['only-on-primary']);
      return;
    }
    if (object === null) this.#tell(name, ['only-on-secondary'], 0, node.type === directoryType);
    else this.#compare(name, node.id, object, sourceId, moreLinks);
    this.#tree.forget(node.id);
  }

  #compare(name: string, id: NodeId, object: ComparedObject, sourceId: NodeId, theirsMore: boolean): void {
    const status = this.#tree.attributes(id, this.#attributes);
    if (status < 0) {
      this.#unreadable(name, status);
      return;
    }
    const { inode } = this.#attributes;
    const ours = comparedAttributes(this.#attributes);
    const kinds = differingAttributes(object.attributes, ours, this.#hasTrash, theirsMore);
    const type = ours[0] & typeMask;
    const sameType = !kinds.includes('type');
    if (sameType && type !== directoryType && !kinds.includes('links') && !this.#sameFile(sourceId, inode, object))
      kinds.push('links');
    if (sameType) this.#compareRest(name, id, object, kinds, type);
    this.#tell(name, kinds);
  }

  #compareRest(name: string, id: NodeId, object: ComparedObject, kinds: DifferenceKind[], type: number): void {
    const extended = extendedDigest(this.#tree, id);
    if (typeof extended === 'number') this.#unreadable(name, extended);
    else if (extended !== object.extended) kinds.push('extended-attributes');
    if (type !== linkType) return;
    const target = this.#tree.readlink(id);
    if (typeof target === 'number') this.#unreadable(name, target);
    else if (nameText8(target) !== object.target) kinds.push('link-target');
  }

  /** Names of one file at the source are names of one file here. */
  #sameFile(sourceId: NodeId, inode: number, { attributes }: ComparedObject): boolean {
    if (attributes[4] < 2 || sourceId === 0) return true;
    const known = this.#linked.get(sourceId);
    if (known === undefined && this.#linked.size < linkedMax) this.#linked.set(sourceId, inode);
    return known === undefined || known === inode;
  }

  // --- contents -------------------------------------------------------------------------------------------------------

  /** What is compared is what the disk has, where it has it by now: a page that only memory holds tells nothing of the next boot. */
  #readBlock(id: NodeId, length: number, offset: number): Uint8Array | number {
    invariant(length <= this.#buffer.length, 'a block fits into the buffer');
    this.#tree.dropCached(id, offset, length);
    const read = this.#tree.read(id, this.#buffer.address(), length, offset);
    return read < 0 ? read : this.#buffer.bytes.subarray(0, read);
  }

  #blocks({ directory, name, offset, length, blockBytes, hashes }: Asked<'blocks'>): void {
    const node = this.#file(directory, name);
    if (node === null) return;
    let [differing, error] = [0, 0];
    for (let block = 0, at = 0; at < length; block++, at += blockBytes) {
      const wanted = Math.min(blockBytes, length - at);
      const bytes = this.#readBlock(node, wanted, offset + at);
      // Damage outweighs what may pass.
      if (typeof bytes === 'number') error = isDamage(error) ? error : bytes;
      else if (bytes.length !== wanted || blockDigest(bytes) !== hashes[block]) differing += wanted;
    }
    if (error < 0) this.#unreadable('', error);
    if (differing > 0) this.#tell('', ['content'], differing);
    this.#tree.forget(node);
  }

  /** Zeros where the source has a hole are the same content: what a filesystem calls data differs with what it has in memory. */
  #hole({ directory, name, offset, length }: Asked<'hole'>): void {
    const node = this.#file(directory, name);
    if (node === null) return;
    let [differing, filled] = [0, 0];
    for (let at = offset; at < offset + length;) {
      const data = this.#tree.seek(node, at, seekData);
      // Past the last data; or a filesystem that does not know: then all of it is read.
      if (data === -E.NXIO || data >= offset + length) break;
      const from = Math.max(at, data);
      const wanted = Math.min(zeros.length, offset + length - from);
      const bytes = this.#readBlock(node, wanted, from);
      if (typeof bytes === 'number') this.#unreadable('', bytes);
      else if (!zeros.subarray(0, bytes.length).equals(bytes)) differing += wanted;
      else filled += bytes.length;
      if (typeof bytes === 'number' || bytes.length === 0) break;
      at = from + wanted;
    }
    if (differing > 0) this.#tell('', ['content'], differing);
    else if (filled > 0) this.#tell('', ['holes'], filled);
    this.#tree.forget(node);
  }

  /** Held. */
  #file(directory: NodeId, name: string): NodeId | null {
    const node = this.#tree.lookup(directory, nameOf(name));
    if (typeof node === 'number') {
      if (node === -E.NOENT) this.#tell('', ['only-on-primary']);
      else this.#unreadable('', node);
      return null;
    }
    if (node.type === fileType) return node.id;
    this.#tell('', ['type']);
    this.#tree.forget(node.id);
    return null;
  }
}

/** Pure. `moreLinks`: here a file may have more names than are compared; `theirsMore`: at the source. */
export function differingAttributes(
  theirs: ComparedAttributes,
  ours: ComparedAttributes,
  moreLinks: () => boolean,
  theirsMore = false,
): DifferenceKind[] {
  const [mode, uid, gid, device, links, size, seconds, nanoseconds] = theirs;
  const type = mode & typeMask;
  if (type !== (ours[0] & typeMask)) return ['type'];
  const kinds: DifferenceKind[] = [];
  // Symbolic links have no permissions of their own, and not every filesystem shows the same ones.
  if (type !== linkType && mode !== ours[0]) kinds.push('mode');
  if (uid !== ours[1] || gid !== ours[2]) kinds.push('owner');
  if ((type === 0o020000 || type === 0o060000) && device !== ours[3]) kinds.push('device');
  if (type !== directoryType && ours[4] !== links && !(ours[4] < links ? theirsMore : moreLinks())) kinds.push('links');
  if (type === fileType && size !== ours[5]) kinds.push('size');
  if (seconds !== ours[6] || nanoseconds !== ours[7]) kinds.push('times');
  return kinds;
}
