/** What a person feels and a laptop pays: how soon the app is usable, how much it loads, how much memory it holds. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { rendererDirectory } from '../../resources/build-app.ts';
import { repositoryRoot } from '../../resources/tools.ts';
import { useBrowser, openPage } from './opened-app.ts';

useBrowser();

const rendererBytesMax = 1_000_000;
const usableMsMax = 2000;
const residentBytesMax = 150 * 1024 ** 2;

async function readyUrl(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the app was started without a pipe');
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    const url = /^Holdfast is ready: (\S+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error(`the app ended:\n${said.join('\n')}`);
}

/** As `npm start` does it, with nothing known and nothing remembered. */
async function start(): Promise<{ url: string; pid: number; stop: () => Promise<void> }> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'holdfast-numbers-'));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'resources/start.ts', '--no-open'], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, XDG_STATE_HOME: stateDirectory, HOLDFAST_LAB: 'none-of-numbers' },
  });
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill('SIGTERM');
    await ended;
    rmSync(stateDirectory, { recursive: true, force: true });
  };
  onTestFinished(stop);
  return { url: await readyUrl(child), pid: child.pid ?? 0, stop };
}

function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
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
  // The first start warms the caches of the machine, as the second one of the day finds them.
  await (await start()).stop();
  const began = performance.now();
  const app = await start();
  const { page, requests } = await openPage(app.url);
  await page.getByRole('main').getByRole('button').first().click({ trial: true });
  const usableMs = performance.now() - began;
  console.log(`usable after ${Math.round(usableMs)} ms`);
  const own = new URL(app.url).origin;
  expect(requests.filter((url) => new URL(url).origin !== own)).toEqual([]);
  expect(requests.length).toBeGreaterThan(2);
  const resident = residentBytes(app.pid);
  console.log(`the main process holds ${Math.round(resident / 1024 ** 2)} MiB`);
  expect(resident).toBeLessThan(residentBytesMax);
  expect(usableMs).toBeLessThan(usableMsMax);
});
