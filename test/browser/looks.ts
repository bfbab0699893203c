/** Every way a screen can look, the pictures of it, and what a machine can say about its accessibility. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { repositoryRoot } from '../../resources/tools.ts';

export const screenshotDirectory = join(repositoryRoot, 'dist/screenshots');

export const sizes = [
  { width: 1280, height: 720 },
  { width: 1920, height: 1080 },
] as const;
/** `npm test -- pictures` takes the second size too: too long for every run. */
export const picturedSizes = process.env['HOLDFAST_PICTURES'] === 'all' ? sizes : sizes.slice(0, 1);
export const themes = ['light', 'dark'] as const;
export const languages = ['en', 'fr'] as const;

export interface Look {
  readonly theme: (typeof themes)[number];
  readonly language: (typeof languages)[number];
}
export const looks: readonly Look[] = languages.flatMap((language) => themes.map((theme) => ({ theme, language })));

export function screenshotFile(screen: string, look: Look, size: (typeof sizes)[number]): string {
  mkdirSync(screenshotDirectory, { recursive: true });
  return join(screenshotDirectory, `${screen}-${look.language}-${look.theme}-${size.width}x${size.height}.png`);
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** One line per violation: the rule and where. The page's own security policy stays as it is: the browser evaluates this, not the page. */
export async function axeViolations(page: Page, within = 'body'): Promise<string[]> {
  await page.evaluate(axeSource);
  const results = await page.evaluate<AxeResults>(
    `axe.run(${JSON.stringify(within)}, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })`,
  );
  return results.violations.map(
    ({ id, help, nodes }) => `${id} (${help}): ${nodes.map((node) => String(node.target[0])).join(' · ')}`,
  );
}

/** Text that does not fit where it stands: cut off, or wider than the window. */
export function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(`(() => {
    const found = [];
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    if (wide > 0) found.push('the page is ' + wide + ' px wider than the window');
    for (const element of document.querySelectorAll('body *')) {
      const style = getComputedStyle(element);
      if (style.overflowX !== 'hidden' && style.overflowX !== 'clip') continue;
      // For whoever listens instead of looking.
      if (style.clipPath !== 'none' || element.classList.contains('unseen')) continue;
      const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '');
      // One pixel is rounding. What is cut off on purpose says so by an ellipsis and a title.
      if (hasText && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 2 && !element.closest('[title]'))
        found.push('cut off: ' + element.textContent.trim().slice(0, 60));
    }
    return found;
  })()`);
}

/** One picture with all looks of a screen, so that a person sees them side by side. */
export async function contactSheet(browser: Browser, screen: string): Promise<void> {
  const all = looks.flatMap((look) => sizes.map((size) => ({ look, size, file: screenshotFile(screen, look, size) })));
  // Of a run that was asked for some looks only.
  const pictures = all.filter(({ file }) => existsSync(file));
  if (pictures.length === 0) return;
  const figures = pictures.map(({ look, size, file }) => {
    const data = readFileSync(file).toString('base64');
    return `<figure><img src="data:image/png;base64,${data}"><figcaption>${look.language} · ${look.theme} · ${size.width}×${size.height}</figcaption></figure>`;
  });
  const page = await browser.newPage({ viewport: { width: 1960, height: 600 } });
  await page.setContent(
    `<style>body{margin:8px;background:#777;font:14px sans-serif;display:grid;grid-template-columns:1fr 1fr;gap:8px}figure{margin:0}img{width:100%;display:block}</style>${figures.join('')}`,
  );
  await page.screenshot({ path: join(screenshotDirectory, `sheet-${screen}.png`), fullPage: true });
  await page.close();
}
