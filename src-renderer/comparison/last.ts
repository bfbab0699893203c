/** What the last comparison of a module has found, out of the timeline. Pure. */
import type { LastComparison, TimelineEvent } from '../../agent/contract/index.ts';

const outcomes: Readonly<Record<string, LastComparison['outcome']>> = {
  'verify-equal': 'equal',
  'verify-different': 'different',
  'verify-repaired': 'repaired',
};

/** Null: none among these. With several directories: of the one that ended last. */
export function lastComparisonIn(
  events: readonly TimelineEvent[],
  module: string,
): Pick<LastComparison, 'at' | 'outcome'> | null {
  const found = events.flatMap((event) => {
    const outcome = Object.hasOwn(outcomes, event.code) ? outcomes[event.code] : undefined;
    return event.module === module && outcome !== undefined ? [{ at: event.at, outcome }] : [];
  });
  return found.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null;
}
