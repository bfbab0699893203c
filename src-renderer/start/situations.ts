/** The clusters of the start screen, the one that needs somebody most on top. Pure. */
import type { KnownCluster } from '../../src-main/app-api/index.ts';
import { statusOf, type Circumstances } from '../cluster/findings.ts';
import type { Messages } from '../messages/messages.ts';
import { sentenceOf, type Sentence } from '../sentence.ts';
import type { Tone } from '../ui/tone.ts';

export interface Situation {
  readonly known: KnownCluster;
  readonly sentence: Sentence;
  /** When one of its servers last answered; null: never from here. */
  readonly lastSeen: string | null;
}

/** Not known is worse than what is known to be on its way. */
const order: readonly Tone[] = ['bad', 'attention', 'unknown', 'working', 'good'];

function lastSeenOf(known: KnownCluster): string | null {
  const status = statusOf(known.view);
  const seen = (status?.nodes ?? []).map((node) => node.lastSeen).filter((at) => at !== null);
  return seen.sort().at(-1) ?? null;
}

export function situationsOf(
  words: Messages,
  list: readonly KnownCluster[],
  circumstances: Circumstances,
): readonly Situation[] {
  return list
    .map((known) => ({
      known,
      sentence: sentenceOf(words, known.view, circumstances),
      lastSeen: lastSeenOf(known),
    }))
    .sort((a, b) => order.indexOf(a.sentence.tone) - order.indexOf(b.sentence.tone));
}
