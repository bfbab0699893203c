import { expect, it } from 'vitest';
import { clusterRecordSchema } from '../../agent/contract/configuration.ts';
import { makeClusterRecord, parseConfiguration } from './index.ts';

const text = `version: 1
cluster: site-a
nodes:
  - { name: n1, ssh: root@10.77.0.11 }
  - { name: n2, ssh: root@10.77.0.12 }
modules:
  - { name: db, kind: mirror, replicate: [{ path: /data/db }], vip: 10.77.0.50/24, start: a, stop: b }
`;
const machines = {
  networks: [{ name: 'lan', subnet: '10.77.0.0/24' }],
  addresses: [['10.77.0.11'], ['10.77.0.12']],
  witnessAddress: '10.77.0.13',
};
let count = 0;
const uuid = (): string => `uuid-${++count}`;

it('is valid, keeps identities, and keeps the revision as long as nothing else changes', () => {
  const first = makeClusterRecord(parseConfiguration(text, 'x'), machines, null, uuid);
  expect(clusterRecordSchema.parse(first)).toEqual(first);
  expect(first.revision).toBe(1);
  expect(makeClusterRecord(parseConfiguration(text, 'x'), machines, first, uuid)).toEqual(first);

  const changed = makeClusterRecord(
    parseConfiguration(text.replace('start: a', 'start: c'), 'x'),
    machines,
    first,
    uuid,
  );
  expect(changed.revision).toBe(2);
  expect(changed.clusterUuid).toBe(first.clusterUuid);
  expect(changed.modules[0]?.volumes).toEqual(first.modules[0]?.volumes);

  const moved = makeClusterRecord(
    parseConfiguration(text.replace('/data/db', '/data/other'), 'x'),
    machines,
    first,
    uuid,
  );
  expect(moved.modules[0]?.volumes[0]?.volumeUuid).not.toBe(first.modules[0]?.volumes[0]?.volumeUuid);
});

it.each(['received', 'durable', 'write-through'] as const)('tells the nodes `acknowledge: %s`', (level) => {
  const written = text.replace('start: a', `acknowledge: ${level}, start: a`);
  const record = makeClusterRecord(parseConfiguration(written, 'x'), machines, null, uuid);
  expect(record.modules[0]?.acknowledge).toBe(level);
});

it('is `durable` when nobody says otherwise, also in a record of an earlier version', () => {
  const record = makeClusterRecord(parseConfiguration(text, 'x'), machines, null, uuid);
  const { acknowledge, ...earlier } = record.modules[0]!;
  expect(acknowledge).toBe('durable');
  expect(clusterRecordSchema.parse({ ...record, modules: [earlier] })).toEqual(record);
});
