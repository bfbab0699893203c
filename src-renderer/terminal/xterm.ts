/** What draws terminals; loaded with the first one. */
import { FitAddon } from '@xterm/addon-fit';
import { SearchAddon } from '@xterm/addon-search';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { withStrictStyles } from './strict-styles.ts';
import type { TerminalLook } from './theme.ts';

export type { SearchAddon, Terminal };

const scrollbackLines = 10_000;
const fontPixels = 13;

export interface DrawnTerminal {
  readonly terminal: Terminal;
  readonly search: SearchAddon;
  /** To the size of its place. */
  fit(): void;
}

export function drawTerminal(place: HTMLElement, look: TerminalLook, screenReaderMode: boolean): DrawnTerminal {
  const terminal = new Terminal({
    theme: look.theme,
    fontFamily: look.fontFamily,
    fontSize: fontPixels,
    lineHeight: 1.2,
    scrollback: scrollbackLines,
    cursorBlink: false,
    // Also the width of the scroll bar.
    overviewRuler: { width: 10 },
    // Programs choose colours for backgrounds that we do not have.
    minimumContrastRatio: 4.5,
    screenReaderMode,
    // Marks of the search.
    allowProposedApi: true,
    // Links in what a server prints lead out of the app.
    linkHandler: { activate: () => undefined },
  });
  const fitting = new FitAddon();
  const search = new SearchAddon();
  terminal.loadAddon(fitting);
  terminal.loadAddon(search);
  withStrictStyles(() => terminal.open(place));
  return {
    terminal,
    search,
    fit: () => {
      if (place.offsetWidth > 0 && place.offsetHeight > 0) fitting.fit();
    },
  };
}
