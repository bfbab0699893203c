import { expect, it } from 'vitest';
import type { VolumeRecord, VolumeStatus } from '../contract/index.ts';
import { stillToSetUp } from './still-to-set-up.ts';

const volumes = [{ id: 'db/0' }, { id: 'db/1' }];
const generation = { number: 1, id: 'n1-a' };

function known(record: Partial<VolumeRecord> | null): ReadonlyMap<string, VolumeStatus> {
  return new Map([['db/0', { record } as VolumeStatus]]);
}
const good = known({ generation, copy: 'up-to-date', history: [] });
const blank = known({ generation: null, copy: 'stale', history: [] });
const one = { as: 'good', replaceRecord: false } as const;
const other = { as: 'blank', replaceRecord: false } as const;

it('goes on after an interruption between two directories, all of the same generation', () => {
  expect(stillToSetUp(volumes, good, one)).toEqual({ missing: [{ id: 'db/1' }], generation });
  expect(stillToSetUp(volumes, blank, other)).toEqual({ missing: [{ id: 'db/1' }], generation: null });
});

it('sets nothing aside that is set up otherwise than it is wanted: the replicator refuses', () => {
  const all = { missing: volumes, generation: null };
  expect(stillToSetUp(volumes, good, other)).toEqual(all);
  expect(stillToSetUp(volumes, blank, one)).toEqual(all);
  expect(stillToSetUp(volumes, known({ generation, copy: 'stale', history: [] }), one)).toEqual(all);
  expect(stillToSetUp(volumes, known({ generation, copy: 'up-to-date', history: ['z'] }), one)).toEqual(all);
  expect(stillToSetUp(volumes, null, one)).toEqual(all);
});

it('a module that is set up, and a record that is to be replaced, are left to the replicator', () => {
  expect(stillToSetUp([{ id: 'db/0' }], good, one).missing).toHaveLength(1);
  expect(stillToSetUp(volumes, good, { ...one, replaceRecord: true })).toEqual({ missing: volumes, generation: null });
});
