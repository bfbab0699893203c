/** The smallest window in a real Chromium, through the browser host as a user gets it. */
import { mkdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Fault, type ClusterStatus } from '../../agent/contract/index.ts';
import { buildRenderer, rendererDirectory } from '../../resources/build-app.ts';
import { repositoryRoot } from '../../resources/tools.ts';
import type { BrowserHost } from '../../src-main/hosts/browser.ts';
import { startApp } from '../../src-main/main.ts';
import { browserPath } from '../run/stages.ts';
import { aloneCluster, protectedCluster, resynchronisingCluster } from './demonstration.ts';

let browser: Browser;
const screenshots = join(repositoryRoot, 'dist/screenshots');

beforeAll(async () => {
  const executablePath = browserPath();
  if (executablePath === undefined) throw new Error('needs a Chromium (Debian: chromium)');
  await buildRenderer();
  mkdirSync(screenshots, { recursive: true });
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});
afterAll(async () => {
  await browser.close();
});

interface Opened {
  readonly host: BrowserHost;
  readonly page: Page;
  /** What the page complained about: a violated content security policy, a script that failed. */
  readonly complaints: string[];
}

async function open(
  read: () => Promise<ClusterStatus>,
  look: { locale?: string; colorScheme?: 'light' | 'dark' } = {},
): Promise<Opened> {
  const host = await startApp({ root: repositoryRoot, rendererDirectory, read });
  const context = await browser.newContext({ viewport: { width: 1120, height: 760 }, locale: 'en-GB', ...look });
  onTestFinished(async () => {
    await context.close();
    await host[Symbol.asyncDispose]();
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(host.url);
  return { host, page, complaints };
}

const sentence = (page: Page): ReturnType<Page['locator']> => page.locator('h1');

describe('what the window says', () => {
  test('no cluster yet: what is needed, and the command', async () => {
    const { page, complaints } = await open(async () => {
      throw new Fault('no-cluster-known', { message: 'No cluster yet.' });
    });
    await sentence(page).getByText('No cluster yet. You need two servers and ten minutes.').waitFor();
    expect(await page.locator('code').innerText()).toContain('apply');
    await page.screenshot({ path: join(screenshots, 'no-cluster.png') });
    expect(complaints).toEqual([]);
  });

  test('protected, in light', async () => {
    const { page, complaints } = await open(async () => protectedCluster, { colorScheme: 'light' });
    await sentence(page).getByText('Protected.', { exact: true }).waitFor();
    await page.getByRole('region', { name: 'n1' }).getByText('10.77.0.50').waitFor();
    expect(await page.title()).toBe('site-a · Protected.');
    await page.screenshot({ path: join(screenshots, 'protected-light.png') });
    expect(complaints).toEqual([]);
  });

  test('alone, in dark: since when, why, and when the other was last seen', async () => {
    const { page, complaints } = await open(async () => aloneCluster, { colorScheme: 'dark' });
    await sentence(page).getByText('Not protected since').waitFor();
    await sentence(page).getByText('n2 is silent.').waitFor();
    await page.getByRole('region', { name: 'n2' }).getByText('last seen').waitFor();
    await page.screenshot({ path: join(screenshots, 'alone-dark.png') });
    expect(complaints).toEqual([]);
  });

  test('resynchronising, in French, and the language can be changed', async () => {
    const { page, complaints } = await open(async () => resynchronisingCluster, { locale: 'fr-FR' });
    await sentence(page).getByText('Pas encore protégé : n2 se resynchronise, encore 48 s.').waitFor();
    await page.getByText('41,0 Mo/s').waitFor();
    await page.screenshot({ path: join(screenshots, 'resynchronising-french.png') });
    await page.getByRole('button', { name: 'English' }).click();
    await sentence(page).getByText('Not protected yet: n2 is being brought up to date, 48 s left.').waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    expect(complaints).toEqual([]);
  });

  test('a cluster that cannot be read keeps its last picture and says so; a new reading mends it', async () => {
    let answer: ClusterStatus | Fault = protectedCluster;
    const { page } = await open(async () => {
      if (answer instanceof Fault) throw answer;
      return answer;
    });
    await sentence(page).getByText('Protected.').waitFor();
    answer = new Fault('unreachable', { message: 'Neither server answers.', remedy: 'Check the cable.' });
    await page.getByRole('button', { name: 'Read again' }).click();
    await sentence(page).getByText('The cluster cannot be read since').waitFor();
    await page.getByText('Neither server answers. Check the cable.').waitFor();
    await page.getByRole('region', { name: 'n1' }).getByText('10.77.0.50').waitFor();
    answer = protectedCluster;
    await page.getByRole('button', { name: 'Read again' }).click();
    await sentence(page).getByText('Protected.', { exact: true }).waitFor();
  });

  test('the app stops: the page says so instead of showing old news as new', async () => {
    const { page, host } = await open(async () => protectedCluster);
    await sentence(page).getByText('Protected.').waitFor();
    await host[Symbol.asyncDispose]();
    await sentence(page).getByText('The app behind this page has stopped.').waitFor();
  });
});

describe('who may speak to the browser host', () => {
  async function status(url: string, init?: RequestInit): Promise<number> {
    const response = await fetch(url, { redirect: 'manual', ...init });
    await response.body?.cancel();
    return response.status;
  }

  test('the link works once, and nothing works without its cookie', async () => {
    const { page, host } = await open(async () => protectedCluster);
    await sentence(page).getByText('Protected.').waitFor();
    const base = `http://127.0.0.1:${host.port}`;
    expect(page.url()).toBe(`${base}/`);
    expect(await status(host.url)).toBe(403);
    for (const path of ['/', '/stream', '/index.html', '/../package.json'])
      expect(await status(`${base}${path}`), path).toBe(403);
    expect(await status(`${base}/lines?stream=guess`, { method: 'POST', body: '{}' })).toBe(403);
    // The page itself may reload: its cookie is still good.
    await page.reload();
    await sentence(page).getByText('Protected.').waitFor();
  });

  test('the cookie is out of reach of scripts, and frames and foreign scripts are forbidden', async () => {
    const { page, host } = await open(async () => protectedCluster);
    await sentence(page).getByText('Protected.').waitFor();
    expect(await page.evaluate('document.cookie')).toBe('');
    const response = await page.request.get(`http://127.0.0.1:${host.port}/`);
    const policy = response.headers()['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
  });

  test('it listens on loopback only', async () => {
    const { host } = await open(async () => protectedCluster);
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ family, address }) => family === 'IPv4' && address !== '127.0.0.1')
      .map(({ address }) => address);
    // The whole of 127.0.0.0/8 is this machine on Linux: a second address even where there is no network.
    const foreign = process.platform === 'linux' ? [...others, '127.0.0.2'] : others;
    for (const address of foreign)
      await expect(fetch(`http://${address}:${host.port}/`), address).rejects.toThrow('fetch failed');
  });
});
