/** Every screen × light and dark × English and French: no violation of accessibility, nothing cut off, and a picture at two sizes. */
import { afterAll, expect, test } from 'vitest';
import { nowOfPages } from './demonstration.ts';
import { axeViolations, contactSheet, looks, overflowing, screenshotFile, sizes, type Look } from './looks.ts';
import { launchBrowser } from './chromium.ts';
import { openApp, useBrowser } from './opened-app.ts';
import { screens, type ScreenCase } from './screens.ts';

useBrowser();

const spinner = 'circle[stroke-dasharray="26 9"]';

async function look(screen: ScreenCase, how: Look): Promise<string[]> {
  const [small] = sizes;
  const parts = screen.start();
  const { page } = await openApp(parts, { hash: screen.hash, fixedTime: nowOfPages, size: small, ...how });
  await page.getByRole('heading', { level: 1 }).waitFor();
  await screen.act?.(page, parts);
  // What the screen asked for has been answered; a deed that goes on may go on.
  if (screen.goesOn !== true) await page.locator(spinner).first().waitFor({ state: 'detached' });
  await page.evaluate('document.fonts.ready.then(() => new Promise(requestAnimationFrame))');
  const problems = [...(await overflowing(page)), ...(await axeViolations(page))];
  for (const size of sizes) {
    await page.setViewportSize(size);
    await page.screenshot({ path: screenshotFile(screen.name, how, size), animations: 'disabled' });
  }
  return problems.map((problem) => `${how.language}, ${how.theme}: ${problem}`);
}

test.each(screens.map((screen) => [screen.name, screen] as const))('%s', async (_name, screen) => {
  const problems = await Promise.all(looks.map((how) => look(screen, how)));
  expect(problems.flat()).toEqual([]);
});

afterAll(async () => {
  const browser = await launchBrowser();
  try {
    for (const { name } of screens) await contactSheet(browser, name);
  } finally {
    await browser.close();
  }
}, 180_000);
