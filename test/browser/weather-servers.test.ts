/** Bad weather on the way into servers and while they are set up: real sshd, real shells, real disks, a cable that is really pulled. */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Answers } from '../../src-main/app-api/index.ts';
import { Lab, labObstacle } from '../lab/index.ts';
import { LabLaptop, type LabParts } from './lab-laptop.ts';
import { openApp, useBrowser, type OpenedApp } from './opened-app.ts';
import { StartPage } from './pages/start-page.ts';
import { WizardPage } from './pages/wizard-page.ts';
import { slowdown } from '../run/slowdown.ts';

useBrowser();

const obstacle = labObstacle();
const password = 'secret';
const addresses = { n1: '10.77.0.11', n2: '10.77.0.12', w: '10.77.0.13' } as const;
type HostName = keyof typeof addresses;
let lab: Lab;
const keys = new Map<HostName, string>();

/** Somebody else's idea of a usual account. */
const oddAccounts = {
  csh: '/bin/csh',
  fish: '/usr/bin/fish',
} as const;

beforeEach((context) => {
  if (obstacle !== undefined) context.skip(obstacle.reason);
});
beforeAll(async () => {
  if (obstacle !== undefined) return;
  lab = await Lab.up({ name: 'weather', nodes: 2, witness: true, layers: ['shells'] });
  for (const name of Object.keys(addresses) as HostName[])
    keys.set(name, await lab.host(name).must('cat /etc/ssh/ssh_host_ed25519_key.pub'));
  const accounts = Object.entries(oddAccounts).map(
    ([name, shell]) => `useradd -m -s ${shell} ${name} && echo ${name}:${password} | chpasswd
      echo '${name} ALL=(ALL) ALL' > /etc/sudoers.d/${name}`,
  );
  await lab.host('n1').must(`${accounts.join('\n')}
    useradd -m -s /bin/bash talkative && echo talkative:${password} | chpasswd
    echo 'echo "Welcome to $(hostname), $USER"; date; echo "Backups run at night" >&2' >> /home/talkative/.bashrc
    echo 'talkative ALL=(ALL) ALL' > /etc/sudoers.d/talkative
    useradd -m -s /bin/bash asked && echo asked:${password} | chpasswd
    echo 'asked ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/asked
    printf 'Property of Dupont SA.\\nAll access is recorded.\\n' > /etc/issue.net
    printf 'Banner /etc/issue.net\\nMatch User asked\\n  PasswordAuthentication no\\n  KbdInteractiveAuthentication yes\\n' >> /etc/ssh/sshd_config
    systemctl reload ssh`);
});
afterAll(async () => {
  if (obstacle === undefined) await lab.down();
});

/** `known`: their host keys were compared on another day. */
async function newDraft(known: readonly HostName[]): Promise<{ wizard: WizardPage; laptop: LabLaptop }> {
  const laptop = new LabLaptop(lab);
  for (const name of known) laptop.knows(addresses[name], keys.get(name) ?? '');
  const { page } = await openApp(laptop.parts());
  await new StartPage(page).setUpTwoServers();
  const wizard = new WizardPage(page);
  await wizard.at('servers');
  return { wizard, laptop };
}

describe('on the way in', () => {
  test('wrong password: said at the field, without the password, and the right one goes on', async () => {
    const { wizard } = await newDraft(['n1']);
    await wizard.connect(0, 'admin@10.77.0.11');
    await wizard.giveSecret(0, 'Sesame');
    const words = wizard.words.secretWrong;
    await wizard.server(0).getByText(words['ssh-password']('admin')).waitFor();
    expect(await wizard.page.content()).not.toContain('Sesame');
    await wizard.giveSecret(0, password);
    // sudo there takes the same password; nobody is asked twice for one that was given.
    await wizard.facts(0).waitFor({ timeout: 30_000 });
  });

  test('changed host key: both fingerprints, two explanations, no password field, and only a comparison goes on', async () => {
    const { wizard, laptop } = await newDraft([]);
    laptop.knows(addresses.n1, keys.get('n2') ?? '');
    await wizard.connect(0, 'admin@10.77.0.11');
    const fingerprintOf = (name: HostName): string => {
      const blob = Buffer.from((keys.get(name) ?? '').split(' ')[1] ?? '', 'base64');
      return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
    };
    const alert = wizard.server(0).getByRole('alert');
    await alert.getByText(wizard.words.changed.title(addresses.n1)).waitFor();
    await alert.getByText(fingerprintOf('n2')).waitFor();
    await alert.getByText(fingerprintOf('n1')).waitFor();
    expect(await wizard.secret(0).count()).toBe(0);
    const accept = alert.getByRole('button', { name: wizard.words.changed.accept });
    expect(await accept.isDisabled()).toBe(true);
    await alert.getByLabel(wizard.words.changed.confirm).check();
    await accept.click();
    await wizard.giveSecret(0, password);
    await wizard.facts(0).waitFor({ timeout: 30_000 });
  });

  test('server unreachable: which one, on which port, what to look at, and it can be tried again', async () => {
    const { wizard } = await newDraft([]);
    await wizard.connect(0, 'root@127.0.0.1:9');
    const notice = wizard.server(0).getByRole('alert');
    await notice.getByText('127.0.0.1 does not answer on port 9.').waitFor();
    await notice.getByText(/Check its power/).waitFor();
    await notice.getByRole('button', { name: wizard.words.tryAgain }).click();
    await notice.getByText('127.0.0.1 does not answer on port 9.').waitFor();
    expect(await wizard.continueButton.isDisabled()).toBe(true);
  });

  test.each(Object.keys(oddAccounts))('odd login shell: %s', async (account) => {
    const { wizard } = await newDraft(['n1']);
    await wizard.connect(0, `${account}@10.77.0.11`);
    await wizard.giveSecret(0, password);
    await wizard.facts(0).waitFor({ timeout: 30_000 });
    expect(await wizard.facts(0).innerText()).toContain('root by sudo');
  });

  test('banners: what sshd and the shell say first is not taken for an answer', async () => {
    const { wizard } = await newDraft(['n1']);
    await wizard.connect(0, 'talkative@10.77.0.11');
    await wizard.giveSecret(0, password);
    await wizard.facts(0).waitFor({ timeout: 30_000 });
    expect(await wizard.facts(0).innerText()).toMatch(/^Debian .*logged in as talkative, root by sudo$/);
  });

  test('keyboard-interactive prompts: the password answers what the server asks', async () => {
    const { wizard } = await newDraft(['n1']);
    await wizard.connect(0, 'asked@10.77.0.11');
    await wizard.giveSecret(0, password);
    await wizard.facts(0).waitFor({ timeout: 30_000 });
  });

  test('10,000 lines of known_hosts: offered at once, filtered at once, and the last line is believed', async () => {
    const laptop = new LabLaptop(lab);
    writeFileSync(laptop.knownHostsFile, longKnownHosts(addresses.n1, keys.get('n1') ?? ''));
    const { page } = await openApp(laptop.parts());
    await new StartPage(page).setUpTwoServers();
    const wizard = new WizardPage(page);
    await wizard.at('servers');
    const began = performance.now();
    await wizard.server(0).getByRole('button', { name: wizard.words.find }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(wizard.words.finder.filter).fill('server-4999.');
    await dialog.getByText('server-4999.example.org').first().waitFor();
    const foundMs = performance.now() - began;
    const slower = await slowdown();
    await dialog.getByRole('button', { name: 'Close' }).click();
    await wizard.connect(0, 'admin@10.77.0.11');
    await wizard.giveSecret(0, password);
    await wizard.facts(0).waitFor({ timeout: 30_000 });
    expect(foundMs).toBeLessThan(3000 * slower);
  });
});

/** Plain and hashed names in turn; the one that counts comes last, hashed. */
function longKnownHosts(address: string, publicKey: string): string {
  const other = `ssh-ed25519 ${Buffer.concat([Buffer.from('0000000b7373682d65643235353139', 'hex'), Buffer.from('00000020', 'hex'), randomBytes(32)]).toString('base64')}`;
  const hashed = (name: string): string => {
    const salt = randomBytes(20);
    return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
  };
  const lines = Array.from({ length: 9999 }, (_, index) =>
    index % 2 === 0 ? `${hashed(`old-${index}.example.org`)} ${other}` : `server-${index}.example.org ${other}`,
  );
  return `${[...lines, `${hashed(address)} ${publicKey.split(' ').slice(0, 2).join(' ')}`].join('\n')}\n`;
}

function answersFor(directory: string): Answers {
  const machine = (name: HostName): Answers['witness']['machine'] => ({
    destination: `root@${addresses[name]}`,
    port: null,
    identity: lab.identityPath,
  });
  return {
    cluster: 'dupont',
    nodes: [
      { name: 'n1', machine: machine('n1'), facts: null },
      { name: 'n2', machine: machine('n2'), facts: null },
    ],
    application: {
      name: 'app',
      service: null,
      directories: [directory],
      start: 'true',
      stop: 'true',
      startTimeout: 60,
      stopTimeout: 60,
    },
    goodNode: 'n1',
    vip: '10.77.0.50/24',
    interface: null,
    checkers: [],
    checkersBy: 'nobody',
    networks: [{ name: 'lan', subnet: '10.77.0.0/24' }],
    witness: { kind: 'voting', machine: machine('w'), facts: null },
    withoutWitness: 'prefer-one-copy',
    detectionMs: 3000,
    prefer: 'n1',
    failback: 'manual',
  };
}

describe('while they are set up', () => {
  async function openDraft(
    step: 'checks' | 'review',
  ): Promise<OpenedApp<LabParts> & { wizard: WizardPage; draft: string }> {
    const laptop = new LabLaptop(lab);
    for (const name of Object.keys(addresses) as HostName[]) laptop.knows(addresses[name], keys.get(name) ?? '');
    const parts = laptop.parts();
    const { id, revision, answers } = await parts.wizard.createDraft(answersFor('/data/app'));
    const handlers = parts.wizard.serve({ emit: () => undefined, onClose: () => undefined });
    await handlers.saveDraft({ draft: id, revision, step, answers }, AbortSignal.timeout(10_000));
    const opened = await openApp(parts, { hash: `#/wizard/${id}` });
    return { ...opened, wizard: new WizardPage(opened.page), draft: id };
  }
  const mended = (page: Page, text: string): Promise<void> => page.getByText(text).waitFor({ timeout: 60_000 });

  test('disk full: the check says which disk and how much is missing, and passes once there is room', async () => {
    await lab.host('n1').must('mkdir -p /data/app && echo first > /data/app/file');
    const free = Number((await lab.host('n2').must('df --output=avail -B1 /opt | tail -1')).trim());
    await lab.host('n2').must(`mkdir -p /opt && fallocate -l ${free - 40_000_000} /opt/too-much`);
    const { page, wizard } = await openDraft('checks');
    await page.getByText(wizard.words.checkList.failed(1)).waitFor({ timeout: 60_000 });
    await page.getByText(/^n2 · Disk space/).waitFor();
    expect(await wizard.continueButton.isDisabled()).toBe(true);
    await lab.host('n2').must('rm /opt/too-much');
    await wizard.press(wizard.words.checkList.again);
    await mended(page, 'checks passed.');
  });

  test('SSH cut in the middle of a step: which connection was lost, and "Try again" goes on to the end', async () => {
    const { page, wizard } = await openDraft('review');
    const install = page.getByRole('button', { name: wizard.words.toInstall, exact: true });
    await install.click({ timeout: 60_000 });
    await wizard.at('install');
    const upload = page.getByRole('listitem').filter({ hasText: 'Upload the Node runtime to n2' });
    await upload.getByText(wizard.words.install.state.running).waitFor({ timeout: 60_000 });
    await lab.host('n2').cut();
    await page.getByText('The connection to 10.77.0.12 was lost.', { exact: true }).waitFor({ timeout: 60_000 });
    await page
      .getByText(/what was done already is not done twice/)
      .first()
      .waitFor();
    await lab.host('n2').heal();
    await wizard.press(wizard.words.install.goOn);
    await page.getByText(wizard.words.install.done).waitFor({ timeout: 120_000 });
    await wizard.continue();
    await page.getByText(wizard.words.sync.protected, { exact: true }).waitFor({ timeout: 60_000 });
  }, 240_000);
});
