import { expect, test } from 'vitest';
import type { VolumeSpace } from '../../agent/contract/forks.ts';
import type { ModuleStatus } from '../cluster/orders.ts';
import { comparisonText, fullDisk, keptText, mustBeForked } from './fork-command.ts';

type Node = ModuleStatus['nodes'][number];

function module(n1: Partial<Node>, n2: Partial<Node>): ModuleStatus {
  return {
    name: 'db',
    nodes: [
      { name: 'n1', state: 'wait', data: 'forked', ...n1 },
      { name: 'n2', state: 'wait', data: 'forked', ...n2 },
    ],
  } as ModuleStatus;
}

test('only copies that have forked are set aside, or where that was begun and interrupted', () => {
  const may = (one: ModuleStatus): boolean => {
    try {
      mustBeForked(one, 'n1', 'n2');
      return true;
    } catch {
      return false;
    }
  };
  expect(may(module({}, {}))).toBe(true);
  expect(may(module({ state: 'alone', data: 'up-to-date' }, {}))).toBe(true);
  expect(may(module({ data: 'up-to-date' }, { state: 'stopped', data: 'stale' }))).toBe(true);
  expect(may(module({ state: 'primary', data: 'up-to-date' }, { state: 'secondary', data: 'up-to-date' }))).toBe(false);
  expect(may(module({ state: 'primary', data: 'up-to-date' }, { state: 'secondary', data: 'resynchronising' }))).toBe(
    false,
  );
  // Nobody keeps a version that is not known to be whole.
  expect(may(module({ data: 'stale' }, {}))).toBe(false);
  expect(may(module({ data: 'unknown' }, {}))).toBe(false);
});

test('what is kept is one line: where, since when, how large', () => {
  const kept = {
    node: 'n2',
    id: 'db.kept-1',
    directory: '/data/db.kept-1',
    volume: 'db/0',
    path: '/data/db',
    at: '2026-11-27T01:02:03.000Z',
    complete: true,
    generation: null,
    bytes: 5_000_000,
  };
  expect(keptText(kept)).toMatch(
    /^n2 {2}db\.kept-1 {2}since 2026-11-27T01:02:03\.000Z {2}\S+ \S+ {2}\/data\/db\.kept-1\n$/,
  );
  expect(keptText({ ...kept, complete: false, bytes: null })).toContain('interrupted');
});

test('a comparison says how many are the same, and lists the others', () => {
  const modified = '2026-11-27T01:02:03.000Z';
  const text = comparisonText({
    same: 7,
    differing: 3,
    differences: [
      { path: 'a', kind: 'only-kept', kept: { type: 'file', bytes: 1000, modified }, living: null },
      {
        path: 'b',
        kind: 'differs',
        kept: { type: 'directory', bytes: 0, modified },
        living: { type: 'link', bytes: 1, modified },
      },
    ],
  });
  expect(text).toContain('7 the same, 3 different.');
  expect(text).toContain('only set aside: a');
  expect(text).toContain('differs: b   set aside: directory');
  expect(text).toContain('and 1 more');
});

test('what two disks need is not asked of one of them; what one disk needs for two directories is', () => {
  const gigabyte = 1e9;
  const space = (volume: string, disk: string, freeBytes: number, dataBytes: number | null): VolumeSpace => ({
    volume,
    path: `/${volume}`,
    disk,
    freeBytes,
    dataBytes,
  });
  const needed = [space('db/0', 'x', 0, 4 * gigabyte), space('db/1', 'x', 0, 4 * gigabyte)];
  const free = (first: string, second: string, bytes: number): VolumeSpace[] => [
    space('db/0', first, bytes, null),
    space('db/1', second, bytes, null),
  ];
  expect(fullDisk(needed, free('1', '2', 5 * gigabyte))).toBeNull();
  expect(fullDisk(needed, free('1', '1', 5 * gigabyte))).toMatchObject({
    paths: ['/db/0', '/db/1'],
    neededBytes: 8 * gigabyte,
  });
  expect(fullDisk(needed, free('1', '2', 4 * gigabyte))?.paths).toEqual(['/db/0']);
  expect(fullDisk([space('db/0', 'x', 0, null)], free('1', '2', gigabyte))).toBeNull();
});
