/**
 * Eight threads that sync, each a file of its own, as a database with eight clients does: `node restart-syncers.ts SERVED`. Half of them ask with fsync(2), half by
 * O_SYNC; every file is read back at the end. Speaks as restart-application.ts does. Wants UV_THREADPOOL_SIZE=8 and more.
 */
import { constants, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

const [served = ''] = process.argv.slice(2);
const threads = 8;
const { O_CREAT, O_APPEND, O_WRONLY, O_SYNC } = constants;
let ended = false;
process.stdin.on('end', () => (ended = true));
process.stdin.resume();

const lines = new Array<number>(threads).fill(0);
let told = 0;
const line = (number: number): string => `${String(number).padStart(9)}\n`;

async function work(thread: number): Promise<void> {
  const isSynchronous = thread % 2 === 1;
  const file = await open(
    join(served, `syncer-${thread}`),
    O_CREAT | O_APPEND | O_WRONLY | (isSynchronous ? O_SYNC : 0),
  );
  while (!ended) {
    const number = lines[thread]! + 1;
    const { bytesWritten } = await file.write(line(number));
    if (bytesWritten !== 10) throw new Error(`a write of 10 bytes wrote ${bytesWritten}`);
    if (!isSynchronous) await file.sync();
    lines[thread] = number;
    const least = Math.min(...lines);
    if (least > told) console.log(`round ${(told = least)}`);
  }
  await file.close();
}

Promise.all(lines.map((_, thread) => work(thread))).then(
  () => {
    for (const [thread, count] of lines.entries()) {
      const wanted = Array.from({ length: count }, (_, index) => line(index + 1)).join('');
      if (readFileSync(join(served, `syncer-${thread}`), 'utf8') !== wanted)
        throw new Error(`file ${thread} is not what was written`);
    }
    console.log('ended well');
    process.exit(0);
  },
  (error: unknown) => {
    console.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  },
);
