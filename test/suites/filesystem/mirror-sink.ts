/**
 * A sink that repeats every change in a second directory of the same process: shows that what the filesystem tells is enough to make
 * an equal copy, times included.
 */
import { openBacking, rootId } from '../../../agent/fuse/index.ts';
import type { Backing, ChangeSink, Node } from '../../../agent/fuse/index.ts';
import { errorName, fileType, Memory } from '../../../agent/sys/linux.ts';
import type { Time, Attributes } from '../../../agent/sys/linux.ts';

const boundHere = 1;

function must(answer: unknown, what: string): void {
  if (typeof answer === 'number' && answer < 0) throw new Error(`mirror: ${what}: ${errorName(answer)}`);
}

export class MirrorSink implements ChangeSink {
  readonly #copy: Backing;
  readonly #memory = new Memory(1 << 21);
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

  changesAllowed(): boolean {
    return true;
  }

  create(
    node: Node,
    parent: Node,
    name: Buffer,
    attributes: Attributes,
    target: Buffer | null,
    parentTime: Time,
  ): void {
    const made = this.#copy.create(this.#bind(parent), name, attributes.mode, attributes.rdev, target, node.id);
    must(made, 'create');
    node.boundSession = boundHere;
    this.#directoryTime(parent, parentTime);
    this.attributes(node, attributes);
  }

  createUnnamed(node: Node, attributes: Attributes): void {
    must(this.#copy.createUnnamed(node.id, attributes.mode), 'create unnamed');
    node.boundSession = boundHere;
    this.attributes(node, attributes);
  }

  link(node: Node, parent: Node, name: Buffer, _attributes: Attributes, parentTime: Time): void {
    must(this.#copy.link(this.#bind(node), this.#bind(parent), name), 'link');
    this.#directoryTime(parent, parentTime);
  }

  unlink(node: Node, parent: Node, name: Buffer, isDirectory: boolean, parentTime: Time): void {
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
    for (const one of [node, exchanged, replaced]) if (one) this.#bind(one);
    const flags = exchanged ? 2 : 0;
    must(this.#copy.rename(this.#bind(from), fromName, this.#bind(to), toName, flags), 'rename');
    this.#directoryTime(from, fromTime);
    this.#directoryTime(to, toTime);
  }

  write(node: Node, offset: number, bytes: Buffer, start: number, length: number, modified: Time): void {
    bytes.copy(this.#memory.bytes, 0, start, start + length);
    must(this.#copy.write(this.#bind(node), this.#memory.address(), length, offset), 'write');
    must(this.#copy.setTimes(node.id, null, modified), 'time');
  }

  truncate(node: Node, size: number, modified: Time): void {
    must(this.#copy.truncate(this.#bind(node), size), 'truncate');
    must(this.#copy.setTimes(node.id, null, modified), 'time');
  }

  attributes(node: Node, attributes: Attributes): void {
    const id = this.#bind(node);
    must(this.#copy.setOwner(id, attributes.uid, attributes.gid), 'owner');
    if ((attributes.mode & fileType.mask) !== fileType.link) must(this.#copy.setMode(id, attributes.mode), 'mode');
    must(this.#copy.setTimes(id, attributes.accessed, attributes.modified), 'times');
  }

  setXattr(node: Node, name: Buffer, value: Buffer): void {
    must(this.#copy.setXattr(this.#bind(node), name, value), 'setxattr');
  }

  removeXattr(node: Node, name: Buffer): void {
    must(this.#copy.removeXattr(this.#bind(node), name), 'removexattr');
  }

  allocate(node: Node, mode: number, offset: number, length: number, attributes: Attributes): void {
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
