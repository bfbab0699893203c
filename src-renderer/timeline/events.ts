/** The timelines of both nodes as one. Pure. */
import type { TimelineEvent } from '../../agent/contract/index.ts';
import type { Tone } from '../ui/tone.ts';

/** More than anybody reads, and little enough to keep. */
const eventsMax = 1000;

export const keyOf = (event: TimelineEvent): string => `${event.node} ${event.sequence}`;

/**
 * Newest first. Within a node the sequence counts, which no clock can turn around: an event whose clock went back stands at the time of the
 * one before it.
 */
export function mergeEvents(known: readonly TimelineEvent[], more: readonly TimelineEvent[]): readonly TimelineEvent[] {
  const all = new Map([...known, ...more].map((event) => [keyOf(event), event]));
  const latest = new Map<string, number>();
  const placed = [...all.values()]
    .sort((a, b) => a.sequence - b.sequence)
    .map((event) => {
      const atMs = Math.max(Date.parse(event.at), latest.get(event.node) ?? -Infinity);
      latest.set(event.node, atMs);
      return { event, atMs };
    });
  return placed
    .sort((a, b) => b.atMs - a.atMs || (a.event.node === b.event.node ? b.event.sequence - a.event.sequence : 0))
    .map(({ event }) => event)
    .slice(0, eventsMax);
}

export interface EventFilter {
  /** '' : all. */
  readonly module: string;
  readonly node: string;
}
export function filterEvents(
  events: readonly TimelineEvent[],
  { module, node }: EventFilter,
): readonly TimelineEvent[] {
  return events.filter(
    (event) =>
      (node === '' || event.node === node) && (module === '' || event.module === module || event.module === null),
  );
}

/** What both servers saw alike is one piece of news; `also` is what the other one wrote of it. */
export interface Row {
  readonly event: TimelineEvent;
  readonly also: TimelineEvent | null;
}
/** Both write it down within a heartbeat or two; their clocks may differ by a little more. */
const alikeWithinMs = 5000;

function alike(a: TimelineEvent, b: TimelineEvent): boolean {
  return (
    a.node !== b.node &&
    a.code === b.code &&
    a.module === b.module &&
    a.message === b.message &&
    Math.abs(Date.parse(a.at) - Date.parse(b.at)) <= alikeWithinMs
  );
}

export function rowsOf(events: readonly TimelineEvent[]): readonly Row[] {
  const rows: Row[] = [];
  const told = new Set<TimelineEvent>();
  for (const [index, event] of events.entries()) {
    if (told.has(event)) continue;
    // The other one's stands close by: what comes between has happened in the same seconds.
    const also = events.slice(index + 1, index + 8).find((other) => !told.has(other) && alike(event, other)) ?? null;
    if (also !== null) told.add(also);
    rows.push({ event, also });
  }
  return rows;
}

/** Null: an ordinary piece of news has no mark. */
export function toneOfEvent({ severity }: TimelineEvent): Tone | null {
  return severity === 'info' ? null : severity;
}
