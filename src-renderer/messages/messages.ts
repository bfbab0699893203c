/** Every word on the screens, once per language. English defines what there is; French has all of it, or does not compile. */
import type { ModuleOnNode, TimelineEvent } from '../../agent/contract/index.ts';
import { sentenceFrom, type EventWordings, type ReasonWordings } from './cluster-words.ts';
import type { english } from './english/index.ts';
import type { FaultText, FaultWordings } from './fault-words.ts';

export type Messages = typeof english;

/** Why a node is as it is, in the user's language; the agent's own sentence where this version does not know the code. */
export function reasonWords(words: Messages, on: ModuleOnNode, peer: string, networks = 1): FaultText {
  const code = on.reason ?? '';
  const reasons: ReasonWordings = words.cluster.reasons;
  const reason = Object.hasOwn(reasons, code) ? reasons[code] : undefined;
  if (reason !== undefined) return reason(on.name, peer, { state: on.state, networks });
  const faults: FaultWordings = words.faults;
  const fault = Object.hasOwn(faults, code) ? faults[code] : undefined;
  if (fault !== undefined) return fault({ host: on.name, node: on.name, peer });
  return { what: on.message ?? words.cluster.stateOf(on.name, words.cluster.states[on.state]) };
}

/** What happened, in the user's language. English agents tell more in their own sentence than its code does. */
export function eventText(words: Messages, event: TimelineEvent, peer: string): string {
  if (words.language === 'en' && event.message !== '') return event.message;
  const events: EventWordings = words.cluster.events;
  const known = Object.hasOwn(events, event.code) ? events[event.code] : undefined;
  if (known !== undefined) return known(event, peer);
  // A plan that failed is told by the code of its fault.
  const on: ModuleOnNode = { name: event.node, state: 'unknown', data: 'unknown', reason: event.code };
  const isReason = Object.hasOwn(words.cluster.reasons, event.code) || Object.hasOwn(words.faults, event.code);
  return isReason ? sentenceFrom(reasonWords(words, on, peer).what, [event.node, peer]) : event.message;
}
