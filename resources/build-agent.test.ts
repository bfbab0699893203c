/** The bundle that travels to servers: same sources, same bytes; another version is another bundle. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agentEntries, buildAgent } from './build-agent.mjs';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-bundle-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function versionOf(bundle: string): string {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(bundle, 'holdfast.mjs'), '--version'],
    { encoding: 'utf8', cwd: directory },
  );
  return stdout + stderr;
}

test('the same sources give the same bundle, wherever it is put, and an unchanged one is not built again', async () => {
  const first = await buildAgent({ out: join(directory, 'one') });
  const second = await buildAgent({ out: join(directory, 'two') });
  expect(second).toEqual({ ...first, directory: join(directory, 'two') });
  expect(first.rebuilt).toBe(true);
  for (const name of Object.keys(agentEntries))
    expect(readFileSync(join(directory, 'one', name)).equals(readFileSync(join(directory, 'two', name))), name).toBe(
      true,
    );
  expect(await buildAgent({ out: join(directory, 'one') })).toEqual({ ...first, rebuilt: false });
});

test('a damaged bundle is built again', async () => {
  const { sha256 } = await buildAgent({ out: join(directory, 'damaged') });
  writeFileSync(join(directory, 'damaged/lane.mjs'), '');
  expect(await buildAgent({ out: join(directory, 'damaged') })).toMatchObject({ sha256, rebuilt: true });
  expect(readFileSync(join(directory, 'damaged/lane.mjs')).length).toBeGreaterThan(0);
});

test('a bundle of another version says so, and needs nothing beside it', async () => {
  const own = await buildAgent({ out: join(directory, 'own') });
  const other = await buildAgent({ out: join(directory, 'other'), version: '9.9.9' });
  expect(versionOf(own.directory)).toBe(`${own.version}\n`);
  expect(versionOf(other.directory)).toBe('9.9.9\n');
  expect(other.sha256).not.toBe(own.sha256);
});
