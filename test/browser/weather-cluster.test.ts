/**
 * Bad weather over a cluster that runs: what the screen says when servers, agents, disks or the laptop itself are not as they should be.
 * The main process is the real one; only SSH, the agents, the laptop's network and its clock are laid out by the test.
 */
import { expect, test } from 'vitest';
import { Fault } from '../../agent/contract/index.ts';
import { openApp, useBrowser } from './opened-app.ts';
import { ClusterPage } from './pages/cluster-page.ts';
import { StartPage } from './pages/start-page.ts';
import { ScriptedLaptop } from './scripted-laptop.ts';
import { inOrder, type NodeName, type Scene } from './scripted-servers.ts';

useBrowser();

const unreachable = (node: NodeName): Fault =>
  new Fault(
    'ssh-unreachable',
    { message: `${node} cannot be reached on port 22: no answer.` },
    { host: node, port: 22, cause: 'no answer' },
  );

interface Weather {
  readonly laptop: ScriptedLaptop;
  readonly cluster: ClusterPage;
}

async function openCluster(language: 'en' | 'fr' = 'en'): Promise<Weather> {
  const laptop = await ScriptedLaptop.make();
  const { page } = await openApp(laptop.parts(), { hash: laptop.hash, language });
  const cluster = new ClusterPage(page);
  await cluster.says(language === 'en' ? 'Protected.' : 'Protégé.');
  return { laptop, cluster };
}

const since = new Date().toISOString();
const alone: Scene = {
  n1: {
    name: 'n1',
    state: 'alone',
    data: 'up-to-date',
    reason: 'peer-silent',
    message: 'n2 is silent. It will catch up by itself when it returns.',
    since,
  },
  n2: { name: 'n2', state: 'unknown', data: 'unknown' },
  protected: false,
};

test('server unreachable: its state comes from the other one, drawn as missing, with when it was seen last', async () => {
  const { laptop, cluster } = await openCluster();
  // Only from here: the servers see each other.
  laptop.servers.n2.ssh = unreachable('n2');
  laptop.servers.n2.cut();
  const notice = cluster.page.getByText('n2 cannot be reached from here; the other server answers for both.');
  await notice.waitFor();
  await cluster.says(/^Protected\.$/);
  await cluster.server('n2').getByText('last seen').waitFor();
  laptop.servers.n2.ssh = 'answers';
  await notice.waitFor({ state: 'hidden' });
});

test('a server loses its power: not protected, since when, and that there is nothing to do', async () => {
  const { laptop, cluster } = await openCluster();
  laptop.servers.n2.on = false;
  laptop.servers.n2.cut();
  laptop.servers.show(alone);
  await cluster.says(/Not protected since \d\d:\d\d — n2 has been silent since then/, 8000);
  await cluster.page.getByText('Nothing to do: it will catch up by itself').first().waitFor();
});

test('agent dead: SSH works, the sentence says so, and the one action opens a terminal there', async () => {
  const { laptop, cluster } = await openCluster();
  laptop.servers.n2.agent = 'dead';
  laptop.servers.n2.cut();
  laptop.servers.show(alone);
  await cluster.says(/SSH to n2 works, but its agent does not answer/, 30_000);
  await cluster.button('Open terminal on n2').first().waitFor();
});

test('both servers off: the last picture stays, marked as old, and nothing is invented', async () => {
  const { laptop, cluster } = await openCluster();
  for (const name of ['n1', 'n2'] as const) {
    laptop.servers[name].ssh = unreachable(name);
    laptop.servers[name].cut();
  }
  await cluster.says(/Unknown since \d\d:\d\d — neither server can be reached from here/, 30_000);
  await cluster.server('n1').getByText('last seen').waitFor();
  expect(await cluster.page.getByText('Protected.', { exact: true }).count()).toBe(0);
  for (const name of ['n1', 'n2'] as const) laptop.servers[name].ssh = 'answers';
  await cluster.press('Read again');
  await cluster.says(/^Protected\.$/);
});

test('laptop offline: it is the laptop that is named, not the servers', async () => {
  const { laptop, cluster } = await openCluster('fr');
  laptop.addresses = [];
  for (const name of ['n1', 'n2'] as const) {
    laptop.servers[name].ssh = unreachable(name);
    laptop.servers[name].cut();
  }
  await cluster.says(/portable n’a pas de réseau/, 30_000);
  laptop.addresses = ['10.77.0.100'];
  for (const name of ['n1', 'n2'] as const) laptop.servers[name].ssh = 'answers';
  await cluster.says(/^Protégé\.$/, 30_000);
});

test('version skew: an agent of tomorrow is named with its version and with what brings both together', async () => {
  const { laptop, cluster } = await openCluster();
  laptop.servers.n2.agent = 'of-tomorrow';
  laptop.servers.n2.cut();
  await cluster.says(/n2/, 30_000);
  await cluster.page
    .getByText(/Holdfast 2\.0\.0/)
    .first()
    .waitFor();
  await cluster.page
    .getByText(/Apply the configuration again/)
    .first()
    .waitFor();
});

test('disk full on the secondary: which disk, what it costs, what to do', async () => {
  const { laptop, cluster } = await openCluster();
  laptop.servers.show({
    n1: {
      name: 'n1',
      state: 'alone',
      data: 'up-to-date',
      reason: 'peer-expelled',
      message: 'n2 was expelled: it did not acknowledge a change in time.',
      since,
    },
    n2: {
      name: 'n2',
      state: 'wait',
      data: 'stale',
      reason: 'disk-full',
      message: 'The disk of the secondary is full: it could not take a change and has left.',
      since,
    },
    protected: false,
  });
  await cluster.says(/Not protected since \d\d:\d\d — the disk of n2 is full/);
  await cluster.page.getByText('Make room').first().waitFor();
});

test('laptop asleep for an hour: what is shown is old until it was read again, and then it is not', async () => {
  const { laptop, cluster } = await openCluster();
  // Nothing answers at once after a sleep: the old connections are dead, and Wi-Fi takes a moment.
  for (const name of ['n1', 'n2'] as const) laptop.servers[name].ssh = 'silent';
  laptop.sleep(3_600_000);
  await cluster.says(/slept/, 10_000);
  for (const name of ['n1', 'n2'] as const) {
    laptop.servers[name].ssh = 'answers';
    laptop.servers[name].cut();
  }
  laptop.servers.show(inOrder('n2'));
  await cluster.says(/^Protected\.$/, 30_000);
  await cluster.server('n2').getByText('primary').waitFor();
});

test('two copies of the app on one cluster: an order from one is seen in the other, and both may give it', async () => {
  const laptop = await ScriptedLaptop.make();
  const first = await openApp(laptop.parts(), { hash: laptop.hash });
  const second = await openApp(laptop.parts(), { hash: laptop.hash, language: 'fr' });
  const here = new ClusterPage(first.page);
  const there = new ClusterPage(second.page);
  await here.says('Protected.');
  await there.says('Protégé.');
  await here.press('Swap db');
  await here.confirm('Move to n2');
  await expect.poll(() => laptop.servers.n1.orders.map(({ method }) => method)).toEqual(['swap']);
  laptop.servers.show(inOrder('n2'));
  for (const one of [here, there])
    await one
      .server('n2')
      .getByText(/^(primary|primaire)$/)
      .waitFor();
  // What one copy forgets, the other one does not show any more.
  for (const { page } of [first, second]) await page.evaluate("location.hash = '#/'");
  const start = new StartPage(first.page);
  await start.cluster('site-a').getByText('Protected.').waitFor();
  await start.cluster('site-a').getByRole('button').click();
  await first.page.getByRole('menuitem', { name: /^Forget/ }).click();
  await first.page.getByRole('dialog').getByRole('button', { name: 'Forget it on this laptop' }).click();
  for (const { page } of [first, second]) await page.getByText(/^(No cluster yet|Pas encore de cluster)/).waitFor();
});
