/** What a place is called on the screens. */
import type { Messages } from '../messages/messages.ts';
import type { TerminalTarget } from './terminal-tab.svelte.ts';

export function placeName(words: Messages['terminal'], target: TerminalTarget): string {
  if (target === 'local') return words.local;
  return target.node === 'witness' ? words.witness : target.node;
}

export function openTitle(words: Messages['terminal'], target: TerminalTarget): string {
  if (target === 'local') return words.openLocal;
  return target.node === 'witness' ? words.openOnWitness : words.openOn(target.node);
}
