/**
 * Requests of the kernel, made by hand, while the process that serves them is killed after any of its stores: a successor finishes the one that was read, answers it, and
 * everything that the kernel knew goes on to be true.
 */
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  Filesystem,
  KeptMemory,
  makeKeptFile,
  openBacking,
  passthroughSink,
  removeOrphans,
} from '../../agent/fuse/index.ts';
import type { Backing } from '../../agent/fuse/index.ts';
import { opcode } from '../../agent/fuse/protocol.ts';
import { killAtEveryStore } from '../../agent/fuse/store-by-store.ts';
import { close, makeDirectoryAt, O, openPath, ThreadIdentity } from '../../agent/sys/linux.ts';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';

const missing = missingForFilesystemTests();

const numbers = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32LE(value, index * 4));
  return bytes;
};
const names = (...texts: string[]): Buffer => Buffer.from(texts.map((text) => `${text}\0`).join(''));
const exchange = 2;

/** What the kernel remembers: node ids by a name of ours, and file handles. */
interface Known {
  readonly node: Map<string, number>;
  readonly handle: Map<string, number>;
}
interface Request {
  readonly code: number;
  readonly on: string;
  readonly body: (known: Known) => Buffer;
  readonly answered?: (known: Known, body: Buffer) => void;
  /** As the kernel does it with FORGET. */
  readonly noAnswer?: boolean;
}

const entry =
  (name: string) =>
  (known: Known, body: Buffer): void => {
    known.node.set(name, body.readUInt32LE(0));
  };
const entryAndHandle =
  (name: string) =>
  (known: Known, body: Buffer): void => {
    known.node.set(name, body.readUInt32LE(0));
    known.handle.set(name, body.readUInt32LE(128));
  };
const node = (known: Known, name: string): number => known.node.get(name)!;
const handle = (known: Known, name: string): number => known.handle.get(name)!;

const create = (on: string, name: string): Request => ({
  code: opcode.CREATE,
  on,
  body: () => Buffer.concat([numbers(O.RDWR | O.CREAT, 0o644, 0o22, 0), names(name)]),
  answered: entryAndHandle(name),
});
const write = (name: string, text: string): Request => ({
  code: opcode.WRITE,
  on: name,
  body: (known) =>
    Buffer.concat([numbers(handle(known, name), 0, 0, 0, text.length, 0, 0, 0, 0, 0), Buffer.from(text)]),
});
const read = (name: string, text: string): Request => ({
  code: opcode.READ,
  on: name,
  body: (known) => numbers(handle(known, name), 0, 0, 0, 100, 0, 0, 0, 0, 0),
  answered: (_known, body) => {
    expect(body.toString()).toBe(text);
  },
});
const makeDirectory = (name: string): Request => ({
  code: opcode.MKDIR,
  on: 'root',
  body: () => Buffer.concat([numbers(0o755, 0), names(name)]),
  answered: entry(name),
});
const rename = (from: string, name: string, to: string, toName: string): Request => ({
  code: opcode.RENAME,
  on: from,
  body: (known) => Buffer.concat([numbers(node(known, to), 0), names(name, toName)]),
});
const remove = (code: number, name: string): Request => ({ code, on: 'root', body: () => names(name) });
const release = (name: string, code: number = opcode.RELEASE): Request => ({
  code,
  on: name,
  body: (known) => numbers(handle(known, name), 0, 0, 0, 0, 0),
});

const requests: readonly Request[] = [
  create('root', 'a'),
  write('a', 'hello'),
  makeDirectory('d'),
  create('d', 'b'),
  write('b', 'other'),
  { code: opcode.SYMLINK, on: 'root', body: () => names('l', 'target'), answered: entry('l') },
  { code: opcode.MKNOD, on: 'root', body: () => Buffer.concat([numbers(0o010600, 0, 0, 0), names('fifo')]) },
  { code: opcode.LINK, on: 'root', body: (known) => Buffer.concat([numbers(node(known, 'a'), 0), names('hard')]) },
  rename('root', 'hard', 'd', 'moved'),
  {
    code: opcode.RENAME2,
    on: 'root',
    body: (known) => Buffer.concat([numbers(node(known, 'd'), 0, exchange, 0), names('a', 'b')]),
  },
  {
    code: opcode.SETXATTR,
    on: 'a',
    body: () => Buffer.concat([numbers(3, 1), names('user.kept'), Buffer.from('yes')]),
  },
  { code: opcode.SETXATTR, on: 'a', body: () => Buffer.concat([numbers(2, 0), names('user.gone'), Buffer.from('no')]) },
  { code: opcode.REMOVEXATTR, on: 'a', body: () => names('user.gone') },
  create('root', 'nameless'),
  remove(opcode.UNLINK, 'nameless'),
  write('nameless', 'still there'),
  create('root', 'replaced'),
  write('replaced', 'replaced'),
  create('root', 'new'),
  release('new'),
  rename('root', 'new', 'root', 'replaced'),
  read('replaced', 'replaced'),
  { code: opcode.FSYNC, on: 'a', body: (known) => numbers(handle(known, 'a'), 0, 0, 0) },
  {
    code: opcode.TMPFILE,
    on: 'root',
    body: () => Buffer.concat([numbers(O.RDWR, 0o600, 0, 0), names('')]),
    answered: entryAndHandle('unnamed'),
  },
  { code: opcode.WRITE, on: 'unnamed', body: (known) => write('unnamed', 'soon named').body(known) },
  {
    code: opcode.LINK,
    on: 'root',
    body: (known) => Buffer.concat([numbers(node(known, 'unnamed'), 0), names('named')]),
  },
  { code: opcode.SETATTR, on: 'b', body: () => Buffer.concat([numbers(1 << 3, 0, 0, 0, 3, 0), Buffer.alloc(64)]) },
  { code: opcode.FALLOCATE, on: 'a', body: (known) => numbers(handle(known, 'a'), 0, 0, 0, 9, 0, 0, 0) },
  makeDirectory('empty'),
  {
    code: opcode.OPENDIR,
    on: 'd',
    body: () => numbers(0, 0),
    answered: (known, body) => {
      known.handle.set('d', body.readUInt32LE(0));
    },
  },
  {
    code: opcode.OPENDIR,
    on: 'empty',
    body: () => numbers(0, 0),
    answered: (known, body) => {
      known.handle.set('empty', body.readUInt32LE(0));
    },
  },
  remove(opcode.RMDIR, 'empty'),
  { code: opcode.FSYNCDIR, on: 'empty', body: (known) => numbers(handle(known, 'empty'), 0, 0, 0) },
  release('empty', opcode.RELEASEDIR),
  makeDirectory('one'),
  makeDirectory('two'),
  rename('root', 'one', 'two', 'moved'),
  makeDirectory('three'),
  {
    code: opcode.RENAME2,
    on: 'root',
    body: (known) => Buffer.concat([numbers(node(known, 'two'), 0, exchange, 0), names('three', 'moved')]),
  },
  create('one', 'in one'),
  create('three', 'in three'),
  { code: opcode.FORGET, on: 'empty', body: () => numbers(1, 0), noAnswer: true },
  {
    code: opcode.READDIRPLUS,
    on: 'd',
    body: (known) => numbers(handle(known, 'd'), 0, 0, 0, 4096, 0, 0, 0, 0, 0),
    answered: (_known, body) => {
      expect(body.includes('moved')).toBe(true);
    },
  },
  release('d', opcode.RELEASEDIR),
  read('nameless', 'still there'),
  release('nameless'),
  release('replaced'),
  read('a', 'hello\0\0\0\0'),
];

const expected = [
  'a=oth',
  'd/',
  'd/b=hello\0\0\0\0',
  'd/moved=hello\0\0\0\0',
  'fifo',
  'l>target',
  'named=soon named',
  'replaced=',
  'three/',
  'three/in one=',
  'two/',
  'two/moved/',
  'two/moved/in three=',
];

/** One process after the other, and the kernel between them. */
class World {
  readonly path = mkdtempSync('/var/tmp/holdfast-restart-requests-');
  readonly directoryFd = openPath(this.path, O.RDONLY | O.DIRECTORY);
  readonly keptFd = makeKeptFile();
  readonly known: Known = { node: new Map([['root', 1]]), handle: new Map() };
  readonly before: ReadonlySet<string>;
  /** The next one to be read, and whether it has been; whether it was answered. */
  next = 0;
  isRead = false;
  isAnswered = false;
  #kept: KeptMemory | null = null;
  #backing: Backing | null = null;

  constructor() {
    makeDirectoryAt(this.directoryFd, Buffer.from('.holdfast'), 0o700);
    this.before = new Set(readdirSync('/proc/self/fd'));
  }

  #serve(identity: ThreadIdentity): { kept: KeptMemory; filesystem: Filesystem } {
    const kept = new KeptMemory(this.keptFd);
    kept.askedFd = this.directoryFd;
    const backing = openBacking(this.directoryFd, {
      idsAreGiven: false,
      kept: { nodes: kept.nodes, firstId: kept.reservedIds },
    });
    this.#kept = kept;
    this.#backing = backing;
    const localFailure = (call: string, errno: number): void => void this.failures.push(`${call} ${errno}`);
    const sink = { ...passthroughSink, localFailure };
    return { kept, filesystem: new Filesystem({ backing, sink, cache: 'none', identity, kept }) };
  }

  #read(kept: KeptMemory, { code, on, body }: Request): number {
    const content = body(this.known);
    const request = Buffer.concat([Buffer.alloc(40), content]);
    request.writeUInt32LE(request.length, 0);
    request.writeUInt32LE(code, 4);
    request.writeUInt32LE(2 + this.next * 2, 8);
    request.writeUInt32LE(node(this.known, on), 16);
    kept.requests.expect();
    kept.request.bytes.set(request);
    this.isRead = true;
    return request.length;
  }

  #answer(reply: Buffer): void {
    if (this.isAnswered) return;
    const request = requests[this.next]!;
    expect([this.next, request.code, reply.readInt32LE(4)]).toEqual([this.next, request.code, 0]);
    expect(reply.readUInt32LE(8)).toBe(2 + this.next * 2);
    request.answered?.(this.known, Buffer.from(reply.subarray(16)));
    this.isAnswered = true;
  }

  #handle(kept: KeptMemory, filesystem: Filesystem, length: number): void {
    kept.requests.begin(kept.request);
    const outcome = filesystem.handle(kept.request, length);
    if (outcome === 'reply') {
      kept.requests.hasReply(filesystem.replyLength);
      this.#answer(kept.reply.bytes.subarray(0, filesystem.replyLength));
    } else expect([outcome, requests[this.next]!.noAnswer]).toEqual(['none', true]);
    kept.requests.finished();
  }

  #go(): void {
    this.next += 1;
    this.isRead = false;
    this.isAnswered = false;
  }

  run(identity: ThreadIdentity): void {
    const { kept, filesystem } = this.#serve(identity);
    this.#runFrom(kept, filesystem);
  }
  runUntil(identity: ThreadIdentity, code: number): void {
    const { kept, filesystem } = this.#serve(identity);
    while (requests[this.next]!.code !== code) {
      this.#handle(kept, filesystem, this.#read(kept, requests[this.next]!));
      this.#go();
    }
  }

  /** As the `sync` lane does; the disk says so much of itself. */
  #hear(filesystem: Filesystem, status = 0): void {
    if (filesystem.descriptionsToAsk().length > 0) filesystem.heard(status);
  }

  readonly failures: string[] = [];
  /** Two syncs of a file that was open before, after what the disk says of itself. */
  syncAfter(identity: ThreadIdentity, status: number): number[] {
    const { kept, filesystem } = this.#serve(identity);
    expect(filesystem.takeOver()).toMatchObject({ inHandLength: 0 });
    this.#hear(filesystem, status);
    const sync = requests.find(({ code }) => code === opcode.FSYNC)!;
    return [1, 2].map(() => {
      expect(this.#outcome(kept, filesystem, sync)).toBe('reply');
      return kept.reply.bytes.readInt32LE(4);
    });
  }
  #outcome(kept: KeptMemory, filesystem: Filesystem, request: Request): string {
    const length = this.#read(kept, request);
    kept.requests.begin(kept.request);
    const outcome = filesystem.handle(kept.request, length);
    kept.requests.finished();
    return outcome;
  }

  /** What becomes of requests while the disk has not said anything of itself. */
  outcomesBefore(identity: ThreadIdentity, asked: readonly Request[]): string[] {
    const { kept, filesystem } = this.#serve(identity);
    expect(filesystem.takeOver()).toMatchObject({ inHandLength: 0 });
    expect(filesystem.descriptionsToAsk()).toEqual([this.directoryFd]);
    return asked.map((request) => this.#outcome(kept, filesystem, request));
  }

  #runFrom(kept: KeptMemory, filesystem: Filesystem): void {
    while (this.next < requests.length) {
      this.#handle(kept, filesystem, this.#read(kept, requests[this.next]!));
      this.#go();
    }
  }

  /** Descriptors of a process that was killed are closed. */
  bury(identity: ThreadIdentity): void {
    identity.restore();
    this.#kept?.close();
    for (const fd of readdirSync('/proc/self/fd')) if (!this.before.has(fd)) close(Number(fd));
  }

  goOn(identity: ThreadIdentity): void {
    const { kept, filesystem } = this.#serve(identity);
    const carried = filesystem.takeOver();
    if (typeof carried === 'string') throw new Error(`at request ${this.next}: ${carried}`);
    this.#hear(filesystem);
    if (carried.replyLength > 0) this.#answer(kept.reply.bytes.subarray(0, carried.replyLength));
    if (carried.inHandLength > 0) this.#handle(kept, filesystem, carried.inHandLength);
    if (this.isRead && this.next < requests.length) {
      expect([this.next, this.isAnswered || requests[this.next]!.noAnswer === true]).toEqual([this.next, true]);
      this.#go();
    }
    this.#runFrom(kept, filesystem);
  }

  tree(): string[] {
    const look = (directory: string): string[] =>
      readdirSync(join(this.path, directory))
        .filter((name) => name !== '.holdfast')
        .sort()
        .flatMap((name) => {
          const path = join(directory, name);
          const stat = lstatSync(join(this.path, path));
          if (stat.isDirectory()) return [`${path}/`, ...look(path)];
          if (stat.isSymbolicLink()) return [`${path}>${readlinkSync(join(this.path, path))}`];
          return [stat.isFile() ? `${path}=${readFileSync(join(this.path, path), 'utf8')}` : path];
        });
    return look('');
  }
  orphans(): string[] {
    return readdirSync(join(this.path, '.holdfast/orphans'));
  }

  /** What the kernel goes on to call by its old number, and has a name. */
  expectKnown(): void {
    for (const name of ['a', 'b', 'd', 'l', 'one', 'two', 'three', 'unnamed', 'new']) {
      const found = this.#backing!.nodes.get(node(this.known, name));
      expect([name, found?.unlinked, found?.links.length === 0]).toEqual([name, false, false]);
      expect(this.#backing!.nodes.withHandle(found!.handle)).toBe(found);
    }
  }

  dispose(): void {
    this.#backing?.close();
    this.#kept?.close();
    close(this.directoryFd);
    close(this.keptFd);
    rmSync(this.path, { recursive: true });
  }
}

describe('a process that serves requests and is killed', () => {
  let identity: ThreadIdentity;
  beforeAll(() => {
    if (missing === '') identity = ThreadIdentity.enter();
  });
  const worlds: World[] = [];
  afterAll(() => {
    for (const world of worlds) world.dispose();
  });

  it('asks the whole disk before it calls anything synced, and syncs nothing any more when that has failed', (context) => {
    if (missing !== '') context.skip(missing);
    const world = new World();
    world.runUntil(identity, opcode.UNLINK);
    world.bury(identity);
    expect(world.syncAfter(identity, -5)).toEqual([-5, -5]);
    expect(world.failures).toEqual(['fsync 5', 'fsync 5']);
    world.bury(identity);
    world.failures.length = 0;
    // For the life of the mount: who comes next hears nothing of it from the disk.
    expect(world.syncAfter(identity, 0)).toEqual([-5, -5]);
    world.bury(identity);
    world.dispose();
    const other = new World();
    other.runUntil(identity, opcode.UNLINK);
    other.bury(identity);
    expect(other.syncAfter(identity, 0)).toEqual([0, 0]);
    expect(other.failures).toEqual([]);
    other.bury(identity);
    other.dispose();
  });

  it('lets reads, writes and closes go on while the whole disk is asked, and only syncs wait', (context) => {
    if (missing !== '') context.skip(missing);
    const world = new World();
    world.runUntil(identity, opcode.UNLINK);
    world.bury(identity);
    const sync = requests.find(({ code }) => code === opcode.FSYNC)!;
    const text = 'HELLO';
    const synchronous: Request = {
      code: opcode.WRITE,
      on: 'a',
      body: (known) =>
        Buffer.concat([numbers(handle(known, 'a'), 0, 0, 0, text.length, 0, 0, 0, O.DSYNC, 0), Buffer.from(text)]),
    };
    const flush: Request = { code: opcode.FLUSH, on: 'a', body: (known) => numbers(handle(known, 'a'), 0, 0, 0, 0, 0) };
    const asked = [
      sync,
      read('a', 'hello'),
      write('a', 'other'),
      synchronous,
      read('a', 'other'),
      flush,
      create('d', 'c'),
    ];
    const [replied, waits] = ['reply', 'sync-waits'];
    expect(world.outcomesBefore(identity, asked)).toEqual([waits, replied, replied, waits, replied, replied, replied]);
    // Nothing has been done of what waits.
    expect(world.tree()).toContain('a=other');
    world.bury(identity);
    world.dispose();
  });

  it('leaves nothing behind for whoever serves the directory next', (context) => {
    if (missing !== '') context.skip(missing);
    const world = new World();
    world.runUntil(identity, opcode.FSYNC);
    world.bury(identity);
    expect(world.orphans()).toHaveLength(2);
    removeOrphans(world.directoryFd);
    expect(world.orphans()).toEqual([]);
    world.dispose();
  });

  /** All of them: STRIDE=1, ten minutes. */
  const stride = Number(process.env['STRIDE'] ?? '23');
  it('is gone on with from any of its stores', { timeout: 900_000 }, (context) => {
    if (missing !== '') context.skip(missing);
    const first = Number(process.env['SEED'] ?? '0') % stride;
    const stores = killAtEveryStore(
      () => new World(),
      (world) => {
        world.run(identity);
      },
      (world) => {
        world.bury(identity);
        world.goOn(identity);
        expect(world.tree()).toEqual(expected);
        world.expectKnown();
        expect(world.orphans().length).toBeLessThanOrEqual(0);
        world.dispose();
      },
      { first, stride },
    );
    expect(stores).toBeGreaterThan(500);
  });
});
