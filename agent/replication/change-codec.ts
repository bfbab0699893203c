/**
 * The stream's frames. All numbers little-endian:
 *   length u32 (of what follows) · sequence u64 · kind u8 · the kind's fields
 * ids, offsets and sizes are u64 (safe integers), byte strings have a u16 or u32 length before them, times are i64 seconds + u32 nanoseconds.
 * Nothing is allocated per write frame: the writer fills one buffer, the reader fills one reused `Frame` that points into its input.
 */
import { Fault } from '../contract/index.ts';
import type { Attributes, Time } from '../sys/attributes.ts';
import { Attributes as AttributesRecord } from '../sys/attributes.ts';

export const kind = {
  /** `id` is what stands at parent/name from now on. */
  bind: 1,
  create: 2,
  /** A further name of `id`; an object parked in limbo comes back by it. */
  link: 3,
  unlink: 4,
  rename: 5,
  write: 6,
  truncate: 7,
  attributes: 8,
  setXattr: 9,
  removeXattr: 10,
  allocate: 11,
  sync: 12,
  /** The id will never be used again. A parked object without a name is removed. */
  forget: 13,
  /** Resync: the object moved to where the walk has not been; it waits in limbo under its id. */
  park: 14,
  listing: 15,
  /** The complete set of extended attributes. */
  xattrs: 16,
  blocks: 17,
  hole: 18,
  data: 19,
  barrier: 20,
  finish: 21,
  cleanStop: 22,
  /** A file without a name (O_TMPFILE); `link` gives it the first one, `forget` ends it. */
  createUnnamed: 23,
  /** The first frame of a resync that compares only what is marked in a log since a checkpoint. */
  marked: 24,
  /** Some names of a directory: what stands there now, id 0: nothing. Other names stay as they are. */
  names: 25,
  /** Everything up to here is to be on disk; answered when it is, nobody waits for it. */
  checkpoint: 26,
  /** A question about what stands on the target at this place of the stream (verify-messages.ts); answered, changes nothing. */
  verify: 27,
  /** The primary's hot log has this number now: whoever returns with a lower one was set back. Changes nothing. */
  hot: 28,
  /** How much can the target still take? Answered with the acknowledgement, changes nothing. */
  askRoom: 29,
  /** What the source's record counts, durably: the next checkpoint that the target records is one ahead of it. Changes nothing. */
  met: 30,
} as const;
export type Kind = (typeof kind)[keyof typeof kind];
const kindLast = kind.met;
/** What a file contains: no name of it, and nothing that anybody waits for. Such frames may stay with the writer for a moment. */
const contentKinds: ReadonlySet<Kind> = new Set([kind.write, kind.truncate, kind.attributes, kind.allocate]);

export const headerBytes = 4 + 8 + 1;
/** FUSE's largest write (1 MiB) and the fields around it; the reader refuses more. */
export const frameBytesMax = (1 << 20) + 128 * 1024;
export const hashBytes = 32;

/** One entry of a directory listing. `links` above one: more names will follow, or came already. */
export interface ListedEntry {
  name: Buffer;
  id: number;
  attributes: Attributes;
  /** Symbolic links only. */
  target: Buffer;
}

/** One decoded frame; reused, valid until the next one is read. Fields that the kind has not are left over from earlier ones. */
export class Frame {
  kind: Kind = kind.barrier;
  sequence = 0;
  id = 0;
  parent = 0;
  name: Buffer = empty;
  toParent = 0;
  toName: Buffer = empty;
  otherId = 0;
  /** unlink, rename: names that the removed or replaced object still has at the source. */
  linksLeft = 0;
  /** unlink: it was a directory; rename: exchange; sync: data only; listing: last part. */
  flag = false;
  /** rename: something stood at the new name. */
  replaces = false;
  mode = 0;
  offset = 0;
  size = 0;
  readonly time: Time = { seconds: 0, nanoseconds: 0 };
  readonly toTime: Time = { seconds: 0, nanoseconds: 0 };
  readonly attributes = new AttributesRecord();
  /** Symlink target, xattr value, blocks' hashes, finish's record, verify's question. */
  bytes: Buffer = empty;
  /** write, data: where the bytes stand in the reader's input. */
  dataStart = 0;
  dataLength = 0;
  entries: ListedEntry[] = [];
  xattrs: [name: Buffer, value: Buffer][] = [];
  blockSize = 0;
}
const empty: Buffer = Buffer.alloc(0);
const two32 = 4294967296;

export function isDirectoryMode(mode: number): boolean {
  return (mode & 0o170000) === 0o040000;
}

/**
 * Appends frames to one buffer; the owner sends `bytes[0, length)` and calls `clear`. `begin` … `end` enclose one frame.
 * The owner empties it often enough that a largest frame always fits.
 */
export class FrameWriter {
  readonly bytes: Buffer;
  length = 0;
  /** It holds more than contents. */
  urgent = false;
  #frameStart = 0;
  sequence = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get room(): number {
    return this.bytes.length - this.length;
  }
  clear(): void {
    this.length = 0;
    this.urgent = false;
  }

  begin(frameKind: Kind): void {
    if (!contentKinds.has(frameKind)) this.urgent = true;
    this.#frameStart = this.length;
    this.sequence += 1;
    this.length += 4;
    this.u64(this.sequence);
    this.u8(frameKind);
  }
  end(): number {
    this.bytes.writeUInt32LE(this.length - this.#frameStart - 4, this.#frameStart);
    return this.sequence;
  }
  /** Bytes of the frame under construction. */
  get frameLength(): number {
    return this.length - this.#frameStart;
  }

  u8(value: number): void {
    this.bytes[this.length++] = value;
  }
  u16(value: number): void {
    this.length = this.bytes.writeUInt16LE(value, this.length);
  }
  u32(value: number): void {
    this.length = this.bytes.writeUInt32LE(value >>> 0, this.length);
  }
  u64(value: number): void {
    this.bytes.writeUInt32LE(value % two32, this.length);
    this.length = this.bytes.writeUInt32LE(Math.floor(value / two32), this.length + 4);
  }
  time(time: Time): void {
    this.bytes.writeUInt32LE(time.seconds >>> 0, this.length);
    this.bytes.writeInt32LE(Math.floor(time.seconds / two32), this.length + 4);
    this.length = this.bytes.writeUInt32LE(time.nanoseconds, this.length + 8);
  }
  name(name: Uint8Array): void {
    this.u16(name.length);
    this.bytes.set(name, this.length);
    this.length += name.length;
  }
  long(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }
  attributes(attributes: Attributes): void {
    this.u32(attributes.mode);
    this.u32(attributes.uid);
    this.u32(attributes.gid);
    this.u32(attributes.rdev);
    this.u32(attributes.links);
    this.u64(attributes.size);
    this.time(attributes.accessed);
    this.time(attributes.modified);
  }

  bind(id: number, parent: number, name: Buffer): number {
    this.begin(kind.bind);
    this.u64(id);
    this.u64(parent);
    this.name(name);
    return this.end();
  }
  create(id: number, parent: number, name: Buffer, attributes: Attributes, target: Buffer | null, time: Time): number {
    this.begin(kind.create);
    this.u64(id);
    this.u64(parent);
    this.name(name);
    this.attributes(attributes);
    this.name(target ?? empty);
    this.time(time);
    return this.end();
  }
  createUnnamed(id: number, attributes: Attributes): number {
    this.begin(kind.createUnnamed);
    this.u64(id);
    this.attributes(attributes);
    return this.end();
  }
  link(id: number, parent: number, name: Buffer, time: Time): number {
    this.begin(kind.link);
    this.u64(id);
    this.u64(parent);
    this.name(name);
    this.time(time);
    return this.end();
  }
  unlink(parent: number, name: Buffer, id: number, linksLeft: number, isDirectory: boolean, time: Time): number {
    this.begin(kind.unlink);
    this.u64(id);
    this.u64(parent);
    this.name(name);
    this.u32(linksLeft);
    this.u8(isDirectory ? 1 : 0);
    this.time(time);
    return this.end();
  }
  rename(
    from: number,
    fromName: Buffer,
    to: number,
    toName: Buffer,
    exchange: boolean,
    replaces: boolean,
    replacedId: number,
    replacedLinksLeft: number,
    fromTime: Time,
    toTime: Time,
  ): number {
    this.begin(kind.rename);
    this.u64(from);
    this.name(fromName);
    this.u64(to);
    this.name(toName);
    this.u8(exchange ? 1 : 0);
    this.u8(replaces ? 1 : 0);
    this.u64(replacedId);
    this.u32(replacedLinksLeft);
    this.time(fromTime);
    this.time(toTime);
    return this.end();
  }
  write(id: number, offset: number, bytes: Buffer, start: number, length: number, modified: Time): number {
    this.begin(kind.write);
    return this.#content(id, offset, bytes, start, length, modified);
  }
  /** What a write carries, sent by the resync. */
  data(id: number, offset: number, bytes: Buffer, start: number, length: number, modified: Time): number {
    this.begin(kind.data);
    return this.#content(id, offset, bytes, start, length, modified);
  }
  #content(id: number, offset: number, bytes: Buffer, start: number, length: number, modified: Time): number {
    this.u64(id);
    this.u64(offset);
    this.time(modified);
    this.u32(length);
    bytes.copy(this.bytes, this.length, start, start + length);
    this.length += length;
    return this.end();
  }
  truncate(id: number, size: number, modified: Time): number {
    this.begin(kind.truncate);
    this.u64(id);
    this.u64(size);
    this.time(modified);
    return this.end();
  }
  setAttributes(id: number, attributes: Attributes): number {
    this.begin(kind.attributes);
    this.u64(id);
    this.attributes(attributes);
    return this.end();
  }
  setXattr(id: number, name: Buffer, value: Buffer): number {
    this.begin(kind.setXattr);
    this.u64(id);
    this.name(name);
    this.long(value);
    return this.end();
  }
  removeXattr(id: number, name: Buffer): number {
    this.begin(kind.removeXattr);
    this.u64(id);
    this.name(name);
    return this.end();
  }
  allocate(id: number, mode: number, offset: number, length: number, modified: Time): number {
    this.begin(kind.allocate);
    this.u64(id);
    this.u32(mode);
    this.u64(offset);
    this.u64(length);
    this.time(modified);
    return this.end();
  }
  sync(id: number, dataOnly: boolean): number {
    this.begin(kind.sync);
    this.u64(id);
    this.u8(dataOnly ? 1 : 0);
    return this.end();
  }
  forget(id: number): number {
    this.begin(kind.forget);
    this.u64(id);
    return this.end();
  }
  park(id: number, parent: number, name: Buffer, time: Time): number {
    this.begin(kind.park);
    this.u64(id);
    this.u64(parent);
    this.name(name);
    this.time(time);
    return this.end();
  }
  /** Follow with `listedEntry` calls, then `endListing`. */
  beginListing(id: number, attributes: Attributes): void {
    this.begin(kind.listing);
    this.u64(id);
    this.attributes(attributes);
  }
  beginNames(id: number, attributes: Attributes): void {
    this.begin(kind.names);
    this.u64(id);
    this.attributes(attributes);
  }
  listedEntry(name: Buffer, id: number, attributes: Attributes, target: Buffer): void {
    this.u8(1);
    this.name(name);
    this.u64(id);
    this.attributes(attributes);
    this.name(target);
  }
  endListing(last: boolean): number {
    this.u8(0);
    this.u8(last ? 1 : 0);
    return this.end();
  }
  xattrs(id: number, pairs: readonly (readonly [name: Buffer, value: Buffer])[]): number {
    this.begin(kind.xattrs);
    this.u64(id);
    this.u16(pairs.length);
    for (const [name, value] of pairs) {
      this.name(name);
      this.long(value);
    }
    return this.end();
  }
  /** `hashes`: one SHA-256 per block of `blockSize` from `offset` on; the last block may be shorter: `length` bytes in all. */
  blocks(id: number, offset: number, length: number, blockSize: number, hashes: Buffer): number {
    this.begin(kind.blocks);
    this.u64(id);
    this.u64(offset);
    this.u64(length);
    this.u32(blockSize);
    this.long(hashes);
    return this.end();
  }
  hole(id: number, offset: number, length: number, modified: Time): number {
    this.begin(kind.hole);
    this.u64(id);
    this.u64(offset);
    this.u64(length);
    this.time(modified);
    return this.end();
  }
  barrier(): number {
    this.begin(kind.barrier);
    return this.end();
  }
  askRoom(): number {
    this.begin(kind.askRoom);
    return this.end();
  }
  finish(record: Buffer): number {
    this.begin(kind.finish);
    this.long(record);
    return this.end();
  }
  cleanStop(checkpoint: number): number {
    this.begin(kind.cleanStop);
    this.u64(checkpoint);
    return this.end();
  }
  marked(log: number, checkpoint: number): number {
    this.begin(kind.marked);
    this.u64(log);
    this.u64(checkpoint);
    return this.end();
  }
  checkpoint(log: number, checkpoint: number): number {
    this.begin(kind.checkpoint);
    this.u64(log);
    this.u64(checkpoint);
    return this.end();
  }
  hot(log: number, number: number): number {
    this.begin(kind.hot);
    this.u64(log);
    this.u64(number);
    return this.end();
  }
  met(contacts: number): number {
    this.begin(kind.met);
    this.u64(contacts);
    return this.end();
  }
  verify(question: Buffer): number {
    this.begin(kind.verify);
    this.long(question);
    return this.end();
  }
}

export function malformed(why: string): Fault {
  return new Fault(
    'peer-speaks-garbage',
    {
      message: `The peer sent something that is not a change: ${why}.`,
      remedy: 'Check that both nodes run the same version of Holdfast.',
    },
    { why },
  );
}

/** Decodes frames out of one buffer. Throws Fault `peer-speaks-garbage` on anything that is not exactly one of our frames. */
export class FrameReader {
  readonly frame = new Frame();
  #bytes: Buffer = empty;
  #at = 0;
  #end = 0;

  /**
   * Reads the frame that starts at `start`. Returns the bytes it took, or 0 when `[start, end)` does not hold all of it yet.
   */
  read(bytes: Buffer, start: number, end: number): number {
    if (end - start < 4) return 0;
    const length = bytes.readUInt32LE(start);
    if (length < headerBytes - 4 || length > frameBytesMax) throw malformed(`a frame of ${length} bytes`);
    if (end - start < 4 + length) return 0;
    this.#bytes = bytes;
    this.#at = start + 4;
    this.#end = start + 4 + length;
    this.frame.sequence = this.#u64();
    this.#fields(this.#u8());
    if (this.#at !== this.#end) throw malformed('a frame with bytes left over');
    return 4 + length;
  }

  #fields(frameKind: number): void {
    const frame = this.frame;
    if (frameKind < 1 || frameKind > kindLast) throw malformed(`kind ${frameKind}`);
    frame.kind = frameKind as Kind;
    switch (frame.kind) {
      case kind.bind:
        this.#place();
        return;
      case kind.create:
        this.#place();
        this.#attributes(frame.attributes);
        frame.bytes = this.#bytesOf(this.#u16());
        this.#time(frame.time);
        return;
      case kind.link:
      case kind.park:
        this.#place();
        this.#time(frame.time);
        return;
      case kind.unlink:
        this.#place();
        frame.linksLeft = this.#u32();
        frame.flag = this.#flag();
        this.#time(frame.time);
        return;
      case kind.rename:
        frame.parent = this.#id();
        frame.name = this.#name();
        frame.toParent = this.#id();
        frame.toName = this.#name();
        frame.flag = this.#flag();
        frame.replaces = this.#flag();
        frame.otherId = this.#u64();
        frame.linksLeft = this.#u32();
        this.#time(frame.time);
        this.#time(frame.toTime);
        return;
      case kind.write:
      case kind.data:
        frame.id = this.#id();
        frame.offset = this.#u64();
        this.#time(frame.time);
        frame.dataLength = this.#u32();
        frame.dataStart = this.#skip(frame.dataLength);
        return;
      case kind.truncate:
        frame.id = this.#id();
        frame.size = this.#u64();
        this.#time(frame.time);
        return;
      case kind.createUnnamed:
      case kind.attributes:
        frame.id = this.#id();
        this.#attributes(frame.attributes);
        return;
      case kind.setXattr:
        frame.id = this.#id();
        frame.name = this.#name();
        frame.bytes = this.#bytesOf(this.#u32());
        return;
      case kind.removeXattr:
        frame.id = this.#id();
        frame.name = this.#name();
        return;
      case kind.allocate:
        frame.id = this.#id();
        frame.mode = this.#u32();
        frame.offset = this.#u64();
        frame.size = this.#u64();
        this.#time(frame.time);
        return;
      case kind.sync:
        frame.id = this.#id();
        frame.flag = this.#flag();
        return;
      case kind.forget:
        frame.id = this.#id();
        return;
      case kind.listing:
      case kind.names:
        frame.id = this.#id();
        this.#attributes(frame.attributes);
        this.#entries();
        return;
      case kind.xattrs:
        frame.id = this.#id();
        this.#xattrs();
        return;
      case kind.blocks:
        frame.id = this.#id();
        frame.offset = this.#u64();
        frame.size = this.#u64();
        frame.blockSize = this.#u32();
        frame.bytes = this.#bytesOf(this.#u32());
        if (frame.blockSize === 0 || Math.ceil(frame.size / frame.blockSize) * hashBytes !== frame.bytes.length)
          throw malformed('hashes that do not match their blocks');
        return;
      case kind.hole:
        frame.id = this.#id();
        frame.offset = this.#u64();
        frame.size = this.#u64();
        this.#time(frame.time);
        return;
      case kind.barrier:
      case kind.askRoom:
        return;
      case kind.finish:
      case kind.verify:
        frame.bytes = this.#bytesOf(this.#u32());
        return;
      case kind.cleanStop:
      case kind.met:
        frame.size = this.#u64();
        return;
      case kind.marked:
      case kind.checkpoint:
      case kind.hot:
        frame.id = this.#id();
        frame.size = this.#u64();
        return;
    }
  }

  #entries(): void {
    const entries: ListedEntry[] = [];
    for (let more = this.#u8(); more !== 0; more = this.#u8()) {
      if (more !== 1) throw malformed('a damaged listing');
      const name = this.#name();
      const id = this.frame.kind === kind.names ? this.#u64() : this.#id();
      const attributes = new AttributesRecord();
      this.#attributes(attributes);
      entries.push({ name, id, attributes, target: this.#bytesOf(this.#u16()) });
    }
    this.frame.entries = entries;
    this.frame.flag = this.#flag();
  }
  #xattrs(): void {
    const pairs: [Buffer, Buffer][] = [];
    for (let left = this.#u16(); left > 0; left--) {
      const name = this.#name();
      pairs.push([name, this.#bytesOf(this.#u32())]);
    }
    this.frame.xattrs = pairs;
  }
  #place(): void {
    this.frame.id = this.#u64();
    this.frame.parent = this.#id();
    this.frame.name = this.#name();
  }
  #attributes(into: Attributes): void {
    into.mode = this.#u32();
    into.uid = this.#u32();
    into.gid = this.#u32();
    into.rdev = this.#u32();
    into.links = this.#u32();
    into.size = this.#u64();
    this.#time(into.accessed);
    this.#time(into.modified);
  }

  #skip(count: number): number {
    const start = this.#at;
    if (count > this.#end - start) throw malformed('a field that ends after its frame');
    this.#at = start + count;
    return start;
  }
  #u8(): number {
    return this.#bytes.readUInt8(this.#skip(1));
  }
  #flag(): boolean {
    const value = this.#u8();
    if (value > 1) throw malformed('a flag that is neither 0 nor 1');
    return value === 1;
  }
  #u16(): number {
    return this.#bytes.readUInt16LE(this.#skip(2));
  }
  #u32(): number {
    return this.#bytes.readUInt32LE(this.#skip(4));
  }
  #u64(): number {
    const start = this.#skip(8);
    const value = this.#bytes.readUInt32LE(start) + this.#bytes.readUInt32LE(start + 4) * two32;
    if (!Number.isSafeInteger(value)) throw malformed('a number out of range');
    return value;
  }
  #id(): number {
    const id = this.#u64();
    if (id === 0) throw malformed('an object without an id');
    return id;
  }
  #bytesOf(length: number): Buffer {
    const start = this.#skip(length);
    return this.#bytes.subarray(start, start + length);
  }
  /** Names come from the peer and go into system calls: what could leave the directory is refused here, once. */
  #name(): Buffer {
    const name = this.#bytesOf(this.#u16());
    if (name.length === 0 || name.length > 255 || name.includes(0)) throw malformed('an impossible name');
    return name;
  }
  #time(into: Time): void {
    const start = this.#skip(12);
    into.seconds = this.#bytes.readUInt32LE(start) + this.#bytes.readInt32LE(start + 4) * two32;
    into.nanoseconds = this.#bytes.readUInt32LE(start + 8);
    if (into.nanoseconds >= 1_000_000_000) throw malformed('an impossible time');
  }
}

/** Names of directory entries must not contain a slash and must not be `.` or `..`; names of extended attributes may be anything. */
export function checkEntryName(name: Buffer): Buffer {
  if (name.includes(0x2f) || (name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e))))
    throw malformed('a name that leads out of its directory');
  return name;
}
