import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LinePort } from '../../agent/contract/index.ts';
import { startBrowserHost, type BrowserHost } from './browser.ts';

let directory: string;
let host: BrowserHost;
let screens: LinePort[];
let cookie: string;
beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'holdfast-browser-'));
  writeFileSync(path.join(directory, 'index.html'), '<!doctype html>');
  screens = [];
  host = await startBrowserHost({ rendererDirectory: directory, onScreen: (port) => screens.push(port) });
  const entered = await fetch(host.url, { redirect: 'manual' });
  cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
});
afterEach(async () => {
  await host[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

interface Page {
  readonly id: string;
  readonly response: IncomingMessage;
  /** Everything that has arrived. */
  text: string;
  ended: boolean;
}
async function openPage(): Promise<Page> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ port: host.port, path: '/stream', headers: { cookie, 'sec-fetch-site': 'same-origin' } }, resolve)
      .on('error', reject)
      .end();
  });
  response.setEncoding('utf8');
  const first = await new Promise<string>((resolve) => response.once('data', resolve));
  const page = { id: /data: (\S+)/.exec(first)?.[1] ?? '', response, text: '', ended: false };
  response.on('data', (chunk: string) => (page.text += chunk));
  response.on('close', () => (page.ended = true));
  response.on('error', () => undefined);
  return page;
}
async function say(page: Page, body: string): Promise<number> {
  const origin = `http://127.0.0.1:${host.port}`;
  const response = await fetch(`${origin}/lines?stream=${page.id}`, {
    method: 'POST',
    body,
    headers: { cookie, origin, 'sec-fetch-site': 'same-origin' },
  });
  return response.status;
}

describe('the link', () => {
  it('opens the app again for the browser that is in already, and for no other one', async () => {
    const again = await fetch(host.url, { redirect: 'manual', headers: { cookie } });
    expect([again.status, again.headers.get('location'), again.headers.get('set-cookie')]).toEqual([303, '/', null]);
    expect((await fetch(host.url, { redirect: 'manual' })).status).toBe(403);
    const foreign = await fetch(host.url, { redirect: 'manual', headers: { cookie, 'sec-fetch-site': 'cross-site' } });
    expect(foreign.status).toBe(403);
  });
});

describe('the conversation of a page', () => {
  it('carries many small lines and several at once, in order, to its own screen only', async () => {
    const [one, two] = [await openPage(), await openPage()];
    const heard: string[][] = [[], []];
    screens.forEach((screen, index) => screen.onLine((line) => heard[index]?.push(line)));
    for (let index = 0; index < 200; index++) expect(await say(one, String(index))).toBe(204);
    await say(two, 'a\nb\nc');
    expect(heard).toEqual([Array.from({ length: 200 }, (_, index) => String(index)), ['a', 'b', 'c']]);
  });

  it('ends for a page that takes nothing, instead of filling the memory', async () => {
    const [asleep, awake] = [await openPage(), await openPage()];
    asleep.response.pause();
    const closed = vi.fn();
    screens[0]?.onClose(closed);
    const line = 'x'.repeat(1024 * 1024);
    for (let index = 0; index < 64 && closed.mock.calls.length === 0; index++) {
      for (const screen of screens) screen.send(line);
      await vi.waitFor(() => expect(awake.text.length).toBeGreaterThan(index * line.length));
    }
    expect(closed).toHaveBeenCalledOnce();
    // Whoever still has something to say to it does no harm.
    screens[0]?.send('late');
    expect(awake.ended).toBe(false);
  });

  it('is taken over from the quietest page when a browser could open no further connection', async () => {
    const pages: Page[] = [];
    for (let count = 0; count < 5; count++) pages.push(await openPage());
    for (const page of pages.filter((_, index) => index !== 2)) await say(page, 'hello');
    const closed = vi.fn();
    screens[2]?.onClose(closed);
    const sixth = await openPage();
    await vi.waitFor(() => expect(pages[2]?.ended).toBe(true));
    expect(pages[2]?.text).toContain('event: retired');
    expect(closed).toHaveBeenCalledOnce();
    expect(await say(pages[2]!, 'still here?')).toBe(410);
    expect(await say(sixth, 'hello')).toBe(204);
    expect(pages.filter(({ ended }) => ended)).toHaveLength(1);
  });

  it('does not take what is too long for one message', async () => {
    const page = await openPage();
    expect(await say(page, 'x'.repeat(5 * 1024 * 1024))).toBe(400);
    expect(await say(page, 'short')).toBe(204);
  });
});
