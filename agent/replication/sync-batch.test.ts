import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { E } from '../sys/linux.ts';
import { KernelSyncs } from './kernel-syncs.ts';
import { ObjectSyncs } from './object-syncs.ts';
import { SyncBatch, syncsMax } from './sync-batch.ts';
import type { Syncer } from './sync-batch.ts';

const failing = 7;
const statusOf = (fd: number): number => (fd === failing ? -5 : 0);

/** Begins `begins` of them at most, and tells of `tells` at once. */
class SomeSyncs implements Syncer {
  readonly done = new Map<number, boolean>();
  readonly #begins: number;
  readonly #tells: number;
  readonly #put: { fd: number; dataOnly: boolean }[] = [];
  #underWay: number[] = [];
  #told: number[] = [];

  constructor(begins: number, tells: number) {
    this.#begins = begins;
    this.#tells = tells;
  }

  sync(fd: number, dataOnly: boolean): number {
    expect(this.done.has(fd)).toBe(false);
    this.done.set(fd, dataOnly);
    return statusOf(fd);
  }
  put(index: number, fd: number, dataOnly: boolean): void {
    this.#put[index] = { fd, dataOnly };
  }
  start(count: number): number {
    this.#underWay = [...Array(Math.min(count, this.#begins)).keys()];
    for (const place of this.#underWay) this.sync(this.#put[place]?.fd ?? -1, this.#put[place]?.dataOnly ?? false);
    return this.#underWay.length;
  }
  reap(): number {
    // The last one first: they end in any order.
    this.#told = this.#underWay.splice(-this.#tells);
    return this.#told.length;
  }
  endedPlace(index: number): number {
    return this.#told[index] ?? -1;
  }
  endedStatus(index: number): number {
    return statusOf(this.#put[this.endedPlace(index)]?.fd ?? -1);
  }
}

describe('syncs that are made together', () => {
  it('sync each file once, as a whole when anybody asks for that, whoever makes them', () => {
    const one = fc.record({ fd: fc.integer({ min: 3, max: 9 }), dataOnly: fc.boolean() });
    const many = fc.array(one, { minLength: 1, maxLength: syncsMax });
    fc.assert(
      fc.property(many, fc.nat(8), fc.integer({ min: 1, max: 4 }), (requests, begins, tells) => {
        const syncer = new SomeSyncs(begins, tells);
        const batch = new SyncBatch(syncer);
        for (let round = 0; round < 2; round++) {
          syncer.done.clear();
          const places = requests.map(({ fd, dataOnly }) => batch.add(fd, dataOnly));
          batch.run();
          expect([...syncer.done.keys()].sort()).toEqual([...new Set(requests.map(({ fd }) => fd))].sort());
          for (const [fd, dataOnly] of syncer.done)
            expect(dataOnly).toBe(requests.every((request) => request.fd !== fd || request.dataOnly));
          requests.forEach(({ fd }, index) => {
            expect(batch.statusOf(places[index] ?? 0)).toBe(statusOf(fd));
          });
          batch.clear();
        }
      }),
    );
  });
});

it('a sync of which nobody will ever know is a failed one, and is not tried again', () => {
  const syncer = new SomeSyncs(2, 1);
  const batch = new SyncBatch(syncer);
  for (const fd of [3, 4, 5, 6]) batch.add(fd, true);
  const { reap } = syncer;
  syncer.reap = () => {
    syncer.reap = () => -E.INVAL;
    return reap.call(syncer);
  };
  batch.run();
  // The lane's own two, the one that was told of last begun first, and the one that nobody tells of.
  expect([0, 1, 2, 3].map((place) => batch.statusOf(place))).toEqual([0, -E.IO, 0, 0]);
});

describe('the kernel', () => {
  it('syncs several files at once, and tells of errors', () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-syncs-'));
    const syncer = new KernelSyncs();
    const fds = [...Array(6).keys()].map((name) => openSync(join(directory, String(name)), 'w'));
    try {
      for (const fd of fds) writeSync(fd, 'something');
      // It is the kernel that does it, not the lane in its place.
      fds.forEach((fd, index) => {
        syncer.put(index, fd, true);
      });
      expect(syncer.start(fds.length)).toBe(fds.length);
      for (let ended = 0; ended < fds.length;) ended += syncer.reap();
      const batch = new SyncBatch(syncer);
      for (let round = 0; round < 3; round++) {
        for (const fd of [...fds, 9999]) batch.add(fd, round === 0);
        batch.run();
        expect([...Array(7).keys()].map((place) => batch.statusOf(place))).toEqual([0, 0, 0, 0, 0, 0, -E.BADF]);
        batch.clear();
      }
    } finally {
      syncer.close();
      for (const fd of fds) closeSync(fd);
      rmSync(directory, { recursive: true });
    }
  });
});

it('an object that is asked for twice is synced once, as a whole when one of them wants that', () => {
  const syncs = new ObjectSyncs();
  for (const [id, dataOnly] of [
    [11, true],
    [12, true],
    [11, false],
    [11, true],
  ] as const)
    syncs.add(id, dataOnly);
  expect([syncs.count, syncs.id(0), syncs.isDataOnly(0), syncs.id(1), syncs.isDataOnly(1)]).toEqual([
    2,
    11,
    false,
    12,
    true,
  ]);
});
