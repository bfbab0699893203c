/** `npm run sim -- --seeds N [--from S] | --seed K | --explore [--states N] | --mutants`. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { writeStageSummary } from '../run/summary.ts';
import { runExplorer } from './explorer/runs.ts';
import { runMutants } from './mutants.ts';
import { run } from './run.ts';

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

function main(): number {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string' },
      seed: { type: 'string' },
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
    const result = run({ seed: number(values.seed, 'seed', 0), trace: true });
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
  const transitions = new Set<string>();
  let acknowledged = 0;
  let failovers = 0;
  const failed: number[] = [];
  for (const seed of seeds) {
    const result = run({ seed, trace: false });
    for (const [name, times] of Object.entries(result.faults)) faults[name] = (faults[name] ?? 0) + times;
    for (const transition of result.transitions) transitions.add(transition);
    acknowledged += result.acknowledgedWrites;
    failovers += result.failovers;
    if (result.failure !== null) {
      failed.push(seed);
      process.stdout.write(
        `seed ${String(seed)}: ${result.failure}\n  replay: npm run sim -- --seed ${String(seed)}\n`,
      );
      if (first) break;
    }
  }
  process.stdout.write(
    `faults: ${Object.entries(faults)
      .map(([name, times]) => `${name} ${String(times)}`)
      .join(', ')}\n`,
  );
  process.stdout.write(
    `${String(transitions.size)} transitions, ${String(acknowledged)} acknowledged writes, ${String(failovers)} changes of primary\n`,
  );
  if (acknowledged === 0 || failovers === 0) failed.push(-1);
  return summary(seeds.length - failed.length, failed.length);
}

function summary(passed: number, failed: number): number {
  writeStageSummary({ passed, failed, notRun: [] });
  process.stdout.write(`${String(passed)} passed, ${String(failed)} failed\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = main();
