/**
 * `npm run check`: everything about the sources that a machine can judge without running them, and the tests that these
 * judges do bite. Every step runs, also after one has failed: a person mends them all at once.
 * `--sources-only` leaves out the tests of the judges (they call this very program on broken copies); `--only NAME` runs
 * one step.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { repositoryRoot, toolPath } from './tools.ts';

interface Step {
  readonly name: string;
  readonly tool: string;
  readonly command?: string;
  readonly arguments: readonly string[];
}

const layers = ['agent', 'src-main', 'src-renderer', 'resources', 'test'];

const steps: readonly Step[] = [
  { name: 'types', tool: 'typescript', command: 'tsc', arguments: ['-p', 'tsconfig.json'] },
  {
    name: 'types of the renderer',
    tool: 'svelte-check',
    arguments: ['--tsconfig', 'src-renderer/tsconfig.json', '--fail-on-warnings', '--output', 'human'],
  },
  { name: 'lint', tool: 'eslint', arguments: ['--max-warnings', '0', '.'] },
  { name: 'formatting', tool: 'prettier', arguments: ['--check', '--log-level', 'warn', '.'] },
  {
    name: 'layers',
    tool: 'dependency-cruiser',
    command: 'depcruise',
    arguments: ['--output-type', 'err', ...layers],
  },
  { name: 'rules bite', tool: 'vitest', arguments: ['run', '--project', 'rules', '--reporter', 'dot'] },
];

interface Outcome {
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

function run(step: Step): Promise<Outcome> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [toolPath(step.tool, step.command), ...step.arguments], {
      cwd: repositoryRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('close', (code) => {
      resolve({ passed: code === 0, seconds: (performance.now() - startedMs) / 1000, output });
    });
  });
}

const { values } = parseArgs({ options: { 'sources-only': { type: 'boolean' }, only: { type: 'string' } } });
const chosen = steps.filter(
  (step) =>
    !(values['sources-only'] && step.tool === 'vitest') && (values.only === undefined || values.only === step.name),
);
if (chosen.length === 0) {
  console.error(`No such step. There are: ${steps.map((step) => step.name).join(', ')}.`);
  process.exit(2);
}
let failed = 0;
const pending = [...chosen];

/** Two at a time: a laptop has the cores, and the output of each step stays in one piece. */
async function worker(): Promise<void> {
  for (let step = pending.shift(); step; step = pending.shift()) {
    const { passed, seconds, output } = await run(step);
    console.log(`${passed ? '✔' : '✘'} ${step.name} (${seconds.toFixed(1)} s)`);
    if (!passed) {
      failed++;
      console.log(output.trimEnd());
    }
  }
}
await Promise.all([worker(), worker()]);

console.log(`check: ${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
