import { expect, test } from 'vitest';
import type { EventDraft, Verification, VolumeStatus } from '../contract/index.ts';
import { Comparisons } from './comparisons.ts';
import type { ReplicatorPort } from './ports.ts';

const definition = { name: 'db', volumes: [{ id: 'db/0', path: '/data/db', volumeUuid: 'u' }] } as never;
const running: Verification = {
  state: 'running',
  repair: false,
  directories: 1,
  files: 10,
  comparedBytes: 1000,
  bytesPerSecond: null,
  differing: 0,
  minor: 0,
  differences: [],
};
const different: Verification = {
  ...running,
  differing: 1,
  differences: [{ path: 'a/file', kinds: ['content'], bytes: 65536 }],
};

function setUp(): {
  told: EventDraft[];
  calls: string[];
  comparisons: Comparisons;
  see: (v: Verification | null) => void;
} {
  const told: EventDraft[] = [];
  const calls: string[] = [];
  const replicator = {
    call: (method: string, params: unknown) => {
      calls.push(`${method} ${JSON.stringify(params)}`);
      return Promise.resolve(null);
    },
  } as unknown as ReplicatorPort;
  const comparisons = new Comparisons(replicator, (event) => told.push(event));
  const see = (verification: Verification | null): void => {
    const volumes = new Map([['db/0', { id: 'db/0', verification } as unknown as VolumeStatus]]);
    comparisons.look([{ definition }], volumes);
  };
  return { told, calls, comparisons, see };
}

test('every directory of the module is compared, and who ordered it can read that it began', async () => {
  const { told, calls, comparisons } = setUp();
  await comparisons.begin(definition, true);
  await comparisons.stop(definition);
  expect(calls).toEqual(['verify {"volume":"db/0","repair":true}', 'stopVerify {"volume":"db/0"}']);
  expect(told).toMatchObject([{ code: 'verify-began', evidence: { repair: true } }]);
});

test('equal copies are told once, at the end', () => {
  const { told, see } = setUp();
  for (const one of [null, running, running, { ...running, state: 'equal' as const }]) see(one);
  see({ ...running, state: 'equal' });
  expect(told.map(({ code }) => code)).toEqual(['verify-equal']);
  expect(told[0]?.message).toBe('Both copies of /data/db are equal: 10 files compared.');
});

test('a result from before this process began is told again only when it is bad', () => {
  const equal = setUp();
  equal.see({ ...running, state: 'equal' });
  expect(equal.told).toEqual([]);
  const bad = setUp();
  bad.see({ ...different, state: 'different' });
  expect(bad.told.map(({ code }) => code)).toEqual(['copies-differ', 'verify-different']);
});

test('a difference is told when it is found, with what it is, and again when all is known and mended', () => {
  const { told, see } = setUp();
  for (const one of [running, different, { ...different, differing: 2 }]) see(one);
  see({ ...different, state: 'different' });
  see({ ...different, state: 'repairing' });
  see({ ...different, state: 'repaired' });
  expect(told.map(({ code }) => code)).toEqual([
    'copies-differ',
    'verify-different',
    'verify-repairing',
    'verify-repaired',
  ]);
  expect(told[0]).toMatchObject({ severity: 'bad', evidence: { differences: 'a/file (content)' } });
});

test('one that did not come to its end says so', () => {
  const { told, see } = setUp();
  see(running);
  see({ ...running, state: 'interrupted' });
  see({ ...running, state: 'stopped' });
  expect(told.map(({ code }) => code)).toEqual(['verify-interrupted', 'verify-stopped']);
});
