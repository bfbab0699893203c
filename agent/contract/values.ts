/** The plain values of a configuration file: names, durations, addresses. */
import * as z from 'zod';
import { assertNever } from './fault.ts';

export const nameSchema = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/, 'use lower-case letters, digits and hyphens, at most 32 characters');

export const durationText = z.string().regex(/^\d+(ms|s|m|h)$/, 'write a duration such as 500ms, 3s, 2m or 1h');

/** '500ms' | '3s' | '2m' | '1h' → milliseconds. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h)$/.exec(text);
  if (!match?.[1]) throw new RangeError(`not a duration: ${text}`);
  const unit = match[2] as 'ms' | 's' | 'm' | 'h';
  switch (unit) {
    case 'ms':
      return Number(match[1]);
    case 's':
      return Number(match[1]) * 1000;
    case 'm':
      return Number(match[1]) * 60_000;
    case 'h':
      return Number(match[1]) * 3_600_000;
    default:
      return assertNever(unit);
  }
}

export const ipv4 = z.ipv4('write an IPv4 address such as 10.0.0.50');
export const ipv4WithPrefix = z.cidrv4('write an address with its prefix length, such as 10.0.0.50/24');
