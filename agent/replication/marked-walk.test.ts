import { describe, expect, it } from 'vitest';
import { rootId } from '../fuse/index.ts';
import type { Node } from '../fuse/index.ts';
import { Attributes } from '../sys/attributes.ts';
import type { ChangeStream } from './change-stream.ts';
import { MarkedWalk } from './marked-walk.ts';
import { Marks } from './marks.ts';
import type { Tree } from './tree.ts';

const directoryMode = 0o040755;
const root = nodeOf(rootId, null, '');
const attributes = Object.assign(new Attributes(), { mode: directoryMode });

function nodeOf(id: number, parent: Node | null, name: string): Node {
  return {
    id,
    parent,
    name: Buffer.from(name),
    type: 0o040000,
    boundSession: 0,
    changed: 0,
    lastChange: 0,
    unlinked: false,
  };
}

/** A directory of which all names but those of directories may differ, listed now. */
function listed(): { marks: Marks; directory: Node; meet: (node: Node) => 'same' | 'whole' } {
  const marks = new Marks({ hold: () => undefined, release: () => undefined });
  const directory = nodeOf(2, root, 'd');
  marks.adopt(7, 1, 1);
  marks.hotEntries(directory);
  const nodes = new Map([root, directory].map((node) => [node.id, node]));
  const kept: Node[] = [];
  const whole: Node[] = [];
  const stream = {
    marks,
    writer: { marked: () => 1 },
    reach: { names: new Map(), addWhole: () => undefined },
    bind: () => true,
    keepHold: (node: Node) => kept.push(node),
  } as unknown as ChangeStream;
  const tree = { node: (id: number) => nodes.get(id), hold: () => undefined } as unknown as Tree;
  const met = { whole: (node: Node) => whole.push(node), part: () => undefined, sent: () => undefined };
  const walk = new MarkedWalk(tree, stream, met);
  walk.begin();
  walk.step();
  expect(whole).toEqual([directory]);
  return {
    marks,
    directory,
    meet: (node) => {
      walk.meetListed(directory, node.name, node, attributes);
      return kept.includes(node) ? 'same' : whole.includes(node) ? 'whole' : expect.fail('not met');
    },
  };
}

describe('a directory of which all names are hot', () => {
  it('has its directories where they were', () => {
    const { directory, meet } = listed();
    expect(meet(nodeOf(3, directory, 'old'))).toBe('same');
  });

  it('meets one as a whole that was renamed, or came from elsewhere, while the walk was on its way', () => {
    const { marks, directory, meet } = listed();
    const renamed = nodeOf(3, directory, 'new');
    marks.moved(renamed, directory, Buffer.from('old'));
    marks.placed(renamed, directory, renamed.name);
    expect(meet(renamed)).toBe('whole');
  });

  it('trusts nothing once the marks have ended', () => {
    const { marks, directory, meet } = listed();
    marks.end();
    expect(meet(nodeOf(3, directory, 'old'))).toBe('whole');
  });
});
