/**
 * The wizard in every situation that has a face of its own: what servers answer to a login, what checks find, what an
 * installation meets. Each begins at a draft and says what the servers do; nothing happens by chance.
 */
import type { Page } from 'playwright-core';
import { Fault } from '../../agent/contract/index.ts';
import type { Answers, Draft, Installation, Machine, ServerFacts, WizardStep } from '../../src-main/app-api/index.ts';
import { badChecks, copies, draftAt, emptyAnswers, fullAnswers, installationAt } from './demonstration-answers.ts';
import { demonstrate, type Demonstration } from './demonstration-parts.ts';
import { demonstrationFacts, foundServers, machine, serverFacts } from './demonstration-servers.ts';
import type { ScreenCase } from './screens.ts';
import { wrongAnswers } from '../../src-main/wizard/validate.ts';
import { newChecker } from '../../src-renderer/wizard/checkers.ts';

type Door = (machine: Machine) => Promise<ServerFacts>;

/** A draft in which both servers are typed and not connected yet. */
const typedAnswers: Answers = {
  ...emptyAnswers,
  cluster: 'dupont-lyon',
  nodes: [
    { name: 'n1', machine: machine('root@10.77.0.11'), facts: null },
    { name: 'n2', machine: machine('admin@10.77.0.12'), facts: null },
  ],
};

function open(hostOrKey: string): ServerFacts {
  return demonstrationFacts[hostOrKey] ?? serverFacts('n2', '10.77.0.12', { user: 'admin', isRoot: false });
}

/** What the second server says at its door; the first one lets everybody in. */
function secondDoor(second: Door): Door {
  return async (given) => (given.destination.endsWith('.12') ? await second(given) : open(given.destination));
}
const closed =
  (code: string, details: Record<string, string | number | boolean | string[]>): Door =>
  () =>
    Promise.reject(new Fault(code, { message: `The server said ${code}.` }, details));

const ofAdmin = { user: 'admin', host: '10.77.0.12' };
const fingerprint = 'SHA256:p4Wf9Qh0gZ2mYtq6xWc1VvU8rKe3sBd7nJfLo5aTiXk';
const hostKey = { host: '10.77.0.12', port: 22, type: 'ssh-ed25519', fingerprint };

export const doors = {
  passwordNeeded: closed('secret-needed', { kind: 'ssh-password', ...ofAdmin, wrong: false }),
  passwordWrong: closed('login-refused', { ...ofAdmin, tried: ['key', 'password'] }),
  sudoPasswordNeeded: closed('secret-needed', { kind: 'sudo-password', ...ofAdmin, wrong: false }),
  passphraseNeeded: closed('secret-needed', {
    kind: 'key-passphrase',
    file: '/home/integrator/.ssh/id_ed25519',
    wrong: false,
  }),
  unreachable: closed('ssh-unreachable', { host: '10.77.0.12', port: 22 }),
  noSudo: closed('no-sudo', ofAdmin),
  keyUnknown: closed('host-key-unknown', hostKey),
  keyChanged: closed('host-key-changed', {
    ...hostKey,
    expected: 'SHA256:0vJx2Yd8uRkq5Tz1LmNc7WbE4hGfSa9oPi6QtZyXwVs',
  }),
  otherCluster: () => Promise.resolve(serverFacts('n2', '10.77.0.12', { cluster: 'museum', agentVersion: '0.1.0' })),
  sameMachine: () => Promise.resolve(serverFacts('n1', '10.77.0.11')),
} satisfies Record<string, Door>;

function parts(step: WizardStep, change: Partial<Draft> = {}): Demonstration {
  const made = demonstrate({ drafts: [draftAt(step, { id: 'draft', ...change })] });
  made.wizard.pace = 'hold';
  return made;
}

function situation(
  name: string,
  begin: () => Demonstration,
  act?: (page: Page, parts: Demonstration) => Promise<void>,
): ScreenCase {
  return { name: `wizard-${name}`, hash: '#/wizard/draft', start: begin, ...(act ? { act } : {}) };
}

async function connectBoth(page: Page): Promise<void> {
  const fields = page.locator('input.monospace');
  for (const index of [0, 1]) {
    await fields.nth(index).focus();
    await page.keyboard.press('Enter');
  }
}

function atTheDoor(name: string, door: Door): ScreenCase {
  return situation(
    name,
    () => {
      const made = parts('servers', { answers: typedAnswers });
      made.servers.answer('connectServer', secondDoor(door));
      return made;
    },
    connectBoth,
  );
}

const installed: readonly [string, Partial<Installation>, number][] = [
  ['install-running', {}, 3],
  ['install-interrupted', { state: 'interrupted' }, 7],
  ['install-done', {}, 16],
];

function nothingShared(): Demonstration {
  const made = parts('networks', { answers: { ...fullAnswers, networks: null } });
  made.wizard.answer('suggestions', async () => ({ networks: [], vip: null }));
  return made;
}

export const wizardSituations: readonly ScreenCase[] = [
  atTheDoor('login-password', doors.passwordNeeded),
  atTheDoor('login-password-wrong', doors.passwordWrong),
  atTheDoor('login-sudo', doors.sudoPasswordNeeded),
  atTheDoor('login-passphrase', doors.passphraseNeeded),
  atTheDoor('login-unreachable', doors.unreachable),
  atTheDoor('login-no-sudo', doors.noSudo),
  atTheDoor('login-key-unknown', doors.keyUnknown),
  atTheDoor('login-key-changed', doors.keyChanged),
  atTheDoor('login-other-cluster', doors.otherCluster),
  atTheDoor('login-same-machine', doors.sameMachine),
  situation(
    'find-server',
    () => {
      const made = parts('servers');
      made.servers.answer('discover', async () => [...foundServers]);
      return made;
    },
    async (page) => {
      await page.locator('.row button').first().click();
      await page.locator('dialog[open]').waitFor();
    },
  ),
  situation('fingerprints-open', () => {
    const made = parts('fingerprints', { answers: typedAnswers });
    made.servers.answer('connectServer', (given) => {
      const host = given.destination.split('@')[1] ?? '';
      return closed('host-key-unknown', { ...hostKey, host })(given);
    });
    return made;
  }),
  situation('login-on-another-day', () => {
    const made = parts('application', { answers: fullAnswers });
    made.servers.answer('connectServer', secondDoor(doors.passwordNeeded));
    return made;
  }),
  situation(
    'application-by-hand',
    () => {
      const made = parts('application', { answers: { ...fullAnswers, application: emptyAnswers.application } });
      made.wizard.answer('services', async () => []);
      return made;
    },
    async (page) => {
      await page.locator('input[type=radio]').last().click();
    },
  ),
  situation('application-warned', () => {
    const made = parts('application', { answers: fullAnswers });
    made.wizard.answer('checkServers', async () => [
      ...badChecks,
      {
        code: 'unit-starts-by-itself',
        host: 'n1',
        ok: true,
        attention: true,
        title: 'postgresql@15-main.service',
        what: 'postgresql@15-main.service starts by itself when n1 boots',
        why: 'From now on the module decides where the application runs; a start at boot fails, or runs before its data is there.',
        remedy: 'Leave the start to the module: systemctl disable postgresql@15-main.service',
        facts: { unit: 'postgresql@15-main.service', command: 'systemctl disable postgresql@15-main.service' },
      },
    ]);
    return made;
  }),
  situation('data-open', () => parts('data', { answers: { ...fullAnswers, goodNode: null } })),
  situation('data-on-one', () => {
    const made = parts('data', { answers: { ...fullAnswers, goodNode: null } });
    made.wizard.answer('copies', async () =>
      copies.map((copy) => (copy.node === 'n2' ? { ...copy, exists: false, files: null, bytes: null } : copy)),
    );
    return made;
  }),
  situation('address-in-use', () => {
    const made = parts('address', { answers: { ...fullAnswers, vip: '10.77.0.60/24' } });
    made.wizard.answer('addressInUse', async () => ({ by: null, inUse: true }));
    return made;
  }),
  situation('address-wrong', () => {
    const made = parts('address', { answers: { ...fullAnswers, vip: '10.77.0.300' } });
    made.wizard.answer('validate', async () => [
      { path: 'vip', code: 'address-invalid', message: 'No address.', remedy: '', facts: { value: '10.77.0.300' } },
    ]);
    return made;
  }),
  situation('checkers-none', () =>
    parts('checkers', { answers: { ...fullAnswers, checkers: [], checkersBy: 'person' } }),
  ),
  situation(
    'checkers-changed',
    () =>
      parts('checkers', {
        answers: {
          ...fullAnswers,
          checkers: [
            newChecker('tcp', { target: '10.77.0.60:5432' }),
            newChecker('http', { target: 'http://127.0.0.1:8080/health', contains: 'ok' }),
          ],
          checkersBy: 'person',
        },
      }),
    async (page) => {
      await page.locator('li button[aria-expanded]').last().click();
    },
  ),
  situation(
    'checkers-wrong',
    () => {
      const made = parts('checkers', {
        answers: {
          ...fullAnswers,
          checkers: [newChecker('disk', { target: '/data', freePercentMin: 'x', timeout: '9' })],
          checkersBy: 'person',
        },
      });
      made.wizard.answer('validate', async ({ answers }) => wrongAnswers(answers));
      return made;
    },
    async (page) => {
      await page.locator('li button[aria-expanded]').click();
      await page.locator('[aria-invalid]').first().waitFor();
    },
  ),
  situation('networks-none', nothingShared),
  situation('safety-none', () =>
    parts('safety', { answers: { ...fullAnswers, witness: emptyAnswers.witness, withoutWitness: 'prefer-one-copy' } }),
  ),
  situation('safety-ping', () =>
    parts('safety', {
      answers: {
        ...fullAnswers,
        witness: { ...emptyAnswers.witness, kind: 'ping', ping: '10.77.0.1' },
        withoutWitness: 'prefer-availability',
      },
    }),
  ),
  situation(
    'review-file',
    () => parts('review'),
    async (page) => {
      await page.locator('.views button').last().click();
    },
  ),
  situation('review-incomplete', () => {
    const made = parts('review', { answers: { ...fullAnswers, goodNode: null } });
    made.wizard.answer('compose', async () => ({
      text: null,
      problems: [
        { path: 'application.stop', code: 'missing', message: 'Missing.', remedy: '', facts: {} },
        { path: 'vip', code: 'address-of-node', message: 'Taken.', remedy: '', facts: { address: '10.77.0.12' } },
      ],
    }));
    return made;
  }),
  ...installed.map(([name, change, done]) => ({
    goesOn: name === 'install-running',
    ...situation(name, () => {
      const made = parts('install', { answers: fullAnswers });
      const shown = installationAt('draft', done, change);
      made.wizard.show({
        ...shown,
        steps: shown.steps.map((step) =>
          change.state === 'interrupted' && step.state === 'running' ? { ...step, state: 'waiting' } : step,
        ),
      });
      return made;
    }),
  })),
  situation(
    'changed-elsewhere',
    () => parts('preferred', { answers: fullAnswers }),
    async (page, made) => {
      const draft = made.wizard.drafts.find((one) => one.id === 'draft');
      if (draft) made.wizard.put({ ...draft, revision: draft.revision + 5 });
      await page.locator('.notice').waitFor();
    },
  ),
  situation('draft-missing', () => demonstrate()),
];
