/** Numbers, sizes and times as people of a language write them. An unknown number is a dash, never 0. Pure. */
import type { Messages } from '../messages/messages.ts';

type Language = Messages['language'];
type Unknown = null | undefined;

export const unknownNumber = '–';

function localeOf(language: Language): string {
  return language === 'fr' ? 'fr-FR' : 'en-GB';
}

/** Three figures are enough to read, and do not dance. */
function figures(value: number): Intl.NumberFormatOptions {
  const digits = value === 0 || Math.abs(value) >= 100 ? 0 : 1;
  return { minimumFractionDigits: digits, maximumFractionDigits: digits };
}

export function numberText(words: Messages, value: number | Unknown, digitsMax = 0): string {
  if (value === null || value === undefined) return unknownNumber;
  return new Intl.NumberFormat(localeOf(words.language), { maximumFractionDigits: digitsMax }).format(value);
}

const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

function scaled(words: Messages, bytes: number, suffix: '' | '-per-second'): string {
  let value = Math.abs(bytes);
  let index = 0;
  // 999.95 would be written as 1000.0.
  while (value >= 999.95 && index < byteUnits.length - 1) {
    value /= 1000;
    index += 1;
  }
  return new Intl.NumberFormat(localeOf(words.language), {
    style: 'unit',
    unit: `${byteUnits[index] ?? 'byte'}${suffix}`,
    unitDisplay: index === 0 && suffix === '' ? 'long' : 'short',
    ...(index === 0 ? { maximumFractionDigits: 0 } : figures(value)),
  }).format(Math.sign(bytes) * value);
}

/** `1.2 GB`, `1,2 Go`; powers of 1000, as disks and networks are sold. */
export function bytesText(words: Messages, bytes: number | Unknown): string {
  return bytes === null || bytes === undefined ? unknownNumber : scaled(words, bytes, '');
}

/** `41.0 MB/s`, `41,0 Mo/s`. */
export function rateText(words: Messages, bytesPerSecond: number | Unknown): string {
  return bytesPerSecond === null || bytesPerSecond === undefined
    ? unknownNumber
    : scaled(words, bytesPerSecond, '-per-second');
}

/** `0.42 ms`, `12.0 ms`, `1.2 s`. */
export function millisecondsText(words: Messages, milliseconds: number | Unknown): string {
  if (milliseconds === null || milliseconds === undefined) return unknownNumber;
  const inSeconds = milliseconds >= 1000;
  const value = inSeconds ? milliseconds / 1000 : milliseconds;
  const digits = value < 1 ? 2 : value < 100 ? 1 : 0;
  const number = new Intl.NumberFormat(localeOf(words.language), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
  return `${number}\u00a0${inSeconds ? 's' : 'ms'}`;
}

export function percentText(words: Messages, part: number | Unknown): string {
  if (part === null || part === undefined) return unknownNumber;
  // 100 % is said when it is over, not a moment before.
  return new Intl.NumberFormat(localeOf(words.language), { style: 'percent', maximumFractionDigits: 0 }).format(
    part >= 1 ? 1 : Math.min(0.99, Math.floor(part * 100) / 100),
  );
}

/** `48 s`, `12 min`, `3 h`; unknown: in words. */
export function durationText(words: Messages, seconds: number | Unknown): string {
  return seconds === null || seconds === undefined ? words.app.unknownDuration : words.app.duration(seconds);
}

/** How long something has been running: `4 d 02:11`, `02:11:09`. */
export function uptimeText(words: Messages, seconds: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / 86_400);
  const clock = `${two((whole % 86_400) / 3600)}:${two((whole % 3600) / 60)}`;
  return days > 0 ? `${words.app.days(days)} ${clock}` : `${clock}:${two(whole % 60)}`;
}

export function clockTime(words: Messages, at: string | number, seconds = false): string {
  return new Intl.DateTimeFormat(localeOf(words.language), {
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
  }).format(new Date(at));
}

/** The time; with its day when that is not today. */
export function dayTime(words: Messages, at: string | number, nowMs: number, seconds = false): string {
  const date = new Date(at);
  const today = new Date(nowMs);
  if (date.toDateString() === today.toDateString()) return clockTime(words, at, seconds);
  return new Intl.DateTimeFormat(localeOf(words.language), {
    day: 'numeric',
    month: 'short',
    ...(date.getFullYear() === today.getFullYear() ? {} : { year: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
  }).format(date);
}

/** With everything that there is to say of it. */
export function fullTime(words: Messages, at: string | number): string {
  return new Intl.DateTimeFormat(localeOf(words.language), { dateStyle: 'full', timeStyle: 'long' }).format(
    new Date(at),
  );
}

/** `4 s ago`, `il y a 12 min`; the clocks of two machines may differ: never in the future. */
export function agoText(words: Messages, at: string | number, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - new Date(at).getTime()) / 1000);
  if (seconds < 1) return words.app.justNow;
  return words.app.ago(seconds < 129_600 ? words.app.duration(seconds) : words.app.days(Math.round(seconds / 86_400)));
}
