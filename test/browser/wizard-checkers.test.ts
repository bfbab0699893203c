/** Checkers in the wizard: proposed from what was found, changed, added, removed, and refused where they stand. */
import { expect, test } from 'vitest';
import type { Answers } from '../../src-main/app-api/index.ts';
import { wrongAnswers } from '../../src-main/wizard/validate.ts';
import { draftAt, fullAnswers } from './demonstration-answers.ts';
import { demonstrate, type Demonstration } from './demonstration-parts.ts';
import { openApp, useBrowser } from './opened-app.ts';
import { WizardPage } from './pages/wizard-page.ts';

useBrowser();

const unit = 'postgresql@15-main.service';

interface Opened {
  readonly wizard: WizardPage;
  readonly parts: Demonstration;
}

async function open(step: 'address' | 'checkers', change: Partial<Answers> = {}): Promise<Opened> {
  const answers: Answers = { ...fullAnswers, checkers: [], checkersBy: 'nobody', ...change };
  const parts = demonstrate({ drafts: [draftAt(step, { id: 'draft', answers })] });
  parts.wizard.answer('validate', async (given) => wrongAnswers(given.answers));
  const { page } = await openApp(parts, { hash: '#/wizard/draft' });
  const wizard = new WizardPage(page);
  await wizard.at(step);
  return { wizard, parts };
}
const kept = ({ parts }: Opened): string[] =>
  (parts.wizard.drafts.find(({ id }) => id === 'draft')?.answers.checkers ?? []).map(
    ({ kind, target, action }) => `${kind} ${target} ${action}`,
  );

test('what was found is proposed, and follows the virtual IP until somebody changes it', async () => {
  const opened = await open('checkers');
  const { wizard } = opened;
  await wizard.page.getByText(wizard.words.checkers.proposed).waitFor();
  await expect
    .poll(() => kept(opened))
    .toEqual([`service ${unit} restart`, 'tcp 10.77.0.50:5432 restart', 'disk /var/lib/postgresql/15/main none']);
  await wizard.back();
  await wizard.choose(wizard.words.address.other);
  await wizard.type(wizard.words.address.field, '10.77.0.61/24');
  await expect.poll(() => kept(opened)).toContain('tcp 10.77.0.61:5432 restart');
  await wizard.continue();
  await wizard.press(`Remove: ${unit} is active`);
  await expect.poll(() => kept(opened).length).toBe(2);
  await wizard.page.getByText(wizard.words.checkers.proposed).waitFor({ state: 'hidden' });
  await wizard.press(wizard.words.checkers.proposeAgain);
  await expect.poll(() => kept(opened).length).toBe(3);
});

test('one of one’s own is refused where it is wrong, and kept when it is right', async () => {
  const opened = await open('checkers', { checkersBy: 'person' });
  const { wizard } = opened;
  const { checkers } = wizard.words;
  await wizard.page.getByText(checkers.none).waitFor();
  await wizard.field(checkers.addKind).selectOption('http');
  await wizard.press(checkers.add);
  await wizard.obstacle.getByText('Say what each checker looks at').waitFor();
  await wizard.type(checkers.targets.http, 'http://db.lan/');
  await wizard.page.getByText('This is not an address that can be looked at.').waitFor();
  expect(await wizard.continueButton.isDisabled()).toBe(true);
  await wizard.type(checkers.targets.http, 'http://127.0.0.1:8080/health');
  await wizard.type(checkers.times.timeout, '9');
  await wizard.page.getByText('A look may take 9 s').waitFor();
  await wizard.type(checkers.times.timeout, '2');
  await wizard.field(checkers.action).selectOption('failover');
  await expect.poll(() => wizard.continueButton.isDisabled()).toBe(false);
  await expect.poll(() => kept(opened)).toEqual(['http http://127.0.0.1:8080/health failover']);
});
