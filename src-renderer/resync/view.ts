/** Which time the charts show, and how a person moves through it. Pure. */

export const ranges = ['quarter', 'hour', 'day', 'week'] as const;
export type Range = (typeof ranges)[number];

const minuteMs = 60_000;
export const rangeMs: Readonly<Record<Range, number>> = {
  quarter: 15 * minuteMs,
  hour: 60 * minuteMs,
  day: 1440 * minuteMs,
  week: 7 * 1440 * minuteMs,
};

/** `now`: ends at this moment and moves on with it. */
export type View =
  | { readonly kind: 'now'; readonly range: Range }
  | { readonly kind: 'past'; readonly fromMs: number; readonly toMs: number };

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Seconds are the finest that is kept. */
export const spanMinMs = 20_000;
/** The longest that anything is kept for. */
export const spanMaxMs = 400 * 1440 * minuteMs;

export function spanOf(view: View, nowMs: number): Span {
  return view.kind === 'past' ? view : { fromMs: nowMs - rangeMs[view.range], toMs: nowMs };
}

/** The future is empty: whoever moves there looks at now. */
function past(fromMs: number, lengthMs: number, nowMs: number): View {
  const length = Math.min(spanMaxMs, Math.max(spanMinMs, lengthMs));
  const from = Math.min(fromMs, nowMs - length);
  return { kind: 'past', fromMs: from, toMs: from + length };
}

/** `part` of what is shown, negative: earlier. */
export function moved(view: View, part: number, nowMs: number): View {
  const { fromMs, toMs } = spanOf(view, nowMs);
  const length = toMs - fromMs;
  const range = ranges.find((one) => rangeMs[one] === length);
  if (range !== undefined && toMs + part * length >= nowMs) return { kind: 'now', range };
  return past(fromMs + part * length, length, nowMs);
}

/** `factor` below 1: closer. Around the middle; of now: towards now. */
export function zoomed(view: View, factor: number, nowMs: number): View {
  const { fromMs, toMs } = spanOf(view, nowMs);
  const length = Math.min(spanMaxMs, Math.max(spanMinMs, (toMs - fromMs) * factor));
  if (view.kind === 'now') return past(toMs - length, length, nowMs);
  return past((fromMs + toMs - length) / 2, length, nowMs);
}

export function selected(fromMs: number, toMs: number, nowMs: number): View {
  const short = Math.max(0, spanMinMs - (toMs - fromMs));
  return past(fromMs - short / 2, toMs - fromMs + short, nowMs);
}

/** Around something that happened, with what was before and after it. */
export function around(fromMs: number, toMs: number, nowMs: number): View {
  const margin = Math.max(30_000, (toMs - fromMs) * 0.25);
  return selected(fromMs - margin, toMs + margin, nowMs);
}

export function canZoom(view: View, factor: number, nowMs: number): boolean {
  const { fromMs, toMs } = spanOf(view, nowMs);
  return factor < 1 ? toMs - fromMs > spanMinMs : toMs - fromMs < spanMaxMs;
}
