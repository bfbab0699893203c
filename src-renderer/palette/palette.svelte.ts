/** Everything that can be done, by name: each screen registers what it offers as long as it is open. */
import { SvelteSet } from 'svelte/reactivity';

export interface PaletteAction {
  readonly id: string;
  readonly title: string;
  /** What kind of thing it is: `Orders`, `Go to`; actions of a group stand together. */
  readonly group: string;
  readonly keywords?: string;
  /** Below the title: what it does. */
  readonly text?: string;
  readonly run: () => void;
}
export type PaletteSource = () => readonly PaletteAction[];

class Palette {
  open = $state(false);
  readonly #ofScreen = new SvelteSet<PaletteSource>();
  readonly #ofApp = new SvelteSet<PaletteSource>();

  /**
   * `source` is asked whenever the palette is drawn, so what it reads may change. What the open screen offers stands before what is always
   * there. Returns how to take it away, for an effect.
   */
  register(source: PaletteSource, of: 'screen' | 'app' = 'app'): () => void {
    const sources = of === 'screen' ? this.#ofScreen : this.#ofApp;
    sources.add(source);
    return () => {
      sources.delete(source);
    };
  }

  /** Groups stand together. */
  get actions(): readonly PaletteAction[] {
    const all = [...this.#ofScreen, ...this.#ofApp].flatMap((source) => source());
    const groups = [...new Set(all.map((action) => action.group))];
    return groups.flatMap((group) => all.filter((action) => action.group === group));
  }
}

export const palette = new Palette();

/** In a terminal Ctrl K belongs to the shell. */
export function opensPalette(event: KeyboardEvent): boolean {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.key.toLowerCase() !== 'k') return false;
  const inTerminal = event.target instanceof Element && event.target.closest('.xterm') !== null;
  return event.shiftKey || !inTerminal;
}
