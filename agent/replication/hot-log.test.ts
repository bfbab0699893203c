import { describe, expect, it } from 'vitest';
import { HotLog, unitBytes } from './hot-log.ts';
import type { HotDisk } from './hot-log.ts';
import { depthMax } from './hot-set.ts';
import type { HotEntry } from './hot-set.ts';

type Random = (below: number) => number;

function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A part of a sector that a power cut tears takes the rest of it along. */
const sectorBytes = 4096;

/** Loses what is not synced, sector by sector, in any order, or makes neither the old nor the new of it. */
class TearingDisk implements HotDisk {
  content = Buffer.alloc(0);
  durable = Buffer.alloc(0);
  readonly dirty = new Set<number>();
  /** Calls until the power goes; -1: it does not. */
  callsLeft = -1;
  failsSync = false;

  #call(): void {
    if (this.callsLeft === 0) throw new Error('power');
    this.callsLeft -= 1;
  }
  read(): Buffer {
    return Buffer.from(this.content);
  }
  prepare(bytes: number): number {
    this.content = Buffer.alloc(bytes);
    this.durable = Buffer.alloc(bytes);
    return 0;
  }
  write(offset: number, content: Buffer): number {
    content.copy(this.content, offset);
    for (let at = offset; at < offset + content.length; at += sectorBytes) this.dirty.add(Math.floor(at / sectorBytes));
    this.dirty.add(Math.floor((offset + content.length - 1) / sectorBytes));
    this.#call();
    return 0;
  }
  sync(): number {
    this.#call();
    if (this.failsSync) return -5;
    this.content.copy(this.durable);
    this.dirty.clear();
    return 0;
  }
  powerCut(random: Random): void {
    for (const sector of this.dirty) {
      const [start, end] = [sector * sectorBytes, (sector + 1) * sectorBytes];
      const became = random(3);
      if (became === 0) this.content.copy(this.durable, start, start, end);
      if (became === 2) this.durable.fill(0xa5, start, end);
    }
    this.dirty.clear();
    this.content = Buffer.from(this.durable);
    this.callsLeft = -1;
  }
}

const ringBytes = 32 * unitBytes;
const seedsMax = Number(process.env['HOLDFAST_SEEDS'] ?? '80');
const nameOf = (entry: HotEntry): string => `${entry.kind} ${entry.path.join('/')}`;
const whole = (name: string): HotEntry => ({ kind: 'whole', path: ['directory', name] });

function begun(disk: TearingDisk, log = 7): HotLog {
  const hot = new HotLog(disk, ringBytes);
  expect(hot.begin(log, 1)).toBe(0);
  return hot;
}

describe('a hot log', () => {
  it('has every region that it has said to have, however the power goes', { timeout: 240_000 }, () => {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const random = randomOf(seed);
      const disk = new TearingDisk();
      let hot = begun(disk);
      let [base, given, count] = [1, 1, 0];
      /** Since the checkpoint that both disks have; and since the one that was asked for. */
      let needed: string[] = [];
      let sinceGiven: string[] = [];
      const power = (): void => {
        disk.powerCut(random);
        hot = new HotLog(disk, ringBytes);
        const read = hot.restore(7, base);
        expect(read, `seed ${seed}`).not.toBeNull();
        const found = new Set(Array.from(read!.set, nameOf));
        for (const name of needed) expect(found, `seed ${seed}`).toContain(name);
        given = read!.given;
      };
      for (let step = 0; step < 120; step++) {
        if (random(12) === 0) disk.callsLeft = random(2);
        try {
          if (random(8) === 0) {
            if (hot.append(given + 1, []) < 0) continue;
            given += 1;
            sinceGiven = [];
            if (random(2) === 0) continue;
            base = given;
            needed = [];
            hot.confirmed(base);
          } else {
            const entry = whole(`name${count++}${'x'.repeat(random(200))}`);
            let status = hot.append(0, [entry]);
            if (status < 0) status = hot.rewrite(base, [...needed.map((name) => whole(name.split('/')[1]!)), entry]);
            if (status < 0) continue;
            needed.push(nameOf(entry));
            sinceGiven.push(nameOf(entry));
          }
        } catch {
          power();
        }
      }
      power();
    }
  });

  it('believes only what a power cut leaves, also after a process that died between writing and syncing', () => {
    const disk = new TearingDisk();
    const hot = begun(disk);
    disk.callsLeft = 1;
    expect(() => hot.append(0, [whole('name')])).toThrow('power');
    disk.callsLeft = -1;
    expect(new HotLog(disk, ringBytes).restore(7, 1)?.number).toBe(2);
    disk.powerCut(() => 1);
    expect(new HotLog(disk, ringBytes).restore(7, 1)?.number).toBe(2);
  });

  it('gives no number twice, also after a write that has failed', () => {
    const disk = new TearingDisk();
    const hot = begun(disk);
    disk.failsSync = true;
    expect(hot.append(0, [whole('name')])).toBe(-5);
    disk.failsSync = false;
    expect(hot.rewrite(1, [whole('name'), whole('other')])).toBe(0);
    expect(new HotLog(disk, ringBytes).restore(7, 1)).toMatchObject({ number: 3, set: { size: 3 } });
  });

  it('believes nothing when its newest record is not to be understood', () => {
    const disk = new TearingDisk();
    const hot = begun(disk);
    hot.append(0, [{ kind: 'whole', path: Array.from({ length: depthMax + 1 }, () => 'd') }]);
    expect(new HotLog(disk, ringBytes).restore(7, 1)).toBeNull();
  });

  it('believes nothing when one of its records is damaged', () => {
    const disk = new TearingDisk();
    const hot = begun(disk);
    for (let n = 0; n < 5; n++) hot.append(0, [whole(`name${n}`)]);
    expect(new HotLog(disk, ringBytes).restore(7, 1)?.set.size).toBe(6);
    disk.content[3 * unitBytes + 70] = 0xff;
    expect(new HotLog(disk, ringBytes).restore(7, 1)).toBeNull();
  });

  it('is not that of another volume’s life, nor of another checkpoint, nor half a file', () => {
    const disk = new TearingDisk();
    begun(disk).append(0, [whole('name')]);
    expect(new HotLog(disk, ringBytes).restore(8, 1)).toBeNull();
    expect(new HotLog(disk, ringBytes).restore(7, 2)).toBeNull();
    disk.content = disk.content.subarray(0, ringBytes / 2);
    expect(new HotLog(disk, ringBytes).restore(7, 1)).toBeNull();
  });

  it('goes on after what it has read, with a higher number', () => {
    const disk = new TearingDisk();
    begun(disk).append(0, [whole('name')]);
    const again = new HotLog(disk, ringBytes);
    expect(again.restore(7, 1)?.number).toBe(2);
    again.append(5, [whole('other')]);
    const read = new HotLog(disk, ringBytes).restore(7, 1);
    expect(Array.from(read!.set, nameOf)).toEqual(['whole directory/name', 'whole directory/other']);
    expect(read).toMatchObject({ number: 3, given: 5 });
    expect(new HotLog(disk, ringBytes).restore(7, 5)?.set.size).toBe(2);
  });

  it('says when it has no room, and makes some by saying everything once more', () => {
    const disk = new TearingDisk();
    const hot = begun(disk);
    let count = 0;
    while (hot.append(0, [whole(`name${count}`)]) === 0) count += 1;
    expect(count).toBe(ringBytes / unitBytes / 2 - 1);
    const names = Array.from({ length: count + 1 }, (_, n) => whole(`name${n}`));
    expect(hot.rewrite(1, names)).toBe(0);
    expect(hot.append(0, [whole('next')])).toBe(0);
    expect(new HotLog(disk, ringBytes).restore(7, 1)?.set.size).toBe(count + 3);
    expect(hot.rewrite(1, [whole('x'.repeat(ringBytes / 2))])).toBe(-28);
  });
});
