/** fio as every workload uses it: one JSON document, its errors as errors. */
import { z } from 'zod';
import type { Host } from '../../lab/index.ts';

const side = z.object({
  iops: z.number(),
  bw_bytes: z.number(),
  clat_ns: z.object({ percentile: z.record(z.string(), z.number()).optional() }),
});
const output = z.object({ jobs: z.array(z.object({ error: z.number(), read: side, write: side })).min(1) });

export interface FioResult {
  readonly operationsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** @param words as on fio's command line, without the place. */
export async function fio(host: Host, directory: string, words: readonly string[]): Promise<FioResult> {
  const command = [
    'fio',
    '--name=bench',
    `--directory=${directory}`,
    '--output-format=json',
    '--group_reporting',
    ...words,
  ];
  const said = await host.must(command, { timeoutMs: 300_000 });
  // Notes come before the document.
  const [job] = output.parse(JSON.parse(said.slice(said.indexOf('{')))).jobs;
  if (job?.error !== 0) throw new Error(`fio ${words.join(' ')}: error ${String(job?.error)}`);
  const measured = job.read.iops > job.write.iops ? job.read : job.write;
  return { operationsPerSecond: measured.iops, bytesPerSecond: measured.bw_bytes };
}
