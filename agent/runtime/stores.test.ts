import { link, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freshRecord } from '../core/index.ts';
import { fileConfigurationStore, loadNodeName } from './configuration-store.ts';
import { lineJournal } from './journal.ts';
import { fileModuleStore } from './module-store.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-stores-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

test('a module’s state comes back as it was saved, and leaves nothing beside', async () => {
  const store = fileModuleStore(directory);
  expect(await store.load('db')).toBeNull();
  const record = { ...freshRecord(), wanted: 'started' as const, newest: { number: 3, id: 'x' } };
  await store.save('db', record);
  expect(await store.load('db')).toEqual(record);
  expect(await readdir(directory)).toEqual(['db.json']);
  await store.remove('db');
  await store.remove('db');
  expect(await store.load('db')).toBeNull();
});

test.each(['none', 'spare is another name of it', 'spare is the former one'])(
  'a state is written over the file of the one before the last, whatever a crash has left: %s',
  async (left) => {
    const store = fileModuleStore(directory);
    const file = path.join(directory, 'db.json');
    const long = {
      ...freshRecord(),
      pending: Array.from({ length: 200 }, (_, n) => ({ number: n, id: `${String(n)}.n1.x` })),
    };
    await store.save('db', freshRecord());
    await store.save('db', long);
    if (left === 'spare is another name of it') await link(file, `${file}.spare`);
    if (left === 'spare is the former one') await rename(`${file}.next`, `${file}.spare`);
    for (const number of [1, 2, 3]) {
      const record = { ...freshRecord(), newest: { number, id: 'x' } };
      await store.save('db', record);
      expect(await store.load('db')).toEqual(record);
    }
    const inodes = async (): Promise<number[]> =>
      (await Promise.all(['db.json', 'db.json.next'].map((name) => stat(path.join(directory, name))))).map(
        ({ ino }) => ino,
      );
    const before = await inodes();
    await store.save('db', freshRecord());
    expect(await inodes()).toEqual(before.toReversed());
    expect((await readdir(directory)).toSorted()).toEqual(['db.json', 'db.json.next']);
    await store.remove('db');
    expect(await readdir(directory)).toEqual([]);
  },
);

test('a state that cannot be read is a fault, never a fresh beginning', async () => {
  await writeFile(path.join(directory, 'db.json'), '{"format":1');
  await expect(fileModuleStore(directory).load('db')).rejects.toMatchObject({ code: 'state-unreadable' });
});

test('a node without a name says so; a damaged configuration as well', async () => {
  await expect(loadNodeName(directory)).rejects.toMatchObject({ code: 'node-unnamed' });
  const store = fileConfigurationStore(directory);
  expect(await store.load()).toBeNull();
  await writeFile(path.join(directory, 'cluster.json'), '{}');
  await expect(store.load()).rejects.toMatchObject({ code: 'configuration-unreadable' });
});

test('a journal line is one line, with its priority where the journal reads it', () => {
  const lines: string[] = [];
  const journal = lineJournal((text) => lines.push(text), true);
  journal.info('one\ntwo');
  journal.error('broken');
  expect(lines).toEqual(['<6>one · two\n', '<3>broken\n']);
});
