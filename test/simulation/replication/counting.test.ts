/** Before a whole resync the files are counted, in steps between which the application is served: a directory with many names is no exception. */
import { expect, it } from 'vitest';
import { FrameWriter } from '../../../agent/replication/change-codec.ts';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { ResyncPace } from '../../../agent/replication/resync-pace.ts';
import { ResyncSource } from '../../../agent/replication/resync-source.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';

it('looks at a bounded number of files in each step', () => {
  const disk = new MemoryDisk();
  const directory = disk.make(disk.get(1), 'sessions', 0o040000, 0o700, 0, Buffer.alloc(0));
  if (typeof directory === 'number') throw new Error('it was not made');
  for (let n = 0; n < 5000; n++) disk.make(directory, `s${n}`, 0o100000, 0o600, 0, Buffer.alloc(0));
  const buffer = new Memory(1 << 20);
  const tree = new MemoryTree(disk, [buffer]);
  let lookups = 0;
  const lookup = tree.lookup.bind(tree);
  tree.lookup = (...how) => {
    lookups += 1;
    return lookup(...how);
  };
  const stream: ChangeStream = new ChangeStream(
    tree,
    new FrameWriter(Buffer.alloc(4 << 20)),
    { flush: () => stream.writer.clear(), acknowledged: () => stream.writer.sequence, breakLink: () => undefined },
    { changesAllowed: () => true, park: () => false, syncWaits: () => false, localFailure: () => undefined },
  );
  stream.begin(false);
  const options = {
    acknowledged: () => stream.writer.sequence,
    byMarks: false,
    pace: new ResyncPace(0),
    nowMs: () => 0,
  };
  const source = new ResyncSource(tree, stream, buffer, options);
  stream.walk = source;
  let most = 0;
  for (let steps = 0; steps < 20; steps++) {
    lookups = 0;
    source.step();
    most = Math.max(most, lookups);
  }
  expect(most).toBeLessThan(300);
});
