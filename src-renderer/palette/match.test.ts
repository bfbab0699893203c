import { expect, test } from 'vitest';
import { matching, matchScore } from './match.ts';

const titles = ['Swap db', 'Stop db on both servers', 'Open terminal on n2', 'Témoin', 'Go to site-a', 'Dark or light'];
const found = (typed: string): string[] =>
  matching(
    typed,
    titles.map((title) => ({ title })),
  ).map(({ title }) => title);

test('nothing typed: everything, in its order', () => {
  expect(found(' ')).toEqual(titles);
});
test('beginnings of words come first', () => {
  expect(found('tn2')[0]).toBe('Open terminal on n2');
  expect(found('sdb')[0]).toBe('Swap db');
  expect(found('stop')[0]).toBe('Stop db on both servers');
});
test('accents and case do not matter', () => {
  expect(found('TEMOIN')).toEqual(['Témoin']);
});
test('a letter too many finds nothing', () => {
  expect(found('swapz')).toEqual([]);
  expect(matchScore('ba', 'ab')).toBeNull();
});
test('keywords find what the title does not say, and rank below titles', () => {
  const actions = [{ title: 'Disks', keywords: 'df space full' }, { title: 'Space' }];
  expect(matching('space', actions).map(({ title }) => title)).toEqual(['Space', 'Disks']);
  expect(matching('full', actions).map(({ title }) => title)).toEqual(['Disks']);
});
