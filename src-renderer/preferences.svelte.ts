/** Language and light: chosen once, kept on this computer. */
import { english } from './messages/english.ts';
import { french } from './messages/french.ts';
import type { Messages } from './messages/messages.ts';

const languages = { en: english, fr: french } as const;
export type Language = keyof typeof languages;
export type Theme = 'light' | 'dark';

/** A browser may forbid storage altogether: then the choice lasts as long as the page. */
function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // see stored()
  }
}

function initialLanguage(): Language {
  const chosen = stored('language') ?? navigator.language;
  return chosen.startsWith('fr') ? 'fr' : 'en';
}
function initialTheme(): Theme {
  const chosen = stored('theme');
  if (chosen === 'light' || chosen === 'dark') return chosen;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

class Preferences {
  language = $state<Language>(initialLanguage());
  theme = $state<Theme>(initialTheme());

  get words(): Messages {
    return languages[this.language];
  }
  toggleLanguage(): void {
    this.language = this.language === 'en' ? 'fr' : 'en';
    store('language', this.language);
  }
  toggleTheme(): void {
    this.theme = this.theme === 'light' ? 'dark' : 'light';
    store('theme', this.theme);
  }
}

export const preferences = new Preferences();
