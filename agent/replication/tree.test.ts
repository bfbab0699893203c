import { expect, it } from 'vitest';
import { Attributes } from '../sys/attributes.ts';
import { setAttributes } from './tree.ts';
import type { Tree } from './tree.ts';

const regular = 0o100000;

function attributesOf(uid: number, mode: number): Attributes {
  return Object.assign(new Attributes(), { uid, gid: 100, mode });
}

/** What is called for an object that belongs to user 1 with mode 4755. */
function callsFor(wanted: Attributes): string[] {
  const calls: string[] = [];
  const note = (name: string) => (): number => calls.push(name) * 0;
  const tree = {
    attributes: (_id: number, into: Attributes): number => {
      Object.assign(into, attributesOf(1, regular | 0o4755));
      return 0;
    },
    setOwner: note('owner'),
    setMode: note('mode'),
    setTimes: note('times'),
  } as unknown as Tree;
  expect(setAttributes(tree, 7, wanted)).toBe(0);
  return calls;
}

it('changes no owner or mode that is so already, and gives the mode again after an owner', () => {
  expect(callsFor(attributesOf(1, regular | 0o4755))).toEqual(['times']);
  expect(callsFor(attributesOf(1, regular | 0o755))).toEqual(['mode', 'times']);
  // chown(2) has taken the set-id bit away.
  expect(callsFor(attributesOf(2, regular | 0o4755))).toEqual(['owner', 'mode', 'times']);
});
