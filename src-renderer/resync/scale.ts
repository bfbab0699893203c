/** Axes that people can read: few, round numbers, each with its unit. Pure. */
import type { Messages } from '../messages/messages.ts';
import { numberText } from '../ui/format.ts';

/** What is measured on an axis. */
export type Quantity = 'rate' | 'latency' | 'part' | 'yes-no';

const intervalsMax = 3;
/** An axis does not become a magnifying glass for nothing: bytes per second, milliseconds. */
const smallestTop: Readonly<Record<'rate' | 'latency', number>> = { rate: 3000, latency: 1 };

/** 1, 2, 5, 10 … ×; also below one. */
function roundStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const lead = rough / power;
  return (lead <= 1.000001 ? 1 : lead <= 2.000001 ? 2 : lead <= 5.000001 ? 5 : 10) * power;
}

/** From zero to at least `highest`. */
export function ticksFor(quantity: Quantity, highest: number | null): number[] {
  if (quantity === 'part') return [0, 0.5, 1];
  if (quantity === 'yes-no') return [0, 1];
  const top = Math.max(highest ?? 0, smallestTop[quantity]);
  const step = roundStep(top / intervalsMax);
  const count = Math.ceil(top / step - 0.000001);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** Zero needs no unit, and a round number no decimals. */
export function tickText(words: Messages, quantity: Quantity, value: number): string {
  const locale = words.language === 'fr' ? 'fr-FR' : 'en-GB';
  switch (quantity) {
    case 'part':
      return new Intl.NumberFormat(locale, { style: 'percent' }).format(value);
    case 'yes-no':
      return value > 0.5 ? words.measurements.yes : words.measurements.no;
    case 'latency':
      if (value === 0) return '0';
      return value >= 1000
        ? `${numberText(words, value / 1000, 1)}\u00a0s`
        : `${numberText(words, value, value < 1 ? 2 : 1)}\u00a0ms`;
    case 'rate': {
      if (value === 0) return '0';
      const power = Math.min(4, Math.floor(Math.log10(value * 1.000001) / 3));
      const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
      const format = { style: 'unit', unit: `${units[power] ?? 'byte'}-per-second`, maximumFractionDigits: 1 } as const;
      return new Intl.NumberFormat(locale, format).format(value / 1000 ** power);
    }
  }
}

const minute = 60;
const hour = 3600;
const day = 86_400;
const timeSteps = [
  1,
  2,
  5,
  10,
  15,
  30,
  minute,
  2 * minute,
  5 * minute,
  10 * minute,
  15 * minute,
  30 * minute,
  hour,
  2 * hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  7 * day,
  14 * day,
  28 * day,
  56 * day,
  112 * day,
];

export interface TimeTick {
  /** Seconds since 1970. */
  readonly at: number;
  readonly text: string;
}

/** At round local times, at most `countMax` of them; a day is named where it begins. Seconds since 1970. */
export function timeTicks(words: Messages, from: number, to: number, countMax: number): TimeTick[] {
  const step = timeSteps.find((one) => (to - from) / one <= countMax) ?? 112 * day;
  const locale = words.language === 'fr' ? 'fr-FR' : 'en-GB';
  const clock = new Intl.DateTimeFormat(locale, {
    hour: '2-digit',
    minute: '2-digit',
    ...(step < minute ? { second: '2-digit' } : {}),
  });
  const date = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
  const ticks: TimeTick[] = [];
  for (let at = firstTick(from, step); at <= to; at = nextTick(at, step)) {
    const local = new Date(at * 1000);
    const midnight = local.getHours() === 0 && local.getMinutes() === 0 && local.getSeconds() === 0;
    ticks.push({ at, text: midnight ? date.format(local) : clock.format(local) });
  }
  return ticks;
}

function startOfDay(at: number): Date {
  const local = new Date(at * 1000);
  local.setHours(0, 0, 0, 0);
  return local;
}

function firstTick(from: number, step: number): number {
  const midnight = startOfDay(from);
  if (step < day) {
    const start = midnight.getTime() / 1000;
    return start + Math.ceil((from - start) / step) * step;
  }
  if (midnight.getTime() / 1000 < from) midnight.setDate(midnight.getDate() + 1);
  return midnight.getTime() / 1000;
}

/** Days are not all of the same length: each begins at its own midnight. */
function nextTick(at: number, step: number): number {
  if (step >= day) {
    const next = new Date(at * 1000);
    next.setDate(next.getDate() + step / day);
    return next.getTime() / 1000;
  }
  const next = at + step;
  const midnight = startOfDay(next);
  return midnight.getTime() / 1000 > at ? midnight.getTime() / 1000 : next;
}
