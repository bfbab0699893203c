/**
 * `npm run bench [-- NAME [PART]] [--json] [--files N]`: measurements beside a peer in the same run, as ratios, because absolute times on
 * a shared machine say little; or beside the bounds that are promised. Without a name: the list.
 */
import { parseArgs } from 'node:util';
import type { Row } from './resync.ts';

interface Options {
  readonly part: string | undefined;
  readonly files: number;
}
interface Benchmark {
  readonly summary: string;
  /** Resolves with what `--json` prints. */
  readonly run: (options: Options) => Promise<Readonly<Record<string, number | string | readonly Row[]>>>;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  'message-schemas': {
    summary: 'one status answer: parsed and validated, beside JSON.parse alone',
    run: async () => (await import('./message-schemas.ts')).measure(),
  },
  resync: {
    summary:
      'what a resync sends, how long it takes and what it keeps in memory, beside its bounds; parts: big, files, crash',
    run: async ({ part, files }) => ({ ...(await (await import('./resync.ts')).measure(part, files)) }),
  },
};

function print(key: string, value: number | string | readonly Row[]): void {
  if (typeof value === 'number' || typeof value === 'string') {
    console.log(`${key}: ${value}`);
    return;
  }
  for (const { part, what, bound, measured, met } of value)
    console.log(`${met ? 'met   ' : 'MISSED'}  ${part.padEnd(6)}  ${what}: ${measured} (bound: ${bound})`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, files: { type: 'string', default: '1000000' } },
});
const [name, part] = positionals;
if (name === undefined) {
  if (values.json) console.log(JSON.stringify({ benchmarks: Object.keys(benchmarks) }));
  else for (const [each, { summary }] of Object.entries(benchmarks)) console.log(`${each}  ${summary}`);
} else {
  const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  if (!benchmark) {
    console.error(`There is no benchmark ${name}. There are: ${Object.keys(benchmarks).join(', ')}.`);
    process.exit(2);
  }
  const result = await benchmark.run({ part, files: Number(values.files) });
  if (values.json) console.log(JSON.stringify({ name, ...result }));
  else for (const [key, value] of Object.entries(result)) print(key, value);
}
