/** Colours of the terminal: surfaces and accent from the tokens, and the sixteen of programs, chosen for each of the two themes. */
import type { ITheme } from '@xterm/xterm';

const dark: ITheme = {
  black: '#273230',
  red: '#ff8a80',
  green: '#7ddb9a',
  yellow: '#f0b357',
  blue: '#7db8f5',
  magenta: '#d7a3f0',
  cyan: '#2dd4bf',
  white: '#c9d5d3',
  brightBlack: '#8f9f9d',
  brightRed: '#ffaba4',
  brightGreen: '#a2ecb8',
  brightYellow: '#ffd08a',
  brightBlue: '#a9d1ff',
  brightMagenta: '#e8c5fa',
  brightCyan: '#7eeadd',
  brightWhite: '#ffffff',
};

const light: ITheme = {
  black: '#14201f',
  red: '#b3261e',
  green: '#1a7a3c',
  yellow: '#8f5400',
  blue: '#1d5fa8',
  magenta: '#8a3a9e',
  cyan: '#0f766e',
  white: '#506065',
  brightBlack: '#5d6c6f',
  brightRed: '#c2352b',
  brightGreen: '#1f7f3f',
  brightYellow: '#8a5d00',
  brightBlue: '#2a68b3',
  brightMagenta: '#9646ab',
  brightCyan: '#0f766e',
  brightWhite: '#14201f',
};

export interface TerminalLook {
  readonly theme: ITheme;
  readonly fontFamily: string;
  /** Of what a search has found. */
  readonly found: { readonly other: string; readonly current: string };
}

export function terminalLook(name: 'light' | 'dark'): TerminalLook {
  const styles = getComputedStyle(document.documentElement);
  const token = (property: string): string => styles.getPropertyValue(property).trim();
  const accent = token('--accent');
  return {
    theme: {
      ...(name === 'dark' ? dark : light),
      background: token('--card'),
      foreground: token('--ink'),
      cursor: accent,
      cursorAccent: token('--card'),
      selectionBackground: name === 'dark' ? '#2dd4bf66' : '#0f766e59',
      selectionInactiveBackground: name === 'dark' ? '#2dd4bf59' : '#0f766e4d',
      scrollbarSliderBackground: name === 'dark' ? '#6b7e7c66' : '#7d8b8966',
      scrollbarSliderHoverBackground: name === 'dark' ? '#6b7e7caa' : '#7d8b89aa',
      scrollbarSliderActiveBackground: accent,
      overviewRulerBorder: token('--card'),
    },
    fontFamily: token('--monospace'),
    found: name === 'dark' ? { other: '#3d321c', current: '#2dd4bf' } : { other: '#fbeccb', current: '#0f766e' },
  };
}
