/** What a person feels and a laptop pays: how soon the app is usable, how much it loads, how much memory it holds. */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { rendererDirectory } from '../../resources/build-app.ts';
import { slowdown } from '../run/slowdown.ts';
import { openPage, useBrowser } from './opened-app.ts';
import { startOwnApp, type StartedApp } from './started-app.ts';

useBrowser();

const rendererBytesMax = 1_000_000;
const usableMsMax = 2000;
const residentBytesMax = 150e6;

/** With nothing known and nothing remembered. */
async function start(): Promise<StartedApp> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'holdfast-numbers-'));
  onTestFinished(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const app = await startOwnApp({ XDG_STATE_HOME: stateDirectory, HOLDFAST_LAB: 'none-of-numbers' });
  onTestFinished(() => app[Symbol.asyncDispose]());
  return app;
}

test('the screens are less than 1 MB compressed', () => {
  const files = globSync('**/*', { cwd: rendererDirectory, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.map((file) => gzipSync(readFileSync(join(file.parentPath, file.name))).length);
  const total = bytes.reduce((sum, one) => sum + one, 0);
  console.log(`screens: ${Math.round(total / 1000)} kB compressed in ${files.length} files`);
  expect(files.length).toBeGreaterThan(2);
  expect(total).toBeLessThan(rendererBytesMax);
});

test('a warm start is usable in less than 2 s, asks only its own server, and stays small', async (context) => {
  if (process.platform !== 'linux') context.skip('reads /proc');
  // The first start warms the caches of the machine; of the others the best one counts: what else runs here is not measured.
  await (await start())[Symbol.asyncDispose]();
  const usableMs: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    const began = performance.now();
    const app = await start();
    const { page, requests } = await openPage(app.url);
    await page.getByRole('main').getByRole('button').first().click({ trial: true });
    const tookMs = performance.now() - began;
    const own = new URL(app.url).origin;
    expect(requests.filter((url) => new URL(url).origin !== own)).toEqual([]);
    expect(requests.length).toBeGreaterThan(2);
    const resident = app.residentBytes();
    console.log(`the main process holds ${Math.round(resident / 1e6)} MB`);
    expect(resident).toBeLessThan(residentBytesMax);
    await page.close();
    await app[Symbol.asyncDispose]();
    // Without the app: what it takes itself is no excuse.
    usableMs.push(Math.round(tookMs / (await slowdown())));
    if (usableMs.some((time) => time < usableMsMax)) break;
  }
  console.log(`usable after ${usableMs.join(', ')} ms`);
  expect(Math.min(...usableMs)).toBeLessThan(usableMsMax);
});
