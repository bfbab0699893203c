/** The window as a user gets it through the browser host: what it opens with, what it does when the app is gone, who may look in. */
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import * as statuses from './demonstration.ts';
import { knownCluster } from './demonstration-clusters.ts';
import { demonstrate, type Demonstration } from './demonstration-parts.ts';
import { openApp, useBrowser, type OpenedApp } from './opened-app.ts';
import { ClusterPage } from './pages/cluster-page.ts';
import { StartPage } from './pages/start-page.ts';

useBrowser();

/** The browser says it of every connection that fails. */
const networkErrors =
  /Failed to load resource|ERR_(CONNECTION_REFUSED|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE|ABORTED)/;

function openStart(): Promise<OpenedApp<Demonstration>> {
  return openApp(demonstrate({ clusters: [knownCluster('site-a')] }), { fixedTime: statuses.nowOfPages });
}

describe('what the window opens with', () => {
  test('no cluster yet: what is needed, and two doors', async () => {
    const { page } = await openApp(demonstrate());
    const start = new StartPage(page);
    await start.title.getByText('No cluster yet. You need two servers and ten minutes.').waitFor();
    await start.setUpDoor.waitFor();
    await start.practiceDoor.waitFor();
  });

  test('clusters with their sentence each, and from there to one of them and back', async () => {
    const { page, parts } = await openApp(
      demonstrate({
        clusters: [knownCluster('site-a'), knownCluster('dupont', { ...statuses.aloneCluster, cluster: 'dupont' })],
      }),
      { fixedTime: statuses.nowOfPages },
    );
    const start = new StartPage(page);
    await start.cluster('site-a').getByText('Protected.', { exact: true }).waitFor();
    await start.cluster('dupont').getByText('Not protected since').waitFor();
    parts.clusters.show('dupont', { ...statuses.protectedCluster, cluster: 'dupont' });
    await start.cluster('dupont').getByText('Protected.', { exact: true }).waitFor();
    await start.openCluster('site-a');
    await new ClusterPage(page).says('Protected.');
    expect(new URL(page.url()).hash).toBe('#/cluster/site-a');
    await page.goBack();
    await start.cluster('site-a').waitFor();
  });

  test('language and light are kept by the app, not by the browser', async () => {
    const { page, parts } = await openApp(demonstrate({ clusters: [knownCluster('site-a')] }), {
      fixedTime: statuses.nowOfPages,
      language: 'fr',
      theme: 'dark',
    });
    await page.getByText('Protégé.').waitFor();
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark');
    await page.getByRole('button', { name: 'English', exact: true }).click();
    await page.getByText('Protected.', { exact: true }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    await page.getByRole('button', { name: 'Dark or light' }).click();
    await expect.poll(() => parts.preferences.stored).toEqual({ language: 'en', theme: 'light' });
    await page.reload();
    await page.getByText('Protected.', { exact: true }).waitFor();
    expect(await page.locator('html').getAttribute('data-theme')).toBe('light');
  });

  test('a file that is no configuration, however large, is refused in words and leaves the page alive', async () => {
    const { page } = await openStart();
    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'backup.yaml', mimeType: 'text/yaml', buffer: Buffer.alloc(6_000_000, 'x') });
    await page.getByText('backup.yaml, line 1: this is not a configuration file.').waitFor();
    await new StartPage(page).openCluster('site-a');
    await new ClusterPage(page).says('Protected.');
  });

  test('an address of a cluster or a draft that is gone says so and leads back', async () => {
    for (const hash of ['#/cluster/gone', '#/wizard/gone']) {
      const { page } = await openApp(demonstrate(), { hash });
      await page
        .getByText(/does not know that cluster|answers are gone/)
        .first()
        .waitFor();
    }
  });

  test('the app stops: the page says so and how to come back, instead of showing old news as new', async () => {
    const { page, host } = await openApp(demonstrate({ clusters: [knownCluster('site-a')] }), {
      fixedTime: statuses.nowOfPages,
      hash: '#/cluster/site-a',
      allow: [networkErrors],
    });
    await new ClusterPage(page).says('Protected.');
    await host[Symbol.asyncDispose]();
    await page.getByText('The app behind this page has stopped.').waitFor();
    // The next start has another address: waiting here would be in vain.
    await page.getByText(/open the link that it prints/).waitFor();
  });
});

describe('who may speak to the browser host', () => {
  async function status(url: string, init?: RequestInit): Promise<number> {
    const response = await fetch(url, { redirect: 'manual', ...init });
    await response.body?.cancel();
    return response.status;
  }

  test('the link works once, and nothing works without its cookie', async () => {
    const { page, host } = await openStart();
    await page.getByText('Protected.', { exact: true }).waitFor();
    const base = `http://127.0.0.1:${host.port}`;
    expect(page.url()).toBe(`${base}/`);
    expect(await status(host.url)).toBe(403);
    for (const path of ['/', '/stream', '/index.html', '/../package.json'])
      expect(await status(`${base}${path}`), path).toBe(403);
    expect(await status(`${base}/lines?stream=guess`, { method: 'POST', body: '{}' })).toBe(403);
    // The page itself may reload: its cookie is still good.
    await page.reload();
    await page.getByText('Protected.', { exact: true }).waitFor();
  });

  test('the cookie is out of reach of scripts, and frames and foreign scripts are forbidden', async () => {
    const { page, host } = await openStart();
    await page.getByText('Protected.', { exact: true }).waitFor();
    expect(await page.evaluate('document.cookie')).toBe('');
    const response = await page.request.get(`http://127.0.0.1:${host.port}/`);
    const policy = response.headers()['content-security-policy'] ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
  });

  test('it listens on loopback only', async () => {
    const { host } = await openStart();
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
