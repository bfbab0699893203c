/** What moved is told before anything else is served: that must stay short, whatever has happened. */
import { expect, it } from 'vitest';
import { FrameWriter } from '../../../agent/replication/change-codec.ts';
import { ChangeStream } from '../../../agent/replication/change-stream.ts';
import { MarkedWalk } from '../../../agent/replication/marked-walk.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';

const movedMax = 4;

it('tells the old places of so many objects, of directories first', () => {
  const disk = new MemoryDisk();
  const tree = new MemoryTree(disk, [new Memory(4096)]);
  const stream = new ChangeStream(
    tree,
    new FrameWriter(Buffer.alloc(4 << 20)),
    { flush: () => undefined, acknowledged: () => 0, breakLink: () => undefined },
    { changesAllowed: () => true, park: () => false, syncWaits: () => false, localFailure: () => undefined },
  );
  stream.begin(true);
  stream.marks.begin(7);
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
