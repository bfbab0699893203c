import { expect, it } from 'vitest';
import type { LaneData } from './lane-data.ts';
import { LanePool } from './lane-pool.ts';

class Thread {
  lanes = 0;
  hasEnded = false;
  readonly sharing: string;
  constructor(sharing: string) {
    this.sharing = sharing;
  }
  end(): void {
    this.hasEnded = true;
  }
}

/** Descriptors are told apart by their tens: 11 and 12 are of one disk. */
const filesystemOf = (fd: number): number | null => (fd < 0 ? null : Math.floor(fd / 10));
const lane = (kind: LaneData['lane'], directoryFd = 0): LaneData =>
  ({ lane: kind, directoryFd }) as unknown as LaneData;

function makePool(ownThreadsMax: number): { pool: LanePool<Thread>; place: (data: LaneData) => Thread | null } {
  const pool = new LanePool<Thread>({ ownThreadsMax, sharedThreadsMax: 2 }, filesystemOf);
  return { pool, place: (data) => pool.place(data, (sharing) => new Thread(sharing)) };
}

it('leaves the first lanes of each kind alone, then shares as evenly as it can', () => {
  const { place } = makePool(2);
  const primaries = Array.from({ length: 7 }, () => place(lane('primary')));
  expect(primaries.slice(0, 2)).toEqual([null, null]);
  const threads = new Set(primaries.slice(2));
  expect([...threads].map((thread) => thread?.lanes)).toEqual([3, 2]);
  expect(place(lane('acknowledgement'))).toBeNull();
});

it('gives a place that was left to the next one, and ends a thread without lanes', () => {
  const { pool, place } = makePool(1);
  const own = lane('secondary');
  expect(place(own)).toBeNull();
  const shared = place(lane('secondary'));
  pool.ended(own, null);
  expect(place(own)).toBeNull();
  pool.ended(lane('secondary'), shared);
  expect(shared?.hasEnded).toBe(true);
  const next = place(lane('secondary'));
  expect(next).not.toBe(shared);
  expect(next?.hasEnded).toBe(false);
});

it('puts lanes that touch files together only where they have the same disk', () => {
  const { place } = makePool(0);
  const [first, same, other] = [place(lane('primary', 11)), place(lane('primary', 12)), place(lane('primary', 21))];
  const again = place(lane('primary', 13));
  expect([first?.sharing, same?.sharing, again?.sharing]).toEqual(['primary 1', 'primary 1', 'primary 1']);
  expect(other?.sharing).toBe('primary 2');
  expect(place(lane('secondary', 11))?.sharing).toBe('secondary 1');
});

it('lets nobody share whose disk is not known, or is a thread for something else', () => {
  const { place } = makePool(0);
  expect(place(lane('primary', -1))).toBeNull();
  for (const kind of ['listener', 'unmount', 'sync'] as const) expect(place(lane(kind))).toBeNull();
});
