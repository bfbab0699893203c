/** The cluster screen by mouse and keyboard: orders spelled out, reasons one click below, what moves and what is older than now. */
import type { Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { Fault, type ClusterStatus, type TimelineEvent } from '../../agent/contract/index.ts';
import { demonstrate, type Demonstration } from './demonstration-parts.ts';
import { knownCluster } from './demonstration-clusters.ts';
import { draftAt, installationAt } from './demonstration-answers.ts';
import {
  agentDeadCluster,
  aloneCluster,
  at,
  forkedCluster,
  maintenanceCluster,
  nowOfPages,
  protectedCluster,
  stoppedCluster,
  waitingCluster,
} from './demonstration.ts';
import { openApp, useBrowser, type OpenOptions } from './opened-app.ts';
import { ClusterPage } from './pages/cluster-page.ts';

useBrowser();

interface Looking {
  readonly parts: Demonstration;
  readonly page: Page;
  readonly cluster: ClusterPage;
}
async function look(status: ClusterStatus = protectedCluster, options: OpenOptions = {}): Promise<Looking> {
  const parts = demonstrate({ clusters: [knownCluster('site-a', status)] });
  const { page } = await openApp(parts, { hash: '#/cluster/site-a', fixedTime: nowOfPages, ...options });
  const cluster = new ClusterPage(page);
  await cluster.sentence.waitFor();
  return { parts, page, cluster };
}
async function choose(page: Page, order: string | RegExp): Promise<void> {
  await page.getByRole('button', { name: 'Orders for db' }).click();
  await page.getByRole('menuitem', { name: order }).click();
}

describe('orders', () => {
  test('a swap says what happens, and where the module was seen to run', async () => {
    const { parts, cluster } = await look();
    await cluster.press('Swap db');
    await cluster.dialog.getByText('The application stops on n1 and starts on n2.').waitFor();
    expect(parts.clusters.orders).toEqual([]);
    await cluster.confirm('Move to n2');
    await cluster.dialog.waitFor({ state: 'hidden' });
    expect(parts.clusters.orders).toEqual([{ kind: 'swap', from: 'n1', cluster: 'site-a', module: 'db' }]);
    await cluster.page.getByText('The order for db was given.').waitFor();
  });

  test('stopping is spelled out, and Escape stops nothing', async () => {
    const { parts, page, cluster } = await look();
    await choose(page, 'Stop on both servers');
    await cluster.dialog.getByRole('heading', { name: 'Stop db on both servers' }).waitFor();
    await page.keyboard.press('Escape');
    await cluster.dialog.waitFor({ state: 'hidden' });
    await choose(page, 'Stop on both servers');
    await cluster.confirm('Stop the application on both servers');
    await cluster.dialog.waitFor({ state: 'hidden' });
    expect(parts.clusters.orders).toEqual([{ kind: 'stop', cluster: 'site-a', module: 'db' }]);
  });

  test('promoting says what is lost and wants the name of the module', async () => {
    const { parts, page, cluster } = await look(waitingCluster);
    await choose(page, /^Promote n2/);
    await cluster.dialog.getByText(/Every change that n1 confirmed/).waitFor();
    const confirm = cluster.dialog.getByRole('button', { name: 'Promote n2 and accept the loss' });
    expect(await confirm.isDisabled()).toBe(true);
    await cluster.dialog.getByLabel('Type db to confirm').fill('web');
    await cluster.dialog.getByText('Type exactly db.').waitFor();
    expect(await confirm.isDisabled()).toBe(true);
    await cluster.dialog.getByLabel('Type db to confirm').fill('db');
    await confirm.click();
    await cluster.dialog.waitFor({ state: 'hidden' });
    expect(parts.clusters.orders).toEqual([
      { kind: 'promote', node: 'n2', confirmed: 'db', cluster: 'site-a', module: 'db' },
    ]);
  });

  test('what cannot be done now says why, and does nothing', async () => {
    const { parts, page, cluster } = await look(aloneCluster);
    await page.getByRole('button', { name: 'Orders for db' }).click();
    const swap = page.getByRole('menuitem', { name: /^Swap/ });
    expect(await swap.getAttribute('aria-disabled')).toBe('true');
    await swap.getByText('The other server is not an up-to-date secondary.').waitFor();
    await swap.click({ force: true });
    expect(await cluster.dialog.count()).toBe(0);
    expect(parts.clusters.orders).toEqual([]);
  });

  test.each([
    [stoppedCluster, 'Start db', { kind: 'start' }],
    [maintenanceCluster, 'End maintenance', { kind: 'maintenance', on: false }],
  ])('what harms nobody is done at once: %#', async (status, button, order) => {
    const { parts, cluster } = await look(status);
    await cluster.press(button);
    await cluster.page.getByText('The order for db was given.').waitFor();
    expect(parts.clusters.orders).toEqual([{ ...order, cluster: 'site-a', module: 'db' }]);
  });

  test('an order that is refused says so where it was given, and can be given again', async () => {
    const { parts, cluster } = await look(stoppedCluster);
    parts.clusters.answer('order', () => {
      throw new Fault('replicator-down', {
        message: 'The replicator does not answer.',
        remedy: 'Look at its journal.',
      });
    });
    await cluster.press('Start db');
    await cluster.dialog.getByRole('alert').waitFor();
    parts.clusters.answer('order', async () => null);
    await cluster.confirm('Start');
    await cluster.dialog.waitFor({ state: 'hidden' });
  });
});

describe('nothing is a mystery', () => {
  test('every state gives its reason, its age and its technical detail', async () => {
    const { page, cluster } = await look(aloneCluster);
    await cluster.server('n1').getByRole('button', { name: 'alone' }).click();
    await cluster.dialog.getByText('n2 has been silent since then on both networks.').waitFor();
    await cluster.dialog.getByText('14:02:11 · 4 s ago').waitFor();
    await cluster.dialog.getByText('Technical detail').click();
    await cluster.dialog.getByText('reason: peer-silent').waitFor();
    await page.keyboard.press('Escape');
    // The focus returns to the state that was asked about.
    await expect.poll(() => page.evaluate('document.activeElement.textContent')).toContain('alone');
  });

  test('the evidence of an event is one click below, in words, also in French', async () => {
    const { page } = await look(protectedCluster, { language: 'fr' });
    const event = page.getByRole('button', { name: /n1 prend l’application/ });
    await event.click();
    expect(await event.getAttribute('aria-expanded')).toBe('true');
    const timeline = page.getByRole('region', { name: 'Chronologie' });
    await timeline.getByText('l’autre serveur ne répond plus').waitFor();
    await timeline.getByText('Voix du témoin').waitFor();
    await timeline.getByText('donnée', { exact: true }).waitFor();
  });

  test('events of both servers arrive live, and are filtered by server', async () => {
    const { parts, page } = await look();
    const event: TimelineEvent = {
      at,
      node: 'n2',
      sequence: 14,
      module: 'db',
      code: 'peer-silent',
      message: 'n1 has been silent for 3.0 s on both networks.',
      severity: 'attention',
      evidence: {},
    };
    parts.clusters.happened('site-a', [event]);
    const timeline = page.getByRole('region', { name: 'Timeline' });
    const rows = timeline.getByRole('listitem');
    await rows.first().getByText(event.message).waitFor();
    await timeline.getByLabel('Server').selectOption('n1');
    await timeline.getByText(event.message).waitFor({ state: 'detached' });
    await timeline.getByText('Protected: both servers have every acknowledged write.').waitFor();
  });

  test('a server whose events are missing is named, and asked again when it is back', async () => {
    const parts = demonstrate({ clusters: [knownCluster('site-a', aloneCluster)] });
    parts.clusters.answer('timeline', async () => ({ events: [], missing: ['n2'] }));
    const { page } = await openApp(parts, { hash: '#/cluster/site-a', fixedTime: nowOfPages });
    await page.getByText('Without what n2 saw: it cannot be asked now.').waitFor();
    parts.clusters.answer('timeline', async () => ({ events: [], missing: [] }));
    parts.clusters.show('site-a', protectedCluster);
    await page.getByText('Without what n2 saw: it cannot be asked now.').waitFor({ state: 'detached' });
  });
});

describe('who listens instead of looking', () => {
  test('hears another reason, not only another kind of trouble', async () => {
    const [module] = waitingCluster.modules;
    const asked = module!.nodes.map((on) => (on.state === 'wait' ? { ...on, reason: 'no-majority' } : on));
    const { parts, page, cluster } = await look({ ...waitingCluster, modules: [{ ...module!, nodes: asked }] });
    const before = await cluster.sentence.innerText();
    const heard = page.getByRole('region', { name: 'Situation' }).getByRole('status').last();
    await expect.poll(() => heard.innerText()).toBe(before);
    parts.clusters.show('site-a', waitingCluster);
    await cluster.says(/is not known to be complete/);
    await expect.poll(() => heard.innerText()).toBe(await cluster.sentence.innerText());
  });
});

describe('the picture', () => {
  test('the address moves to the server that has taken over', async () => {
    const { parts, cluster } = await look();
    await cluster.server('n1').getByText('10.77.0.50').waitFor();
    const [module] = protectedCluster.modules;
    parts.clusters.show('site-a', {
      ...protectedCluster,
      modules: [
        {
          ...module!,
          nodes: [
            { name: 'n1', state: 'secondary', data: 'up-to-date' },
            { name: 'n2', state: 'primary', data: 'up-to-date' },
          ],
          vip: [{ address: '10.77.0.50', on: 'n2' }],
        },
      ],
    });
    await cluster.server('n2').getByText('10.77.0.50').waitFor();
    await cluster.server('n1').getByText('10.77.0.50').waitFor({ state: 'detached' });
  });

  test('what is missing is drawn as missing, with when it was seen last', async () => {
    const { cluster } = await look(aloneCluster);
    await cluster.server('n2').getByText('last seen 14:01:57').waitFor();
    await cluster.page.getByText('no replication').waitFor();
    expect(await cluster.page.getByText('silent', { exact: true }).count()).toBe(2);
  });
});

describe('locked doors', () => {
  const unreachable = (code: string, details: Record<string, string | number>): ClusterStatus => ({
    ...aloneCluster,
    nodes: aloneCluster.nodes.map((node) =>
      node.name === 'n2' ? { ...node, reachable: false, fault: { code, message: `${code}.`, details } } : node,
    ),
  });

  test('a password is asked for, given, and nothing of it stays on the page', async () => {
    const { parts, page, cluster } = await look(
      unreachable('secret-needed', { kind: 'ssh-password', user: 'root', host: '10.77.0.12' }),
    );
    await cluster.press('Log in to n2');
    await page.getByLabel('Password of root on 10.77.0.12').fill('correct horse');
    parts.clusters.answer('refresh', async () => ({ kind: 'read', status: protectedCluster }));
    await page.keyboard.press('Enter');
    await cluster.dialog.waitFor({ state: 'hidden' });
    expect(parts.servers.paramsOf('giveSecret')).toEqual([
      {
        request: { kind: 'ssh-password', user: 'root', host: '10.77.0.12' },
        secret: 'correct horse',
        remember: false,
      },
    ]);
    await cluster.says('Protected.');
    expect(await page.content()).not.toContain('correct horse');
  });

  test('a changed host key is compared before it is taken', async () => {
    const { parts, cluster } = await look(
      unreachable('host-key-changed', {
        host: '10.77.0.12',
        port: 22,
        type: 'ssh-ed25519',
        fingerprint: 'SHA256:new',
        expected: 'SHA256:old',
      }),
    );
    await cluster.press('Compare fingerprints');
    await cluster.dialog.getByText('SHA256:new').waitFor();
    await cluster.dialog.getByText('SHA256:old').waitFor();
    const take = cluster.dialog.getByRole('button', { name: 'Take this key' });
    expect(await take.isDisabled()).toBe(true);
    await cluster.dialog.getByRole('checkbox').check();
    await take.click();
    await cluster.dialog.waitFor({ state: 'hidden' });
    expect(parts.servers.paramsOf('acceptHostKey')).toEqual([
      { host: '10.77.0.12', port: 22, fingerprint: 'SHA256:new' },
    ]);
  });

  test('a dead agent: the one action opens a terminal there', async () => {
    const { parts, cluster } = await look(agentDeadCluster);
    await cluster.press('Open terminal on n2');
    await expect.poll(() => parts.terminals.paramsOf('openServerTerminal')).toMatchObject([{ server: { node: 'n2' } }]);
  });

  test('a fork: how to choose, without a copy chosen beforehand', async () => {
    const { cluster } = await look(forkedCluster);
    await cluster.press('How to choose');
    expect(await cluster.dialog.getByText('holdfast apply').count()).toBe(0);
    await cluster.dialog.getByLabel('The good copy is on').selectOption('n2');
    await cluster.dialog.getByText('holdfast apply /home/integrator/site-a.yaml --good n2').waitFor();
  });

  test('an installation that was cut off is gone on with', async () => {
    const draft = draftAt('install', { id: 'cut-off' });
    const parts = demonstrate({ clusters: [knownCluster('site-a', agentDeadCluster)], drafts: [draft] });
    parts.wizard.answer('installation', async () =>
      installationAt(draft.id, 3, { state: 'interrupted', cluster: 'site-a' }),
    );
    const { page } = await openApp(parts, { hash: '#/cluster/site-a', fixedTime: nowOfPages });
    await new ClusterPage(page).press('Go on installing');
    await expect.poll(() => page.url()).toContain('#/wizard/cut-off');
  });
});
