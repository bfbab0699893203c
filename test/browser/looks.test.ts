/** Every screen, light and dark, English and French: no violation of accessibility, nothing cut off, and pictures. */
import type { Page } from 'playwright-core';
import { afterAll, expect, test } from 'vitest';
import { nowOfPages } from './demonstration.ts';
import {
  axeViolations,
  contactSheet,
  looks,
  overflowing,
  picturedSizes,
  screenshotFile,
  sizes,
  type Look,
} from './looks.ts';
import { launchBrowser } from './chromium.ts';
import { openApp, useBrowser } from './opened-app.ts';
import { screens } from './screens.ts';

useBrowser();

const spinner = 'circle[stroke-dasharray="26 9"]';

/** Each language and each light is examined once. Pictures of the others are for people, by `npm test -- pictures`. */
const examined = (how: Look): boolean => (how.language === 'en') === (how.theme === 'light');
const shown = picturedSizes.length > 1 ? looks : looks.filter(examined);

async function showIn(page: Page, how: Look): Promise<void> {
  await page.emulateMedia({ colorScheme: how.theme });
  // By script: an open dialog keeps people from the header.
  if ((await page.locator('html').getAttribute('lang')) !== how.language)
    await page.evaluate(`document.querySelector('header button[lang="${how.language}"]').click()`);
  await page.locator(`html[lang="${how.language}"][data-theme="${how.theme}"]`).waitFor();
  await page.evaluate('document.fonts.ready.then(() => new Promise(requestAnimationFrame))');
  // Half way from one light to the other no contrast is that of either.
  await page.evaluate(
    'Promise.allSettled(document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished))',
  );
}

test.each(screens.map((screen) => [screen.name, screen] as const))('%s', async (_name, screen) => {
  const parts = screen.start();
  const { page } = await openApp(parts, { hash: screen.hash, fixedTime: nowOfPages, size: sizes[0] });
  await page.getByRole('heading', { level: 1 }).waitFor();
  await screen.act?.(page, parts);
  // What the screen asked for has been answered; a deed that goes on may go on.
  if (screen.goesOn !== true) await page.locator(spinner).first().waitFor({ state: 'detached' });
  const problems: string[] = [];
  for (const how of shown) {
    await showIn(page, how);
    const found = [...(await overflowing(page)), ...(examined(how) ? await axeViolations(page) : [])];
    problems.push(...found.map((problem) => `${how.language}, ${how.theme}: ${problem}`));
    for (const size of picturedSizes) {
      if (picturedSizes.length > 1) await page.setViewportSize(size);
      await page.screenshot({ path: screenshotFile(screen.name, how, size), animations: 'disabled' });
    }
    if (picturedSizes.length > 1) await page.setViewportSize(sizes[0]);
  }
  expect(problems).toEqual([]);
});

if (picturedSizes.length > 1)
  afterAll(async () => {
    const browser = await launchBrowser();
    try {
      for (const { name } of screens) await contactSheet(browser, name);
    } finally {
      await browser.close();
    }
  }, 180_000);
