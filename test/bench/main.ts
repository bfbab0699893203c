/**
 * `npm run bench [-- NAME] [--json] [--rounds N] [--minutes N] [--modules N]` and what one alone knows: measurements beside a peer in the same run or against the product's own
 * bounds. Without a name: the list. Exit 1: a bound was missed.
 */
import { parseArgs } from 'node:util';
import { labObstacle } from '../lab/index.ts';
import { allKept, table, type Report } from './report.ts';

interface Options {
  readonly rounds: number;
  readonly minutes: number;
  readonly modules: number;
  readonly only: readonly string[];
  readonly places: readonly string[];
  readonly cache: string;
  readonly part: string | undefined;
  readonly files: number;
  /** Progress, for a person who waits. */
  readonly say: (line: string) => void;
}

/** A report that prints itself. */
interface Told {
  readonly rows: readonly unknown[];
  readonly text: string;
  readonly kept: boolean;
}

interface Benchmark {
  readonly summary: string;
  readonly needsLab: boolean;
  /** Resolves with what `--json` prints. */
  readonly run: (options: Options) => Promise<Report | Told>;
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
  'control-plane': {
    summary: 'the control planes of one pair with 128 idle modules, without a host below [--modules 128]',
    needsLab: false,
    run: async (options) => (await import('./control-plane.ts')).measureControlPlane(options),
  },
  replication: {
    summary:
      'how much slower is an application when it is protected, beside GlusterFS and the hardware [--rounds 3] [--only PART,…] [--places NAME,…] [--cache writeback|none]',
    needsLab: true,
    run: async (options) => (await import('./replication/measure.ts')).measureReplication(options),
  },
  resync: {
    summary:
      'what a resync sends, how long it takes, what it keeps in memory and what the application feels, beside its bounds [big|files|crash|latency|log] [--files 1000000]',
    needsLab: true,
    run: async ({ part, files }) => (await import('./resync.ts')).measureResync(part, files),
  },
  tls: {
    summary: 'what encryption costs the stream between the servers, beside the same bytes without it [--rounds 7]',
    needsLab: false,
    run: async (options) => (await import('./tls.ts')).measureTls(options),
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
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
    places: { type: 'string', default: '' },
    cache: { type: 'string', default: 'writeback' },
    minutes: { type: 'string' },
    modules: { type: 'string' },
    files: { type: 'string' },
  },
});

function refuse(words: string): never {
  console.error(words);
  process.exit(2);
}
function positive(name: 'rounds' | 'minutes' | 'modules' | 'files', unless: number): number {
  const value = Number(values[name] ?? unless);
  return value > 0 ? value : refuse(`--${name} ${values[name]}: write a number above 0.`);
}
const list = (words: string): string[] => words.split(',').filter((word) => word !== '');

const [name, part] = positionals;
if (name === undefined) {
  if (values.json) console.log(JSON.stringify({ benchmarks: Object.keys(benchmarks) }));
  else for (const [each, { summary }] of Object.entries(benchmarks)) console.log(`${each}  ${summary}`);
} else {
  const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  if (!benchmark) refuse(`There is no benchmark ${name}. There are: ${Object.keys(benchmarks).join(', ')}.`);
  const obstacle = benchmark.needsLab ? labObstacle() : undefined;
  if (obstacle !== undefined) refuse(`not run: ${name}: ${obstacle.reason}: ${obstacle.remedy}`);
  const report = await benchmark.run({
    rounds: positive('rounds', name === 'replication' ? 3 : name === 'tls' ? 7 : 20),
    minutes: positive('minutes', 30),
    modules: positive('modules', 128),
    only: list(values.only),
    places: list(values.places),
    cache: values.cache,
    part,
    files: positive('files', 1_000_000),
    say: (line) => console.error(line),
  });
  const told =
    'text' in report ? report : { ...report.facts, rows: report.rows, text: table(report), kept: allKept(report) };
  const { text, ...document } = told;
  console.log(values.json ? JSON.stringify({ name, ...document }) : text);
  process.exitCode = told.kept ? 0 : 1;
}
