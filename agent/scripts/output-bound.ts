/**
 * The output of a script goes straight into its file: a pipe would break under the daemons that it leaves behind. So the file is cut while they write:
 * they append, and go on at its new end.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { allocate, FALLOC } from '../sys/linux.ts';

export const outputBytesMax = 1024 * 1024;
/** How it began and how it ended says nearly everything. */
const keptBytes = 64 * 1024;

/** At once, so that hardly anything can be written between the reading of the end and the cut. */
export function boundOutput(file: string): void {
  whereTooLong(file, cut);
}

/**
 * The same while the script runs, whose next line may be its last: what is written between the reading of the end and the cut would be lost, or stand before it. A hole in the
 * middle takes its room from nobody.
 */
export function thinOutput(file: string): void {
  whereTooLong(file, (descriptor, size) => {
    const hole = FALLOC.PUNCH_HOLE | FALLOC.KEEP_SIZE;
    // Not on every file system.
    if (allocate(descriptor, hole, keptBytes, size - 2 * keptBytes) < 0) cut(descriptor, size, file);
  });
}

/** Never fails: no output is a reason to stop anything. */
function whereTooLong(file: string, act: (descriptor: number, size: number, file: string) => void): void {
  try {
    const descriptor = openSync(file, 'r+');
    try {
      const { size } = fstatSync(descriptor);
      if (size > outputBytesMax) act(descriptor, size, file);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Removed meanwhile, or the disk is full: the next time will tell.
  }
}

function cut(descriptor: number, size: number, file: string): void {
  const appending = openSync(file, 'a');
  const end = Buffer.alloc(keptBytes);
  readSync(descriptor, end, 0, keptBytes, size - keptBytes);
  ftruncateSync(descriptor, keptBytes);
  writeSync(appending, Buffer.concat([Buffer.from(`\n[… ${size - 2 * keptBytes} bytes …]\n`), end]));
  closeSync(appending);
}
