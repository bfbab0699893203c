import type { Locator, Page } from 'playwright-core';
import { english } from '../../../src-renderer/messages/english/index.ts';
import type { Messages } from '../../../src-renderer/messages/messages.ts';
import { Person } from './person.ts';

/** The home of a cluster: its sentence, its picture, its modules, what happened. */
export class ClusterPage {
  readonly page: Page;
  readonly #person: Person;
  readonly #words: Messages;

  constructor(page: Page, person = new Person(page), words: Messages = english) {
    this.page = page;
    this.#person = person;
    this.#words = words;
  }

  /** The one on top. */
  get sentence(): Locator {
    return this.page.getByRole('heading', { level: 1 });
  }
  async says(text: string | RegExp, timeoutMs = 15_000): Promise<void> {
    await this.sentence.filter({ hasText: text }).waitFor({ timeout: timeoutMs });
  }
  server(name: string): Locator {
    return this.page.getByRole('region', { name, exact: true });
  }
  /** The one thing that makes sense now, and whatever else is called so; the first is on top. */
  button(name: string | RegExp): Locator {
    return this.page.getByRole('main').getByRole('button', { name }).first();
  }
  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }
  async press(name: string | RegExp): Promise<void> {
    await this.#person.click(this.button(name));
  }
  async confirm(name: string | RegExp): Promise<void> {
    await this.#person.click(this.dialog.getByRole('button', { name }));
  }

  get words(): Messages {
    return this.#words;
  }
}
