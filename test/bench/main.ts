/**
 * `npm run bench [-- NAME] [--json]`: measurements beside a peer in the same run, as ratios, because absolute times on
 * a shared machine say little. Without a name: the list.
 */
import { parseArgs } from 'node:util';

interface Benchmark {
  readonly summary: string;
  /** Resolves with what `--json` prints. */
  readonly run: () => Promise<Record<string, number | string>>;
}

const benchmarks: Readonly<Record<string, Benchmark>> = {
  'message-schemas': {
    summary: 'one status answer: parsed and validated, beside JSON.parse alone',
    run: async () => (await import('./message-schemas.ts')).measure(),
  },
};

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } });
const [name] = positionals;
if (name === undefined) {
  if (values.json) console.log(JSON.stringify({ benchmarks: Object.keys(benchmarks) }));
  else for (const [each, { summary }] of Object.entries(benchmarks)) console.log(`${each}  ${summary}`);
} else {
  const benchmark = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  if (!benchmark) {
    console.error(`There is no benchmark ${name}. There are: ${Object.keys(benchmarks).join(', ')}.`);
    process.exit(2);
  }
  const result = await benchmark.run();
  if (values.json) console.log(JSON.stringify({ name, ...result }));
  else for (const [key, value] of Object.entries(result)) console.log(`${key}: ${value}`);
}
