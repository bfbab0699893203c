/**
 * The output of a script goes straight into its file: a pipe would break under the daemons that it leaves behind. So the file is cut while they write:
 * they append, and go on at its new end.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

export const outputBytesMax = 1024 * 1024;
/** How it began and how it ended says nearly everything. */
const keptBytes = 64 * 1024;

/** At once, so that hardly anything can be written between the reading of the end and the cut. Never fails: no output is a reason to stop anything. */
export function boundOutput(file: string, bytesMax: number = outputBytesMax): void {
  try {
    const descriptor = openSync(file, 'r+');
    try {
      const { size } = fstatSync(descriptor);
      if (size > bytesMax) cut(file, descriptor, size, Math.min(keptBytes, Math.floor(bytesMax / 4)));
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Removed meanwhile, or the disk is full: the next time will tell.
  }
}

function cut(file: string, descriptor: number, size: number, most: number): void {
  const appending = openSync(file, 'a');
  let end = read(descriptor, size - most, size);
  let reached = size;
  // What is written between the last look and the cut is lost, and that may be the very last line: look until nothing was added, or be quick.
  for (let looks = 0; looks < looksMax; looks++) {
    const { size: now } = fstatSync(descriptor);
    if (now <= reached) break;
    end = Buffer.concat([end, read(descriptor, Math.max(reached, now - most), now)]);
    reached = now;
  }
  ftruncateSync(descriptor, most);
  writeSync(appending, Buffer.concat([Buffer.from(`\n[… ${reached - 2 * most} bytes …]\n`), end.subarray(-most)]));
  closeSync(appending);
}

const looksMax = 4;

function read(descriptor: number, from: number, to: number): Buffer {
  const bytes = Buffer.alloc(to - from);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, from));
}
