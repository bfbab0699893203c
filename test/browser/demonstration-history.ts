/** A day that was measured: steady writes, one power cut, one resync. */
import type { HistoryHandlers, Series } from '../../src-main/app-api/index.ts';
import { DemonstrationPart } from './demonstration-part.ts';

/** The same curve for the same interval, whatever the day. */
function wave(index: number, length: number): number {
  return 1 + 0.3 * Math.sin(index / 7) + 0.2 * Math.sin(index / 3.1) + (0.1 * index) / length;
}

export function demonstrationSeries(fromMs: number, toMs: number, points: number): Series {
  const indices = Array.from({ length: points }, (_, index) => index);
  const share = (index: number): number => index / points;
  const dark = (index: number): boolean => share(index) > 0.55 && share(index) < 0.62;
  const resync = (index: number): boolean => share(index) >= 0.62 && share(index) < 0.74;
  return {
    at: indices.map((index) => (fromMs + ((index + 0.5) * (toMs - fromMs)) / points) / 1000),
    replicatedBytesPerSecond: indices.map((index) => (dark(index) ? null : 20e6 * wave(index, points))),
    writeLatencyP50Ms: indices.map((index) => 0.4 * wave(index, points)),
    writeLatencyP99Ms: indices.map((index) => (resync(index) ? 3.1 : 1.6) * wave(index, points)),
    resyncBytesPerSecond: indices.map((index) => (resync(index) ? 41e6 * wave(index, points) : null)),
    resyncDone: indices.map((index) => (resync(index) ? (share(index) - 0.62) / 0.12 : null)),
    resyncEtaSeconds: indices.map((index) => (resync(index) ? Math.round((0.74 - share(index)) * 300) : null)),
    protected: indices.map((index) => (dark(index) || resync(index) ? 0 : 1)),
  };
}

export class DemonstrationHistory extends DemonstrationPart<HistoryHandlers> {
  protected handlers(): HistoryHandlers {
    return {
      history: async ({ fromMs, toMs, points }) => demonstrationSeries(fromMs, toMs, points),
      resyncs: async () => [
        {
          node: 'n2',
          fromMs: Date.parse('2026-01-01T13:41:23Z'),
          toMs: Date.parse('2026-01-01T13:42:01Z'),
          doneBytes: 3e9,
          sentBytes: 1.2e9,
          finished: true,
        },
      ],
    };
  }
}
