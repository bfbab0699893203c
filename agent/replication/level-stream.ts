/**
 * The stream of a module whose level is not `durable` (docs/replication.md, "Levels"). `received`: a sync asks the peer only to have everything in its
 * memory. `write-through`: whatever a request has changed is remembered, so that it can be synced on both sides before the answer.
 */
import type { Name, Node, Sequence } from '../fuse/index.ts';
import type { Attributes, Time } from '../sys/attributes.ts';
import { ChangeStream } from './change-stream.ts';

const smallFrameBytes = 8192;

export class LevelStream extends ChangeStream {
  /** Files and directories that the request in hand has changed. */
  readonly touched: Node[] = [];
  readonly #level: 'received' | 'write-through';

  constructor(level: 'received' | 'write-through', ...how: ConstructorParameters<typeof ChangeStream>) {
    super(...how);
    this.#level = level;
  }

  #touch(node: Node): void {
    if (this.#level === 'write-through' && !node.unlinked && !this.touched.includes(node)) this.touched.push(node);
  }

  override sync(node: Node, dataOnly: boolean): Sequence {
    // The mode that a write has taken away is no data.
    if (this.#level === 'write-through') return super.sync(node, false);
    if (!this.open) return super.sync(node, dataOnly);
    this.reserve(smallFrameBytes);
    return this.writer.barrier();
  }

  override create(
    node: Node,
    parent: Node,
    name: Name,
    attributes: Attributes,
    target: Buffer | null,
    parentTime: Time,
  ): void {
    super.create(node, parent, name, attributes, target, parentTime);
    this.#touch(node);
    this.#touch(parent);
  }

  override link(node: Node, parent: Node, name: Name, attributes: Attributes, parentTime: Time): void {
    super.link(node, parent, name, attributes, parentTime);
    this.#touch(node);
    this.#touch(parent);
  }

  override unlink(node: Node, parent: Node, name: Name, isDirectory: boolean, parentTime: Time): void {
    super.unlink(node, parent, name, isDirectory, parentTime);
    this.#touch(parent);
  }

  override rename(...[node, from, fromName, to, ...others]: Parameters<ChangeStream['rename']>): void {
    super.rename(node, from, fromName, to, ...others);
    this.#touch(from);
    this.#touch(to);
  }

  override write(...[node, ...others]: Parameters<ChangeStream['write']>): void {
    super.write(node, ...others);
    this.#touch(node);
  }

  override truncate(node: Node, size: number, modified: Time): void {
    super.truncate(node, size, modified);
    this.#touch(node);
  }

  override attributes(node: Node, attributes: Attributes): void {
    super.attributes(node, attributes);
    this.#touch(node);
  }

  override setXattr(node: Node, name: Buffer, value: Buffer): void {
    super.setXattr(node, name, value);
    this.#touch(node);
  }

  override removeXattr(node: Node, name: Buffer): void {
    super.removeXattr(node, name);
    this.#touch(node);
  }

  override allocate(...[node, ...others]: Parameters<ChangeStream['allocate']>): void {
    super.allocate(node, ...others);
    this.#touch(node);
  }
}
