/** Charts of what was measured: what they say, how a person moves through time, and how quickly a day is drawn. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Fault, type ClusterStatus } from '../../agent/contract/index.ts';
import type { Series } from '../../src-main/app-api/index.ts';
import { createHistoryPart } from '../../src-main/history/index.ts';
import { nowOfPages, protectedCluster } from './demonstration.ts';
import { knownCluster } from './demonstration-clusters.ts';
import { demonstrate } from './demonstration-parts.ts';
import { openApp, useBrowser, type OpenOptions } from './opened-app.ts';

useBrowser();

const cluster = 'site-a';
const empty: Series = {
  at: [],
  replicatedBytesPerSecond: [],
  writeLatencyP50Ms: [],
  writeLatencyP99Ms: [],
  resyncBytesPerSecond: [],
  resyncDone: [],
  resyncEtaSeconds: [],
  protected: [],
};

/** `running`: time goes on. */
async function openMeasurements({ running = false, ...options }: OpenOptions & { running?: boolean } = {}) {
  const parts = demonstrate({ clusters: [knownCluster(cluster)] });
  const time = running ? {} : { fixedTime: nowOfPages };
  const opened = await openApp(parts, { hash: `#/cluster/${cluster}`, ...time, ...options });
  return { ...opened, charts: opened.page.getByRole('region', { name: /^(Measurements|Mesures)$/ }).last() };
}

/** What the history was asked for last. */
function asked(parts: ReturnType<typeof demonstrate>): { fromMs: number; toMs: number; points: number } {
  return parts.history.paramsOf('history').at(-1)!;
}
async function drag(page: Page, from: number, to: number): Promise<void> {
  const chart = page.locator('.u-over').first();
  // Waits until it stands still: charts above it may still be growing.
  await chart.hover({ position: { x: 1, y: 20 } });
  const box = (await chart.boundingBox())!;
  await page.mouse.move(box.x + box.width * from, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * to, box.y + 30, { steps: 4 });
  await page.mouse.up();
}

describe('the charts', () => {
  test('show the last quarter of an hour, and say it to people who listen', async () => {
    const { charts, parts } = await openMeasurements();
    await charts.getByText('13:47 until now', { exact: true }).waitFor();
    expect(asked(parts)).toMatchObject({ toMs: nowOfPages.getTime(), fromMs: nowOfPages.getTime() - 900_000 });
    for (const title of ['Replication', 'Write latency', 'Resync', 'Resync rate', 'Protected'])
      await charts.getByRole('heading', { name: title, exact: true }).waitFor();
    const row = charts.getByRole('row', { name: /^Write latency p99/ });
    expect(await row.getByRole('cell').allInnerTexts()).toHaveLength(3);
    expect(await row.getByRole('cell').last().innerText()).toMatch(/\d\sms$/);
    await charts.getByText('Shaded: a resync was running.').waitFor();
  });

  test('are moved through with the keyboard', async () => {
    const { page, charts, parts } = await openMeasurements();
    await charts.getByRole('radio', { name: '15 min' }).focus();
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => asked(parts).fromMs).toBe(nowOfPages.getTime() - 3_600_000);
    await charts.getByRole('button', { name: 'Earlier' }).press('Enter');
    await expect.poll(() => asked(parts).toMs).toBe(nowOfPages.getTime() - 1_800_000);
    await charts.getByRole('button', { name: 'Closer' }).press('Enter');
    await expect.poll(() => asked(parts).toMs - asked(parts).fromMs).toBe(1_800_000);
    await charts.getByRole('button', { name: 'Back to now' }).press('Enter');
    await expect.poll(() => asked(parts)).toMatchObject({ toMs: nowOfPages.getTime() });
    await charts.getByText('13:47 until now', { exact: true }).waitFor();
  });

  test('are looked at closer by dragging, in all of them at once', async () => {
    const { page, charts, parts } = await openMeasurements();
    await charts.getByText(/^\d\d:\d\d until now$/).waitFor();
    await drag(page, 0.25, 0.5);
    await charts.getByRole('button', { name: 'Back to now' }).waitFor();
    // The button is there before the question is.
    await expect.poll(() => Math.abs(asked(parts).fromMs - (nowOfPages.getTime() - 675_000))).toBeLessThan(5000);
    expect(Math.abs(asked(parts).toMs - (nowOfPages.getTime() - 450_000))).toBeLessThan(5000);
  });

  test('say what the pointer is at, in all of them', async () => {
    const { page, charts } = await openMeasurements();
    const chart = page.locator('.u-over').nth(1);
    await chart.scrollIntoViewIfNeeded();
    await chart.hover();
    await charts.getByText(/^13:5\d:\d\d · p99 .*\sms · p50 .*\sms$/).waitFor();
    await charts
      .getByText(/^13:5\d:\d\d · .*\sMB\/s$/)
      .first()
      .waitFor();
  });

  test('show a resync that is chosen from the list, with what was before and after it', async () => {
    const { charts, parts } = await openMeasurements();
    await charts.getByRole('button', { name: /^Show the resync of n2, / }).click();
    await charts.getByRole('button', { name: 'Back to now' }).waitFor();
    expect(asked(parts)).toMatchObject({
      fromMs: Date.parse('2026-01-01T13:40:53Z'),
      toMs: Date.parse('2026-01-01T13:42:31Z'),
    });
    await charts.getByRole('cell', { name: 'finished' }).waitFor();
  });

  test('move on with the time, once a second', async () => {
    const { parts, charts } = await openMeasurements({ running: true });
    await charts.getByText(/^\d\d:\d\d until now$/).waitFor();
    const before = asked(parts).toMs;
    await expect.poll(() => asked(parts).toMs - before, { timeout: 10_000 }).toBeGreaterThan(1900);
    const times = parts.history.paramsOf('history').map(({ toMs }) => toMs);
    const pauses = times.slice(1).map((at, index) => at - times[index]!);
    // A second each, in which a busy machine may be late by half of one and half of one early again.
    expect(Math.min(...pauses.slice(1))).toBeGreaterThanOrEqual(500);
  });
});

describe('without measurements', () => {
  test('an empty history teaches; of a time in the past it says why', async () => {
    const { charts, parts } = await openMeasurements({ language: 'fr' });
    parts.history.answer('history', async () => empty);
    parts.history.answer('resyncs', async () => []);
    await charts.getByRole('radio', { name: '24 h' }).check();
    await charts.getByText('Encore aucune mesure').waitFor();
    await charts.getByRole('button', { name: 'Plus tôt' }).click();
    await charts.getByText('Rien de connu sur cette période').waitFor();
  });

  test('a history that cannot be read says so, and comes back', async () => {
    const { charts, parts } = await openMeasurements({ running: true });
    parts.history.answer('history', async () => {
      throw new Fault('internal', { message: 'the disk is full' });
    });
    await charts.getByText('the disk is full').first().waitFor({ state: 'attached' });
    parts.history.answer('history', async () => empty);
    await charts.getByText('Nothing measured yet').waitFor();
  });
});

describe('a day', () => {
  /** One reading a second, of a module that is written to all the time. */
  function measured(atMs: number, second: number): ClusterStatus {
    const [module] = protectedCluster.modules;
    return {
      ...protectedCluster,
      observedAt: new Date(atMs).toISOString(),
      modules: [
        {
          ...module!,
          metrics: {
            replicatedBytesPerSecond: 20e6 + 5e6 * Math.sin(second / 60),
            writeLatencyP50Ms: 0.4 + 0.1 * Math.sin(second / 31),
            writeLatencyP99Ms: 1.8 + Math.abs(Math.sin(second / 17)),
            changesPerSecond: 900,
          },
        },
      ],
    };
  }

  test('of seconds is asked for and drawn in less than 50 ms', { timeout: 120_000 }, async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'holdfast-measurements-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const history = createHistoryPart({ stateDirectory: directory });
    onTestFinished(() => history[Symbol.asyncDispose]());
    const daySeconds = 86_400;
    const began = Date.now() - daySeconds * 1000;
    for (let second = 0; second < daySeconds; second++) {
      history.record(cluster, measured(began + second * 1000, second));
      // Written as it goes: what waits in memory is bounded.
      if (second % 3000 === 0) await readAll(history);
    }
    await readAll(history);
    const { page } = await openApp(
      { ...demonstrate({ clusters: [knownCluster(cluster)] }), history },
      { hash: `#/cluster/${cluster}`, size: { width: 1920, height: 1080 } },
    );
    const charts = page.getByRole('region', { name: 'Measurements' }).last();
    const drawn = async (): Promise<{ durationMs: number; intervals: number } | null> =>
      await page.evaluate(() => {
        const entry = performance.getEntriesByName('holdfast: measurements drawn').at(-1) as
          PerformanceMeasure | undefined;
        return entry === undefined ? null : { durationMs: entry.duration, intervals: Number(entry.detail) };
      });
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      await charts.getByRole('radio', { name: '15 min' }).check();
      await expect.poll(async () => (await drawn())?.intervals ?? 0).toBeGreaterThanOrEqual(450);
      await page.evaluate(() => performance.clearMeasures());
      await charts.getByRole('radio', { name: '24 h' }).check();
      await expect.poll(async () => await drawn()).not.toBeNull();
      times.push((await drawn())!.durationMs);
    }
    times.sort((a, b) => a - b);
    console.log(`24 h asked for and drawn in ${times.map((time) => time.toFixed(0)).join(', ')} ms`);
    // With a software renderer on a machine that does other things: the quickest of five is what the code needs.
    expect(times[0]).toBeLessThan(50);
  });

  async function readAll(history: ReturnType<typeof createHistoryPart>): Promise<void> {
    const handlers = history.serve({ emit: () => undefined, onClose: () => undefined });
    await handlers.resyncs({ cluster, module: 'db', limit: 1 }, AbortSignal.any([]));
  }
});
