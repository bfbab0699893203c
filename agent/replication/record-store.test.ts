import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault } from '../contract/index.ts';
import type { VolumeRecord } from '../contract/index.ts';
import { RecordStore } from './record-store.ts';
import type { RecordDisk } from './record-store.ts';
import * as lineage from './volume-lineage.ts';

class PowerCut extends Error {}

/** Loses at a power cut whatever was not synced: contents by file, names by directory; each lost or kept as `survives` says. */
class SimulatedDisk implements RecordDisk {
  names = new Map<string, { content: Buffer; durable: Buffer }>();
  durableNames = new Map<string, { content: Buffer; durable: Buffer }>();
  stepsLeft = Infinity;
  where = 'here';
  isFull = false;

  place(): string {
    return this.where;
  }
  #step(): void {
    if (this.stepsLeft-- <= 0) throw new PowerCut();
  }
  read(name: string): Buffer | null {
    return this.names.get(name)?.content ?? null;
  }
  makeDirectory(): void {
    this.#step();
  }
  write(name: string, content: Buffer): void {
    this.#step();
    const file = this.names.get(name) ?? { content, durable: Buffer.alloc(0) };
    file.content = content;
    this.names.set(name, file);
  }
  syncFile(name: string): void {
    this.#step();
    const file = this.names.get(name)!;
    file.durable = file.content;
  }
  rename(name: string, toName: string): void {
    this.#step();
    this.names.set(toName, this.names.get(name)!);
    this.names.delete(name);
  }
  exchange(name: string, otherName: string): void {
    this.#step();
    if (this.isFull) throw new Fault('disk-failed', { message: 'full' }, { errno: 28 });
    const [one, other] = [this.names.get(name)!, this.names.get(otherName)!];
    this.names.set(name, other);
    this.names.set(otherName, one);
  }
  remove(name: string): void {
    this.#step();
    this.names.delete(name);
  }
  syncDirectory(): void {
    this.#step();
    this.durableNames = new Map(this.names);
  }
  powerCut(namesSurvive: boolean, contentsSurvive: boolean | ((sector: number) => boolean)): void {
    if (!namesSurvive) this.names = new Map(this.durableNames);
    for (const file of this.names.values()) {
      const survives = typeof contentsSurvive === 'function' ? contentsSurvive : () => contentsSurvive;
      const sectors = Array.from({ length: Math.ceil(file.content.length / 512) }, (_, sector) =>
        (survives(sector) ? file.content : file.durable).subarray(sector * 512, (sector + 1) * 512),
      );
      file.content = file.durable = Buffer.concat(sectors);
    }
    this.durableNames = new Map(this.names);
    this.stepsLeft = Infinity;
  }
}

const first = lineage.goneAlone(lineage.freshGood('u', null), { number: 1, id: 'g1' });
const second = lineage.goneAlone(first, { number: 2, id: 'g2' });

describe('the volume record', () => {
  it('claims nothing of a copy of the files that somebody has made on another disk', () => {
    const disk = new SimulatedDisk();
    const store = new RecordStore(disk, 'm/0');
    const hot = { log: 3, checkpoint: 4, peer: null };
    const record = { ...first, cleanCheckpoint: 7, marks: { log: 3, checkpoint: 4 }, hot };
    store.create(record);
    expect(store.read('u')).toEqual(record);
    disk.where = 'there';
    expect(store.read('u')).toEqual({ ...record, cleanCheckpoint: null, marks: null, hot: null });
    store.write(record);
    expect(store.read('u')).toEqual(record);
  });

  it('is the old one or the new one after a power cut at any step, never none', () => {
    for (let cutAfter = 0; cutAfter < 5; cutAfter++) {
      for (const [names, contents] of [
        [true, true],
        [true, false],
        [false, true],
        [false, false],
      ] as const) {
        const disk = new SimulatedDisk();
        const store = new RecordStore(disk, 'm/0');
        store.create(first);
        disk.stepsLeft = cutAfter;
        let returned = true;
        try {
          store.write(second);
        } catch (error) {
          expect(error).toBeInstanceOf(PowerCut);
          returned = false;
        }
        disk.powerCut(names, contents);
        const found = store.read('u');
        expect([first, second]).toContainEqual(found);
        if (returned) expect(found).toEqual(second);
        store.write(second);
        expect(store.read('u')).toEqual(second);
      }
    }
  });

  it('is the old one or the new one also where there is no room for an exchange, torn anywhere, and after each further cut', () => {
    const ancestors = Array.from({ length: 20 }, (_, index) => index + 1);
    const long = (which: number): VolumeRecord =>
      ancestors.reduce(
        (record, number) => lineage.goneAlone(record, { number, id: `${which}-${number}-`.padEnd(90, 'x') }),
        first,
      );
    const cut = fc.record({ after: fc.nat(8), sectors: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }) });
    fc.assert(
      fc.property(fc.array(fc.tuple(cut, fc.boolean()), { minLength: 1, maxLength: 6 }), (cuts) => {
        const disk = new SimulatedDisk();
        const store = new RecordStore(disk, 'm/0');
        let held = long(1);
        store.create(held);
        cuts.forEach(([{ after, sectors }, isFull], index) => {
          const next = long(index + 2);
          disk.isFull = isFull;
          disk.stepsLeft = after;
          let returned = true;
          try {
            store.write(next);
          } catch (error) {
            expect(error).toBeInstanceOf(PowerCut);
            returned = false;
          }
          disk.powerCut(sectors[0] === true, (sector) => sectors[sector % sectors.length] === true);
          const found = store.read('u');
          expect(returned ? [next] : [held, next]).toContainEqual(found);
          held = found ?? held;
        });
      }),
    );
  });

  it('is not there, or complete, after a power cut during the first set-up', () => {
    for (let cutAfter = 0; cutAfter <= 16; cutAfter++) {
      for (const survives of [true, false]) {
        const disk = new SimulatedDisk();
        const store = new RecordStore(disk, 'm/0');
        disk.stepsLeft = cutAfter;
        let returned = true;
        try {
          store.create(first);
        } catch {
          returned = false;
        }
        disk.powerCut(survives, survives);
        const found: VolumeRecord | null = store.read('u');
        if (returned) expect(found).toEqual(first);
        else expect([null, first]).toContainEqual(found);
        store.create(second);
        expect(store.read('u')).toEqual(second);
      }
    }
  });

  it('refuses what it does not understand, by name', () => {
    const code = (change: (disk: SimulatedDisk) => void, uuid = 'u'): string => {
      const disk = new SimulatedDisk();
      const store = new RecordStore(disk, 'm/0');
      store.create(first);
      change(disk);
      try {
        store.read(uuid);
        return 'none';
      } catch (error) {
        expect(error).toBeInstanceOf(Fault);
        return (error as Fault).code;
      }
    };
    const put = (name: string, content: string) => (disk: SimulatedDisk) => disk.write(name, Buffer.from(content));
    expect(code(() => undefined)).toBe('none');
    expect(code(() => undefined, 'v')).toBe('not-this-volume');
    expect(code(put('volume.json', '{"format":3,"anything":1}'))).toBe('record-too-new');
    const settingAside = { ...first, format: 2, settingAside: 'data.kept-1' };
    expect(code(put('volume.json', JSON.stringify(settingAside)))).toBe('none');
    expect(code(put('volume.json', ''))).toBe('record-damaged');
    // The successor is an older record: it counts for no damage but our own.
    expect(code(put('volume.json', '\0'.repeat(40 * 1024)))).toBe('record-damaged');
    expect(code(put('volume.json', '{"format":1}'))).toBe('record-damaged');
    expect(code(put('identity.json', '{"format":1,"volumeUuid":"v"}'))).toBe('record-damaged');
    expect(code((disk) => disk.remove('identity.json'))).toBe('record-damaged');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(code((disk) => disk.write('volume.json', Buffer.from(bytes)))).toMatch(/^record-/);
      }),
    );
  });

  it('is gone after it was removed', () => {
    const disk = new SimulatedDisk();
    const store = new RecordStore(disk, 'm/0');
    store.create(first);
    store.remove();
    expect(store.read('u')).toBeNull();
  });
});
