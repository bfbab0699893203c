import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ObjectSyncs } from './object-syncs.ts';
import { SyncBatch, syncsMax } from './sync-batch.ts';
import { SyncOffers } from './sync-pool.ts';

const fresh = (): SyncOffers => new SyncOffers(new SharedArrayBuffer(SyncOffers.bytes));
const failing = 7;
const statusOf = (fd: number): number => (fd === failing ? -5 : 0);

describe('syncs that are made together', () => {
  it('sync each file once, as a whole when anybody asks for that, whoever helps', () => {
    const one = fc.record({ fd: fc.integer({ min: 3, max: 9 }), dataOnly: fc.boolean() });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: syncsMax }), fc.nat(12), (requests, helps) => {
        const offers = fresh();
        const batch = new SyncBatch();
        for (let round = 0; round < 2; round++) {
          const done = new Map<number, boolean>();
          const sync = (fd: number, dataOnly: boolean): number => {
            expect(done.has(fd)).toBe(false);
            done.set(fd, dataOnly);
            return statusOf(fd);
          };
          const places = requests.map(({ fd, dataOnly }) => batch.add(fd, dataOnly));
          // What other threads do while this one does its first.
          let left = helps;
          batch.run((fd, dataOnly) => {
            while (left-- > 0) offers.workOnce(sync);
            return sync(fd, dataOnly);
          }, offers);
          expect([...done.keys()].sort()).toEqual([...new Set(requests.map(({ fd }) => fd))].sort());
          for (const [fd, dataOnly] of done)
            expect(dataOnly).toBe(requests.every((request) => request.fd !== fd || request.dataOnly));
          requests.forEach(({ fd }, index) => {
            expect(batch.statusOf(places[index] ?? 0)).toBe(statusOf(fd));
          });
          // Nothing is left behind for anybody.
          expect(offers.workOnce(() => 0)).toBe(false);
          batch.clear();
        }
        expect(offers.wanted).toBe(new Set(requests.map(({ fd }) => fd)).size > 1);
      }),
    );
  });

  it('waits for what another thread has taken', async () => {
    const memory = new SharedArrayBuffer(SyncOffers.bytes);
    const script = `
      const { workerData, parentPort } = require('node:worker_threads');
      import(workerData.file).then(({ SyncOffers }) => {
        parentPort.postMessage('ready');
        new SyncOffers(workerData.memory).work((fd) => {
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
          return -fd;
        });
      });`;
    const file = new URL('./sync-pool.ts', import.meta.url).href;
    const worker = new Worker(script, { eval: true, workerData: { memory, file } });
    try {
      await new Promise((resolve) => worker.once('message', resolve));
      const offers = new SyncOffers(memory);
      const batch = new SyncBatch();
      let mine = 0;
      for (let round = 0; round < 20; round++) {
        for (let fd = 3; fd < 8; fd++) batch.add(fd, true);
        batch.run((fd) => {
          mine += 1;
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
          return -fd;
        }, offers);
        for (let place = 0; place < 5; place++) expect(batch.statusOf(place)).toBe(-3 - place);
        batch.clear();
      }
      expect(mine).toBeLessThan(100);
    } finally {
      await worker.terminate();
    }
  });

  it('does everything itself when all places are taken', () => {
    const offers = fresh();
    while (offers.offer(99, true) >= 0);
    const batch = new SyncBatch();
    const done: number[] = [];
    for (const fd of [4, 5, 6]) batch.add(fd, true);
    batch.run((fd) => done.push(fd) * 0, offers);
    expect(done.sort()).toEqual([4, 5, 6]);
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
