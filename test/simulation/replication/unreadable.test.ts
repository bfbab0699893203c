/** A disk that does not read: what the target lacks is not known, so nothing may end as if it had everything. */
import { expect, it } from 'vitest';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { FrameWriter } from '../../../agent/replication/change-codec.ts';
import { ResyncPace } from '../../../agent/replication/resync-pace.ts';
import { ResyncSource, type StepResult } from '../../../agent/replication/resync-source.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';

const inputOutputError = -5;
const stepsMax = 1000;

/** The last result of a resync of a directory with one file, by a tree that fails in one call. */
function ending(failing: 'read' | 'list' | 'attributes' | 'lookup' | null): StepResult {
  const disk = new MemoryDisk();
  const file = disk.make(disk.get(1), 'a', 0o100000, 0o600, 0, Buffer.alloc(0));
  disk.write(file as Exclude<typeof file, number>, Buffer.from('what the target lacks'), 0);
  const buffer = new Memory(256 * 1024);
  const tree = new MemoryTree(disk, [buffer]);
  const stream = new ChangeStream(
    tree,
    new FrameWriter(Buffer.alloc(4 << 20)),
    { flush: () => undefined, acknowledged: () => 0, breakLink: () => undefined },
    { changesAllowed: () => true, park: () => false, syncWaits: () => false, localFailure: () => undefined },
  );
  stream.begin(false);
  const source = new ResyncSource(tree, stream, buffer, {
    acknowledged: () => 0,
    byMarks: false,
    pace: new ResyncPace(0),
    nowMs: () => 0,
  });
  if (failing !== null) Object.assign(tree, { [failing]: () => inputOutputError });
  for (let step = 0; step < stepsMax; step += 1) {
    const result = source.step();
    if (result !== 'worked') return result;
  }
  throw new Error('it does not end');
}

it.each(['read', 'list', 'attributes', 'lookup'] as const)('does not end as complete when %s fails', (failing) => {
  expect(ending(failing)).toBe('unreadable');
});

it('waits for the answer of the target when everything can be read', () => {
  expect(ending(null)).toBe('waiting');
});
