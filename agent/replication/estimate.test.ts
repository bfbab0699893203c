import { describe, expect, test } from 'vitest';
import type { ResyncEstimate } from '../contract/index.ts';
import type { Node } from '../fuse/index.ts';
import type { Attributes } from '../sys/attributes.ts';
import { EstimateRun } from './estimate.ts';
import type { EstimateCircumstances } from './estimate.ts';
import { Marks } from './marks.ts';

const directoryType = 0o040000;
const fileType = 0o100000;
let nextId = 2;
function object(name: string, parent: Node | null, type = fileType): Node {
  return {
    id: nextId++,
    parent,
    name: Buffer.from(name),
    type,
    boundSession: 0,
    changed: 0,
    lastChange: 0,
    unlinked: false,
  };
}
const root: Node = { ...object('', null, directoryType), id: 1 };

const time = { ms: 0 };
const usual: EstimateCircumstances = {
  filesMax: 100,
  inSync: false,
  whole: null,
  used: { bytes: 5_000_000, objects: 321 },
  bytesPerSecond: null,
  nowMs: () => time.ms,
};
const sizes = new Map<number, number>();
const tree = {
  attributes: (id: number, into: Attributes): number => {
    into.size = sizes.get(id) ?? 0;
    return 0;
  },
};
function log(): Marks {
  const marks = new Marks({ hold: () => undefined, release: () => undefined });
  marks.begin(7);
  marks.disconnected();
  return marks;
}
function estimate(marks: Marks, change: Partial<EstimateCircumstances> = {}): ResyncEstimate {
  const run = new EstimateRun(tree, marks, { ...usual, ...change });
  for (let steps = 0; steps < 10_000; steps++) {
    const told = run.step();
    if (told) return told;
  }
  throw new Error('it does not end');
}
function file(name: string, size: number, parent: Node = root): Node {
  const node = object(name, parent);
  sizes.set(node.id, size);
  return node;
}

describe('what is marked', () => {
  test('counts what was written of a file, all of one that was made, and nothing of one that was only moved', () => {
    const marks = log();
    marks.content(file('written', 10_000_000), 0, 100);
    marks.made(file('made', 3000), root, Buffer.from('made'));
    marks.moved(file('moved', 1e9), root, Buffer.from('old'));
    marks.attributes(file('owned', 1e9));
    const told = estimate(marks);
    expect(told).toMatchObject({ scope: 'marks', why: null, objects: 5, names: 2, bytes: 65_536 + 3000 });
    expect(told.files.map(({ path, kind, bytes }) => [path, kind, bytes])).toEqual([
      ['written', 'content', 65_536],
      ['', 'names', 0],
      ['made', 'new', 3000],
      ['moved', 'moved', 0],
      ['owned', 'attributes', 0],
    ]);
  });

  test('never promises less than a file may need: from an offset on, up to its end', () => {
    const marks = log();
    marks.contentFrom(file('shortened', 200_000), 65_536);
    expect(estimate(marks).bytes).toBe(200_000 - 65_536);
  });

  test('what was removed is a name and no more; a directory of unknown place is said to be compared whole', () => {
    const marks = log();
    const gone = file('gone', 1e6);
    marks.content(gone, 0, 1e6);
    marks.removed(gone, root, Buffer.from('gone'));
    expect(estimate(marks)).toMatchObject({ objects: 1, names: 1, bytes: 0, wholeDirectories: 0 });
    marks.attempt();
    marks.moved(object('sub', root, directoryType), root, Buffer.from('elsewhere'));
    expect(estimate(marks).wholeDirectories).toBe(1);
  });

  test('the list is as long as it was asked for, the count is not', () => {
    const marks = log();
    for (let n = 0; n < 500; n++) marks.attributes(file(`f${n}`, 1));
    const told = estimate(marks, { filesMax: 3 });
    expect(told.files).toHaveLength(3);
    expect(told.objects).toBe(500);
  });

  test('a step is bounded: by objects, and by the time that they take', () => {
    const marks = log();
    for (let n = 0; n < 1000; n++) marks.content(file(`f${n}`, 10), 0, 10);
    let looked = 0;
    const counting = { attributes: (id: number, into: Attributes) => (looked++, tree.attributes(id, into)) };
    const run = new EstimateRun(counting, marks, usual);
    expect(run.step()).toBeNull();
    expect(looked).toBeLessThanOrEqual(64);
    const slow = { attributes: (id: number, into: Attributes) => ((time.ms += 1), tree.attributes(id, into)) };
    const before = time.ms;
    new EstimateRun(slow, marks, usual).step();
    expect(time.ms - before).toBeLessThanOrEqual(3);
  });
});

describe('everything', () => {
  test.each([
    ['no log', () => new Marks({ hold: () => undefined, release: () => undefined }), {}, 'no-log'],
    ['a failed sync', log, { whole: 'unwritten' }, 'unwritten'],
    ['a copy that was found to differ', log, { whole: 'copies-differ' }, 'copies-differ'],
  ] as const)('%s', (_what, marks, change, why) => {
    expect(estimate(marks(), change)).toMatchObject({ scope: 'everything', why, bytes: 5_000_000, objects: 321 });
  });

  test('more changes than the log holds', () => {
    const marks = new Marks({ hold: () => undefined, release: () => undefined }, 2000);
    marks.begin(7);
    for (let n = 0; n < 10; n++) marks.attributes(file(`f${n}`, 1));
    marks.tidy();
    expect(estimate(marks)).toMatchObject({ scope: 'everything', why: 'too-many-changes' });
  });

  test('a log that ends in the middle ends the counting', () => {
    const marks = log();
    for (let n = 0; n < 200; n++) marks.attributes(file(`f${n}`, 1));
    const run = new EstimateRun(tree, marks, usual);
    expect(run.step()).toBeNull();
    marks.end();
    expect(run.step()).toMatchObject({ scope: 'everything', why: 'no-log', files: [] });
  });

  test('a filesystem that does not say what it holds leaves it open', () => {
    const told = estimate(new Marks({ hold: () => undefined, release: () => undefined }), { used: null });
    expect(told).toMatchObject({ bytes: null, objects: null, seconds: null });
  });
});

test('in sync nothing is to be compared; the time follows from the last rate', () => {
  expect(estimate(log(), { inSync: true })).toMatchObject({ scope: 'nothing', bytes: 0 });
  const marks = log();
  marks.content(file('f', 131_072), 0, 131_072);
  expect(estimate(marks, { bytesPerSecond: 65_536 })).toMatchObject({ seconds: 2 });
});
