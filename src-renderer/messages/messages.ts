/** Every word on the screens, once per language. English defines what there is; French has all of it, or does not compile. */
import type { ModuleOnNode } from '../../agent/contract/index.ts';
import type { english } from './english/index.ts';

export type Messages = typeof english;

/** The reason in the user's language; the agent's own sentence where this version does not know the code. */
export function reasonText(words: Messages, on: ModuleOnNode, peer: string): string | null {
  if (on.reason === undefined) return on.message ?? null;
  const { reasons } = words.cluster;
  const known = Object.hasOwn(reasons, on.reason) ? reasons[on.reason] : undefined;
  // The agent's English sentence holds more (numbers, the votes) than the one for the code.
  if (words.language === 'en' && on.message !== undefined) return on.message;
  return known?.(on.name, peer) ?? on.message ?? on.reason;
}
