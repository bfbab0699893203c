/** What goes to and comes from the clipboard of a terminal. */
import { copyText } from '../ui/copy.ts';

/** Where the browser does not let a page write by itself, the event of a copy command may still be filled. */
export async function copyFromTerminal(text: string): Promise<boolean> {
  if (text === '' || (await copyText(text))) return true;
  let filled = false;
  const fill = (event: ClipboardEvent): void => {
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
    event.stopImmediatePropagation();
    filled = true;
  };
  document.addEventListener('copy', fill, { capture: true, once: true });
  // The only way that needs no permission; browsers keep it for that.
  const command = Reflect.get(document, 'execCommand') as ((name: string) => boolean) | undefined;
  command?.call(document, 'copy');
  document.removeEventListener('copy', fill, { capture: true });
  return filled;
}

/** Null: the browser lets a page not read it, except in answer to its own paste key. */
export async function readClipboard(): Promise<string | null> {
  try {
    return await navigator.clipboard.readText();
  } catch {
    return null;
  }
}

export interface Pasted {
  /** Without the end of the last line: nothing is run by pasting one line. */
  readonly text: string;
  readonly lines: number;
}

/** Keys, not text: among them are such that run a line without Enter, and the end of a bracketed paste, behind which everything counts as typed. */
const controls = /(?![\n\t])\p{Cc}/gu;

export function examinePaste(text: string): Pasted {
  const trimmed = text.replaceAll(/\r\n?/g, '\n').replaceAll(controls, '').replace(/\n+$/, '');
  return { text: trimmed, lines: trimmed.split('\n').length };
}

export function asOneLine(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ');
}
