/** Single requests of the kernel, made by hand: what waits when changes are not allowed, what is parked, and what a failing disk means. */
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ChangeRefused, Filesystem, openBacking, passthroughSink } from '../../agent/fuse/index.ts';
import type { Backing, ChangeSink } from '../../agent/fuse/index.ts';
import { opcode } from '../../agent/fuse/protocol.ts';
import { close, Memory, O, openPath, ThreadIdentity } from '../../agent/sys/linux.ts';
import { LoopDisk, missingForFilesystemTests } from './filesystem/loop-disk.ts';

const missing = missingForFilesystemTests();

/** A sink that remembers what it was told. */
class RecordingSink implements ChangeSink {
  allowed = true;
  parks = true;
  readonly told: string[] = [];
  changesAllowed = (): boolean => this.allowed;
  /** What the other side has room for; null: no bound. */
  room: { bytes: number; names: number } | null = null;
  mayAsk = false;
  takes: ChangeSink['takes'] = (bytes, names) => {
    if (this.room === null) return true;
    if (bytes > this.room.bytes || names > this.room.names) return false;
    this.room.bytes -= bytes;
    this.room.names -= names;
    return true;
  };
  asksRoom = (): boolean => this.mayAsk;
  peerRoom: ChangeSink['peerRoom'] = (into) => {
    if (this.room === null) return false;
    Object.assign(into, this.room, { totalBytes: 8 << 20, totalNames: 100 });
    return true;
  };
  /** Not what was told: what would be. */
  readonly announced: string[] = [];
  willName: ChangeSink['willName'] = (_parent, name) => void this.announced.push(`name ${name.toString()}`);
  willLink = (): void => void this.announced.push('link');
  willWrite: ChangeSink['willWrite'] = (_node, start, end) => void this.announced.push(`write ${start} ${end}`);
  willSet = (): void => void this.announced.push('set');
  create = (): void => void this.told.push('create');
  createUnnamed = (): void => void this.told.push('create-unnamed');
  link = (): void => void this.told.push('link');
  unlink = (): void => void this.told.push('unlink');
  rename = (): void => void this.told.push('rename');
  write: ChangeSink['write'] = (_node, offset, bytes, start, length) =>
    void this.told.push(`write ${offset} ${bytes.toString('latin1', start, start + length)}`);
  truncate: ChangeSink['truncate'] = (_node, size) => void this.told.push(`truncate ${size}`);
  attributes = (): void => void this.told.push('attributes');
  setXattr = (): void => void this.told.push('set-xattr');
  removeXattr = (): void => void this.told.push('remove-xattr');
  allocate = (): void => void this.told.push('allocate');
  sync: ChangeSink['sync'] = (_node, dataOnly) => this.told.push(`sync ${dataOnly}`);
  closing: ChangeSink['closing'] = () => this.told.push('closing');
  park: ChangeSink['park'] = (unique, sequence, writtenBytes) => {
    if (this.parks) this.told.push(`park ${unique} ${sequence} ${writtenBytes}`);
    return this.parks;
  };
  untold = (): void => void this.told.push('untold');
  localFailure: ChangeSink['localFailure'] = (call, errno) => void this.told.push(`failure ${call} ${errno}`);
  interrupted: ChangeSink['interrupted'] = (unique) => void this.told.push(`interrupted ${unique}`);
  forgotten: ChangeSink['forgotten'] = (id) => void this.told.push(`forgotten ${id}`);
}

describe('single requests', () => {
  let path: string;
  let directoryFd: number;
  let identity: ThreadIdentity;
  let backing: Backing;
  let sink: RecordingSink;
  let filesystem: Filesystem;
  const request = new Memory(8192);
  let unique = 0;

  beforeAll(() => {
    if (missing !== '') return;
    path = mkdtempSync(join('/var/tmp', 'holdfast-requests-'));
    identity = ThreadIdentity.enter();
  });
  afterAll(() => {
    if (missing === '') rmSync(path, { recursive: true });
  });
  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
    for (const name of readdirSync(path)) rmSync(join(path, name));
    directoryFd = openPath(path, O.RDONLY | O.DIRECTORY);
    backing = openBacking(directoryFd, { idsAreGiven: false });
    sink = new RecordingSink();
    filesystem = new Filesystem({ backing, sink, cache: 'none', identity });
    return () => {
      backing.close();
      close(directoryFd);
    };
  });

  /** Sends body bytes as one request; what became of it, and the error and body of the answer. */
  function send(code: number, node: number, body: Buffer): { outcome: string; error: number; body: Buffer } {
    const length = 40 + body.length;
    unique += 2;
    request.bytes.fill(0, 0, 40);
    request.bytes.writeUInt32LE(length, 0);
    request.bytes.writeUInt32LE(code, 4);
    request.bytes.writeUInt32LE(unique, 8);
    request.bytes.writeUInt32LE(node, 16);
    body.copy(request.bytes, 40);
    const outcome = filesystem.handle(request, length);
    const { bytes } = filesystem.reply;
    return { outcome, error: bytes.readInt32LE(4), body: Buffer.from(bytes.subarray(16, filesystem.replyLength)) };
  }

  function numbers(...values: number[]): Buffer {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
    return bytes;
  }

  const createBody = (name: string): Buffer =>
    Buffer.concat([numbers(O.RDWR | O.CREAT, 0o644, 0o22, 0), Buffer.from(`${name}\0`)]);

  function create(name: string): { node: number; handle: number } {
    const { outcome, error, body } = send(opcode.CREATE, 1, createBody(name));
    expect([outcome, error]).toEqual(['reply', 0]);
    return { node: body.readUInt32LE(0), handle: body.readUInt32LE(128) };
  }

  /** Of this process, for reading and writing: the number that the file handle stands for. */
  function openDescriptor(file: string): number {
    const found = readdirSync('/proc/self/fd').find((fd) => {
      try {
        const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '';
        return readlinkSync(`/proc/self/fd/${fd}`) === file && flags.endsWith('2');
      } catch {
        return false; // the one that lists them
      }
    });
    if (found === undefined) throw new Error(`${file} is not open here`);
    return Number(found);
  }

  const writeBody = (handle: number, offset: number, text: string, flags = 0): Buffer =>
    Buffer.concat([numbers(handle, 0, offset, 0, text.length, 0, 0, 0, flags, 0), Buffer.from(text)]);

  it('answers EIO to what the sink cannot write down, before anything is touched', () => {
    const { node, handle } = create('known');
    sink.willName =
      sink.willWrite =
      sink.willSet =
        () => {
          throw new ChangeRefused();
        };
    sink.told.length = 0;
    const failed = { outcome: 'reply', error: -5 };
    expect(send(opcode.CREATE, 1, createBody('new'))).toMatchObject(failed);
    expect(send(opcode.MKDIR, 1, Buffer.concat([numbers(0o755, 0o22), Buffer.from('directory\0')]))).toMatchObject(
      failed,
    );
    expect(send(opcode.UNLINK, 1, Buffer.from('known\0'))).toMatchObject(failed);
    expect(send(opcode.OPEN, node, numbers(O.RDWR | O.TRUNC, 0))).toMatchObject(failed);
    const written = Buffer.concat([numbers(handle, 0, 0, 0, 4, 0, 0, 0, 0, 0), Buffer.from('data')]);
    expect(send(opcode.WRITE, node, written)).toMatchObject(failed);
    expect(readdirSync(path).filter((name) => !name.startsWith('.'))).toEqual(['known']);
    expect([statSync(join(path, 'known')).size, sink.told]).toEqual([0, []]);
  });

  it('touches nothing while changes are not allowed, and answers reads', () => {
    const { node, handle } = create('file');
    send(opcode.WRITE, node, writeBody(handle, 0, 'before'));
    sink.told.length = 0;
    sink.allowed = false;
    const changes: [number, number, Buffer][] = [
      [opcode.CREATE, 1, createBody('new')],
      [opcode.MKDIR, 1, Buffer.concat([numbers(0o755, 0), Buffer.from('d\0')])],
      [opcode.MKNOD, 1, Buffer.concat([numbers(0o100644, 0, 0, 0), Buffer.from('n\0')])],
      [opcode.SYMLINK, 1, Buffer.from('l\0target\0')],
      [opcode.LINK, 1, Buffer.concat([numbers(node, 0), Buffer.from('hard\0')])],
      [opcode.UNLINK, 1, Buffer.from('file\0')],
      [opcode.RENAME, 1, Buffer.concat([numbers(1, 0), Buffer.from('file\0moved\0')])],
      [opcode.WRITE, node, writeBody(handle, 0, 'after!')],
      [opcode.SETATTR, node, Buffer.concat([numbers(1 << 3), Buffer.alloc(84)])],
      [opcode.SETXATTR, node, Buffer.concat([numbers(1, 0), Buffer.from('user.a\0x')])],
      [opcode.REMOVEXATTR, node, Buffer.from('user.a\0')],
      [opcode.FALLOCATE, node, numbers(handle, 0, 0, 0, 4096, 0, 0, 0)],
      [opcode.OPEN, node, numbers(O.RDWR | O.TRUNC, 0)],
      [opcode.FSYNC, node, numbers(handle, 0, 0, 0)],
      [opcode.FLUSH, node, numbers(handle, 0, 0, 0, 0, 0)],
    ];
    for (const [code, on, body] of changes) expect([code, send(code, on, body).outcome]).toEqual([code, 'deferred']);
    expect(sink.told).toEqual([]);
    expect(readdirSync(path)).toEqual(['file']);
    const read = send(opcode.READ, node, numbers(handle, 0, 0, 0, 100, 0, 0, 0, 0, 0));
    expect([read.outcome, read.body.toString()]).toEqual(['reply', 'before']);
    expect(send(opcode.LOOKUP, 1, Buffer.from('file\0')).body.readUInt32LE(0)).toBe(node);
    expect(send(opcode.GETATTR, node, Buffer.alloc(16)).error).toBe(0);
    // Allowed again, the same requests do what they say.
    sink.allowed = true;
    for (const [code, on, body] of changes.slice(0, 5)) expect([code, send(code, on, body).error]).toEqual([code, 0]);
    expect(readdirSync(path).sort()).toEqual(['d', 'file', 'hard', 'l', 'n', 'new']);
    rmSync(join(path, 'd'), { recursive: true });
  });

  it('tells the peer of a sync before it syncs itself, and parks the request', () => {
    const { node, handle } = create('file');
    send(opcode.WRITE, node, writeBody(handle, 3, 'data'));
    expect(send(opcode.FSYNC, node, numbers(handle, 0, 1, 0)).outcome).toBe('parked');
    expect(sink.told).toEqual(['create', 'write 3 data', 'sync true', `park ${unique} 3 0`]);
    expect(send(opcode.FLUSH, node, numbers(handle, 0, 0, 0, 0, 0)).outcome).toBe('parked');
    expect(sink.told.slice(-2)).toEqual(['closing', `park ${unique} 5 0`]);
    sink.parks = false;
    expect(send(opcode.FSYNC, node, numbers(handle, 0, 0, 0))).toMatchObject({ outcome: 'reply', error: 0 });
  });

  it('parks a synchronous write with the length that its answer needs', () => {
    const { node, handle } = create('file');
    const { outcome } = send(opcode.WRITE, node, writeBody(handle, 0, 'durable', O.DSYNC | O.RDWR));
    expect(outcome).toBe('parked');
    expect(sink.told.slice(1)).toEqual(['write 0 durable', 'sync true', `park ${unique} 3 7`]);
  });

  it('answers a failed sync with EIO, tells of it, and never parks it', () => {
    const { node, handle } = create('file');
    close(openDescriptor(join(path, 'file')));
    const answer = send(opcode.FSYNC, node, numbers(handle, 0, 0, 0));
    expect([answer.outcome, answer.error]).toEqual(['reply', -5]);
    expect(sink.told.slice(1)).toEqual(['sync false', 'failure fsync 9']);
  });

  it('tells of a change that failed what it has left, and says when it cannot', () => {
    const { node, handle } = create('file');
    const sizes = (fields: number, low: number, high: number): Buffer =>
      Buffer.concat([numbers(fields, 0, 0, 0, low, high), Buffer.alloc(64)]);
    // Larger than any file may be: refused before anything is touched.
    expect(send(opcode.SETATTR, node, sizes(1 << 3, 0, 1 << 20)).error).toBe(-27);
    expect(sink.told).toEqual(['create', 'attributes']);
    // A symbolic link gets another owner, and no mode.
    const link = send(opcode.SYMLINK, 1, Buffer.from('soft\0target\0')).body.readUInt32LE(0);
    const both = Buffer.concat([
      numbers((1 << 0) | (1 << 1)),
      Buffer.alloc(64),
      numbers(0o600, 0, 12, 0),
      Buffer.alloc(4),
    ]);
    expect(send(opcode.SETATTR, link, both).error).toBeLessThan(0);
    expect(lstatSync(join(path, 'soft')).uid).toBe(12);
    expect(sink.told.slice(2)).toEqual(['create', 'attributes']);
    // What stands at the new name cannot be looked at: it would go, and nobody be told.
    const long = 'x'.repeat(300);
    expect(send(opcode.RENAME, 1, Buffer.concat([numbers(1, 0), Buffer.from(`file\0${long}\0`)])).error).toBe(-36);
    expect(sink.told.slice(4)).toEqual([]);
    // Made, but its attributes cannot be read.
    const descriptor = backing.nodes.descriptor.bind(backing.nodes);
    for (const [errno, told] of [
      [-24, 'untold'],
      [-5, 'failure create 5'],
    ] as const) {
      let calls = 0;
      backing.nodes.descriptor = (one) => (++calls === 2 ? errno : descriptor(one));
      expect(send(opcode.CREATE, 1, createBody(`made${errno}`)).error).toBe(errno);
      expect(sink.told.at(-1)).toBe(told);
    }
    backing.nodes.descriptor = descriptor;
    expect(existsSync(join(path, 'made-24'))).toBe(true);
    send(opcode.RELEASE, node, numbers(handle, 0, 0, 0, 0, 0));
  });

  it('tells how much of a file a full disk has taken', () => {
    const disk = new LoopDisk('requests-full', 'ext4', 24);
    const fd = openPath(disk.directory('data'), O.RDONLY | O.DIRECTORY);
    const full = openBacking(fd, { idsAreGiven: false });
    try {
      filesystem = new Filesystem({ backing: full, sink, cache: 'none', identity });
      const { node, handle } = create('file');
      const allocate = (length: number, mode: number): number =>
        send(opcode.FALLOCATE, node, numbers(handle, 0, 0, 0, length, 0, mode, 0)).error;
      expect(allocate(100 << 20, 0)).toBe(-28);
      const { size } = statSync(join(disk.root, 'data', 'file'));
      expect(sink.told).toEqual(['create', `truncate ${size}`, 'attributes']);
      expect(allocate(4096, 2 | 1)).toBe(0);
      send(opcode.RELEASE, node, numbers(handle, 0, 0, 0, 0, 0));
    } finally {
      full.close();
      close(fd);
      disk.dispose();
    }
  });

  it('refuses what the other side has no room for before anything of it is done', () => {
    const { node, handle } = create('file');
    expect(send(opcode.WRITE, node, writeBody(handle, 0, 'content')).error).toBe(0);
    const allocate = (mode: number): number =>
      send(opcode.FALLOCATE, node, numbers(handle, 0, 0, 0, 1 << 20, 0, mode, 0)).error;
    sink.told.length = sink.announced.length = 0;
    sink.room = { bytes: 4096, names: 0 };
    for (const [code, on, body] of [
      [opcode.WRITE, node, writeBody(handle, 4095, 'two blocks')],
      [opcode.CREATE, 1, createBody('another')],
      [opcode.MKDIR, 1, Buffer.concat([numbers(0o755, 0), Buffer.from('directory\0')])],
      [opcode.SYMLINK, 1, Buffer.from('link\0target\0')],
      [opcode.LINK, 1, Buffer.concat([numbers(node, 0), Buffer.from('further\0')])],
    ] as const) {
      sink.mayAsk = true;
      expect(send(code, on, body).outcome).toBe('deferred');
      sink.mayAsk = false;
      expect(send(code, on, body).error).toBe(-28);
    }
    expect(allocate(0)).toBe(-28);
    expect([sink.told, sink.announced, sink.room.bytes]).toEqual([[], [], 4096]);
    expect(statSync(join(path, 'file')).size).toBe(7);
    expect(existsSync(join(path, 'another'))).toBe(false);
    sink.room.bytes = 0;
    // What is overwritten is there; what makes room, or takes none, is never refused.
    expect(send(opcode.WRITE, node, writeBody(handle, 2, 'NT')).error).toBe(0);
    expect(allocate(2 | 1)).toBe(0);
    expect(send(opcode.UNLINK, 1, Buffer.from('file\0')).error).toBe(0);
    // Without a name it is on this side only.
    expect(send(opcode.WRITE, node, writeBody(handle, 0, 'much more than there was')).error).toBe(0);
    send(opcode.RELEASE, node, numbers(handle, 0, 0, 0, 0, 0));
  });

  it('overwrites blocks that were allocated beforehand, and nothing else, when there is no room', () => {
    const { node, handle } = create('file');
    expect(send(opcode.FALLOCATE, node, numbers(handle, 0, 0, 0, 1 << 20, 0, 0, 0)).error).toBe(0);
    const sparse = create('sparse');
    expect(send(opcode.WRITE, sparse.node, writeBody(sparse.handle, 1 << 20, 'end')).error).toBe(0);
    sink.room = { bytes: 0, names: 0 };
    expect(send(opcode.WRITE, node, writeBody(handle, 500_000, 'content')).error).toBe(0);
    expect(send(opcode.WRITE, node, writeBody(handle, (1 << 20) - 3, 'content')).error).toBe(-28);
    expect(send(opcode.WRITE, sparse.node, writeBody(sparse.handle, 500_000, 'content')).error).toBe(-28);
    expect(send(opcode.WRITE, sparse.node, writeBody(sparse.handle, 1 << 20, 'END')).error).toBe(0);
    send(opcode.RELEASE, node, numbers(handle, 0, 0, 0, 0, 0));
    send(opcode.RELEASE, sparse.node, numbers(sparse.handle, 0, 0, 0, 0, 0));
  });

  it('says that there is as much room as on the smaller side', () => {
    const statistics = (): number[] => {
      const { error, body } = send(opcode.STATFS, 1, Buffer.alloc(0));
      expect(error).toBe(0);
      return [...[0, 8, 16].map((at) => Number(body.readBigUInt64LE(at))), body.readUInt32LE(48)];
    };
    const [, , local] = statistics();
    sink.room = { bytes: 1 << 20, names: 7 };
    const [blocks, free, available, fragment] = statistics();
    expect(available).toBe((1 << 20) / fragment!);
    expect(blocks).toBe((8 << 20) / fragment!);
    expect(free).toBeGreaterThanOrEqual(available!);
    expect(free).toBeLessThanOrEqual(blocks!);
    expect(local).toBeGreaterThan(available!);
  });

  it('tells nothing of a file that has no name any more', () => {
    const { node, handle } = create('file');
    send(opcode.UNLINK, 1, Buffer.from('file\0'));
    expect(send(opcode.WRITE, node, writeBody(handle, 0, 'still')).error).toBe(0);
    expect(send(opcode.FSYNC, node, numbers(handle, 0, 0, 0)).outcome).toBe('reply');
    expect(sink.told).toEqual(['create', 'unlink']);
    send(opcode.RELEASE, node, numbers(handle, 0, 0, 0, 0, 0));
    expect(send(opcode.FORGET, node, numbers(1, 0)).outcome).toBe('none');
    expect(sink.told).toEqual(['create', 'unlink', `forgotten ${node}`]);
    expect(backing.node(node)).toBeUndefined();
  });

  it('calls a file all data while somebody may write to it through a map, and tells its holes afterwards', () => {
    const { node, handle } = create('file');
    send(opcode.WRITE, node, writeBody(handle, 1 << 20, 'end'));
    const reader = send(opcode.OPEN, node, numbers(O.RDONLY, 0)).body.readUInt32LE(0);
    const seek = (offset: number, whence: number): [error: number, offset: number] => {
      const { error, body } = send(opcode.LSEEK, node, numbers(reader, 0, offset, 0, whence, 0));
      return [error, error < 0 ? 0 : body.readUInt32LE(0)];
    };
    expect([seek(0, 3), seek(5, 3), seek(0, 4)]).toEqual([
      [0, 0],
      [0, 5],
      [0, (1 << 20) + 3],
    ]);
    expect([seek((1 << 20) + 3, 3), seek((1 << 20) + 3, 4)]).toEqual([
      [-6, 0],
      [-6, 0],
    ]);
    send(opcode.RELEASE, node, numbers(handle, 0, 0, 0, 0, 0));
    expect([seek(0, 3), seek(0, 4)]).toEqual([
      [0, 1 << 20],
      [0, 0],
    ]);
  });

  it('tells of a file without a name, of its first name, and of its end', () => {
    const body = Buffer.concat([numbers(O.TMPFILE | O.RDWR, 0o600, 0o22, 0), Buffer.from('/\0')]);
    const made = send(opcode.TMPFILE, 1, body);
    expect([made.error, sink.told]).toEqual([0, ['create-unnamed']]);
    const [node, handle] = [made.body.readUInt32LE(0), made.body.readUInt32LE(128)];
    send(opcode.WRITE, node, writeBody(handle, 0, 'data'));
    expect(send(opcode.LINK, 1, Buffer.concat([numbers(node, 0), Buffer.from('named\0')])).error).toBe(0);
    expect(sink.told).toEqual(['create-unnamed', 'write 0 data', 'link']);
    expect(readFileSync(join(path, 'named'), 'utf8')).toBe('data');
    const other = send(opcode.TMPFILE, 1, body);
    // Forgotten before it is released: the kernel sends both in either order.
    send(opcode.FORGET, other.body.readUInt32LE(0), numbers(1, 0));
    send(opcode.RELEASE, other.body.readUInt32LE(0), numbers(other.body.readUInt32LE(128), 0, 0, 0, 0, 0));
    expect(sink.told.slice(3)).toEqual(['create-unnamed', `forgotten ${other.body.readUInt32LE(0)}`]);
    const never = Buffer.concat([numbers(O.TMPFILE | O.RDWR | O.EXCL, 0o600, 0, 0), Buffer.from('/\0')]);
    expect(send(opcode.TMPFILE, 1, never).error).toBe(0);
    expect(sink.told).toHaveLength(5);
  });

  it('knows what the kernel remembers when only few of it are objects', () => {
    backing = openBacking(directoryFd, { idsAreGiven: false, objectsMax: 5 });
    filesystem = new Filesystem({ backing, sink, cache: 'none', identity });
    const names = Array.from({ length: 200 }, (_, index) => `file${index}`);
    const made = names.map((name) => create(name));
    made.forEach(({ node, handle }, index) => {
      send(opcode.WRITE, node, writeBody(handle, 0, `content ${index}`));
      send(opcode.RELEASE, node, numbers(handle, 0, 0, 0, 0, 0));
    });
    expect(backing.nodes.size).toBe(201);
    const lookUp = (name: string): number => send(opcode.LOOKUP, 1, Buffer.from(`${name}\0`)).body.readUInt32LE(0);
    expect(names.map(lookUp)).toEqual(made.map(({ node }) => node));
    made.forEach(({ node }, index) => {
      const handle = send(opcode.OPEN, node, numbers(O.RDONLY, 0)).body.readUInt32LE(0);
      const read = send(opcode.READ, node, numbers(handle, 0, 0, 0, 100, 0, 0, 0, 0, 0));
      expect(read.body.toString()).toBe(`content ${index}`);
      send(opcode.RELEASE, node, numbers(handle, 0, 0, 0, 0, 0));
    });
    names.forEach((name, index) => {
      const step = index % 3;
      if (step === 0) send(opcode.RENAME, 1, Buffer.concat([numbers(1, 0), Buffer.from(`${name}\0to-${name}\0`)]));
      if (step === 1) send(opcode.LINK, 1, Buffer.concat([numbers(made[index]!.node, 0), Buffer.from(`to-${name}\0`)]));
      if (step === 2) send(opcode.UNLINK, 1, Buffer.from(`${name}\0`));
    });
    names.forEach((name, index) => {
      const { node } = made[index]!;
      if (index % 3 < 2) expect(lookUp(`to-${name}`)).toBe(node);
      // Looked up twice, and once more by its new name or the link.
      send(opcode.FORGET, node, numbers(index % 3 === 0 ? 3 : index % 3 === 1 ? 4 : 2, 0));
      expect(backing.node(node)).toBeUndefined();
    });
    expect(backing.nodes.size).toBe(1);
  });

  it('a target knows what the stream has named when only few of it are objects', () => {
    const target = openBacking(directoryFd, { idsAreGiven: true, objectsMax: 5 });
    const memory = new Memory(4096);
    const ids = Array.from({ length: 200 }, (_, index) => index + 10);
    const nameOf = (id: number): Buffer => Buffer.from(`file${id}`);
    const must = (answer: unknown): void => expect(typeof answer === 'number' ? answer : 0).toBe(0);
    expect(target.bind(2, 1, Buffer.from('none'))).toBe(-2);
    for (const id of ids) {
      must(target.create(1, nameOf(id), 0o100600, 0, null, id));
      target.putIdleAside();
    }
    for (const id of ids) {
      const length = memory.bytes.write(`content ${id}`);
      must(target.write(id, memory.address(), length, 0));
      must(target.setMode(id, 0o640));
      target.putIdleAside();
    }
    expect(target.nodes.size).toBe(201);
    for (const id of ids) {
      if (id % 3 === 0) must(target.rename(1, nameOf(id), 1, Buffer.from(`to${id}`), 0));
      if (id % 3 === 1) must(target.link(id, 1, Buffer.from(`to${id}`)));
      if (id % 3 === 2) must(target.unlink(1, nameOf(id)));
      // The same object by another of its names, as a later session may bind it.
      if (id % 3 === 1) must(target.bind(id, 1, Buffer.from(`to${id}`)));
      target.putIdleAside();
    }
    for (const id of ids) {
      if (id % 3 < 2) expect(readFileSync(join(path, `to${id}`), 'utf8')).toBe(`content ${id}`);
      expect(existsSync(join(path, `file${id}`))).toBe(id % 3 === 1);
      expect(target.forget(id)).toBe(true);
    }
    expect(target.nodes.size).toBe(1);
    target.close();
  });

  it('never gives an id twice, also when the filesystem below gives the same inode again', () => {
    const ids = new Set<number>();
    for (let round = 0; round < 20; round += 1) {
      const { node, handle } = create('again');
      ids.add(node);
      send(opcode.UNLINK, 1, Buffer.from('again\0'));
      send(opcode.RELEASE, node, numbers(handle, 0, 0, 0, 0, 0));
      send(opcode.FORGET, node, numbers(1, 0));
    }
    expect(ids.size).toBe(20);
    expect(backing.nodes.size).toBe(1);
  });

  it('has no answer for an interrupt, ENOSYS for what it cannot do, and EIO for half a request', () => {
    expect(send(opcode.INTERRUPT, 0, numbers(77, 0)).outcome).toBe('none');
    expect(sink.told).toEqual(['interrupted 77']);
    expect(send(opcode.COPY_FILE_RANGE, 1, Buffer.alloc(56)).error).toBe(-38);
    expect(send(31, 1, Buffer.alloc(48)).error).toBe(-38);
    request.bytes.writeUInt32LE(500, 0);
    expect(filesystem.handle(request, 60)).toBe('reply');
    expect(filesystem.reply.bytes.readInt32LE(4)).toBe(-5);
    expect(passthroughSink.changesAllowed()).toBe(true);
  });
});
