/** Every word on the screens, once per language. Codes of agents become sentences here; an unknown code keeps its own message. */
import type { ModuleOnNode } from '../../agent/contract/index.ts';

export interface Messages {
  readonly language: 'en' | 'fr';
  readonly otherLanguage: string;
  readonly theme: string;
  readonly refresh: string;
  readonly reading: string;
  readonly noCluster: string;
  readonly noClusterNext: string;
  readonly appLost: string;
  readonly cannotRead: (time: string) => string;
  readonly protected: string;
  readonly protectedResynchronising: (left: string) => string;
  readonly notProtected: (time: string | null, reason: string) => string;
  readonly notProtectedResynchronising: (node: string, left: string) => string;
  readonly maintenance: (module: string) => string;
  readonly forked: string;
  readonly noModules: string;
  readonly unreachable: (node: string) => string;
  readonly duration: (seconds: number) => string;
  readonly unknownDuration: string;
  readonly lastSeen: (time: string) => string;
  readonly neverSeen: string;
  readonly observedAt: (time: string) => string;
  readonly states: Readonly<Record<ModuleOnNode['state'], string>>;
  readonly data: Readonly<Record<ModuleOnNode['data'], string>>;
  readonly witness: string;
  readonly noWitness: string;
  readonly witnessLost: string;
  readonly inSync: string;
  readonly notConnected: string;
  readonly modules: string;
  readonly moduleProtected: string;
  readonly moduleNotProtected: string;
  readonly moduleMaintenance: string;
  readonly virtualAddress: string;
  readonly nowhere: string;
  /** By reason code; `peer` is the other node. */
  readonly reasons: Readonly<Record<string, (node: string, peer: string) => string>>;
}

/** The reason in the user's language; the agent's own sentence where this version does not know the code. */
export function reasonText(words: Messages, on: ModuleOnNode, peer: string): string | null {
  if (on.reason === undefined) return on.message ?? null;
  const known = Object.hasOwn(words.reasons, on.reason) ? words.reasons[on.reason] : undefined;
  // The agent's English sentence holds more (numbers, the votes) than the one for the code.
  if (words.language === 'en' && on.message !== undefined) return on.message;
  return known?.(on.name, peer) ?? on.message ?? on.reason;
}
