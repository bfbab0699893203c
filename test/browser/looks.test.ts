/** Every screen × light and dark × English and French: no violation of accessibility, nothing cut off, and a picture at two sizes. */
import { afterAll, describe, expect, test } from 'vitest';
import { nowOfPages } from './demonstration.ts';
import { axeViolations, contactSheet, looks, overflowing, screenshotFile, sizes } from './looks.ts';
import { launchBrowser } from './chromium.ts';
import { openApp, useBrowser } from './opened-app.ts';
import { screens } from './screens.ts';

useBrowser();

const spinner = 'circle[stroke-dasharray="26 9"]';

describe.each(screens.map((screen) => [screen.name, screen] as const))('%s', (name, screen) => {
  test.each(looks.map((look) => [look.language, look.theme, look] as const))('in %s, %s', async (_l, _t, look) => {
    const [small] = sizes;
    const parts = screen.start();
    const { page } = await openApp(parts, { hash: screen.hash, fixedTime: nowOfPages, size: small, ...look });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await screen.act?.(page, parts);
    // What the screen asked for has been answered; a deed that goes on may go on.
    if (screen.goesOn !== true) await page.locator(spinner).first().waitFor({ state: 'detached' });
    await page.evaluate('document.fonts.ready.then(() => new Promise(requestAnimationFrame))');
    const problems: string[] = [];
    for (const size of sizes) {
      await page.setViewportSize(size);
      await page.screenshot({ path: screenshotFile(name, look, size), animations: 'disabled' });
      if (size === small) problems.push(...(await overflowing(page)), ...(await axeViolations(page)));
    }
    expect(problems).toEqual([]);
  });
});

afterAll(async () => {
  const browser = await launchBrowser();
  try {
    for (const { name } of screens) await contactSheet(browser, name);
  } finally {
    await browser.close();
  }
}, 180_000);
