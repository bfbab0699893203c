import { expect, test } from 'vitest';
import { feedEveryMs, WatchdogPace } from './watchdog-pace.ts';

test.each([100, 600, 4000])('a tick every %i ms feeds the watchdog long before a minute has passed', (tickMs) => {
  const pace = new WatchdogPace();
  const fedMs = Array.from({ length: 200 }, (_, tick) => tick * tickMs).filter((nowMs) => pace.isDue(nowMs));
  const pauses = fedMs.slice(1).map((nowMs, index) => nowMs - fedMs[index]!);
  expect(fedMs[0]).toBe(0);
  expect(Math.max(...pauses)).toBeLessThan(feedEveryMs + tickMs);
  expect(Math.min(...pauses)).toBeGreaterThanOrEqual(feedEveryMs);
});
