/**
 * An application on the primary's mount: random changes everywhere, and log files whose appended records are synced. Does what the
 * filesystem of agent/fuse does for each request: change the disk, tell the sink (which sees the link from before), update the table.
 */
import { LastSync } from '../../../agent/fuse/index.ts';
import type { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { Attributes } from '../../../agent/sys/attributes.ts';
import type { MemoryTree, SimNode } from './memory-tree.ts';

export type Random = (below: number) => number;

export interface Append {
  readonly log: string;
  readonly length: number;
}
export type Request =
  | { readonly kind: 'random'; readonly seed: number }
  | { readonly kind: 'append'; readonly log: string }
  /** A record that nobody syncs. */
  | { readonly kind: 'plain'; readonly log: string }
  /** fdatasync of a log, which is open from the first one on. */
  | { readonly kind: 'sync'; readonly log: string };

/** Bytes of a log are a function of its name and their place: what is there can be judged without a model. */
export function logBytes(log: string, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  for (let at = from; at < to; at++) bytes[at - from] = 1 + ((at * 31 + log.charCodeAt(3) * 7) % 250);
  return bytes;
}

export function randomOf(seed: number): Random {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const key = (name: Buffer): string => name.toString('latin1');
const directoryType = 0o040000;
const openMax = 4;
export const noRoom = -1;
/** Both disks have it. */
export const synced = -3;
/** Through which open file. */
type SyncLater = (node: SimNode, lastSync: LastSync) => void;
/** What a random change can take at most: contents of 60,000 bytes, and an object; a record of a log. */
const changeBytesMax = 18 * 4096;
const recordBytesMax = 3 * 4096;

export class Application {
  readonly #tree: MemoryTree;
  readonly #sink: ChangeStream;
  readonly #attributes = new Attributes();
  /** Open files without a name. */
  readonly #unnamed: SimNode[] = [];
  /** Files that stay open, whatever becomes of the name that they were opened by. */
  readonly #open: SimNode[] = [];
  readonly #openLogs = new Map<string, { readonly node: SimNode; readonly lastSync: LastSync }>();
  readonly #makesLinks: boolean;

  constructor(tree: MemoryTree, sink: ChangeStream, makesLinks: boolean) {
    this.#makesLinks = makesLinks;
    this.#tree = tree;
    this.#sink = sink;
  }

  /** Sequence to wait for, 0: none, null: deferred, `noRoom`, `synced`. */
  run(request: Request, syncLater?: SyncLater): number | null {
    if (!this.#sink.changesAllowed()) return null;
    const [bytes, names] = request.kind === 'random' ? [changeBytesMax, 2] : [recordBytesMax, 1];
    if (!this.#sink.takes(bytes, names)) {
      if (this.#sink.asksRoom()) return null;
      // Removing is never refused, or nobody could make room.
      if (request.kind === 'random') this.#makeRoom(randomOf(request.seed));
      return noRoom;
    }
    if (request.kind === 'append') return this.#append(request.log, syncLater);
    if (request.kind === 'sync') return this.#sync(request.log, syncLater);
    if (request.kind === 'plain') this.#letGo(request.log, this.#record(request.log));
    else this.#change(randomOf(request.seed));
    return 0;
  }

  /** How far a log is good: a power cut may have left zeros after what was synced, which its next record overwrites. */
  length(log: string): number {
    const number = this.#tree.disk.get(1).entries.get(log);
    const data = number === undefined ? Buffer.alloc(0) : this.#tree.disk.get(number).data;
    const expected = logBytes(log, 0, data.length);
    const wrong = data.findIndex((byte, at) => byte !== expected[at]);
    return wrong < 0 ? data.length : wrong;
  }

  #makeRoom(random: Random): void {
    const directory = this.#directory(random);
    const picked = this.#entry(directory, random);
    if (!picked) return;
    if (random(3) === 0) this.#rename(directory, picked.node, picked.name, random);
    else this.#remove(directory, picked.node, picked.name);
    this.#release(picked.node, random(3) === 0);
  }

  #append(log: string, syncLater?: SyncLater): number {
    const node = this.#record(log);
    const sequence = this.#sink.sync(node, true);
    if (syncLater) syncLater(node, this.#openLogs.get(log)?.lastSync ?? new LastSync());
    else if (this.#tree.sync(node.id) < 0) throw new Error(`${log} could not be synced`);
    this.#letGo(log, node);
    return sequence;
  }

  #letGo(log: string, node: SimNode): void {
    if (!this.#openLogs.has(log)) this.#release(node, true);
  }

  #sync(log: string, syncLater?: SyncLater): number {
    const file = this.#openLogs.get(log);
    if (file && this.#sink.isSynced({ fd: 0, ...file }, true)) return synced;
    if (!file) {
      const node = this.#record(log);
      node.holds += 1;
      this.#openLogs.set(log, { node, lastSync: new LastSync() });
      return this.#sync(log, syncLater);
    }
    syncLater?.(file.node, file.lastSync);
    return this.#sink.sync(file.node, true);
  }

  /** Writes the next record of a log; the node is to be released. */
  #record(log: string): SimNode {
    const name = Buffer.from(log);
    let node = this.#tree.lookup(1, name);
    if (typeof node === 'number') node = this.#create(this.#tree.root, name, 0o100644, null);
    if (typeof node === 'number') throw new Error(`cannot make ${log}`);
    node.lookups += 1;
    const from = this.length(log);
    this.#write(node, logBytes(log, from, from + 8 + (from % 13)), from);
    return node;
  }

  #attributesOf(node: SimNode): Attributes {
    this.#tree.disk.attributes(node.inode, this.#attributes);
    return this.#attributes;
  }

  #create(parent: SimNode, name: Buffer, mode: number, target: Buffer | null): SimNode | number {
    this.#sink.willName(parent, name, (mode & 0o170000) === directoryType, null, 0);
    const node = this.#tree.create(parent.id, name, mode, 0, target);
    if (typeof node === 'number') return node;
    this.#sink.create(node, parent, name, this.#attributesOf(node), target, parent.inode.modified);
    return node;
  }

  #write(node: SimNode, bytes: Buffer, offset: number): void {
    this.#sink.willWrite(node, offset, offset + bytes.length);
    if (this.#tree.disk.write(node.inode, bytes, offset) < 0) return;
    this.#sink.write(node, offset, bytes, 0, bytes.length, node.inode.modified);
  }

  /** What the kernel and open files do: some ids stay, others are forgotten. */
  #release(node: SimNode, forget: boolean): void {
    if (node.holds > 0) node.holds -= 1;
    if (!forget) {
      node.lookups += 1;
      return;
    }
    node.lookups = 0;
    if (this.#tree.collect(node)) this.#sink.forgotten(node.id);
  }

  /** A random existing directory, by walking down. */
  #directory(random: Random): SimNode {
    let node = this.#tree.root;
    while (random(3) > 0) {
      const below = [...node.inode.entries].filter(
        ([name, number]) => name !== '.holdfast' && this.#tree.disk.get(number).type === directoryType,
      );
      const next = below[random(Math.max(1, below.length))];
      if (!next) break;
      const child = this.#tree.find(node.id, Buffer.from(next[0], 'latin1'));
      if (typeof child === 'number') break;
      child.lookups += 1;
      node = child;
    }
    return node;
  }

  #entry(directory: SimNode, random: Random): { node: SimNode; name: Buffer } | null {
    const names = [...directory.inode.entries.keys()].filter((name) => name !== '.holdfast' && !name.startsWith('log'));
    const name = names[random(Math.max(1, names.length))];
    if (name === undefined) return null;
    const bytes = Buffer.from(name, 'latin1');
    const node = this.#tree.lookup(directory.id, bytes);
    return typeof node === 'number' ? null : { node, name: bytes };
  }

  #freshName(random: Random): Buffer {
    return Buffer.from([0x61 + random(6), 0x80 + random(3)]);
  }

  #change(random: Random): void {
    if (this.#open.length > 0 && random(6) === 0) {
      this.#useOpen(random);
      return;
    }
    const directory = this.#directory(random);
    const picked = this.#entry(directory, random);
    if (picked?.node.type === 0o100000 && this.#open.length < openMax && random(4) === 0) {
      picked.node.holds += 1;
      this.#open.push(picked.node);
    }
    const choice = random(20);
    if (!picked || choice < 5) this.#makeSomething(directory, random);
    else if (choice < 9) this.#changeContent(picked.node, random);
    else if (choice < 12) this.#remove(directory, picked.node, picked.name);
    else if (choice < 16) this.#rename(directory, picked.node, picked.name, random);
    else if (choice < 18 && this.#makesLinks) this.#link(picked.node, random);
    else if (choice < 19 || this.#unnamed.length === 0) this.#changeAttributes(picked.node, random);
    else this.#nameOrClose(random);
    if (picked) this.#release(picked.node, random(3) === 0);
    if (directory !== this.#tree.root && random(4) === 0) {
      directory.lookups = 0;
      if (this.#tree.collect(directory)) this.#sink.forgotten(directory.id);
    }
  }

  /** Through a descriptor: the name may be gone, and another one never have been looked up. */
  #useOpen(random: Random): void {
    const node = this.#open[random(this.#open.length)]!;
    const choice = random(8);
    if (choice === 0) {
      this.#open.splice(this.#open.indexOf(node), 1);
      this.#release(node, random(2) === 0);
    } else if (!node.unlinked) {
      if (choice < 4) this.#changeContent(node, random);
      else if (choice === 4 && this.#makesLinks) this.#link(node, random);
      else if (choice === 5) this.#changeHalf(node, random);
      else if (choice === 6) this.#sink.sync(node, true);
      else this.#changeAttributes(node, random);
    }
  }

  /** A full disk in the middle of a longer file, or a failure of which nobody knows what it has done. */
  #changeHalf(node: SimNode, random: Random): void {
    this.#sink.willWrite(node, 0, Number.MAX_SAFE_INTEGER);
    if (random(3) > 0) {
      this.#tree.disk.truncate(node.inode, node.inode.data.length + random(5000));
      this.#sink.truncate(node, node.inode.data.length, node.inode.modified);
      this.#sink.attributes(node, this.#attributesOf(node));
    } else if (random(3) === 0) {
      this.#tree.disk.write(node.inode, Buffer.from('half'), random(40000));
      this.#sink.untold();
    }
  }

  #makeSomething(directory: SimNode, random: Random): void {
    const type = random(8);
    if (type === 7) {
      this.#openUnnamed(random);
      return;
    }
    const name = this.#freshName(random);
    const [mode, target] =
      type < 3
        ? [0o040755, null]
        : type === 3
          ? [0o120777, Buffer.from(`to${random(9)}`)]
          : [0o100600 + random(64), null];
    const node = this.#create(directory, name, mode, target);
    if (typeof node === 'number') return;
    if (type > 3) this.#write(node, this.#content(random), random(3) * 40000);
    this.#release(node, random(2) === 0);
  }

  #openUnnamed(random: Random): void {
    const node = this.#tree.openUnnamed(0o600 + random(64));
    this.#sink.createUnnamed(node, this.#attributesOf(node));
    this.#write(node, this.#content(random), random(3) * 40000);
    this.#unnamed.push(node);
  }

  #nameOrClose(random: Random): void {
    const node = this.#unnamed.shift();
    if (!node) return;
    this.#changeContent(node, random);
    if (random(4) > 0) this.#link(node, random);
    this.#release(node, random(2) === 0 || node.inode.links === 0);
  }

  #content(random: Random): Buffer {
    const bytes = Buffer.alloc(1 + random(60000));
    if (random(3) > 0) bytes.fill(1 + random(200));
    return bytes;
  }

  #changeContent(node: SimNode, random: Random): void {
    if (node.type !== 0o100000) return;
    if (random(4) === 0) {
      const size = random(100000);
      this.#sink.willWrite(node, size, Number.MAX_SAFE_INTEGER);
      this.#tree.disk.truncate(node.inode, size);
      this.#sink.truncate(node, node.inode.data.length, node.inode.modified);
    } else {
      this.#write(node, this.#content(random), random(4) * 33333);
    }
  }

  #remove(directory: SimNode, node: SimNode, name: Buffer): void {
    const isDirectory = node.type === directoryType;
    this.#sink.willName(directory, name, isDirectory, node, node.inode.links);
    if (this.#tree.disk.unlink(directory.inode, key(name), isDirectory) < 0) return;
    this.#sink.unlink(node, directory, name, isDirectory, directory.inode.modified);
    this.#tree.recordRemoved(node, directory, name);
  }

  #rename(from: SimNode, node: SimNode, name: Buffer, random: Random): void {
    const to = this.#directory(random);
    const toName = this.#freshName(random);
    const there = this.#tree.find(to.id, toName);
    const other = typeof there === 'number' ? null : there;
    const exchange = other !== null && random(3) === 0;
    if (node === other) return;
    if (other) other.holds += 1;
    const isDirectory = node.type === directoryType || other?.type === directoryType;
    for (const one of [node, other])
      if (one && one.type !== directoryType && one.inode.links > 1) this.#sink.willLink(one, one.inode.links);
    this.#sink.willName(from, name, isDirectory, node, node.inode.links);
    this.#sink.willName(to, toName, isDirectory, other, other?.inode.links ?? 0);
    if (this.#tree.disk.rename(from.inode, key(name), to.inode, key(toName), exchange) === 0) {
      const times = [{ ...from.inode.modified }, { ...to.inode.modified }] as const;
      const [exchanged, replaced] = exchange ? [other, null] : [null, other];
      this.#sink.rename(node, from, name, to, toName, exchanged, replaced, times[0], times[1]);
      this.#tree.recordRenamed(node, from, name, to, toName, other, exchange);
    }
    if (other) this.#release(other, random(2) === 0);
  }

  #link(node: SimNode, random: Random): void {
    const to = this.#directory(random);
    const name = this.#freshName(random);
    this.#sink.willLink(node, node.inode.links);
    this.#sink.willName(to, name, false, null, 0);
    if (this.#tree.disk.link(node.inode, to.inode, key(name)) < 0) return;
    this.#sink.link(node, to, name, this.#attributesOf(node), to.inode.modified);
    this.#tree.addLink(node, to, name);
  }

  #changeAttributes(node: SimNode, random: Random): void {
    const choice = random(4);
    const name = Buffer.from(`user.${random(3)}`);
    this.#sink.willSet(node);
    if (choice === 0) {
      node.inode.xattrs.set(key(name), Buffer.from([random(256)]));
      this.#sink.setXattr(node, name, Buffer.from(node.inode.xattrs.get(key(name))!));
    } else if (choice === 1) {
      if (node.inode.xattrs.delete(key(name))) this.#sink.removeXattr(node, name);
    } else {
      if (node.type !== 0o120000) node.inode.permissions = random(0o1000);
      node.inode.uid = random(5);
      node.inode.modified = this.#tree.disk.now();
      this.#sink.attributes(node, this.#attributesOf(node));
    }
  }
}
