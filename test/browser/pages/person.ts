/** Whoever sits at the screen: at the speed of a machine, or of a person who reads before they click and types with two hands. */
import type { Locator, Page } from 'playwright-core';

export interface Pace {
  /** Between two keys. */
  readonly keyMs: number;
  /** Before a click: seeing what there is to click on. */
  readonly lookMs: number;
}

export const machinePace: Pace = { keyMs: 0, lookMs: 0 };
/** 200 characters a minute and a second to find a button: no expert, no beginner. */
export const humanPace: Pace = { keyMs: 300, lookMs: 1000 };

export class Person {
  readonly page: Page;
  readonly #pace: Pace;

  constructor(page: Page, pace = machinePace) {
    this.page = page;
    this.#pace = pace;
  }

  async click(target: Locator): Promise<void> {
    await target.waitFor();
    // Not a wait for something to happen: the time that a person needs is part of what is measured.
    if (this.#pace.lookMs > 0) await this.page.waitForTimeout(this.#pace.lookMs);
    await target.click();
  }

  async type(field: Locator, text: string): Promise<void> {
    await this.click(field);
    await field.fill('');
    if (this.#pace.keyMs === 0) await field.fill(text);
    else await field.pressSequentially(text, { delay: this.#pace.keyMs });
  }

  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key);
  }
}
