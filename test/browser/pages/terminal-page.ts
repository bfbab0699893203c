/** The drawer of terminals, as a person uses it. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** For axe: the drawer alone, what stands behind it is somebody else's. */
export const terminalPanel = 'section[aria-label="Terminal"]';

/** However busy the machine is. */
export const eventually = { timeout: 15_000 };

export class TerminalPage {
  readonly page: Page;
  readonly panel: Locator;

  constructor(page: Page) {
    this.page = page;
    this.panel = page.getByRole('region', { name: 'Terminal', exact: true });
  }

  /** The one key. */
  async toggle(): Promise<void> {
    await this.page.keyboard.press('Control+Backquote');
  }
  get view(): Locator {
    return this.panel.getByRole('tabpanel');
  }
  get rows(): Locator {
    return this.view.locator('.xterm-rows > div');
  }
  tab(name: string): Locator {
    return this.panel.getByRole('tab', { name, exact: true });
  }
  command(title: string): Locator {
    return this.panel.getByRole('button', { name: new RegExp(`^${title}`) });
  }
  button(name: string): Locator {
    return this.panel.getByRole('button', { name, exact: true });
  }

  /** What is drawn, line by line. */
  async lines(): Promise<string[]> {
    return (await this.rows.allInnerTexts()).map((line) => line.replaceAll('\u00a0', ' ').trimEnd());
  }
  async text(): Promise<string> {
    return (await this.lines()).join('\n');
  }
  async shows(pattern: RegExp): Promise<void> {
    await expect.poll(() => this.text(), eventually).toMatch(pattern);
  }
  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }
  /** As the browser does it for its own paste key: with the text of the clipboard in the event. */
  async paste(text: string): Promise<void> {
    await this.page.evaluate(`(() => {
      const clipboardData = new DataTransfer();
      clipboardData.setData('text/plain', ${JSON.stringify(text)});
      const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
      document.activeElement.dispatchEvent(event);
    })()`);
  }
  /** Of the last span that begins so. */
  async style(text: string, property: string): Promise<string> {
    const span = this.view.locator('.xterm-rows span', { hasText: new RegExp(`^${text}`) }).last();
    await span.waitFor();
    // A function would need the types of a page; this is evaluated there.
    return await this.page.evaluate<string>(`(() => {
      const spans = [...document.querySelectorAll('.xterm-rows span')].filter((span) => span.textContent.startsWith(${JSON.stringify(text)}));
      return getComputedStyle(spans.at(-1)).getPropertyValue(${JSON.stringify(property)});
    })()`);
  }
  async add(title: string): Promise<void> {
    await this.button('New terminal').click();
    await this.page.getByRole('menuitem', { name: title }).click();
  }
}
