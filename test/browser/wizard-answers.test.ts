/** Answers that are half given: the wizard says what is missing instead of taking another answer for it. */
import { expect, test } from 'vitest';
import { draftAt } from './demonstration-answers.ts';
import { demonstrate } from './demonstration-parts.ts';
import { openApp, useBrowser } from './opened-app.ts';
import { WizardPage } from './pages/wizard-page.ts';

useBrowser();

async function openAddress(): Promise<WizardPage> {
  const parts = demonstrate({ drafts: [draftAt('address', { id: 'draft' })] });
  const { page } = await openApp(parts, { hash: '#/wizard/draft' });
  const wizard = new WizardPage(page);
  await wizard.at('address');
  return wizard;
}

test('an address of one’s own that is not given yet is not the same as none', async () => {
  const wizard = await openAddress();
  const field = wizard.page.getByLabel('Address with prefix length');
  await wizard.page.getByRole('radio', { name: /^Another address/ }).check();
  await field.fill('');
  await wizard.obstacle.getByText('Give the virtual IP, or choose to have none.').waitFor();
  expect(await wizard.continueButton.isDisabled()).toBe(true);
  expect(await field.isVisible()).toBe(true);
  await wizard.page.getByRole('radio', { name: /^No virtual IP/ }).check();
  await expect.poll(() => wizard.continueButton.isDisabled()).toBe(false);
});
