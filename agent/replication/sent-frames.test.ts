import { expect, test } from 'vitest';
import { FrameReader, FrameWriter } from './change-codec.ts';
import { SentFrames } from './sent-frames.ts';

function stream(bytesMax?: number): { sent: SentFrames; send: (acknowledged?: number) => void } {
  const sent = new SentFrames(bytesMax);
  const writer = new FrameWriter(Buffer.alloc(4 << 20));
  const send = (acknowledged = 0): void => {
    writer.checkpoint(7, writer.sequence);
    sent.append(writer.bytes, writer.length, writer.sequence, acknowledged);
    writer.clear();
  };
  return { sent, send };
}

function numbersAfter(sent: SentFrames, applied: number): number[] | null {
  const range = sent.after(applied);
  if (range === null) return null;
  const reader = new FrameReader();
  const numbers: number[] = [];
  for (let at = range.start; at < range.start + range.length; numbers.push(reader.frame.sequence))
    at += reader.read(sent.memory.bytes, at, range.start + range.length);
  return numbers;
}

test('gives what comes after what the target has', () => {
  const { sent, send } = stream();
  for (let count = 0; count < 5; count += 1) send();
  expect(numbersAfter(sent, 0)).toEqual([1, 2, 3, 4, 5]);
  expect(numbersAfter(sent, 3)).toEqual([4, 5]);
  expect(numbersAfter(sent, 5)).toEqual([]);
});

test('nothing was sent, nothing is lacking', () => {
  expect(numbersAfter(stream().sent, 0)).toEqual([]);
});

test('a target that has what was never sent, or lacks what it has acknowledged, is another one', () => {
  const { sent, send } = stream();
  send();
  send(1);
  expect(numbersAfter(sent, 3)).toBeNull();
  send(2);
  expect(numbersAfter(sent, 0)).toBeNull();
  expect(numbersAfter(sent, 2)).toEqual([3]);
});

test('what is acknowledged makes room, and what does not fit is lacking until it is acknowledged', () => {
  const { sent, send } = stream(4096);
  for (let count = 1; count <= 1000; count += 1) send(count - 20);
  expect(numbersAfter(sent, 990)).toEqual([991, 992, 993, 994, 995, 996, 997, 998, 999, 1000]);
  for (let count = 0; count < 300; count += 1) send(1000);
  expect([sent.isWhole(1000), numbersAfter(sent, 1000)]).toEqual([false, null]);
  // Never is all of it acknowledged.
  for (let count = 1280; count <= 1300; count += 1) send(count);
  expect(sent.isWhole(1300)).toBe(true);
  expect(numbersAfter(sent, 1315)).toEqual([1316, 1317, 1318, 1319, 1320, 1321]);
  sent.begin();
  expect(numbersAfter(sent, 0)).toEqual([]);
});
