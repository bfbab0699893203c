import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PreferencesHandlers } from '../app-api/index.ts';
import { createPreferencesPart } from './preferences-part.ts';

let stateDirectory: string;
beforeEach(() => {
  stateDirectory = mkdtempSync(path.join(tmpdir(), 'holdfast-preferences-'));
});
afterEach(() => {
  chmodSync(stateDirectory, 0o700);
  rmSync(stateDirectory, { recursive: true });
});

const { signal } = new AbortController();
const screen = { emit: () => undefined, onClose: () => undefined };
function open(directory = stateDirectory): PreferencesHandlers {
  const options = { stateDirectory: directory, version: '1.2.3', host: 'browser', keychain: false } as const;
  return createPreferencesPart(options).serve(screen);
}

test('a new laptop does as the system says; what a person chose is there at the next start', async () => {
  expect((await open().app({}, signal)).preferences).toEqual({ language: null, theme: null });
  await open().savePreferences({ language: 'fr', theme: 'dark' }, signal);
  expect(await open().app({}, signal)).toMatchObject({
    version: '1.2.3',
    preferences: { language: 'fr', theme: 'dark' },
  });
  expect(readdirSync(stateDirectory)).toEqual(['preferences.json']);
});

test.each(['', '{"format":1,"lang', '{"format":2}', '{"format":1,"language":"xx","theme":null}'])(
  'a damaged file (%j) keeps nobody from starting',
  async (content) => {
    writeFileSync(path.join(stateDirectory, 'preferences.json'), content);
    expect((await open().app({}, signal)).preferences).toEqual({ language: null, theme: null });
    await open().savePreferences({ language: 'en', theme: null }, signal);
    expect((await open().app({}, signal)).preferences.language).toBe('en');
  },
);

test('what cannot be kept is said, not swallowed', async () => {
  const file = path.join(stateDirectory, 'file');
  writeFileSync(file, '');
  await expect(
    open(path.join(file, 'below')).savePreferences({ language: 'fr', theme: null }, signal),
  ).rejects.toMatchObject({
    code: 'preferences-not-saved',
  });
});
