/**
 * What every copy of the app on this machine knows of the practice lab. In /run: it goes at a reboot, as the servers do. A lab whose maker
 * died before it was ready is half a lab.
 */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { readStateFile, writeStateFile } from '../state-file.ts';

const recordSchema = z.object({
  format: z.literal(1),
  state: z.enum(['making', 'ready']),
  maker: z.object({ pid: z.number().int(), startTime: z.string() }),
  /** The wizard filled in for these servers; null: they are protected already. */
  draft: z.string().nullable(),
});
export type PracticeRecord = z.infer<typeof recordSchema>;

export function recordFileOf(lab: string): string {
  return `/run/holdfast-practice/${lab}.json`;
}

/** Process numbers are used again; with the start time they are not. Null: there is no such process. */
function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The program name stands in parentheses and may hold anything; field 22 is counted from behind it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

export function readRecord(file: string): Promise<PracticeRecord | null> {
  return readStateFile(file, recordSchema);
}

export function writeRecord(file: string, state: PracticeRecord['state'], draft: string | null): Promise<void> {
  const { pid } = process;
  return writeStateFile(file, { format: 1, state, maker: { pid, startTime: startTimeOf(pid) ?? '' }, draft });
}

export function removeRecord(file: string): Promise<void> {
  return rm(file, { force: true });
}

export function isBeingMade(record: PracticeRecord): boolean {
  return record.state === 'making' && startTimeOf(record.maker.pid) === record.maker.startTime;
}

export function isBeingMadeElsewhere(record: PracticeRecord): boolean {
  return isBeingMade(record) && record.maker.pid !== process.pid;
}
