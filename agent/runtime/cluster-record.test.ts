import { expect, it } from 'vitest';
import { stopOrder } from './cluster-record.ts';

it('stops what depends on another module before it', () => {
  const module = (name: string, ...dependsOn: string[]): { name: string; dependsOn: string[] } => ({ name, dependsOn });
  expect(stopOrder([module('db'), module('web', 'app', 'files'), module('files'), module('app', 'db')])).toEqual([
    ['web'],
    ['files', 'app'],
    ['db'],
  ]);
  // Never written by the installer; nobody waits for ever.
  expect(stopOrder([module('a', 'b'), module('b', 'a')])).toEqual([['a', 'b']]);
});
