import { describe, expect, test } from 'vitest';
import { english } from '../messages/english/index.ts';
import { french } from '../messages/french/index.ts';
import {
  agoText,
  bytesText,
  dayTime,
  durationText,
  millisecondsText,
  percentText,
  rateText,
  uptimeText,
} from './format.ts';

const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ');

describe('numbers as people of a language write them', () => {
  test.each([
    [null, '–', '–'],
    [0, '0 bytes', '0 octet'],
    [999, '999 bytes', '999 octets'],
    [1.2e9, '1.2 GB', '1,2 Go'],
    [999_960, '1.0 MB', '1,0 Mo'],
    [41.26e6, '41.3 MB', '41,3 Mo'],
    [412e12, '412 TB', '412 To'],
  ])('%s bytes', (bytes, en, fr) => {
    expect([plain(bytesText(english, bytes)), plain(bytesText(french, bytes))]).toEqual([en, fr]);
  });
  test('rates', () => {
    expect([plain(rateText(english, 41e6)), plain(rateText(french, 41e6))]).toEqual(['41.0 MB/s', '41,0 Mo/s']);
  });
  test('milliseconds: three figures at most', () => {
    expect([0.4, 12, 312, 2400].map((one) => plain(millisecondsText(english, one)))).toEqual([
      '0.40 ms',
      '12.0 ms',
      '312 ms',
      '2.4 s',
    ]);
    expect(plain(millisecondsText(french, 0.4))).toBe('0,40 ms');
  });
  test('100 % is not said before it is over', () => {
    expect([0.999, 1].map((one) => percentText(english, one))).toEqual(['99%', '100%']);
    expect(plain(percentText(french, 0.5))).toBe('50 %');
  });
});

describe('times', () => {
  const now = Date.parse('2026-01-05T14:02:11Z');
  test('ages grow coarse, and are never in the future', () => {
    const ago = (seconds: number): string => agoText(english, now - seconds * 1000, now);
    expect([-40, 0.4, 4, 120, 7200, 300_000].map(ago)).toEqual([
      'just now',
      'just now',
      '4 s ago',
      '2 min ago',
      '2 h ago',
      '3 d ago',
    ]);
    expect(agoText(french, now - 4000, now)).toBe('il y a 4 s');
  });
  test('another day is said with its day', () => {
    expect(dayTime(english, now, now)).toMatch(/^\d\d:\d\d$/);
    expect(dayTime(english, now - 3 * 86_400_000, now)).toContain('Jan');
  });
  test('how long it runs, and what is not known', () => {
    expect(uptimeText(english, 4 * 86_400 + 2 * 3600 + 11 * 60)).toBe('4 d 02:11');
    expect(uptimeText(french, 3661)).toBe('01:01:01');
    expect(durationText(english, null)).toBe('an unknown time');
  });
});
