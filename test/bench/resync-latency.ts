/**
 * What an application feels while the other server is brought up to date: its synchronous writes with and without a resync, in turn. Each on the same pair, so that the
 * load of this machine is the same for both; medians of the rounds.
 */
import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import { nextGeneration, startPair, until, volume } from '../suites/replication/pair.ts';
import type { ReplicatorNode } from '../suites/replication/pair.ts';

const syncMs = 1_200_000;
const dataMb = 1536;
const seconds = 5;
const rounds = 3;
/** Of the floor in the issue on speed. */
const slowerMax = 3;

const percentiles = z.object({
  jobs: z
    .array(
      z.object({
        write: z.object({ iops: z.number(), clat_ns: z.object({ percentile: z.record(z.string(), z.number()) }) }),
      }),
    )
    .min(1),
});

interface Felt {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly writesPerSecond: number;
}

/** 4 KiB at random places, each on both disks before the next. In a process of its own: ours keeps the lease. */
async function write(node: ReplicatorNode): Promise<Felt> {
  const words = ['--rw=randwrite', '--bs=4k', '--size=64M', '--sync=dsync', '--time_based', `--runtime=${seconds}`];
  const argv = ['--name=application', `--directory=${node.path}`, '--overwrite=1', '--output-format=json', ...words];
  const child = spawn('fio', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  const [job] = percentiles.parse(JSON.parse(said.slice(said.indexOf('{')))).jobs;
  const at = (percentile: string): number => (job?.write.clat_ns.percentile[percentile] ?? NaN) / 1e6;
  return { p50Ms: at('50.000000'), p99Ms: at('99.000000'), writesPerSecond: job?.write.iops ?? NaN };
}

/** Its copy cannot be trusted any more, so everything is compared; and `lacks` it, or has all of it. */
async function comeBackSpoiled(n1: ReplicatorNode, n2: ReplicatorNode, lacks: boolean): Promise<void> {
  await n2.kill();
  await n1.mode('undecided');
  await n1.call('goAlone', { volume, generation: nextGeneration() });
  const spoil = lacks ? `rm '${join(n2.path, 'big')}'` : 'true';
  execFileSync('bash', ['--norc', '-ec', `umount '${n2.path}'; ${spoil}`]);
  await n2.start();
  await n2.configure();
  await n2.call('serveSecondary', { volume });
  await n1.mode('resynchronising', syncMs);
}

interface Round {
  readonly without: Felt;
  readonly during: Felt;
  /** Compared and sent while it was measured; and whether that took at least as long as the measurement. */
  readonly bytesPerSecond: number;
  readonly whole: boolean;
}

async function round(n1: ReplicatorNode, n2: ReplicatorNode, lacks: boolean): Promise<Round> {
  const without = await write(n1);
  await comeBackSpoiled(n1, n2, lacks);
  const before = (await n1.status()).resync?.doneBytes ?? 0;
  const during = await write(n1);
  const { resync, mode } = await n1.status();
  const bytesPerSecond = ((resync?.doneBytes ?? dataMb * 2 ** 20) - before) / seconds;
  await n1.mode('in-sync', syncMs);
  return { without, during, bytesPerSecond, whole: mode === 'resynchronising' };
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
const feltText = ({ p50Ms, p99Ms, writesPerSecond }: Felt): string =>
  `p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms, ${writesPerSecond.toFixed(0)}/s`;
function medianOf(all: readonly Felt[]): Felt {
  const of = (key: keyof Felt): number => median(all.map((one) => one[key]));
  return { p50Ms: of('p50Ms'), p99Ms: of('p99Ms'), writesPerSecond: of('writesPerSecond') };
}

export interface LatencyRow {
  readonly part: string;
  readonly what: string;
  readonly bound: string;
  readonly measured: string;
  readonly met: boolean;
}

export const latencyDiskMb = 4000;

export async function latency(n1: ReplicatorNode, n2: ReplicatorNode): Promise<LatencyRow[]> {
  execFileSync('dd', ['if=/dev/urandom', `of=${join(n1.path, 'big')}`, 'bs=1M', `count=${dataMb}`, 'status=none']);
  await startPair(n1, n2);
  await n1.mode('in-sync', syncMs);
  const rows: LatencyRow[] = [];
  for (const lacks of [true, false]) {
    const all: Round[] = [];
    for (let n = 0; n < rounds; n++) all.push(await round(n1, n2, lacks));
    const [without, during] = [medianOf(all.map((one) => one.without)), medianOf(all.map((one) => one.during))];
    const ratio = median(all.map((one) => one.during.p99Ms / one.without.p99Ms));
    const rate = median(all.map((one) => one.bytesPerSecond)) / 1e6;
    const short = all.filter(({ whole }) => !whole).length;
    rows.push({
      part: 'latency',
      what: `4 KiB O_DSYNC writes while the peer ${lacks ? 'gets everything' : 'is compared with everything'}: p99 beside without`,
      bound: `≤ ${slowerMax} ×`,
      measured: `${ratio.toFixed(2)} × (without: ${feltText(without)}; during: ${feltText(during)}; ${rate.toFixed(0)} MB/s${short === 0 ? '' : `; ${short} resyncs ended before the measurement`})`,
      met: ratio <= slowerMax,
    });
  }
  await until('nothing is under way', async () => (await n1.status()).mode === 'in-sync');
  return rows;
}
