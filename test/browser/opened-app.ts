/** The app as a user gets it: built screens in a real Chromium, through the browser host. One browser per test file. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { rendererDirectory } from '../../resources/build-app.ts';
import { repositoryRoot } from '../../resources/tools.ts';
import type { AppParts } from '../../src-main/app.ts';
import type { BrowserHost } from '../../src-main/hosts/browser.ts';
import { startApp } from '../../src-main/main.ts';
import { launchBrowser, watch } from './chromium.ts';

let browser: Browser | undefined;

/** Call once at the top of a test file. */
export function useBrowser(): void {
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
  });
}

export interface OpenedApp<Parts> extends OpenedPage {
  readonly parts: Parts;
  readonly host: BrowserHost;
}

export interface OpenOptions {
  readonly language?: 'en' | 'fr';
  readonly theme?: 'light' | 'dark';
  readonly size?: { readonly width: number; readonly height: number };
  /** What the page takes for the time, so that ages are the same every day. Timers go on. */
  readonly fixedTime?: Date;
  /** What a test provokes on purpose. */
  readonly allow?: readonly RegExp[];
}

export interface OpenedPage {
  readonly page: Page;
  /** What the page complained about: a violated content security policy, a script that failed. A test ends with none of them. */
  readonly complaints: string[];
  /** Every address that the page has asked for. */
  readonly requests: string[];
}

async function keepPicture(page: Page, test: string): Promise<void> {
  const folder = join(repositoryRoot, 'dist/screenshots/failures');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${test.replace(/[^a-z0-9]+/gi, '-').slice(0, 80)}-${Date.now()}.png`);
  await page.screenshot({ path }).then(
    () => console.log(`the page at its failure: ${path}`),
    () => undefined,
  );
}

/** `url`: of an app that runs, with its token. */
export async function openPage(url: string, options: OpenOptions = {}): Promise<OpenedPage> {
  if (!browser) throw new Error('useBrowser() is missing at the top of this test file');
  const { language = 'en', theme = 'light', size = { width: 1280, height: 720 }, allow = [] } = options;
  const look: BrowserContextOptions = {
    viewport: size,
    locale: language === 'fr' ? 'fr-FR' : 'en-GB',
    timezoneId: 'UTC',
    colorScheme: theme,
    reducedMotion: 'reduce',
  };
  const context = await browser.newContext(look);
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const { complaints, requests } = watch(page);
  onTestFinished(async ({ task }) => {
    // What a person would want to see first.
    if (task.result?.state === 'fail') await keepPicture(page, task.name);
    await context.close();
    expect(complaints.filter((text) => !allow.some((pattern) => pattern.test(text)))).toEqual([]);
  });
  if (options.fixedTime !== undefined) await page.clock.setFixedTime(options.fixedTime);
  await page.goto(url);
  return { page, complaints, requests };
}

/** An app in this process, made of these parts, and a page of it. */
export async function openApp<Parts extends AppParts>(
  parts: Parts,
  options: OpenOptions & { readonly hash?: string } = {},
): Promise<OpenedApp<Parts>> {
  const host = await startApp({ root: repositoryRoot, rendererDirectory, parts });
  onTestFinished(() => host[Symbol.asyncDispose]());
  // The redirect that takes the token out of the address keeps the fragment.
  const opened = await openPage(`${host.url}${options.hash ?? ''}`, options);
  return { parts, host, ...opened };
}
