/** A disk that does not read is a finding, on whichever side, and never the end of the comparison. */
import { expect, it } from 'vitest';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { FrameReader, FrameWriter, kind } from '../../../agent/replication/change-codec.ts';
import { decodeFindings, encodeFindings } from '../../../agent/replication/verify-messages.ts';
import { VerifyReport } from '../../../agent/replication/verify-report.ts';
import { VerifySource } from '../../../agent/replication/verify-source.ts';
import { VerifyTarget } from '../../../agent/replication/verify-target.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';

const inputOutputError = -5;
const stepsMax = 1000;
type Call = 'read' | 'list' | 'attributes' | 'lookup' | 'listXattrs';

function makeTree(buffer: Memory, failing: Call | null): MemoryTree {
  const disk = new MemoryDisk();
  for (const name of ['a', 'b']) {
    const file = disk.make(disk.get(1), name, 0o100000, 0o600, 0, Buffer.alloc(0));
    disk.write(file as Exclude<typeof file, number>, Buffer.from(`what ${name} holds`), 0);
  }
  const tree = new MemoryTree(disk, [buffer]);
  if (failing !== null) Object.assign(tree, { [failing]: () => inputOutputError });
  return tree;
}

/** Both trees hold the same; one of them fails in one call. */
function compared(source: Call | null, target: Call | null): { report: VerifyReport; stale: boolean } {
  const buffer = new Memory(1 << 20);
  const tree = makeTree(buffer, source);
  const stream = new ChangeStream(
    tree,
    new FrameWriter(Buffer.alloc(4 << 20)),
    { flush: () => undefined, acknowledged: () => 0, breakLink: () => undefined },
    { changesAllowed: () => true, park: () => false, syncWaits: () => false, localFailure: () => undefined },
  );
  stream.begin(true);
  const report = new VerifyReport(false, 0);
  const asking = new VerifySource(tree, stream, buffer, report, () => 0);
  const theirs = makeTree(buffer, target);
  const answering = new VerifyTarget(theirs, buffer, () => false);
  const reader = new FrameReader();
  let stale = false;
  for (let step = 0; step < stepsMax; step += 1) {
    if (asking.step() === 'compared') return { report, stale };
    const { writer } = stream;
    for (let at = 0; at < writer.length;) {
      at += reader.read(writer.bytes, at, writer.length);
      const { frame } = reader;
      if (frame.kind === kind.bind) theirs.bind(frame.id, frame.parent, frame.name);
      if (frame.kind === kind.forget) theirs.forget(frame.id);
      if (frame.kind !== kind.verify) continue;
      const findings = answering.answer(frame.bytes);
      stale ||= findings.stale;
      asking.answered(frame.sequence, decodeFindings(encodeFindings(findings)));
    }
    writer.clear();
  }
  throw new Error('it does not end');
}

it('finds nothing where both can be read', () => {
  const { report, stale } = compared(null, null);
  expect([report.differing, report.minor, stale, report.files]).toEqual([0, 0, false, 2]);
});

it.each(['read', 'list', 'attributes', 'lookup', 'listXattrs'] as const)(
  'says that the secondary cannot be read (%s), and that its copy is not to be used',
  (call) => {
    const { report, stale } = compared(null, call);
    expect(report.differing).toBeGreaterThan(0);
    expect(stale).toBe(true);
    const kinds = report.tell('different', 0).differences.flatMap((one) => one.kinds);
    expect(new Set(kinds)).toEqual(new Set(['unreadable-on-secondary']));
  },
);

it.each(['read', 'list', 'attributes', 'lookup', 'listXattrs'] as const)(
  'says that the primary cannot be read (%s), which says nothing against the other copy',
  (call) => {
    const { report, stale } = compared(call, null);
    expect(report.differing).toBe(0);
    expect(report.minor).toBeGreaterThan(0);
    expect(stale).toBe(false);
  },
);
