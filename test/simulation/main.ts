/** `npm run sim -- --seeds N [--from S] [--coverage] | --scenarios | --explore [--states N] | --seed K [--faults 3,7] [--calm] | --mutants | --matrix [--seed K]`. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeStageSummary } from '../run/summary.ts';
import { runExplorer } from './explorer/runs.ts';
import { runMutants } from './mutants.ts';
import { run, type RunResult } from './run.ts';
import { faultInWords } from './schedule.ts';
import { coverageOf } from './coverage.ts';
import { runMatrix } from './replication/crash-matrix.ts';
import { playAll } from './scenarios.ts';
import { Seen } from './seen.ts';
import { shrink } from './shrink.ts';

/** Every seed that ever failed, replayed first. */
import { formerFailures } from './former-failures.ts';

function number(text: string | undefined, name: string, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) {
    process.stderr.write(`--${name} takes a whole number, not "${text}".\n`);
    process.exit(2);
  }
  return value;
}

/** `3,7,9`, or `none`. */
function faultNumbers(text: string): ReadonlySet<number> {
  return new Set(text === 'none' ? [] : text.split(',').map((one) => number(one, 'faults', 0)));
}

const options = {
  seeds: { type: 'string' },
  from: { type: 'string' },
  seed: { type: 'string' },
  faults: { type: 'string' },
  calm: { type: 'boolean' },
  mutants: { type: 'boolean' },
  matrix: { type: 'boolean' },
  scenarios: { type: 'boolean' },
  explore: { type: 'boolean' },
  states: { type: 'string' },
  coverage: { type: 'boolean' },
  first: { type: 'boolean' },
  only: { type: 'string' },
} as const;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options });
  const first = values.first === true;
  if (values.matrix === true) return summary([runMatrix(number(values.seed, 'seed', 3), say)]);
  if (values.seed !== undefined) return replay(number(values.seed, 'seed', 0), values.faults, values.calm === true);
  if (values.mutants === true) {
    const { killed, survived } = runMutants(root, number(values.seeds, 'seeds', 1000), values.only ?? '');
    return summary([{ passed: killed, failed: survived }]);
  }
  const seen = new Seen();
  const parts: Counts[] = [];
  if (values.scenarios === true) {
    const played = await playAll(values.only ?? '', say);
    seen.add(played.seen);
    parts.push(played);
  }
  const asked = values.scenarios === true || values.explore === true;
  if (values.seeds !== undefined || !asked) {
    const count = number(values.seeds, 'seeds', 200);
    const from = number(values.from, 'from', 1);
    const seeds = Array.from({ length: count }, (_, index) => from + index);
    parts.push(many([...formerFailures, ...seeds], first, seen));
    // What is rare needs so many seeds to be seen.
    if (values.coverage === true || count >= longRun) parts.push(await covered(seen));
  }
  if (values.explore === true) parts.push(runExplorer(number(values.states, 'states', 5000), first, say));
  return summary(parts);
}

const root = path.join(import.meta.dirname, '../..');
const longRun = 20_000;

function replay(seed: number, faults: string | undefined, calm: boolean): number {
  const only = faults === undefined ? {} : { only: faultNumbers(faults) };
  const result = run({ seed, trace: true, calm, ...only });
  say(`${result.trace.join('\n')}\n${result.failure ?? 'nothing broke'}`);
  return result.failure === null ? 0 : 1;
}

/** Everything that the core can be was seen, or is known to be out of reach here. */
async function covered(seen: Seen): Promise<Counts> {
  seen.add((await playAll('', say)).seen);
  const { never, wrong } = coverageOf(seen);
  for (const one of never) say(`never seen: ${one}`);
  for (const one of wrong) say(`coverage: ${one}`);
  return { passed: wrong.length === 0 ? 1 : 0, failed: wrong.length };
}

/** @param first stops at the first seed that fails. */
function many(seeds: readonly number[], first: boolean, seen: Seen): Counts {
  const faults: Record<string, number> = {};
  let acknowledged = 0;
  let failovers = 0;
  const failed: number[] = [];
  for (const seed of seeds) {
    const result = run({ seed, trace: false });
    for (const [name, times] of Object.entries(result.faults)) faults[name] = (faults[name] ?? 0) + times;
    seen.add(result.seen);
    acknowledged += result.acknowledgedWrites;
    failovers += result.failovers;
    if (result.failure !== null) {
      failed.push(seed);
      say(`seed ${String(seed)}: ${result.failure}`);
      if (first) break;
      if (failed.length === 1) tellShortest(result);
    }
  }
  const times = Object.entries(faults).map(([name, count]) => `${name} ${String(count)}`);
  process.stdout.write(`${String(seeds.length)} seeds; faults: ${times.join(', ')}\n`);
  process.stdout.write(
    `${String(seen.states.size)} core states, ${String(seen.transitions.size)} transitions, ${String(acknowledged)} acknowledged writes, ${String(failovers)} changes of primary\n`,
  );
  if (acknowledged === 0 || failovers === 0) failed.push(-1);
  return { passed: seeds.length - failed.length, failed: failed.length };
}

/** The way to the failure with the fewest faults, and how to see it again. */
function tellShortest(result: RunResult): void {
  const { only, calm, trace, planned } = shrink(result);
  const chosen = planned.filter((fault) => only.has(fault.number));
  process.stdout.write(
    [
      `  shrunk from ${String(planned.length)} faults to ${String(chosen.length)}${calm ? ', in a calm network' : ''}:`,
      ...chosen.map((fault) => `  ${faultInWords(fault)}`),
      ...trace.slice(-60).map((line) => `    ${line}`),
      `  replay: npm run sim -- --seed ${String(result.seed)} --faults ${[...only].join(',') || 'none'}${calm ? ' --calm' : ''}`,
      '',
    ].join('\n'),
  );
}

function summary(parts: readonly Counts[]): number {
  const total = (what: keyof Counts): number => parts.reduce((sum, part) => sum + part[what], 0);
  const [passed, failed] = [total('passed'), total('failed')];
  writeStageSummary({ passed, failed, notRun: [] });
  say(`${String(passed)} passed, ${String(failed)} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
