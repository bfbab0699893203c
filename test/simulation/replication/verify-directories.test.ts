/** Directories that wait for their comparison: found wherever they are moved, or by name once there are very many; none is held for ever. */
import { expect, it } from 'vitest';
import { PendingDirectories } from '../../../agent/replication/verify-directories.ts';
import { Memory } from '../../../agent/sys/memory.ts';
import { MemoryDisk } from './memory-disk.ts';
import { MemoryTree } from './memory-tree.ts';

const directoryType = 0o040000;
const count = 10;

function begin(max: number): { disk: MemoryDisk; tree: MemoryTree; pending: PendingDirectories } {
  const disk = new MemoryDisk();
  for (let n = 0; n < count; n++) disk.make(disk.get(1), `d${n}`, directoryType, 0o700, 0, Buffer.alloc(0));
  const tree = new MemoryTree(disk, [new Memory(4096)]);
  const pending = new PendingDirectories(tree, (id) => tree.forget(id), max);
  for (let n = 0; n < count; n++) {
    const node = tree.lookup(1, Buffer.from(`d${n}`));
    if (typeof node === 'number') throw new Error(`d${n}: ${node}`);
    pending.add(node);
  }
  return { disk, tree, pending };
}

function drain(tree: MemoryTree, pending: PendingDirectories): string[] {
  const names: string[] = [];
  while (!pending.empty) {
    const next = pending.next();
    if (next === null || next === 'gone') continue;
    if ('error' in next) throw new Error(String(next.error));
    names.push(next.node.name.toString());
    tree.forget(next.node.id);
  }
  return names.sort();
}
const known = (tree: MemoryTree): number =>
  Array.from({ length: 100 }, (_, id) => tree.node(id)).filter(Boolean).length;

it('holds no more nodes than it may, and still comes to every directory once', () => {
  const { tree, pending } = begin(3);
  expect(known(tree)).toBe(1 + 3);
  expect(drain(tree, pending)).toEqual(Array.from({ length: count }, (_, n) => `d${n}`));
  expect(known(tree)).toBe(1);
});

it('passes over what is gone or is no directory any more', () => {
  const { disk, tree, pending } = begin(3);
  for (const name of ['d8', 'd9']) disk.unlink(disk.get(1), name, true);
  disk.make(disk.get(1), 'd9', 0o100000, 0o600, 0, Buffer.alloc(0));
  expect(drain(tree, pending)).toEqual(Array.from({ length: 8 }, (_, n) => `d${n}`));
  expect(known(tree)).toBe(1);
});

it('lets go of everything when the comparison ends early', () => {
  const { tree, pending } = begin(3);
  pending.clear();
  expect(pending.empty).toBe(true);
  expect(known(tree)).toBe(1);
});

it('says which name cannot be looked up', () => {
  const { tree, pending } = begin(0);
  tree.lookup = () => -5;
  expect(pending.next()).toMatchObject({ name: Buffer.from('d9'), error: -5 });
});
