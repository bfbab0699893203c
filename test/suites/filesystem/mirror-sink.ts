/**
 * A sink that repeats every change in a second directory of the same process: shows that what the filesystem tells is enough to make
 * an equal copy, times included.
 */
import { openBacking, rootId } from '../../../agent/fuse/index.ts';
import type { Backing, ChangeSink, Node } from '../../../agent/fuse/index.ts';
import { Attributes, errorName, fileType, Memory } from '../../../agent/sys/linux.ts';
import type { Time } from '../../../agent/sys/linux.ts';

const boundHere = 1;

function must(answer: unknown, what: string): void {
  if (typeof answer === 'number' && answer < 0) throw new Error(`mirror: ${what}: ${errorName(answer)}`);
}

const nameOf = (parent: Node, name: Buffer): string => `${parent.id}/${name.toString('latin1')}`;

export class MirrorSink implements ChangeSink {
  readonly #copy: Backing;
  readonly #memory = new Memory(1 << 21);
  readonly #attributes = new Attributes();
  /** What was asked for, for tests of durability. */
  syncs = 0;

  constructor(directoryFd: number) {
    this.#copy = openBacking(directoryFd, { idsAreGiven: true });
  }

  /** As replication does: an id is explained before its first use. */
  #bind(node: Node): number {
    if (node.id === rootId || node.boundSession === boundHere) return node.id;
    if (!node.parent) throw new Error(`mirror: node ${node.id} is used and has no name`);
    must(this.#copy.bind(node.id, this.#bind(node.parent), node.name), `bind ${node.name.toString('latin1')}`);
    node.boundSession = boundHere;
    return node.id;
  }

  #directoryTime(directory: Node, time: Time): void {
    must(this.#copy.setTimes(this.#bind(directory), null, time), 'directory time');
  }

  /** What the request in hand has said that it would change. */
  readonly #names = new Set<string>();
  readonly #nodes = new Set<Node>();
  #parts: { node: Node; start: number; end: number }[] = [];
  /** Nobody finds them yet: what is done to them need not be said before. */
  readonly #unnamed = new Set<Node>();

  changesAllowed(): boolean {
    this.#names.clear();
    this.#nodes.clear();
    this.#parts = [];
    return true;
  }
  takes(): boolean {
    return true;
  }
  asksRoom(): boolean {
    return false;
  }
  peerRoom(): boolean {
    return false;
  }
  willName(parent: Node, name: Buffer): void {
    this.#names.add(nameOf(parent, name));
  }
  willLink(node: Node): void {
    this.#nodes.add(node);
  }
  willWrite(node: Node, start: number, end: number): void {
    this.#parts.push({ node, start, end });
    this.#nodes.add(node);
  }
  willSet(node: Node): void {
    this.#nodes.add(node);
  }

  /** A log that is written before a change has to know of all of it. */
  #wasSaid(is: boolean, what: string): void {
    if (!is) throw new Error(`mirror: nobody said that this would be changed: ${what}`);
  }
  #nameWasSaid(parent: Node, name: Buffer): void {
    this.#wasSaid(this.#names.has(nameOf(parent, name)), `name ${name.toString('latin1')}`);
  }
  #isPartSaid(node: Node, start: number, end: number): boolean {
    const is = this.#parts.some((part) => part.node === node && part.start <= start && end <= part.end);
    return is || this.#unnamed.has(node);
  }
  #partWasSaid(node: Node, start: number, end: number): void {
    this.#wasSaid(this.#isPartSaid(node, start, end), `content ${start} to ${end}`);
  }

  create(
    node: Node,
    parent: Node,
    name: Buffer,
    attributes: Attributes,
    target: Buffer | null,
    parentTime: Time,
  ): void {
    this.#nameWasSaid(parent, name);
    this.#nodes.add(node);
    const made = this.#copy.create(this.#bind(parent), name, attributes.mode, attributes.rdev, target, node.id);
    must(made, 'create');
    node.boundSession = boundHere;
    this.#directoryTime(parent, parentTime);
    this.attributes(node, attributes);
  }

  createUnnamed(node: Node, attributes: Attributes): void {
    this.#unnamed.add(node);
    must(this.#copy.createUnnamed(node.id, attributes.mode), 'create unnamed');
    node.boundSession = boundHere;
    this.attributes(node, attributes);
  }

  link(node: Node, parent: Node, name: Buffer, _attributes: Attributes, parentTime: Time): void {
    this.#nameWasSaid(parent, name);
    this.#wasSaid(this.#nodes.has(node), 'a further name');
    this.#unnamed.delete(node);
    must(this.#copy.link(this.#bind(node), this.#bind(parent), name), 'link');
    this.#directoryTime(parent, parentTime);
  }

  unlink(node: Node, parent: Node, name: Buffer, isDirectory: boolean, parentTime: Time): void {
    this.#nameWasSaid(parent, name);
    this.#bind(node);
    const id = this.#bind(parent);
    must(isDirectory ? this.#copy.rmdir(id, name) : this.#copy.unlink(id, name), 'unlink');
    this.#directoryTime(parent, parentTime);
  }

  rename(
    node: Node,
    from: Node,
    fromName: Buffer,
    to: Node,
    toName: Buffer,
    exchanged: Node | null,
    replaced: Node | null,
    fromTime: Time,
    toTime: Time,
  ): void {
    this.#nameWasSaid(from, fromName);
    this.#nameWasSaid(to, toName);
    for (const one of [node, exchanged, replaced]) if (one) this.#bind(one);
    const flags = exchanged ? 2 : 0;
    must(this.#copy.rename(this.#bind(from), fromName, this.#bind(to), toName, flags), 'rename');
    this.#directoryTime(from, fromTime);
    this.#directoryTime(to, toTime);
  }

  write(node: Node, offset: number, bytes: Buffer, start: number, length: number, modified: Time): void {
    this.#partWasSaid(node, offset, offset + length);
    bytes.copy(this.#memory.bytes, 0, start, start + length);
    must(this.#copy.write(this.#bind(node), this.#memory.address(), length, offset), 'write');
    must(this.#copy.setTimes(node.id, null, modified), 'time');
  }

  truncate(node: Node, size: number, modified: Time): void {
    const id = this.#bind(node);
    must(this.#copy.attributes(id, this.#attributes), 'attributes');
    const { size: before } = this.#attributes;
    // After a write that failed the size is told: as it was before, or grown by a part of what was said.
    const isGrown = size > before && this.#isPartSaid(node, before, size);
    if (size !== before && !isGrown) this.#partWasSaid(node, size, Number.MAX_SAFE_INTEGER);
    must(this.#copy.truncate(id, size), 'truncate');
    must(this.#copy.setTimes(node.id, null, modified), 'time');
  }

  attributes(node: Node, attributes: Attributes): void {
    this.#wasSaid(this.#nodes.has(node) || this.#unnamed.has(node), 'attributes');
    const id = this.#bind(node);
    must(this.#copy.setOwner(id, attributes.uid, attributes.gid), 'owner');
    if ((attributes.mode & fileType.mask) !== fileType.link) must(this.#copy.setMode(id, attributes.mode), 'mode');
    must(this.#copy.setTimes(id, attributes.accessed, attributes.modified), 'times');
  }

  setXattr(node: Node, name: Buffer, value: Buffer): void {
    this.#wasSaid(this.#nodes.has(node) || this.#unnamed.has(node), 'an extended attribute');
    must(this.#copy.setXattr(this.#bind(node), name, value), 'setxattr');
  }

  removeXattr(node: Node, name: Buffer): void {
    this.#wasSaid(this.#nodes.has(node) || this.#unnamed.has(node), 'an extended attribute');
    must(this.#copy.removeXattr(this.#bind(node), name), 'removexattr');
  }

  allocate(node: Node, mode: number, offset: number, length: number, attributes: Attributes): void {
    this.#partWasSaid(node, offset, offset + length);
    must(this.#copy.allocate(this.#bind(node), mode, offset, length), 'allocate');
    must(this.#copy.setTimes(node.id, null, attributes.modified), 'time');
  }

  sync(node: Node): number {
    if (!node.unlinked) must(this.#copy.sync(this.#bind(node), false), 'sync');
    this.syncs += 1;
    return 0;
  }

  closing(): number {
    return 0;
  }

  park(): boolean {
    return false;
  }

  untold(): void {
    throw new Error('mirror: a change was not told');
  }

  localFailure(call: string, errno: number): void {
    throw new Error(`mirror: ${call} failed locally: ${errorName(errno)}`);
  }

  interrupted(): void {
    // Nothing is kept here.
  }

  forgotten(id: number): void {
    this.#copy.forget(id);
  }
}
