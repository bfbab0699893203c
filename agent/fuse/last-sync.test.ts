import { describe, expect, it } from 'vitest';
import { LastSync } from './last-sync.ts';

const [changed, sequence, session] = [7, 40, 2];

function synced(dataOnly: boolean): LastSync {
  const last = new LastSync();
  last.begin(changed, sequence, session, dataOnly);
  last.succeed();
  return last;
}

describe('the last sync of an open file', () => {
  it('covers nothing before there was one', () => {
    expect(new LastSync().covers(0, 0, true)).toBe(false);
  });

  it('covers the next one as long as nothing has changed, over the same link', () => {
    expect(synced(true).covers(changed, session, true)).toBe(true);
    expect(synced(true).covers(changed + 1, session, true)).toBe(false);
    expect(synced(true).covers(changed, session + 1, true)).toBe(false);
  });

  it('of contents alone covers no attributes', () => {
    expect([true, false].map((dataOnly) => synced(true).covers(changed, session, dataOnly))).toEqual([true, false]);
    expect([true, false].map((dataOnly) => synced(false).covers(changed, session, dataOnly))).toEqual([true, true]);
  });

  it('covers nothing while it is under way, nor when it failed, nor when no peer was asked', () => {
    const last = synced(false);
    last.begin(changed, sequence + 1, session, true);
    expect(last.covers(changed, session, true)).toBe(false);
    last.begin(changed, 0, session, true);
    last.succeed();
    expect(last.covers(changed, session, true)).toBe(false);
  });
});
