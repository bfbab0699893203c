import type { Locator, Page } from 'playwright-core';
import { english } from '../../../src-renderer/messages/english/index.ts';
import type { Messages } from '../../../src-renderer/messages/messages.ts';
import { Person } from './person.ts';

/** What the app opens with: clusters known here, and the doors to new ones. */
export class StartPage {
  readonly page: Page;
  readonly #person: Person;
  readonly #words: Messages;

  constructor(page: Page, person = new Person(page), words: Messages = english) {
    this.page = page;
    this.#person = person;
    this.#words = words;
  }

  get title(): Locator {
    return this.page.getByRole('heading', { level: 1 });
  }
  /** The row of a cluster, with its one sentence. */
  cluster(name: string): Locator {
    const { title } = this.#words.app.start;
    return this.page.getByRole('list', { name: title }).getByRole('listitem').filter({ hasText: name });
  }
  get setUpDoor(): Locator {
    return this.page.getByRole('button', { name: this.#words.app.start.setUp });
  }
  get practiceDoor(): Locator {
    return this.page.getByRole('button', { name: this.#words.app.start.tryIt });
  }

  async setUpTwoServers(): Promise<void> {
    await this.#person.click(this.setUpDoor);
  }
  async openCluster(name: string): Promise<void> {
    await this.#person.click(this.cluster(name).getByRole('link'));
  }
}
