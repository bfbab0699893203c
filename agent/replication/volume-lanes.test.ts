import { openSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { FromSecondary } from './lane-messages.ts';
import type { spawnLane } from './spawn.ts';
import { SecondaryLanes } from './volume-lanes.ts';
import type { LaneSettings } from './volume-lanes.ts';
import { freshBlank } from './volume-lineage.ts';

const settings: LaneSettings = {
  volume: 'm/0',
  path: '/nowhere',
  cache: 'writeback',
  node: 'n1',
  peer: 'n2',
  programVersion: '0',
  endpoints: [],
  tls: { certificateFile: '', keyFile: '', peerCertificateFile: '' },
  acknowledgeTimeoutMs: 1000,
  volumeUuid: 'uuid',
  directoryFd: openSync('/', 'r'),
};
const inputOutputError = -5;

it('end without waiting for a syncfs, and say later what came of it', async () => {
  const [secondary, sync] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  let ask: (message: FromSecondary) => void = () => undefined;
  let finish: (message: { status: number }) => void = () => undefined;
  const spawn: typeof spawnLane = async (_name, data, _ports, onMessage) => {
    if (data.lane === 'sync') finish = onMessage as typeof finish;
    else ask = onMessage as typeof ask;
    await (data.lane === 'sync' ? sync : secondary).promise;
  };
  const lanes = new SecondaryLanes(settings, freshBlank('u'), null, () => undefined, spawn);
  ask({ type: 'sync', call: 1 });
  secondary.resolve(undefined);
  await lanes.ended;
  // Nobody hears it any more: the descriptor that woke the lane may be another one by now.
  finish({ status: inputOutputError });
  lanes.post({ type: 'end' });
  sync.resolve(undefined);
  expect(await lanes.synced).toBe(inputOutputError);
});
