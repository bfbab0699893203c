/** After a failed sync the page cache says that what the disk lacks is there: a comparison must not believe it. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { FrameReader, FrameWriter } from '../../../agent/replication/change-codec.ts';
import { ResyncTarget } from '../../../agent/replication/resync-target.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';

const content = Buffer.from('read from memory');
const blockBytes = 64 * 1024;

/** Which blocks of an equal file the target asks for. */
function needed(rewrites: boolean): number[] {
  const disk = new MemoryDisk();
  const file = disk.make(disk.get(1), 'a', 0o100000, 0o600, 0, Buffer.alloc(0));
  disk.write(file as Exclude<typeof file, number>, content, 0);
  const buffer = new Memory(1 << 20);
  const tree = new MemoryTree(disk, [buffer]);
  const node = tree.bind(7, 1, Buffer.from('a'));
  if (typeof node === 'number') throw new Error('the file is not there');
  const writer = new FrameWriter(Buffer.alloc(4 << 20));
  writer.blocks(7, 0, content.length, blockBytes, createHash('sha256').update(content).digest());
  const reader = new FrameReader();
  reader.read(writer.bytes, 0, writer.length);
  const answers: Uint8Array[] = [];
  const target = new ResyncTarget(tree, buffer, (_sequence, blocks) => answers.push(blocks), rewrites);
  target.begin();
  expect(target.apply(reader.frame)).toBe(0);
  return answers.flatMap((blocks) => [...blocks]);
}

it('asks for nothing that is the same', () => {
  expect(needed(false)).toEqual([0]);
});
it('asks for everything while a sync has failed', () => {
  expect(needed(true)).toEqual([1]);
});
