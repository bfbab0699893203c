import { afterEach, describe, expect, it } from 'vitest';
import { E, ThreadIdentity } from '../sys/linux.ts';
import type { Backing } from './backing.ts';
import type { ChangeSink } from './change-sink.ts';
import { KeptMemory, makeKeptFile } from './kept-memory.ts';
import { Service } from './service.ts';

const keptFd = makeKeptFile();
const memories: KeptMemory[] = [];
afterEach(() => {
  for (const memory of memories.splice(0)) {
    memory.asking = 0;
    memory.close();
  }
});

const first = 7;
const second = 8;
class Killed extends Error {}

/** A disk with an error that each description tells once; `killedIn` never comes back to its caller. */
class Disk {
  readonly untold = new Set<number>();
  killedIn: number | null = null;

  syncAll(fd = first): number {
    const status = this.untold.delete(fd) ? -E.IO : 0;
    if (this.killedIn === fd) throw new Killed();
    return status;
  }
}

/** Nobody's requests are carried out here. */
const nobody = Object.create(ThreadIdentity.prototype) as ThreadIdentity;

function take(disk: Disk): Service {
  const kept = new KeptMemory(keptFd);
  memories.push(kept);
  kept.askedFd = first;
  kept.unaskedFd = second;
  const service = new Service(disk as unknown as Backing, {} as ChangeSink, 'none', nobody, kept);
  service.takeOverErrors();
  return service;
}
/** As the thread does that asks in place of the lane. */
function ask(service: Service, disk: Disk): Service {
  const descriptions = service.descriptionsToAsk();
  if (descriptions.length > 0) service.heard(Math.min(...descriptions.map((fd) => disk.syncAll(fd))));
  return service;
}
function isGood(disk: Disk): boolean {
  return ask(take(disk), disk).formerErrorsAllowSync();
}
function killIn(disk: Disk, fd: number): void {
  disk.killedIn = fd;
  expect(() => isGood(disk)).toThrow(Killed);
  disk.killedIn = null;
}

describe('an error that syncfs tells once', () => {
  it('is heard by the successor of one that was killed before it could record it', () => {
    const disk = new Disk();
    disk.untold.add(first).add(second);
    killIn(disk, first);
    expect(isGood(disk)).toBe(false);
  });

  it('counts for every successor of one that has heard it, whatever it recorded', () => {
    const disk = new Disk();
    disk.untold.add(first);
    expect(isGood(disk)).toBe(false);
    const successor = ask(take(disk), disk);
    expect([successor.formerErrorsAllowSync(), successor.syncAll()]).toEqual([false, -E.IO]);
  });

  it('is taken for granted when the second description was asked and nobody knows the answer', () => {
    const disk = new Disk();
    killIn(disk, first);
    killIn(disk, second);
    expect(isGood(disk)).toBe(false);
  });

  it('is not invented when a good disk was asked, and once more', () => {
    const disk = new Disk();
    expect(isGood(disk)).toBe(true);
    killIn(disk, first);
    expect(isGood(disk)).toBe(true);
    expect(isGood(disk)).toBe(true);
  });

  it('is heard before anything is called synced', () => {
    const disk = new Disk();
    const service = take(disk);
    expect(service.formerErrors).toBe('unheard');
    expect(() => service.formerErrorsAllowSync()).toThrow('before it is known');
    expect(ask(service, disk).formerErrorsAllowSync()).toBe(true);
  });

  it('is not forgotten when the lane has heard it while somebody else asked', () => {
    const disk = new Disk();
    disk.untold.add(first);
    const service = take(disk);
    service.descriptionsToAsk();
    expect(service.syncAll()).toBe(-E.IO);
    service.heard(0);
    expect([service.formerErrorsAllowSync(), isGood(disk)]).toEqual([false, false]);
  });
});
