/** What moved is told before anything else is served: that must stay short, whatever has happened. */
import { NameSet } from '../../../agent/fuse/index.ts';
import { expect, it } from 'vitest';
import { FrameReader, FrameWriter, kind } from '../../../agent/replication/change-codec.ts';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { MarkedWalk } from '../../../agent/replication/marked-walk.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';

const movedMax = 4;

/** The stream of a primary in sync that marks what it changes. */
function marking(tree: MemoryTree): ChangeStream {
  const stream = new ChangeStream(
    tree,
    new FrameWriter(Buffer.alloc(4 << 20)),
    { flush: () => undefined, acknowledged: () => 0, breakLink: () => undefined },
    { changesAllowed: () => true, park: () => false, syncWaits: () => false, localFailure: () => undefined },
  );
  stream.begin(true);
  stream.marks.begin(7);
  return stream;
}

it('looks at a name that is changed below a directory which is not reached yet', () => {
  const disk = new MemoryDisk();
  const below = disk.make(disk.get(1), 'below', 0o040000, 0o700, 0, Buffer.alloc(0));
  if (typeof below === 'number') throw new Error('it was not made');
  disk.make(below, 'gone', 0o100000, 0o600, 0, Buffer.alloc(0));
  const tree = new MemoryTree(disk, [new Memory(4096)]);
  const stream = marking(tree);
  const directory = tree.lookup(1, Buffer.from('below'));
  if (typeof directory === 'number') throw new Error('it was not made');
  const name = Buffer.from('gone');
  const file = tree.lookup(directory.id, name);
  if (typeof file === 'number') throw new Error('it was not made');
  // Any name of the root may differ: it is listed, and until then nothing below it has a name at the target.
  stream.marks.hotEntries(tree.root);
  stream.marks.disconnected();
  stream.begin(false);
  const walk = new MarkedWalk(tree, stream, {
    whole: (node) => {
      stream.reach.beginListing(node.id, new NameSet());
      stream.reach.endListing();
    },
    part: () => undefined,
    sent: () => undefined,
  });
  walk.begin();
  tree.disk.unlink(directory.inode, 'gone', false);
  stream.unlink(file, directory, name, false, { seconds: 1, nanoseconds: 0 });
  tree.recordRemoved(file, directory, name);
  for (let steps = 0; walk.step() && steps < 100; steps += 1) expect(walk.hasFailed()).toBe(false);
  const reader = new FrameReader();
  const named: unknown[] = [];
  for (let at = 0; at < stream.writer.length;) {
    at += reader.read(stream.writer.bytes, at, stream.writer.length);
    if (reader.frame.kind === kind.names) named.push(reader.frame.id);
  }
  expect(named).toEqual([directory.id]);
});

it('tells the old places of so many objects, of directories first', () => {
  const disk = new MemoryDisk();
  const tree = new MemoryTree(disk, [new Memory(4096)]);
  const stream = marking(tree);
  stream.marks.disconnected();
  const root = tree.node(1);
  if (root === undefined) throw new Error('there is no root');
  for (let n = 0; n < 9; n++) {
    const type = n < 6 ? 0o100000 : 0o040000;
    disk.make(disk.get(1), `new${n}`, type, 0o700, 0, Buffer.alloc(0));
    const node = tree.lookup(1, Buffer.from(`new${n}`));
    if (typeof node === 'number') throw new Error('it was not made');
    stream.marks.moved(node, root, Buffer.from(`old${n}`));
  }
  new MarkedWalk(
    tree,
    stream,
    { whole: () => undefined, part: () => undefined, sent: () => undefined },
    movedMax,
  ).begin();
  const moved = [...stream.marks].flatMap(([, mark]) => (mark.placed === 'moved' ? [mark.oldName.toString()] : []));
  expect(moved.sort()).toEqual(['old0', 'old6', 'old7', 'old8']);
});
