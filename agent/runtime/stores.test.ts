import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
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
