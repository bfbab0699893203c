/** `npm run sim -- --seeds N [--from S] | --seed K [--faults 3,7] [--calm] | --explore [--states N] | --mutants`. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeStageSummary } from '../run/summary.ts';
import { runExplorer } from './explorer/runs.ts';
import { runMutants } from './mutants.ts';
import { run, type RunResult } from './run.ts';
import { faultInWords } from './schedule.ts';
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

function main(): number {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string' },
      seed: { type: 'string' },
      faults: { type: 'string' },
      calm: { type: 'boolean' },
      mutants: { type: 'boolean' },
      first: { type: 'boolean' },
      only: { type: 'string' },
      explore: { type: 'boolean' },
      states: { type: 'string' },
    },
  });
  if (values.mutants === true) {
    const { killed, survived } = runMutants(
      path.join(import.meta.dirname, '../..'),
      number(values.seeds, 'seeds', 3000),
      values.only ?? '',
    );
    return summary(killed, survived);
  }
  if (values.explore === true) {
    const say = (line: string): void => {
      process.stdout.write(`${line}\n`);
    };
    const { passed, failed } = runExplorer(number(values.states, 'states', 5000), values.first === true, say);
    return summary(passed, failed);
  }
  if (values.seed !== undefined) {
    const only = values.faults === undefined ? {} : { only: faultNumbers(values.faults) };
    const result = run({ seed: number(values.seed, 'seed', 0), trace: true, calm: values.calm === true, ...only });
    process.stdout.write(`${result.trace.join('\n')}\n${result.failure ?? 'nothing broke'}\n`);
    return result.failure === null ? 0 : 1;
  }
  const from = number(values.from, 'from', 1);
  const count = number(values.seeds, 'seeds', 200);
  const seeds = [...formerFailures, ...Array.from({ length: count }, (_, index) => from + index)];
  return many(seeds, values.first === true);
}

/** @param first stops at the first seed that fails. */
function many(seeds: readonly number[], first: boolean): number {
  const faults: Record<string, number> = {};
  const seen = new Seen();
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
      process.stdout.write(`seed ${String(seed)}: ${result.failure}\n`);
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
  return summary(seeds.length - failed.length, failed.length);
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

function summary(passed: number, failed: number): number {
  writeStageSummary({ passed, failed, notRun: [] });
  process.stdout.write(`${String(passed)} passed, ${String(failed)} failed\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = main();
