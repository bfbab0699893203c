/** Comparing the copies from the app: what it says at every stage, that nothing is overwritten by accident, and that it can all be done by keyboard. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { Fault, type ClusterStatus } from '../../agent/contract/index.ts';
import type { Comparison } from '../../src-main/app-api/index.ts';
import { knownCluster } from './demonstration-clusters.ts';
import * as comparisons from './demonstration-comparison.ts';
import { demonstrate, type Demonstration } from './demonstration-parts.ts';
import {
  aloneCluster,
  differingCluster,
  nowOfPages,
  protectedCluster,
  resynchronisingCluster,
} from './demonstration.ts';
import { openApp, useBrowser, type OpenOptions } from './opened-app.ts';
import { ClusterPage } from './pages/cluster-page.ts';

useBrowser();

interface Looking {
  readonly parts: Demonstration;
  readonly page: Page;
  readonly cluster: ClusterPage;
}
async function look(comparison: Comparison, status = protectedCluster, options: OpenOptions = {}): Promise<Looking> {
  const parts = demonstrate({ clusters: [knownCluster('site-a', status)] });
  parts.clusters.showComparison(comparison);
  const { page } = await openApp(parts, { hash: '#/cluster/site-a', fixedTime: nowOfPages, ...options });
  const cluster = new ClusterPage(page);
  await cluster.sentence.waitFor();
  return { parts, page, cluster };
}
async function openFromMenu(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Orders for db' }).click();
  await page.getByRole('menuitem', { name: 'Compare the copies' }).click();
}
const says = (cluster: ClusterPage, text: string | RegExp): Promise<void> =>
  cluster.dialog.getByText(text).first().waitFor();

test('from never compared to running to stopped, and the servers are asked only while the window is open', async () => {
  const { parts, page, cluster } = await look(comparisons.neverCompared);
  await openFromMenu(page);
  await says(cluster, 'The copies have not been compared since db runs on n1.');
  await says(cluster, 'No comparison has come to its end yet.');
  await cluster.confirm('Compare now');
  await says(cluster, 'The data stays protected, and the application works meanwhile.');
  await says(
    cluster,
    /20\.5 GB of at most 74\.1 GB · 16,402 files · 212 MB\/s · at most 4 min left · nothing differs so far/,
  );
  expect(parts.clusters.paramsOf('compareCopies')).toEqual([
    { cluster: 'site-a', module: 'db', repair: false, primary: 'n1' },
  ]);
  await cluster.confirm('Stop comparing');
  await says(cluster, 'The comparison was stopped.');
  expect(parts.clusters.paramsOf('stopComparing')).toHaveLength(1);
  await page.keyboard.press('Escape');
  await cluster.dialog.waitFor({ state: 'hidden' });
  const asked = parts.clusters.paramsOf('comparison').length;
  await page.waitForTimeout(1500);
  expect(parts.clusters.paramsOf('comparison')).toHaveLength(asked);
});

const stages: readonly [string, Comparison, ClusterStatus, RegExp, RegExp][] = [
  ['equal', comparisons.equalComparison, protectedCluster, /copy on n2 is equal to that on n1/, /Compare again/],
  ['interrupted', comparisons.interruptedComparison, protectedCluster, /did not come to its end/, /Compare again/],
  ['repaired', comparisons.repairedComparison, protectedCluster, /was repaired/, /Compare again/],
  ['repairing', comparisons.repairingComparison, resynchronisingCluster, /1\.0 GB of 3\.0 GB/, /Close/],
  ['unreadable', comparisons.unreadableComparison, differingCluster, /disk of n1 does not read all/, /Compare again/],
  ['away', comparisons.neverCompared, aloneCluster, /Both servers must be connected/, /Close/],
];
test.each(stages)(
  '%s says what it means, and offers what makes sense',
  async (_name, comparison, status, text, button) => {
    const { page, cluster } = await look(comparison, status);
    await openFromMenu(page);
    await says(cluster, text);
    const offered = await cluster.dialog.locator('footer').getByRole('button').allInnerTexts();
    expect(offered.at(-1)).toMatch(button);
    expect(offered.join()).not.toContain('equal to');
  },
);

test('what differs leads from the situation on top to the table, and overwriting is spelled out before it is ordered', async () => {
  const { parts, page, cluster } = await look(comparisons.differentComparison, differingCluster);
  await cluster.press('Look at what differs');
  await says(cluster, 'Not protected: the copy on n2 differs from that on n1.');
  const table = cluster.dialog.getByRole('table');
  await table.getByText('base/16384/2619', { exact: true }).waitFor();
  await table.getByText('other content (131 kB), other time').waitFor();
  await table.getByText('pg_wal/archive_status/', { exact: true }).waitFor();
  await says(cluster, 'The first 5 of 4,323 are listed.');
  await cluster.confirm('Make n2’s copy equal to n1’s');
  await says(cluster, /what only n2 has is removed/);
  await says(cluster, /stop db, then promote n2/);
  expect(parts.clusters.paramsOf('compareCopies')).toEqual([]);
  await cluster.confirm('Back');
  await table.waitFor();
  await cluster.confirm('Make n2’s copy equal to n1’s');
  await cluster.confirm('Overwrite the copy on n2');
  await says(cluster, 'The copies are being compared; then that on n2 is made equal.');
  expect(parts.clusters.paramsOf('compareCopies')).toEqual([
    { cluster: 'site-a', module: 'db', repair: true, primary: 'n1' },
  ]);
  await page.keyboard.press('Escape');
  await cluster.dialog.waitFor({ state: 'hidden' });
});

test('an order that is refused says why, and can be given again', async () => {
  const { parts, page, cluster } = await look(comparisons.neverCompared);
  parts.clusters.answer('compareCopies', () => {
    throw new Fault('verify-not-possible', { message: 'Not while a resync runs.' });
  });
  await openFromMenu(page);
  await cluster.confirm('Compare now');
  await cluster.dialog.getByRole('alert').waitFor();
  parts.clusters.answer('compareCopies', async () => null);
  await cluster.confirm('Compare now');
  await cluster.dialog.getByRole('alert').waitFor({ state: 'detached' });
});

test('by keyboard alone, in French and in the dark', async () => {
  const { page, cluster } = await look(comparisons.equalComparison, protectedCluster, {
    language: 'fr',
    theme: 'dark',
  });
  await page.keyboard.press('Control+k');
  await page.keyboard.type('Comparer les copies de db');
  await page.keyboard.press('Enter');
  await says(cluster, 'La copie de n2 est identique à celle de n1.');
  await says(cluster, /Dernière comparaison.: 14:02, 48.211 fichiers, identiques/);
  await page.keyboard.press('Escape');
  await cluster.dialog.waitFor({ state: 'hidden' });
});

test('while n2 is away: what its return will cost, and which files, also when nobody can be asked', async () => {
  const { parts, page, cluster } = await look(comparisons.neverCompared, aloneCluster);
  const sentence = 'When n2 returns, at most 1.2 GB in 312 files and directories are compared.';
  await page.getByRole('region', { name: 'Situation' }).getByText(sentence).waitFor();
  await cluster.server('n1').getByRole('button', { name: 'alone' }).click();
  await says(cluster, sentence);
  await cluster.dialog.getByText('Which files').click();
  await says(cluster, '/data/db/pg_wal/000000010000000000000042');
  await says(cluster, '… and 309 more: holdfast resync MODULE --estimate --files');
  await page.keyboard.press('Escape');
  parts.clusters.showEstimate(null);
  parts.clusters.show('site-a', protectedCluster);
  await cluster.says('Protected.');
  await page.getByText(sentence).waitFor({ state: 'detached' });
});
