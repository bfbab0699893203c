/** What the last comparison of each replicated directory has found, out of the timeline: it outlives roles, restarts and upgrades. */
import type { LastComparison, TimelineEvent } from '../contract/index.ts';
import type { VolumeVerification } from './comparisons.ts';
import type { EventStore } from './ports.ts';

const outcomes: Readonly<Record<string, LastComparison['outcome']>> = {
  'verify-equal': 'equal',
  'verify-different': 'different',
  'verify-repaired': 'repaired',
};
const eventsPerRead = 10_000;

export interface LastComparisons {
  beside<T extends VolumeVerification>(
    module: string,
    volumes: readonly T[],
  ): Promise<(T & { last: LastComparison | null })[]>;
}

export function lastComparisonsIn(events: Pick<EventStore, 'after'>): LastComparisons {
  /** By module and path. */
  const last = new Map<string, LastComparison>();
  let read = 0;
  let reading: Promise<void> = Promise.resolve();
  const keyOf = (module: string, path: string): string => `${module} ${path}`;
  /** All of the timeline once, then what is new. */
  const catchUp = async (): Promise<void> => {
    for (;;) {
      const found = await events.after(read, eventsPerRead);
      for (const event of found) {
        const one = comparisonIn(event);
        if (one !== null) last.set(keyOf(event.module ?? '', one.path), one.comparison);
        read = Math.max(read, event.sequence);
      }
      if (found.length < eventsPerRead) return;
    }
  };
  return {
    async beside(module, volumes) {
      reading = reading.then(catchUp, catchUp);
      await reading;
      return volumes.map((one) => ({ ...one, last: last.get(keyOf(module, one.path)) ?? null }));
    },
  };
}

/** Pure. Null: the event is of something else. */
export function comparisonIn(event: TimelineEvent): { path: string; comparison: LastComparison } | null {
  const outcome = Object.hasOwn(outcomes, event.code) ? outcomes[event.code] : undefined;
  const { path, files, comparedBytes, differing } = event.evidence;
  if (outcome === undefined || typeof path !== 'string') return null;
  const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
  const counted = { files: number(files), comparedBytes: number(comparedBytes), differing: number(differing) };
  return { path, comparison: { at: event.at, outcome, ...counted } };
}
