import { expect, test } from 'vitest';
import { repositoryRoot } from '../../resources/tools.ts';
import { mutants } from './mutant-list.ts';
import { changed } from './mutants.ts';

test('every mutant still finds the line that it breaks', () => {
  const changes = mutants.flatMap((mutant) => [mutant, ...(mutant.also === undefined ? [] : [mutant.also])]);
  expect(mutants.length).toBeGreaterThanOrEqual(30);
  expect(changes.filter((change) => changed(repositoryRoot, change) === null).map(({ find }) => find)).toEqual([]);
});
