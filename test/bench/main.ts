/**
 * `npm run bench [-- NAME] [--json] [--rounds N] [--minutes N] [--modules N]`: measurements beside a peer in the same run or against the product's own
 * bounds. Without a name: the list. Exit 1: a bound was missed.
 */
import { parseArgs } from 'node:util';
import { labObstacle } from '../lab/index.ts';
import { allKept, table, type Report } from './report.ts';

interface Options {
  readonly rounds: number;
  readonly minutes: number;
  readonly modules: number;
  /** Progress, for a person who waits. */
  readonly say: (line: string) => void;
}

interface Benchmark {
  readonly summary: string;
  readonly needsLab: boolean;
  /** Resolves with what `--json` prints. */
  readonly run: (options: Options) => Promise<Report>;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  'message-schemas': {
    summary: 'one status answer: parsed and validated, beside JSON.parse alone',
    needsLab: false,
    run: async () => ({ rows: [], facts: (await import('./message-schemas.ts')).measure() }),
  },
  failover: {
    summary: 'power-off, frozen primary and swap: how long users wait, beside keepalived [--rounds 20]',
    needsLab: true,
    run: async (options) => (await import('./failover.ts')).measureFailover(options),
  },
  modules: {
    summary: '128 modules on one pair, idle: processor and memory of the agent [--modules 128]',
    needsLab: true,
    run: async (options) => (await import('./modules.ts')).measureModules(options),
  },
  calm: {
    summary: 'no failover under load, loss and pauses [--minutes 30]',
    needsLab: true,
    run: async (options) => (await import('./calm.ts')).measureCalm(options),
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean' },
    rounds: { type: 'string', default: '20' },
    minutes: { type: 'string', default: '30' },
    modules: { type: 'string', default: '128' },
  },
});

function refuse(words: string): never {
  console.error(words);
  process.exit(2);
}
function positive(name: 'rounds' | 'minutes' | 'modules'): number {
  const value = Number(values[name]);
  return value > 0 ? value : refuse(`--${name} ${values[name]}: write a number above 0.`);
}

const [name] = positionals;
if (name === undefined) {
  if (values.json) console.log(JSON.stringify({ benchmarks: Object.keys(benchmarks) }));
  else for (const [each, { summary }] of Object.entries(benchmarks)) console.log(`${each}  ${summary}`);
} else {
  const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  if (!benchmark) refuse(`There is no benchmark ${name}. There are: ${Object.keys(benchmarks).join(', ')}.`);
  const obstacle = benchmark.needsLab ? labObstacle() : undefined;
  if (obstacle !== undefined) refuse(`not run: ${name}: ${obstacle.reason}: ${obstacle.remedy}`);
  const report = await benchmark.run({
    rounds: positive('rounds'),
    minutes: positive('minutes'),
    modules: positive('modules'),
    say: (line) => console.error(line),
  });
  if (values.json) console.log(JSON.stringify({ name, ...report.facts, rows: report.rows, kept: allKept(report) }));
  else console.log(table(report));
  process.exitCode = allKept(report) ? 0 : 1;
}
