/** The places of the story of every operation (test/e2e/stories/36-every-operation.ts) are read from the sources by their shape: none may be missed. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { placesOnServers } from '../../e2e/harness/operations.ts';

/** The fields of a lane's ports that are operations, and those that a lane makes for itself. */
function operationsIn(file: string): number {
  const source = readFileSync(path.join(import.meta.dirname, '../../../agent/replication', file), 'utf8');
  return [...source.matchAll(/^ {2}readonly #?\w+: Operation\b/gm)].length;
}

it.each([
  ['primary', 'primary-context.ts'],
  ['secondary', 'secondary-lane.ts'],
  ['acknowledgement', 'acknowledgement-lane.ts'],
] as const)('finds every operation of the %s lane once', (lane, file) => {
  const found = placesOnServers().filter((place) => place.lane === lane);
  expect(new Set(found.map(({ operation }) => operation)).size).toBe(found.length);
  expect(found).toHaveLength(operationsIn(file));
});
