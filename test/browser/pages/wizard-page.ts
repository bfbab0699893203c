import type { Locator, Page } from 'playwright-core';
import type { WizardStep } from '../../../src-main/app-api/index.ts';
import { english } from '../../../src-renderer/messages/english/index.ts';
import type { Messages } from '../../../src-renderer/messages/messages.ts';
import { Person } from './person.ts';

/** The first, the second, or the third machine. */
export type Door = 0 | 1 | 'witness';

/** The wizard, question by question, as a person sees it. */
export class WizardPage {
  readonly page: Page;
  readonly #person: Person;
  readonly #words: Messages['wizard'];

  constructor(page: Page, person = new Person(page), words: Messages = english) {
    this.page = page;
    this.#person = person;
    this.#words = words.wizard;
  }

  /** Waits until the wizard stands at this question. */
  async at(step: WizardStep, timeoutMs = 15_000): Promise<void> {
    await this.page
      .getByRole('heading', { level: 1, name: this.#words.questions[step], exact: true })
      .waitFor({ timeout: timeoutMs });
  }

  get continueButton(): Locator {
    return this.page.getByRole('button', { name: this.#words.continue, exact: true });
  }
  /** What keeps the wizard from going on, at the bottom. */
  get obstacle(): Locator {
    return this.page.locator('#wizard-obstacle');
  }
  async continue(): Promise<void> {
    await this.#person.click(this.continueButton);
  }
  async back(): Promise<void> {
    await this.#person.click(this.page.getByRole('button', { name: this.#words.back, exact: true }));
  }
  /** One of the steps on the left. */
  stepInList(step: WizardStep): Locator {
    return this.page.getByRole('navigation', { name: this.#words.stepList }).getByText(this.#words.steps[step]);
  }

  server(door: Door): Locator {
    const name = door === 'witness' ? this.#words.safety.machine : this.#words.serverNumber[door];
    return this.page.getByRole('region', { name, exact: true });
  }
  destination(door: Door): Locator {
    return this.server(door).getByLabel(this.#words.destination);
  }
  async connect(door: Door, destination: string): Promise<void> {
    await this.#person.type(this.destination(door), destination);
    await this.#person.press('Enter');
  }
  /** Where a password or a passphrase is asked for. */
  secret(door: Door): Locator {
    return this.server(door).locator('input[type=password]');
  }
  async giveSecret(door: Door, secret: string): Promise<void> {
    await this.#person.type(this.secret(door), secret);
    await this.#person.press('Enter');
  }
  /** Facts of a server that let us in. */
  facts(door: Door): Locator {
    return this.server(door)
      .getByRole('status')
      .filter({ hasText: /logged in as|connecté/i });
  }
  async nameCluster(name: string): Promise<void> {
    await this.#person.type(this.page.getByLabel(this.#words.clusterName), name);
  }

  /** Says of every fingerprint on the screen that it was compared; answers how many. */
  async acceptFingerprints(): Promise<number> {
    const same = this.page.getByRole('button', { name: this.#words.fingerprint.same });
    await same.first().waitFor();
    const shown = await same.count();
    for (let left = shown; left > 0; left -= 1) {
      // The last one first: those above it keep their places.
      const one = same.nth(left - 1);
      await this.#person.click(one);
      await one.waitFor({ state: 'hidden' });
    }
    return shown;
  }

  choice(title: string | RegExp): Locator {
    return this.page.getByRole('radio', { name: title });
  }
  async choose(title: string | RegExp): Promise<void> {
    await this.#person.click(this.choice(title));
  }
  field(label: string | RegExp): Locator {
    return this.page.getByLabel(label);
  }
  async type(label: string | RegExp, text: string): Promise<void> {
    await this.#person.type(this.field(label), text);
  }
  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name });
  }
  async press(name: string | RegExp): Promise<void> {
    await this.#person.click(this.button(name));
  }

  get words(): Messages['wizard'] {
    return this.#words;
  }
}
