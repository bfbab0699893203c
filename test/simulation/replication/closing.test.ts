/** close(2): nobody who has written hears that it is closed before the peer has what was written, however many descriptors there are. */
import { expect, it } from 'vitest';
import { FrameWriter } from '../../../agent/replication/change-codec.ts';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { reached } from '../../../agent/replication/acknowledgement.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';

it('lets no close return before the peer has what was written', () => {
  const disk = new MemoryDisk();
  disk.make(disk.get(1), 'file', 0o100000, 0o600, 0, Buffer.alloc(0));
  const tree = new MemoryTree(disk, [new Memory(4096)]);
  let acknowledged = 0;
  const stream = new ChangeStream(
    tree,
    new FrameWriter(Buffer.alloc(4 << 20)),
    { flush: () => undefined, acknowledged: () => acknowledged, breakLink: () => undefined },
    { changesAllowed: () => true, park: () => true, syncWaits: () => false, localFailure: () => undefined },
  );
  stream.begin(true);
  const file = tree.lookup(1, Buffer.from('file'));
  if (typeof file === 'number') throw new Error('it was not made');
  stream.write(file, 0, Buffer.from('by both'), 0, 7, { seconds: 1, nanoseconds: 0 });
  const written = stream.writer.sequence;
  // Each close(2) of a descriptor is a FLUSH: two programs that have it open, or one and what it has forked.
  const [first, second] = [stream.closing(file), stream.closing(file)];
  expect(reached(acknowledged, written)).toBe(false);
  expect(first).toBeGreaterThanOrEqual(written);
  expect(second).toBeGreaterThanOrEqual(written);
  acknowledged = stream.writer.sequence;
  expect(stream.closing(file)).toBe(0);
});
