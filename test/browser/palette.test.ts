/** Everything by name: Ctrl K, the arrow keys, Enter. And what the keyboard finds where it arrives. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { demonstrate } from './demonstration-parts.ts';
import { knownCluster } from './demonstration-clusters.ts';
import { nowOfPages, protectedCluster } from './demonstration.ts';
import { openApp, useBrowser } from './opened-app.ts';

useBrowser();

const parts = () => demonstrate({ clusters: [knownCluster('site-a', protectedCluster)] });
const field = (page: Page) => page.getByRole('combobox', { name: 'Everything by name' });
const list = (page: Page) => page.getByRole('listbox', { name: 'Everything by name' });
const options = (page: Page) => list(page).getByRole('option');
const focused = (page: Page): Promise<unknown> => page.evaluate('document.activeElement.tagName');

describe('the palette', () => {
  test('goes to a cluster by a few letters, and the focus is on its sentence', async () => {
    const { page } = await openApp(parts(), { fixedTime: nowOfPages });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    await field(page).fill('sa');
    await list(page).getByRole('option', { name: 'site-a', selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Protected.' }).waitFor();
    await expect.poll(() => focused(page)).toBe('H1');
  });

  test('is walked through with the arrow keys, round its ends, and tells who listens where it is', async () => {
    const { page } = await openApp(parts(), { hash: '#/cluster/site-a', fixedTime: nowOfPages });
    await page.getByRole('heading', { level: 1, name: 'Protected.' }).waitFor();
    await page.keyboard.press('Control+k');
    await field(page).waitFor();
    const all = await options(page).allInnerTexts();
    expect(all[0]).toContain('Move db to n2');
    await page.keyboard.press('ArrowUp');
    const last = options(page).last();
    await expect.poll(() => last.getAttribute('aria-selected')).toBe('true');
    expect(await field(page).getAttribute('aria-activedescendant')).toBe(await last.getAttribute('id'));
    await page.keyboard.press('ArrowDown');
    await list(page)
      .getByRole('option', { selected: true, name: /Move db to n2/ })
      .waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Move to n2' }).waitFor();
  });

  test('what has no such name is said; Escape closes and the focus returns', async () => {
    const { page } = await openApp(parts(), { hash: '#/cluster/site-a', fixedTime: nowOfPages });
    const button = page.getByRole('button', { name: 'Swap db' });
    await button.focus();
    await page.keyboard.press('Control+k');
    await field(page).fill('qqqq');
    await page.getByText('Nothing has that name.').waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toContain('Swap db');
  });

  test('in a terminal Ctrl K belongs to the shell, Ctrl Shift K is ours', async () => {
    const app = parts();
    const { page } = await openApp(app, { hash: '#/cluster/site-a', fixedTime: nowOfPages });
    await page.getByRole('button', { name: 'Terminal' }).click();
    await page.locator('.xterm textarea').waitFor({ state: 'attached' });
    await page.locator('.xterm').click();
    await page.keyboard.press('Control+k');
    await expect.poll(() => app.terminals.paramsOf('typeInTerminal').map(({ data }) => data)).toContain('\u000b');
    expect(await field(page).count()).toBe(0);
    await page.keyboard.press('Control+Shift+K');
    await field(page).waitFor();
  });
});

describe('by keyboard', () => {
  test('the first stop leads past the header', async () => {
    const { page } = await openApp(parts(), { hash: '#/cluster/site-a', fixedTime: nowOfPages });
    await page.getByRole('heading', { level: 1, name: 'Protected.' }).waitFor();
    await page.keyboard.press('Tab');
    await page.getByRole('link', { name: 'Skip to the content' }).waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(() => focused(page)).toBe('MAIN');
    expect(page.url()).toContain('#/cluster/site-a');
  });

  test('a menu opens, is walked through and closed without a mouse', async () => {
    const { page } = await openApp(parts(), { hash: '#/cluster/site-a', fixedTime: nowOfPages });
    const menu = page.getByRole('button', { name: 'Orders for db' });
    await menu.focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toContain('Compare the copies');
    await page.keyboard.press('End');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toContain('Promote n2');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toContain('Compare the copies');
    await page.keyboard.press('Escape');
    expect(await menu.getAttribute('aria-expanded')).toBe('false');
    await expect.poll(() => page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe('Orders for db');
  });
});
