/** An open file that loses the name that we know it by, but not its last. */
import { expect, it } from 'vitest';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { FrameReader, FrameWriter, kind } from '../../../agent/replication/change-codec.ts';
import { Attributes } from '../../../agent/sys/attributes.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';
import type { SimNode } from './memory-tree.ts';

const [a, b, c] = [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')];
const now = { seconds: 1, nanoseconds: 0 };

function setUp(): { tree: MemoryTree; stream: ChangeStream; open: SimNode; broken: () => number } {
  let broken = 0;
  const disk = new MemoryDisk();
  const made = disk.make(disk.get(1), 'a', 0o100000, 0o600, 0, Buffer.alloc(0));
  disk.link(made as Exclude<typeof made, number>, disk.get(1), 'b');
  disk.make(disk.get(1), 'c', 0o100000, 0o600, 0, Buffer.alloc(0));
  const tree = new MemoryTree(disk, []);
  const stream = new ChangeStream(
    tree,
    new FrameWriter(Buffer.alloc(4 << 20)),
    { flush: () => undefined, acknowledged: () => 0, breakLink: () => (broken += 1) },
    {
      changesAllowed: () => true,
      park: () => false,
      syncWaits: () => false,
      localFailure: () => undefined,
    },
  );
  stream.begin(true);
  return { tree, stream, open: tree.lookup(1, a) as SimNode, broken: () => broken };
}

function kindsOf(stream: ChangeStream): number[] {
  const reader = new FrameReader();
  const kinds: number[] = [];
  for (let at = 0; at < stream.writer.length; kinds.push(reader.frame.kind))
    at += reader.read(stream.writer.bytes, at, stream.writer.length);
  return kinds;
}

it('is written on the other side too after its known name was removed', () => {
  const { tree, stream, open } = setUp();
  tree.disk.unlink(tree.root.inode, 'a', false);
  stream.unlink(open, tree.root, a, false, now);
  tree.recordRemoved(open, tree.root, a);
  stream.write(open, 0, b, 0, 1, now);
  expect(kindsOf(stream)).toEqual([kind.bind, kind.unlink, kind.write]);
});

it('is written on the other side too after another file was moved over its known name', () => {
  const { tree, stream, open } = setUp();
  const mover = tree.lookup(1, c) as SimNode;
  tree.disk.rename(tree.root.inode, 'c', tree.root.inode, 'a', false);
  stream.rename(mover, tree.root, c, tree.root, a, null, open, now, now);
  tree.recordRenamed(mover, tree.root, c, tree.root, a, open, false);
  stream.write(open, 0, b, 0, 1, now);
  expect(kindsOf(stream)).toEqual([kind.bind, kind.rename, kind.write]);
});

it.each(['write', 'sync', 'link'] as const)(
  'ends the link and the marks when no name of it is known in a later session: %s',
  (change) => {
    const { tree, stream, open, broken } = setUp();
    tree.disk.unlink(tree.root.inode, 'a', false);
    stream.unlink(open, tree.root, a, false, now);
    tree.recordRemoved(open, tree.root, a);
    stream.begin(true);
    stream.marks.begin(7);
    if (change === 'write') stream.write(open, 0, b, 0, 1, now);
    if (change === 'link') stream.link(open, tree.root, Buffer.from('d'), new Attributes(), now);
    // Nobody may say that it is on the other disk.
    expect(stream.sync(open, true)).toBeGreaterThan(0);
    expect(kindsOf(stream)).toEqual([]);
    expect([broken(), stream.open, stream.marks.kept]).toEqual([1, false, false]);
  },
);

it('ends the link and the marks when it cannot be read whether a file has other names', () => {
  const { tree, stream, open, broken } = setUp();
  stream.marks.begin(7);
  tree.attributes = () => -5;
  tree.disk.unlink(tree.root.inode, 'a', false);
  stream.unlink(open, tree.root, a, false, now);
  expect([broken(), stream.marks.kept]).toEqual([1, false]);
});
