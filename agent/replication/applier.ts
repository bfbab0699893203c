/**
 * The secondary's end of the stream: each frame becomes what it says, in order, as root with umask 0. A change that cannot be made is a
 * Fault and ends the link; nothing is ever skipped. What only a resync brings is in ResyncTarget.
 */
import { Fault } from '../contract/index.ts';
import type { Time } from '../sys/attributes.ts';
import { E, errorName } from '../sys/errno.ts';
import type { Memory } from '../sys/memory.ts';
import { checkEntryName, kind, malformed } from './change-codec.ts';
import type { Frame, Kind } from './change-codec.ts';
import type { ResyncTarget } from './resync-target.ts';
import { linkType, setAttributes, TargetError, typeMask } from './tree.ts';
import type { Tree } from './tree.ts';

const kindNames = new Map<Kind, string>(Object.entries(kind).map(([name, number]) => [number, name]));

/** A change failed on this copy: the peer goes on without it. */
export function applyFault(what: string, errno: number): Fault {
  const code = errorName(errno);
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new Fault(
    full ? 'disk-full' : 'apply-failed',
    {
      message: full
        ? 'The disk of the secondary is full: it could not take a change and has left.'
        : `The secondary could not make a change (${what}: ${code}) and has left.`,
      remedy: full
        ? 'Make room on the disk of the replicated directory; the secondary comes back by itself.'
        : 'Look at the kernel log of the secondary for disk errors.',
    },
    { call: what, error: code },
  );
}

export class Applier {
  readonly #tree: Tree;
  readonly #resync: ResyncTarget;

  constructor(tree: Tree, resync: ResyncTarget) {
    this.#tree = tree;
    this.#resync = resync;
  }

  /** `input` is the memory that the frame points into. Throws Fault. */
  apply(frame: Frame, input: Memory): void {
    let status: number;
    try {
      status = this.#apply(frame, input);
    } catch (error) {
      if (!(error instanceof TargetError)) throw error;
      status = error.status;
    }
    if (status < 0) throw applyFault(kindNames.get(frame.kind) ?? 'change', status);
  }

  #apply(frame: Frame, input: Memory): number {
    const tree = this.#tree;
    switch (frame.kind) {
      case kind.bind: {
        const node = tree.bind(frame.id, frame.parent, checkEntryName(frame.name));
        if (typeof node === 'number') return node;
        this.#resync.bound(frame.id);
        return 0;
      }
      case kind.create:
        return this.#create(frame);
      case kind.createUnnamed: {
        const node = tree.createUnnamed(frame.id, frame.attributes.mode);
        return typeof node === 'number' ? node : setAttributes(tree, frame.id, frame.attributes);
      }
      case kind.link:
        return this.#link(frame);
      case kind.unlink:
        return this.#unlink(frame);
      case kind.rename:
        return this.#rename(frame);
      case kind.write:
      case kind.data:
        if (frame.kind === kind.data) this.#resync.received(frame.dataLength);
        return (
          tree.write(frame.id, input.address(frame.dataStart), frame.dataLength, frame.offset) ||
          tree.setTimes(frame.id, null, frame.time)
        );
      case kind.truncate:
        return tree.truncate(frame.id, frame.size) || tree.setTimes(frame.id, null, frame.time);
      case kind.attributes:
        return setAttributes(tree, frame.id, frame.attributes);
      case kind.setXattr:
        return tree.setXattr(frame.id, frame.name, frame.bytes);
      case kind.removeXattr: {
        const status = tree.removeXattr(frame.id, frame.name);
        // What was set while this node was away, and is removed before the resync came to it, was never here.
        return status === -E.NODATA && this.#resync.active ? 0 : status;
      }
      case kind.allocate:
        return (
          tree.allocate(frame.id, frame.mode, frame.offset, frame.size) || tree.setTimes(frame.id, null, frame.time)
        );
      case kind.sync:
        return tree.sync(frame.id, frame.flag);
      case kind.forget:
        return this.#resync.forget(frame.id);
      case kind.barrier:
      case kind.askRoom:
        return 0;
      case kind.park:
      case kind.listing:
      case kind.names:
      case kind.xattrs:
      case kind.blocks:
      case kind.hole:
        return this.#resync.apply(frame);
      case kind.finish:
      case kind.cleanStop:
      case kind.marked:
      case kind.checkpoint:
      case kind.hot:
      case kind.met:
      case kind.verify:
        throw malformed('the end of a session in the middle of it');
    }
  }

  #parentTime(parent: number, time: Time): number {
    return this.#tree.setTimes(parent, null, time);
  }

  #create(frame: Frame): number {
    const { id, parent, attributes, time } = frame;
    const name = Buffer.from(checkEntryName(frame.name));
    const isLink = (attributes.mode & typeMask) === linkType;
    this.#resync.toldName(parent, name);
    const target = isLink ? Buffer.from(frame.bytes) : null;
    const node = this.#tree.create(parent, name, attributes.mode, attributes.rdev, target, id);
    if (typeof node === 'number') return node;
    return setAttributes(this.#tree, id, attributes) || this.#parentTime(parent, time);
  }

  #link(frame: Frame): number {
    const name = Buffer.from(checkEntryName(frame.name));
    this.#resync.toldName(frame.parent, name);
    return this.#resync.place(frame.id, frame.parent, name) || this.#parentTime(frame.parent, frame.time);
  }

  #unlink(frame: Frame): number {
    const name = Buffer.from(checkEntryName(frame.name));
    const status = this.#resync.active
      ? this.#resync.removeName(frame.parent, name, frame.id, frame.linksLeft)
      : frame.flag
        ? this.#tree.rmdir(frame.parent, name)
        : this.#tree.unlink(frame.parent, name);
    return status || this.#parentTime(frame.parent, frame.time);
  }

  #rename(frame: Frame): number {
    const [from, to] = [frame.parent, frame.toParent];
    const name = Buffer.from(checkEntryName(frame.name));
    const toName = Buffer.from(checkEntryName(frame.toName));
    if (this.#resync.active && !frame.flag) {
      this.#resync.toldName(to, toName, frame.replaces);
      if (frame.replaces) {
        const removed = this.#resync.removeName(to, toName, frame.otherId, frame.linksLeft);
        if (removed < 0) return removed;
      }
    }
    const status = this.#tree.rename(from, name, to, toName, frame.flag ? 2 : 0);
    return status || this.#parentTime(from, frame.time) || this.#parentTime(to, frame.toTime);
  }
}
