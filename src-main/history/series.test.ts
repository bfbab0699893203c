import { expect, it } from 'vitest';
import { seriesOf, type Row } from './series.ts';

/** Protected, nothing else known. */
const row = (at: number): Row => [at, 0, 0, 0, 0, null, 0, 0, null, null, 1];

it('what was before the first reading stays unknown, also when two readings share an interval', () => {
  const resolution = { stepSeconds: 1, intervalSeconds: 2, start: 100, count: 6 };
  const series = seriesOf([row(106), row(107), row(110)], resolution);
  expect(series.protected).toEqual([null, null, null, 1, 1, 1]);
});
