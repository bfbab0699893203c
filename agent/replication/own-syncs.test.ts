import { openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OwnSyncs } from './own-syncs.ts';
import type { spawnLane } from './spawn.ts';

const directoryFd = openSync('/', 'r');
const inputOutputError = -5;

/** Each syncfs says `said` of its description; those that are not named say 0. */
function syncsOf(said: ReadonlyMap<number, number>): { syncs: OwnSyncs; asked: number[] } {
  const asked: number[] = [];
  const spawn: typeof spawnLane = async (_name, data, _ports, onMessage) => {
    if (data.lane !== 'sync') throw new Error(data.lane);
    asked.push(data.directoryFd);
    await Promise.resolve();
    (onMessage as (message: { status: number }) => void)({ status: said.get(data.directoryFd) ?? 0 });
  };
  const syncs = new OwnSyncs(directoryFd, () => undefined, spawn);
  return { syncs, asked };
}

describe('descriptions that are asked elsewhere', () => {
  it('are all asked, the own one too, so that none of them tells the same later', async () => {
    const { syncs, asked } = syncsOf(new Map([[101, inputOutputError]]));
    const answered = Promise.withResolvers<number>();
    syncs.ask([101, 102], false, answered.resolve);
    expect(await answered.promise).toBe(inputOutputError);
    expect([asked.slice(0, 2), asked.length]).toEqual([[101, 102], 3]);
    expect(await syncs.end()).toBe(0);
  });

  it('say something of the disk to whoever has it next, where that counts', async () => {
    const { syncs } = syncsOf(new Map([[101, inputOutputError]]));
    const answered = Promise.withResolvers<number>();
    syncs.ask([101], true, answered.resolve);
    expect(await answered.promise).toBe(inputOutputError);
    expect(await syncs.end()).toBe(inputOutputError);
  });

  it('are not asked once the role is over', async () => {
    const { syncs, asked } = syncsOf(new Map());
    const ended = syncs.end();
    syncs.ask([101], true, () => undefined);
    await ended;
    expect(asked).toEqual([]);
  });
});
