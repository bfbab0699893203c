import { expect, it } from 'vitest';
import { Answer, answerKind, encodeAcknowledgement, encodeRoom, readAnswer } from './answer-codec.ts';
import { kind } from './change-codec.ts';
import { RoomTeller } from './room-teller.ts';
import { roomIn, uncounted } from './room.ts';
import type { Room } from './room.ts';

const mib = 1024 * 1024;
const into = Buffer.alloc(256);

class Disk {
  nowMs = 0;
  looks = 0;
  bytes = 100 * 1024 * mib;
  says = true;
  readonly teller = new RoomTeller(
    () => {
      this.looks += 1;
      return this.says ? { bytes: this.bytes, names: uncounted, totalBytes: uncounted, totalNames: 1e6 } : null;
    },
    () => this.nowMs,
  );
  /** What the source hears with an acknowledgement; null: nothing. */
  acknowledge(sequence: number): Room | null {
    const length = encodeAcknowledgement(into, sequence);
    const end = this.teller.append(into, length, sequence);
    const answer = new Answer();
    expect(readAnswer(into, 0, end, answer)).toBe(length);
    if (end === length) return null;
    for (let short = length; short < end; short++) expect(readAnswer(into, length, short, answer)).toBe(0);
    expect(readAnswer(into, length, end, answer)).toBe(end - length);
    expect([answer.kind, answer.sequence]).toEqual([answerKind.room, sequence]);
    return answer.room;
  }
}

it('tells how much room there is with the first acknowledgement, and then seldom while there is plenty', () => {
  const disk = new Disk();
  expect(disk.acknowledge(2 ** 40 + 3)).toEqual({
    bytes: disk.bytes,
    names: uncounted,
    totalBytes: uncounted,
    totalNames: 1e6,
  });
  for (let sequence = 2; sequence < 100; sequence++) {
    disk.teller.received(mib / 2);
    expect(disk.acknowledge(sequence)).toBeNull();
  }
  disk.teller.received(15 * mib);
  expect(disk.acknowledge(100)).not.toBeNull();
  expect(disk.acknowledge(101)).toBeNull();
  disk.nowMs += 100;
  expect(disk.acknowledge(102)).not.toBeNull();
  expect(disk.looks).toBe(3);
});

it('tells it each time when there is little, after what takes much at once, and to whoever asks', () => {
  const disk = new Disk();
  disk.acknowledge(1);
  disk.teller.applied(kind.write);
  expect(disk.acknowledge(2)).toBeNull();
  for (const one of [kind.allocate, kind.askRoom]) {
    disk.teller.applied(one);
    expect(disk.acknowledge(3)).not.toBeNull();
  }
  disk.bytes = 300 * mib;
  disk.teller.applied(kind.askRoom);
  disk.acknowledge(4);
  expect(disk.acknowledge(5)).toBeNull();
  // What was received since may have taken it.
  disk.teller.received(60 * mib);
  for (let sequence = 6; sequence < 9; sequence++) {
    disk.bytes = 200 * mib - sequence;
    expect(disk.acknowledge(sequence)?.bytes).toBe(disk.bytes);
  }
});

it('has no bound, but an answer, where the disk says nothing', () => {
  const disk = new Disk();
  disk.says = false;
  expect(disk.acknowledge(1)).toBeNull();
  disk.teller.applied(kind.askRoom);
  expect(disk.acknowledge(2)?.bytes).toBe(uncounted);
});

it('tells a source that sends nothing only what others have changed noticeably', () => {
  const disk = new Disk();
  const heard = (): boolean => {
    disk.nowMs += 1000;
    return disk.teller.appendIdle(into, 7) > 0;
  };
  expect([heard(), heard()]).toEqual([true, false]);
  disk.bytes -= 1024 * mib;
  expect(heard()).toBe(false);
  disk.bytes -= 1024 * mib;
  expect([heard(), heard()]).toEqual([true, false]);
  disk.bytes = 0;
  expect([heard(), heard()]).toEqual([true, false]);
  disk.bytes = 4096;
  expect([heard(), disk.teller.appendIdle(into, 7) > 0]).toEqual([true, false]);
});

it('refuses an answer of another length', () => {
  const end = new Disk().teller.append(into, 0, 1);
  for (const length of [end - 5, end - 3]) {
    const damaged = Buffer.alloc(64);
    into.copy(damaged);
    damaged.writeUInt32LE(length, 0);
    expect(() => readAnswer(damaged, 0, 64, new Answer())).toThrow(/answer/);
  }
});

it('keeps a reserve of one percent, within bounds', () => {
  const disk = (totalMib: number, freeMib = totalMib, files = 0, filesFree = files): Room | null =>
    roomIn({
      type: 0,
      blockSize: 4096,
      fragmentSize: 4096,
      blocks: totalMib * 256,
      blocksFree: freeMib * 256,
      blocksAvailable: freeMib * 256,
      files,
      filesFree,
      id: '',
      nameLengthMax: 255,
    });
  expect(disk(100)?.bytes).toBe(96 * mib);
  expect(disk(1000)?.bytes).toBe(990 * mib);
  expect(disk(1e6)?.bytes).toBe((1e6 - 64) * mib);
  expect(disk(100, 3)?.bytes).toBe(0);
  expect(disk(100)?.names).toBe(uncounted);
  expect(disk(100, 50, 10_000, 600)?.names).toBe(500);
  expect(disk(0)).toBeNull();
  // Numbers of 64 bits that stand for less than nothing, or for no bound.
  expect(disk(100, 2 ** 56)?.bytes).toBe(0);
  expect(encodeRoom(into, 1, disk(2 ** 56, 2 ** 56, 2 ** 63)!)).toBe(45);
});
