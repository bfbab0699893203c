/**
 * An application on a replicated directory, which must not notice anything: `node restart-application.ts SERVED PLAIN SEED`. Carries out the same random operations on both
 * directories and compares every answer; beside them, a log that is synced line by line and a file that has no name. Prints `round N` after each sequence, `pause MS` for
 * operations that were kept waiting. Ends well at the end of its standard input, and with an error at the first difference.
 */
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { compareOperations, operationSequences } from '../filesystem/random-operations.ts';
import { describeTree } from '../filesystem/tree.ts';

const [served = '', plain = '', seed = '1'] = process.argv.slice(2);
const operationsPerRound = 60;
/** So that there is little to compare again. */
const roundsKept = 20;
let ended = false;
process.stdin.on('end', () => (ended = true));
process.stdin.resume();

const log = openSync(join(served, '..log'), 'a');
let lines = 0;
/** As a database does it: what was synced is read back. */
function appendToLog(): void {
  lines += 1;
  const began = performance.now();
  writeSync(log, `${String(lines).padStart(9)}\n`);
  fsyncSync(log);
  const tookMs = performance.now() - began;
  if (tookMs > 100) console.log(`pause ${Math.round(tookMs)}`);
}
function checkLog(): void {
  const text = readFileSync(join(served, '..log'), 'utf8');
  const wanted = Array.from({ length: lines }, (_, index) => `${String(index + 1).padStart(9)}\n`).join('');
  if (text !== wanted)
    throw new Error(`the log is not what was written: ${text.length} instead of ${wanted.length} bytes`);
}

const nameless = openSync(join(served, '..nameless'), 'w+');
unlinkSync(join(served, '..nameless'));
let namelessBytes = 0;
function useNameless(): void {
  namelessBytes += writeSync(nameless, Buffer.alloc(4096, namelessBytes / 4096));
  const page = Buffer.alloc(4096);
  for (let at = 0; at < namelessBytes; at += 4096)
    if (readSync(nameless, page, 0, 4096, at) !== 4096 || page[17] !== (at / 4096) % 256)
      throw new Error(`the file without a name has lost its page at ${at}`);
  const { nlink, size } = fstatSync(nameless);
  if (nlink !== 0 || size !== namelessBytes)
    throw new Error(`the file without a name has ${nlink} links, ${size} bytes`);
}

/** A round of the event loop in between: the end is heard. */
async function run(): Promise<void> {
  const rounds = fc.sample(operationSequences(operationsPerRound), { seed: Number(seed), numRuns: 5000 });
  for (const [round, sequence] of rounds.entries()) {
    const [one, two] = [join(served, `round-${round}`), join(plain, `round-${round}`)];
    for (const directory of [one, two]) mkdirSync(directory);
    compareOperations(one, two, sequence, operationsPerRound, () => {
      const [found, wanted] = [describeTree(one), describeTree(two)].map((lines) => lines.join('\n'));
      if (found !== wanted) throw new Error(`the trees differ:\n${found}\n---\n${wanted}`);
    });
    appendToLog();
    if (namelessBytes < 64 * 4096) useNameless();
    for (const side of round < roundsKept ? [] : [served, plain])
      rmSync(join(side, `round-${round - roundsKept}`), { recursive: true });
    console.log(`round ${round}`);
    await new Promise((resolve) => setImmediate(resolve));
    if (ended) break;
  }
  checkLog();
  useNameless();
  closeSync(nameless);
  closeSync(log);
  console.log('ended well');
}

run().then(
  () => process.exit(0),
  (error: unknown) => {
    console.log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  },
);
