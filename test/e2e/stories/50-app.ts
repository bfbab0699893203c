/** What an integrator does with eyes and hands: two bare servers become a protected database, a plug is pulled, the application is moved back. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { buildRenderer } from '../../../resources/build-app.ts';
import { launchBrowser, watch } from '../../browser/chromium.ts';
import { ClusterPage } from '../../browser/pages/cluster-page.ts';
import { humanPace, Person } from '../../browser/pages/person.ts';
import { StartPage } from '../../browser/pages/start-page.ts';
import { WizardPage } from '../../browser/pages/wizard-page.ts';
import { startOwnApp } from '../../browser/started-app.ts';
import { repositoryRoot } from '../../lab/index.ts';
import {
  assertNothingLost,
  installPostgres,
  nowMs,
  postgresDirectory,
  postgresLayer,
  preparePostgres,
  startWorkload,
  virtualAddress,
} from '../harness/index.ts';
import { story, type StoryContext } from '../story.ts';

const password = 'secret';
/** The whole wizard by a person, the first sync of an almost empty database included. */
const wizardMsMax = 180_000;
const seenMsMax = 8000;

const pictures = path.join(repositoryRoot, 'dist/screenshots/story');

class Camera {
  readonly #page: Page;
  #count = 0;

  constructor(page: Page) {
    this.#page = page;
    rmSync(pictures, { recursive: true, force: true });
    mkdirSync(pictures, { recursive: true });
  }
  async take(name: string): Promise<void> {
    this.#count += 1;
    const file = `${String(this.#count).padStart(2, '0')}-${name}.png`;
    await this.#page.screenshot({ path: path.join(pictures, file) });
  }
}

async function answerTheWizard(t: StoryContext, page: Page, person: Person, camera: Camera): Promise<void> {
  const wizard = new WizardPage(page, person);
  const { words } = wizard;

  t.step('servers: one as root by key, one as a user who may use sudo, by password');
  await wizard.at('servers');
  await wizard.connect(0, 'root@10.77.0.11');
  await wizard.connect(1, 'admin@10.77.0.12');
  await wizard.giveSecret(1, password);
  await wizard.facts(0).waitFor();
  await wizard.facts(1).waitFor();
  t.step(`first contact: ${(await wizard.facts(0).getAttribute('title')) ?? ''}`);
  await wizard.nameCluster('dupont');
  await camera.take('servers');
  await wizard.continue();

  await wizard.at('fingerprints');
  await camera.take('fingerprints');
  await wizard.continue();

  await wizard.at('checks');
  await page.getByText(words.checkList.again).waitFor();
  await camera.take('checks');
  await wizard.continue();

  t.step('application: the PostgreSQL that runs there');
  await wizard.at('application');
  await wizard.choice('PostgreSQL').waitFor();
  await wizard.field(words.application.directory(1)).waitFor();
  const directory = await wizard.field(words.application.directory(1)).inputValue();
  if (directory !== postgresDirectory) throw new Error(`the wizard found the data in ${directory}`);
  await wizard.type(words.application.name, 'db');
  await camera.take('application');
  await wizard.continue();

  await wizard.at('data');
  await wizard.choice(words.data.good('n1')).waitFor();
  if (!(await wizard.choice(words.data.good('n1')).isChecked()))
    throw new Error('only n1 has data, and it is not chosen');
  await camera.take('data');
  await wizard.continue();

  await wizard.at('address');
  await wizard.choose(words.address.other);
  await wizard.type(words.address.field, `${virtualAddress}/24`);
  await page.getByText(words.address.free(virtualAddress)).waitFor();
  await camera.take('address');
  await wizard.continue();

  await wizard.at('checkers');
  await page.getByText(words.checkers.proposed).waitFor();
  await wizard.continueButton.click({ trial: true });
  await camera.take('checkers');
  await wizard.continue();

  await wizard.at('networks');
  await wizard.continueButton.click({ trial: true });
  await camera.take('networks');
  await wizard.continue();

  t.step('safety: a third machine as witness');
  await wizard.at('safety');
  await wizard.choose(words.safety.witness);
  await wizard.connect('witness', 'root@10.77.0.13');
  await wizard.facts('witness').waitFor();
  await camera.take('safety');
  await wizard.continue();

  await wizard.at('preferred');
  await camera.take('preferred');
  await wizard.continue();

  await wizard.at('review');
  const install = page.getByRole('button', { name: words.toInstall, exact: true });
  await install.click({ trial: true, timeout: 60_000 });
  await camera.take('review');
  t.step('install');
  await person.click(install);
  await wizard.at('install');
  await camera.take('install');
}

story(
  'a person sets up two bare servers in the app, sees a plug pulled and the resync run, and swaps by the button',
  { hosts: { nodes: 2, witness: true, layers: [postgresLayer] }, timeoutMs: 420_000 },
  async (t) => {
    // A first start builds; what is measured is every later one.
    await buildRenderer();
    await preparePostgres(t.host('n1'));
    await installPostgres(t.host('n2'));
    await t.host('n1').must('systemctl start app');
    const home = mkdtempSync(path.join(tmpdir(), 'holdfast-app-story-'));
    t.defer(() => rmSync(home, { recursive: true, force: true }));

    const began = nowMs();
    await using app = await startOwnApp({
      HOLDFAST_LAB: t.lab.description.name,
      XDG_STATE_HOME: home,
      XDG_CONFIG_HOME: home,
    });
    await using browser = await launchBrowser();
    const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, locale: 'en-GB' });
    page.setDefaultTimeout(30_000);
    const { complaints, requests } = watch(page);
    await page.goto(app.url);
    t.measured('from the start of the app to its first screen', nowMs() - began);
    const person = new Person(page, humanPace);
    const camera = new Camera(page);
    try {
      await camera.take('start');
      const wizardBegan = nowMs();
      await new StartPage(page, person).setUpTwoServers();
      await answerTheWizard(t, page, person, camera);
      const wizard = new WizardPage(page, person);
      await page.getByText(wizard.words.install.done).waitFor({ timeout: 120_000 });
      await camera.take('installed');
      await wizard.continue();
      await wizard.at('sync');
      await camera.take('first-sync');
      await page.getByText(wizard.words.sync.protected, { exact: true }).waitFor({ timeout: 90_000 });
      const wizardMs = nowMs() - wizardBegan;
      t.measured('from "Set up two servers" to "Protected." at the speed of a person', wizardMs);
      if (wizardMs > wizardMsMax)
        throw new Error(`the wizard took ${String(wizardMs)} ms, the bound is ${String(wizardMsMax)} ms`);
      await camera.take('protected');
      await wizard.press(wizard.words.toCluster);
      await liveWithIt(t, page, person, camera);
    } catch (error) {
      await tellWhatIsShown(t, page);
      throw error;
    }
    t.step(`the app holds ${String(Math.round(app.residentBytes() / 1e6))} MB`);
    const own = new URL(app.url).origin;
    const foreign = requests.filter((url) => new URL(url).origin !== own);
    if (foreign.length > 0) throw new Error(`the page asked others: ${foreign.join(', ')}`);
    if (complaints.length > 0) throw new Error(`the page complained: ${complaints.join('\n')}`);
  },
);

/** With everything that is one click below. */
async function tellWhatIsShown(t: StoryContext, page: Page): Promise<void> {
  try {
    await page.screenshot({ path: path.join(pictures, 'failure.png') });
    await page.evaluate("document.querySelectorAll('main details').forEach((one) => (one.open = true))");
    t.step(`the screen says:\n${await page.getByRole('main').innerText()}`);
  } catch (error) {
    t.step(`the screen cannot be read: ${String(error)}`);
  }
}

/** Real transactions through the virtual IP, a plug that is pulled from outside, a resync, a swap. */
async function liveWithIt(t: StoryContext, page: Page, person: Person, camera: Camera): Promise<void> {
  const cluster = new ClusterPage(page, person);
  await cluster.says(/^Protected\.$/);
  await using workload = await startWorkload(t.lab);
  await workload.waitForCommits(200);
  await camera.take('cluster-protected');

  t.step('pull the plug of n1, which runs the database');
  const cut = nowMs();
  await t.host('n1').poweroff();
  // First while n2 takes over, then when it runs alone.
  await cluster.says(/^(?!Protected\.$)/, 30_000);
  const seenMs = nowMs() - cut;
  t.measured('from power-off to another sentence on the screen', seenMs);
  t.step(`"${await cluster.sentence.innerText()}"`);
  await cluster.says(/Not protected since \d\d:\d\d — n1 has been silent since then/, 60_000);
  t.measured('from power-off to "Not protected since …"', nowMs() - cut);
  await cluster.server('n2').getByText('alone').waitFor();
  await cluster.server('n2').getByText(virtualAddress).waitFor();
  await camera.take('power-off');
  t.measured('from power-off to the first SELECT', await workload.firstSelectAfter(cut));
  if (seenMs > seenMsMax)
    throw new Error(`the screen said it after ${String(seenMs)} ms, the bound is ${String(seenMsMax)} ms`);
  await workload.firstCommitAfter(nowMs());

  t.step('the plug is put back');
  const back = nowMs();
  await t.host('n1').start();
  await cluster.says(/n1 is being brought up to date|^Protected/, 60_000);
  t.measured('from the plug to the resync on the screen', nowMs() - back);
  await camera.take('resync');
  await cluster.says(/^Protected\.$/, 60_000);
  t.measured('from the plug to "Protected."', nowMs() - back);
  await cluster.server('n1').getByText('secondary').waitFor();

  t.step('swap by the button');
  await cluster.press(cluster.words.cluster.actions.swap('db'));
  await camera.take('swap');
  const swapped = nowMs();
  await cluster.confirm(cluster.words.cluster.orders.swap.confirm('n1'));
  await cluster.server('n1').getByText('primary').waitFor({ timeout: 30_000 });
  await cluster.server('n1').getByText(virtualAddress).waitFor();
  t.measured('from the click to the other server on the screen', nowMs() - swapped);
  await cluster.says(/^Protected\.$/, 30_000);
  await workload.firstCommitAfter(nowMs());
  await camera.take('swapped');
  const report = await workload.stop();
  const verdict = await assertNothingLost(workload);
  t.step(`${String(report.acknowledged)} returned COMMITs, all there; ${String(verdict.rows)} rows`);
}
