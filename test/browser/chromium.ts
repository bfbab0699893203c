/** The browser itself, also for stories, which are told outside of the test runner. */
import { chromium, type Browser, type Page } from 'playwright-core';
import { browserPath } from '../run/stages.ts';

export function launchBrowser(): Promise<Browser> {
  const executablePath = browserPath();
  if (executablePath === undefined) throw new Error('needs a Chromium (Debian: chromium-headless-shell)');
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Text is drawn the same way on every machine.
      '--font-render-hinting=none',
    ],
  });
}

/** Every address, error and warning of a page, from its first byte on. */
export function watch(page: Page): { complaints: string[]; requests: string[] } {
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => requests.push(request.url()));
  return { complaints, requests };
}
