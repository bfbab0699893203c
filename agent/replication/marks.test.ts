import { describe, expect, it } from 'vitest';
import type { Node } from '../fuse/index.ts';
import { Marks } from './marks.ts';

interface TestNode extends Node {
  unlinked: boolean;
}

class Table {
  readonly held = new Map<number, number>();
  readonly marks = new Marks({
    hold: (id) => this.held.set(id, (this.held.get(id) ?? 0) + 1),
    release: (id) => {
      const left = (this.held.get(id) ?? 0) - 1;
      if (left < 0) throw new Error(`${id} was not held`);
      if (left === 0) this.held.delete(id);
      else this.held.set(id, left);
    },
  });
  node(id: number, type = 0o100000, parent: Node | null = null): TestNode {
    return {
      id,
      parent,
      name: Buffer.from(`n${id}`),
      type,
      boundSession: 0,
      changed: 0,
      lastChange: 0,
      unlinked: false,
    };
  }
}

const directory = 0o040000;
const name = Buffer.from('name');

describe('marks', () => {
  it('keeps nothing until a log begins, and nothing beyond its end', () => {
    const { marks, held, node } = new Table();
    marks.content(node(2), 0, 10);
    expect(marks.cover(null)).toBe(false);
    marks.begin(7);
    marks.content(node(2), 0, 10);
    marks.end();
    marks.tidy();
    expect([marks.kept, marks.size, held.size]).toEqual([false, 0, 0]);
  });

  it('lets go only what the checkpoint that the peer confirms covers', () => {
    const { marks, held, node } = new Table();
    marks.begin(7);
    marks.content(node(2), 0, 10);
    const checkpoint = marks.settle();
    marks.content(node(3), 0, 10);
    marks.content(node(2), 1 << 20, 10);
    marks.confirmed(checkpoint - 1);
    marks.disconnected();
    expect([...marks].map(([id]) => id).sort()).toEqual([2, 3]);
    expect(marks.get(2)?.extents?.ranges(1 << 30)).toHaveLength(2);
    const next = marks.settle();
    marks.attributes(node(4));
    marks.confirmed(next);
    marks.tidy();
    expect([...marks].map(([id]) => id)).toEqual([4]);
    expect([...held]).toEqual([[4, 1]]);
  });

  it('takes no late answer to a former log for one of this log', () => {
    const { marks, node } = new Table();
    marks.begin(7);
    const late = marks.settle();
    marks.begin(8);
    marks.content(node(2), 0, 10);
    expect(marks.settle()).not.toBe(late);
    marks.confirmed(late);
    expect(marks.settling).toBe(true);
    marks.adopt(9, 40, 38);
    expect([marks.stamp, marks.settle()]).toEqual([{ log: 9, checkpoint: 40 }, 41]);
  });

  it('does not keep a file that is gone until the peer has confirmed', () => {
    const { marks, held, node } = new Table();
    marks.begin(7);
    const file = node(2);
    marks.content(file, 0, 10);
    const checkpoint = marks.settle();
    marks.removed(file, node(1, directory), name);
    marks.tidy();
    expect([...held.keys()]).toEqual([1]);
    marks.confirmed(checkpoint);
    marks.disconnected();
    marks.tidy();
    expect([...marks].map(([id]) => id)).toEqual([1]);
  });

  it('knows a peer that was set back, and one that has more than it could say', () => {
    const { marks, node } = new Table();
    marks.begin(7);
    expect(marks.cover({ log: 7, checkpoint: 1 })).toBe(true);
    marks.attributes(node(2));
    const checkpoint = marks.settle();
    expect(marks.cover({ log: 7, checkpoint })).toBe(true);
    marks.confirmed(checkpoint);
    expect(marks.cover({ log: 7, checkpoint })).toBe(true);
    expect(marks.cover({ log: 7, checkpoint: checkpoint - 1 })).toBe(false);
    expect(marks.cover({ log: 7, checkpoint: checkpoint + 1 })).toBe(false);
    expect(marks.cover({ log: 8, checkpoint })).toBe(false);
    expect(marks.cover(null)).toBe(false);
  });

  it('knows an old place only of what moved while the peer stood still', () => {
    const { marks, node } = new Table();
    const [one, other] = [node(10, directory), node(11, directory)];
    marks.begin(7);
    marks.moved(node(2), one, name);
    expect(marks.get(2)?.placed).toBe('unknown');
    marks.disconnected();
    const file = node(3);
    marks.moved(file, one, name);
    marks.placed(file, other, name);
    marks.moved(file, other, name);
    expect(marks.get(3)).toMatchObject({ placed: 'moved', oldParent: 10 });
    expect([...(marks.get(10)?.names ?? [])]).toEqual(['name']);
    marks.moved(node(2), one, name);
    expect(marks.get(2)?.placed).toBe('unknown');
    // What was begun and not ended may have moved it.
    marks.attempt();
    expect(marks.get(3)?.placed).toBe('moved');
    marks.disconnected();
    expect(marks.get(3)?.placed).toBe('unknown');
  });

  it('remembers where a removed directory stood, and lets go of removed files', () => {
    const { marks, held, node } = new Table();
    const root = node(1, directory);
    marks.begin(7);
    marks.disconnected();
    marks.removed(node(2, directory), root, name);
    marks.content(node(3), 0, 1);
    marks.removed(node(3), root, Buffer.from('file'));
    marks.made(node(4, directory), root, Buffer.from('new'));
    marks.removed(node(4, directory), root, Buffer.from('new'));
    marks.tidy();
    expect([...marks].map(([id, mark]) => [id, mark.node === null])).toEqual([
      [1, false],
      [2, true],
    ]);
    expect([...held.keys()]).toEqual([1]);
  });

  it('gives up beyond its memory', () => {
    const { marks, held, node } = new Table();
    marks.begin(7);
    for (let id = 2; id < 150_000; id++) marks.attributes(node(id));
    expect(marks.cover({ log: 7, checkpoint: 1 })).toBe(false);
    marks.tidy();
    expect([marks.kept, held.size, marks.hasOverflown]).toEqual([false, 0, true]);
    // What ends it after that is another reason.
    marks.end();
    expect(marks.hasOverflown).toBe(false);
  });
});
