import { expect, it } from 'vitest';
import { TableNode } from './node-table.ts';

const slabOf = (bytes: Buffer): number => bytes.buffer.byteLength;

it('a node that stays keeps its own bytes only, not the slabs in which they came', () => {
  const directory = 0o040000;
  const root = new TableNode(1, directory, Buffer.from('root handle'), 'root');
  const node = new TableNode(2, directory, Buffer.from('handle'), 'key');
  node.addLink({ parent: root, name: Buffer.from('name') });
  expect([slabOf(node.handle), slabOf(node.name)].every((bytes) => bytes > 1000)).toBe(true);
  node.settle();
  expect([slabOf(node.handle), slabOf(node.name)]).toEqual([6, 4]);
  expect([node.handle.toString(), node.name.toString(), node.parent]).toEqual(['handle', 'name', root]);
  node.addLink({ parent: root, name: Buffer.from('later') });
  node.settle();
  expect([slabOf(node.name), node.name.toString()]).toEqual([5, 'later']);
});
