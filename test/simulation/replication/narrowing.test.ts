/** A large file of which little differs, changed by its application while it is compared: afterwards both are the same, and little was sent. */
import { expect, it } from 'vitest';
import { Applier } from '../../../agent/replication/applier.ts';
import { FrameReader, FrameWriter, kind } from '../../../agent/replication/change-codec.ts';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { ResyncPace } from '../../../agent/replication/resync-pace.ts';
import { ResyncSource } from '../../../agent/replication/resync-source.ts';
import { ResyncTarget } from '../../../agent/replication/resync-target.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { randomOf } from './application.ts';
import type { Random } from './application.ts';
import { MemoryDisk } from './memory-disk.ts';
import type { Inode } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';
import type { SimNode } from './memory-tree.ts';

const mib = 1024 * 1024;
const pageBytes = 4096;
const seeds = 12;
const stepsMax = 10_000;

/** Few values, so that what is stale may look right by chance. */
function fill(random: Random, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let page = 0; page * pageBytes < sizeBytes; page++)
    bytes.fill(1 + random(2), page * pageBytes, Math.min(sizeBytes, (page + 1) * pageBytes));
  return bytes;
}

class Pair {
  readonly random: Random;
  readonly disk = new MemoryDisk();
  readonly #copy = new MemoryDisk();
  readonly #input = new Memory(4 * mib);
  readonly #buffer = new Memory(mib);
  readonly #tree: MemoryTree;
  readonly stream: ChangeStream;
  readonly #source: ResyncSource;
  readonly #applier: Applier;
  readonly #reader = new FrameReader();
  #answers: { sequence: number; needed: Uint8Array }[] = [];
  #acknowledged = 0;
  wireBytes = 0;
  sentBytes = 0;
  readonly node: SimNode;

  constructor(random: Random, ours: Buffer, theirs: Buffer) {
    this.random = random;
    for (const [disk, content] of [
      [this.disk, ours],
      [this.#copy, theirs],
    ] as const)
      disk.write(disk.make(disk.get(1), 'a', 0o100000, 0o600, 0, Buffer.alloc(0)) as Inode, content, 0);
    const stepBuffer = new Memory(256 * 1024);
    this.#tree = new MemoryTree(this.disk, [stepBuffer]);
    this.stream = new ChangeStream(
      this.#tree,
      new FrameWriter(Buffer.alloc(4 * mib)),
      { flush: () => undefined, acknowledged: () => 0, breakLink: () => undefined },
      { changesAllowed: () => true, park: () => false, syncWaits: () => false, localFailure: () => undefined },
    );
    this.stream.begin(false);
    this.#source = new ResyncSource(this.#tree, this.stream, stepBuffer, {
      acknowledged: () => this.#acknowledged,
      byMarks: false,
      pace: new ResyncPace(0),
      nowMs: () => 0,
    });
    this.stream.walk = this.#source;
    this.node = this.#tree.lookup(1, Buffer.from('a')) as SimNode;
    const copyTree = new MemoryTree(this.#copy, [this.#input, this.#buffer]);
    const target = new ResyncTarget(copyTree, this.#buffer, (sequence, needed) => {
      this.#answers.push({ sequence, needed });
    });
    this.#applier = new Applier(copyTree, target);
    target.begin();
  }

  get #inode(): Inode {
    return this.node.inode;
  }

  #write(): void {
    const page = this.random(this.#inode.data.length / pageBytes);
    const bytes = Buffer.alloc(pageBytes, 1 + this.random(2));
    this.disk.write(this.#inode, bytes, page * pageBytes);
    this.stream.write(this.node, page * pageBytes, bytes, 0, bytes.length, this.#inode.modified);
  }

  #deliver(): void {
    const { writer } = this.stream;
    this.wireBytes += writer.length;
    writer.bytes.copy(this.#input.bytes, 0, 0, writer.length);
    for (let at = 0; at < writer.length;) {
      const taken = this.#reader.read(this.#input.bytes, at, writer.length);
      const { frame } = this.#reader;
      if (frame.kind === kind.data) this.sentBytes += frame.dataLength;
      this.#applier.apply(frame, this.#input);
      this.#acknowledged = frame.sequence;
      at += taken;
    }
    writer.clear();
  }

  /** `writes`: one of so many steps is followed by a write of the application, 0: none. */
  run(writes: number): void {
    for (let step = 0; step < stepsMax; step++) {
      const result = this.#source.step();
      if (writes > 0 && this.random(writes) === 0) this.#write();
      this.#deliver();
      // Answers take their time.
      if (result === 'waiting' || this.random(3) === 0)
        for (const answer of this.#answers.splice(0, 1 + this.random(3))) this.#source.answered(answer);
      if (result === 'walked') return;
      if (result !== 'worked' && result !== 'waiting') throw new Error(result);
    }
    throw new Error('it does not end');
  }

  differs(): boolean {
    return this.disk.describe().join('\n') !== this.#copy.describe().join('\n');
  }
}

it('makes both the same, whatever changes meanwhile', { timeout: 60_000 }, () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const random = randomOf(seed);
    const ours = fill(random, 3 * mib + random(3) * 100_000);
    const theirs = Buffer.from(ours.subarray(0, random(2) === 0 ? ours.length : random(ours.length)));
    for (let change = random(60); change > 0; change--) theirs.writeUInt8(9, random(theirs.length));
    const pair = new Pair(random, ours, theirs);
    pair.run(1 + random(8));
    expect([seed, pair.differs()]).toEqual([seed, false]);
  }
});

it('sends little more than what differs', () => {
  const random = randomOf(1);
  const ours = fill(random, 8 * mib);
  const theirs = Buffer.from(ours);
  for (let change = 0; change < 20; change++) theirs.writeUInt8(9, change * 400_000);
  const pair = new Pair(random, ours, theirs);
  pair.run(0);
  expect(pair.differs()).toBe(false);
  expect(pair.sentBytes).toBe(20 * pageBytes);
  expect(pair.wireBytes).toBeLessThan(2 * pair.sentBytes);
});

it('asks little about a file that is new', () => {
  const pair = new Pair(randomOf(1), fill(randomOf(2), 8 * mib), Buffer.alloc(0));
  pair.run(0);
  expect(pair.differs()).toBe(false);
  expect(pair.wireBytes - pair.sentBytes).toBeLessThan(40_000);
});
