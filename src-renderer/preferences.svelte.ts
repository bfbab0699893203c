/** Language and light: chosen once, kept by the main process, since a browser forgets with every new port. */
import { MediaQuery } from 'svelte/reactivity';
import type { StoredPreferences } from '../src-main/app-api/index.ts';
import { app } from './app.svelte.ts';
import { english } from './messages/english/index.ts';
import { french } from './messages/french/index.ts';
import type { Messages } from './messages/messages.ts';

const languages = { en: english, fr: french } as const;

class Preferences {
  #stored = $state<StoredPreferences>({ language: null, theme: null });

  readonly language = $derived(this.#stored.language ?? (navigator.language.startsWith('fr') ? 'fr' : 'en'));
  readonly #systemIsDark = new MediaQuery('prefers-color-scheme: dark');
  readonly theme = $derived(
    this.#stored.theme ?? (this.#systemIsDark.current ? ('dark' as const) : ('light' as const)),
  );
  readonly words = $derived<Messages>(languages[this.language]);

  /** As they were chosen the last time. */
  take(stored: StoredPreferences): void {
    this.#stored = stored;
  }
  toggleLanguage(): void {
    this.#store({ ...this.#stored, language: this.language === 'en' ? 'fr' : 'en' });
  }
  toggleTheme(): void {
    this.#store({ ...this.#stored, theme: this.theme === 'light' ? 'dark' : 'light' });
  }
  #store(next: StoredPreferences): void {
    this.#stored = next;
    // Lost with the connection: then the choice lasts as long as the page.
    app.call('savePreferences', next).catch(() => undefined);
  }
}

export const preferences = new Preferences();
