/** What a comparison may keep the target busy with: a sync of the application waits behind it. */
import { expect, it } from 'vitest';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { FrameReader, FrameWriter, kind } from '../../../agent/replication/change-codec.ts';
import { VerifyReport } from '../../../agent/replication/verify-report.ts';
import { VerifySource } from '../../../agent/replication/verify-source.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { MemoryDisk } from './memory-disk.ts';
import type { Inode } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';
import { run, together } from './run.ts';

const nothing = { found: [], more: 0, stale: false };
const time = { ms: 0 };

interface Comparing {
  readonly source: VerifySource;
  /** Sequences of the questions that are asked until the source waits, and the most that it asked in one of them. */
  ask(): { sequences: number[]; entriesMax: number };
}

function begin(fill: (disk: MemoryDisk) => void, lookupMs = 0): Comparing {
  const disk = new MemoryDisk();
  fill(disk);
  const buffer = new Memory(1 << 20);
  const tree = new MemoryTree(disk, [buffer]);
  const lookup = tree.lookup.bind(tree);
  tree.lookup = (...call) => {
    time.ms += lookupMs;
    return lookup(...call);
  };
  const stream = new ChangeStream(
    tree,
    new FrameWriter(Buffer.alloc(4 << 20)),
    { flush: () => undefined, acknowledged: () => 0, breakLink: () => undefined },
    { changesAllowed: () => true, park: () => false, syncWaits: () => false, localFailure: () => undefined },
  );
  stream.begin(true);
  const source = new VerifySource(tree, stream, buffer, new VerifyReport(false, 0), () => time.ms);
  const reader = new FrameReader();
  const ask = (): { sequences: number[]; entriesMax: number } => {
    while (source.step() === 'worked');
    const { writer } = stream;
    const sequences: number[] = [];
    let entriesMax = 0;
    for (let at = 0; at < writer.length;) {
      at += reader.read(writer.bytes, at, writer.length);
      if (reader.frame.kind !== kind.verify) continue;
      sequences.push(reader.frame.sequence);
      const question = JSON.parse(reader.frame.bytes.toString()) as { entries?: unknown[] };
      entriesMax = Math.max(entriesMax, question.entries?.length ?? 0);
    }
    writer.clear();
    return { sequences, entriesMax };
  };
  return { source, ask };
}

const make = (disk: MemoryDisk, name: string, type: number, size = 0): Inode => {
  const made = disk.make(disk.get(1), name, type, 0o700, 0, Buffer.alloc(0));
  if (typeof made === 'number') throw new Error(name);
  if (size > 0) disk.write(made, Buffer.alloc(size, 7), 0);
  return made;
};

it('asks at most twice about names before an answer', () => {
  const { source, ask } = begin((disk) => {
    for (let n = 0; n < 500; n++) make(disk, `directory ${n}`, 0o040000);
  });
  let asked = 0;
  for (let waiting = ask().sequences; waiting.length > 0; waiting = [...waiting.slice(1), ...ask().sequences]) {
    expect(waiting.length).toBeLessThan(3);
    source.answered(waiting[0]!, nothing);
    asked += 1;
  }
  expect(asked).toBeGreaterThan(1000);
});

it('asks less for each answer that was slow in coming, and more again when they are quick', () => {
  const { source, ask } = begin((disk) => {
    make(disk, 'file', 0o100000, 64 << 20);
  });
  const waiting: number[] = [];
  const answer = (tookMs: number): void => {
    waiting.push(...ask().sequences);
    time.ms += tookMs;
    const first = waiting.shift();
    if (first !== undefined) source.answered(first, nothing);
  };
  for (let n = 0; n < 3; n++) answer(0);
  waiting.push(...ask().sequences);
  expect(waiting.length).toBeGreaterThan(6);
  for (let n = 0; n < 20; n++) answer(100);
  waiting.push(...ask().sequences);
  expect(waiting).toHaveLength(1);
  for (let n = 0; n < 60; n++) answer(0);
  waiting.push(...ask().sequences);
  expect(waiting.length).toBeGreaterThan(6);
});

it('takes fewer names in one step where each takes its time', () => {
  const { source, ask } = begin((disk) => {
    for (let n = 0; n < 100; n++) make(disk, `fifo ${n}`, 0o010000);
  }, 0.5);
  const { sequences, entriesMax } = ask();
  expect(entriesMax).toBeGreaterThan(0);
  expect(entriesMax).toBeLessThan(5);
  for (const sequence of sequences) source.answered(sequence, nothing);
});

it('goes on beside an application that never lets go', () => {
  const world = together(6);
  const [primary] = world.machines;
  const told = (): number => {
    const last = primary.outbox.findLast((one) => one.type === 'status' && 'verification' in one);
    return last?.type === 'status' && 'verification' in last ? (last.verification?.directories ?? 0) : 0;
  };
  world.verify(primary, false);
  const size = primary.requests.length;
  run(world, 60_000, () => {
    while (primary.requests.length < size + 3) primary.requests.push({ kind: 'append', log: 'log1' });
    // A second between two steps of a comparison is for what would take hours here.
    if (world.steps % 100 === 0) world.nowMs += 200;
    return told() > 0;
  });
  expect(told()).toBeGreaterThan(0);
});
