import { appendFile, mkdtemp, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EventDraft } from '../contract/index.ts';
import { fileEventStore } from './event-store.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-events-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

const draft = (message: string): EventDraft => ({
  module: 'db',
  code: 'test',
  message,
  severity: 'info',
  evidence: { number: 1 },
});
const open = (bytesMax?: number) =>
  fileEventStore({
    file: path.join(directory, 'events.jsonl'),
    node: 'n1',
    wallMs: () => 0,
    failed: (error) => {
      throw error;
    },
    ...(bytesMax === undefined ? {} : { bytesMax }),
  });

test('numbers go on after a restart, also behind a line that a power cut left half written', async () => {
  const first = await open();
  expect(first.append(draft('one'))).toMatchObject({ sequence: 1, node: 'n1', at: '1970-01-01T00:00:00.000Z' });
  first.append(draft('two'));
  await first.settled();
  await appendFile(path.join(directory, 'events.jsonl'), '{"at":"1970');
  const second = await open();
  expect((await second.after(0, 10)).map((event) => event.message)).toEqual(['one', 'two']);
  expect(second.append(draft('three')).sequence).toBe(3);
  await second.settled();
  const third = await open();
  expect((await third.after(1, 10)).map((event) => event.message)).toEqual(['two', 'three']);
});

test('answers pages, oldest first', async () => {
  const store = await open();
  for (let index = 1; index <= 1500; index++) store.append(draft(String(index)));
  await store.settled();
  expect((await store.after(0, 3)).map((event) => event.sequence)).toEqual([1, 2, 3]);
  expect((await store.after(1498, 100)).map((event) => event.sequence)).toEqual([1499, 1500]);
  expect(await store.after(1500, 100)).toEqual([]);
  expect((await store.newestAfter(0, 2)).map((event) => event.sequence)).toEqual([1499, 1500]);
  expect((await store.newestAfter(0, 1200)).map((event) => event.sequence)[0]).toBe(301);
  expect((await store.newestAfter(1499, 10)).map((event) => event.sequence)).toEqual([1500]);
});

test('one former file is kept, the disk does not fill', async () => {
  const store = await open(2000);
  for (let index = 1; index <= 200; index++) {
    store.append(draft(String(index)));
    await store.settled();
  }
  expect((await stat(path.join(directory, 'events.jsonl'))).size).toBeLessThan(3000);
  expect((await stat(path.join(directory, 'events.jsonl.1'))).size).toBeLessThan(3000);
  expect((await open(2000)).append(draft('next')).sequence).toBe(201);
});
