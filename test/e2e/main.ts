/** `npm run e2e [-- NAME | long] [--sit]`: stories on real hosts. Ends with what was not run and `N passed, N failed`. */
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { labObstacle } from '../lab/index.ts';
import { writeStageSummary } from '../run/summary.ts';
import type { StageSummary } from '../run/summary.ts';
import { tellStory } from './runner.ts';
import { registeredStories } from './story.ts';
import type { Story } from './story.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { sit: { type: 'boolean', default: false }, list: { type: 'boolean', default: false } },
});
const withLong = positionals.includes('long');
const wanted = positionals.filter((word) => word !== 'long');

const storiesDir = path.join(import.meta.dirname, 'stories');
for (const file of readdirSync(storiesDir).sort()) {
  if (file.endsWith('.ts')) await import(path.join(storiesDir, file));
}

function isWanted(story: Story): boolean {
  return wanted.length === 0 || wanted.some((word) => story.name.toLowerCase().includes(word.toLowerCase()));
}

const stories = registeredStories().filter(isWanted);
if (values.list) {
  for (const story of stories) console.log(`${story.name}${story.options.long === true ? ' (long)' : ''}`);
  process.exit(0);
}
if (stories.length === 0) {
  console.error(`No story matches ${wanted.join(', ')}. See npm run e2e -- --list`);
  process.exit(2);
}

// First kindly: the hosts are taken down, and what was seen so far is counted.
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => interrupted.abort(new Error(`interrupted by ${name}`)));
}
// What a story that was given up still throws belongs to that story, which has failed already.
process.on('unhandledRejection', (reason) => console.log(`           (late) ${String(reason)}`));

const obstacle = labObstacle();
const notRun: { name: string; reason: string }[] = [];
let passed = 0;
const failures: string[] = [];
for (const story of stories) {
  // Asked for by name, a long story is run.
  if (story.options.long === true && !withLong && wanted.length === 0) {
    const name = story.options.group ?? story.name;
    if (notRun.every((one) => one.name !== name)) notRun.push({ name, reason: 'long: npm run e2e -- long' });
  } else if (obstacle !== undefined) {
    notRun.push({ name: story.name, reason: `${obstacle.reason}: ${obstacle.remedy}` });
  } else if (story.options.obstacle !== undefined) {
    notRun.push({ name: story.name, reason: story.options.obstacle });
  } else if (interrupted.signal.aborted) {
    notRun.push({ name: story.name, reason: 'interrupted' });
  } else {
    const result = await tellStory(story, { labName: 'e2e', sit: values.sit, signal: interrupted.signal });
    if (result.failure === undefined) passed += 1;
    else failures.push(`${story.name}: ${result.failure.split('\n')[0] ?? ''}`);
  }
}

const summary: StageSummary = { passed, failed: failures.length, notRun, failures };
writeStageSummary(summary);
const summaryFile = process.env['HOLDFAST_SUMMARY'];
if (summaryFile !== undefined && summaryFile !== '') writeFileSync(summaryFile, `${JSON.stringify(summary)}\n`);

console.log('');
for (const failure of failures) console.log(`failed: ${failure}`);
for (const { name, reason } of notRun) console.log(`not run: ${name}: ${reason}`);
console.log(`${passed} passed, ${failures.length} failed`);
process.exit(failures.length === 0 && !interrupted.signal.aborted ? 0 : 1);
