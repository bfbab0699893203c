import { describe, expect, it } from 'vitest';
import type { LatencyCount, VolumeMetrics } from '../contract/index.ts';
import { Measurements } from './measurements.ts';

interface Counters {
  readonly role?: number;
  readonly changeBytes?: number;
  readonly resyncBytes?: number;
  readonly latency?: LatencyCount[];
  readonly link?: VolumeMetrics['link'];
}
const up = { address: '10.0.0.2', roundTripMs: 0.2 };

function primary(volume: string, counters: Counters = {}): VolumeMetrics {
  const { role = 1, changeBytes = 0, resyncBytes = 0, latency = [], link = up } = counters;
  return { volume, link, primary: { role, changeBytes, resyncBytes, latency } };
}

describe('measurements', () => {
  it('says nothing before two readings, or after they have become old', () => {
    const measurements = new Measurements();
    expect(measurements.ofModule(['db/0'], 0)).toBeNull();
    measurements.take(1000, [primary('db/0')]);
    expect(measurements.ofModule(['db/0'], 1000)).toBeNull();
    measurements.take(2000, [primary('db/0')]);
    expect(measurements.ofModule(['db/0'], 2000)).not.toBeNull();
    expect(measurements.ofModule(['db/0'], 9000)).toBeNull();
    measurements.forget();
    expect(measurements.ofModule(['db/0'], 2000)).toBeNull();
  });

  it('gives rates and quantiles of the last seconds only', () => {
    const measurements = new Measurements();
    // A burst long ago, then ten megabytes and a hundred changes in five seconds.
    measurements.take(0, [primary('db/0')]);
    measurements.take(1000, [primary('db/0', { changeBytes: 9e9, latency: [[64, 72, 5000]] })]);
    const latency: LatencyCount[] = [
      [64, 72, 5090],
      [8192, 9216, 10],
    ];
    measurements.take(6000, [primary('db/0', { changeBytes: 9e9 + 4e6, resyncBytes: 6e6, latency })]);
    expect(measurements.ofModule(['db/0'], 6000)).toEqual({
      replicatedBytesPerSecond: 2_000_000,
      writeLatencyP50Ms: 0.068,
      writeLatencyP99Ms: 9.114,
      changesPerSecond: 20,
    });
  });

  it('invents no latency where nothing was changed, and no rate where nobody listens', () => {
    const measurements = new Measurements();
    measurements.take(0, [primary('db/0', { link: null })]);
    measurements.take(1000, [primary('db/0', { link: null })]);
    expect(measurements.ofModule(['db/0'], 1000)).toEqual({
      replicatedBytesPerSecond: null,
      writeLatencyP50Ms: null,
      writeLatencyP99Ms: null,
      changesPerSecond: 0,
    });
  });

  it('adds up the volumes of a module, and says nothing while one of them is not primary', () => {
    const measurements = new Measurements();
    measurements.take(0, [primary('db/0'), primary('db/1')]);
    measurements.take(1000, [primary('db/0', { changeBytes: 10 }), primary('db/1', { resyncBytes: 5 })]);
    expect(measurements.ofModule(['db/0', 'db/1'], 1000)?.replicatedBytesPerSecond).toBe(15);
    measurements.take(2000, [primary('db/0', { changeBytes: 10 }), { volume: 'db/1', link: null, primary: null }]);
    expect(measurements.ofModule(['db/0', 'db/1'], 2000)).toBeNull();
  });

  it('begins anew with another role: numbers that fall are no negative rates', () => {
    const measurements = new Measurements();
    measurements.take(0, [primary('db/0', { changeBytes: 5000 })]);
    measurements.take(1000, [primary('db/0', { role: 2, changeBytes: 10 })]);
    expect(measurements.ofModule(['db/0'], 1000)).toBeNull();
    measurements.take(2000, [primary('db/0', { role: 2, changeBytes: 30 })]);
    expect(measurements.ofModule(['db/0'], 2000)?.replicatedBytesPerSecond).toBe(20);
  });

  it('tells which address of the peer is used, with the shortest round trip', () => {
    const measurements = new Measurements();
    measurements.take(0, [
      primary('a/0', { link: { address: '10.0.0.2', roundTripMs: null } }),
      primary('a/1', { link: { address: '10.0.0.2', roundTripMs: 0.4 } }),
      { volume: 'b/0', link: { address: '10.0.0.2', roundTripMs: 0.3 }, primary: null },
      primary('c/0', { link: null }),
    ]);
    expect([...measurements.links(0)]).toEqual([['10.0.0.2', 0.3]]);
    expect(measurements.links(60_000).size).toBe(0);
  });
});
