/** The events of both nodes in one order. Pure. */
import type { TimelineEvent } from '../../agent/contract/index.ts';

export interface NodeHistory {
  /** In the order of their sequence numbers. */
  readonly events: readonly TimelineEvent[];
  /** Its clock against that of the laptop, and how wrong that measurement may be; null: not measured. */
  readonly clockAheadMs: number | null;
  readonly uncertaintyMs: number;
}

/** Clocks that differ by less than this are taken for equal: a wrong correction would do more harm than none. */
const differenceMinMs = 50;

/**
 * A node's own events never change places. Between nodes the time decides, corrected where the clocks provably differ; a clock that was set
 * back counts from its highest time, so that what came later does not sink into the past.
 */
export function mergeTimeline(histories: readonly NodeHistory[]): TimelineEvent[] {
  const correctionMs = corrections(histories);
  const lanes = histories.map((history, index) => {
    let highestMs = -Infinity;
    return history.events.map((event) => {
      highestMs = Math.max(highestMs, Date.parse(event.at) - (correctionMs[index] ?? 0));
      return { event, atMs: highestMs };
    });
  });
  const next = lanes.map(() => 0);
  const merged: TimelineEvent[] = [];
  for (;;) {
    let chosen = -1;
    let chosenMs = Infinity;
    lanes.forEach((lane, index) => {
      const head = lane[next[index] ?? 0];
      if (head !== undefined && (chosen < 0 || head.atMs < chosenMs)) {
        chosen = index;
        chosenMs = head.atMs;
      }
    });
    const head = lanes[chosen]?.[next[chosen] ?? 0];
    if (head === undefined) return merged;
    merged.push(head.event);
    next[chosen] = (next[chosen] ?? 0) + 1;
  }
}

function corrections(histories: readonly NodeHistory[]): number[] {
  const none = histories.map(() => 0);
  const measured = histories.map(({ clockAheadMs }) => clockAheadMs);
  if (measured.some((ahead) => ahead === null)) return none;
  const ahead = measured.map((one) => one ?? 0);
  const differenceMs = Math.max(...ahead) - Math.min(...ahead);
  const uncertainMs = histories.reduce((sum, { uncertaintyMs }) => sum + uncertaintyMs, 0);
  return differenceMs > Math.max(uncertainMs, differenceMinMs) ? ahead : none;
}
