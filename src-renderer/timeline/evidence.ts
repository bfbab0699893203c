/** The facts that a decision was made on, in words. Pure. */
import type { TimelineEvent } from '../../agent/contract/index.ts';
import { sentenceFrom } from '../messages/cluster-words.ts';
import { reasonWords, type Messages } from '../messages/messages.ts';
import { bytesText, millisecondsText, numberText } from '../ui/format.ts';

export interface Fact {
  readonly label: string;
  readonly value: string;
}
type Value = TimelineEvent['evidence'][string];

function valueText(words: Messages, event: TimelineEvent, peer: string, key: string, value: Value): string {
  const { cluster } = words;
  if (typeof value === 'boolean') return value ? cluster.yes : cluster.no;
  if (value === null) return '–';
  if (typeof value === 'number') {
    if (key.endsWith('Ms')) return millisecondsText(words, value);
    return /bytes$/i.test(key) ? bytesText(words, value) : numberText(words, value, 2);
  }
  if (key === 'reason') {
    const on = { name: event.node, state: 'primary', data: 'unknown', reason: value } as const;
    return sentenceFrom(reasonWords(words, on, peer).what, [event.node, peer]);
  }
  return Object.hasOwn(cluster.evidenceValues, value) ? (cluster.evidenceValues[value] ?? value) : value;
}

export function factsOf(words: Messages, event: TimelineEvent, peer: string): readonly Fact[] {
  const { evidenceWords } = words.cluster;
  return Object.entries(event.evidence)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => ({
      label: (Object.hasOwn(evidenceWords, key) ? evidenceWords[key] : undefined) ?? key,
      value: valueText(words, event, peer, key, value),
    }));
}
