/**
 * `npm test`: everything, stage after stage, each in its own process, so that one which crashes or hangs is one failure
 * and not the end. Last lines: the stages, what failed, what was not run, by name and reason, then `N passed, N failed`.
 * `npm test -- unit e2e` runs only the named stages.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../../resources/tools.ts';
import { electronObstacle } from '../../src-main/hosts/electron-binary.ts';
import { stages, type Stage } from './stages.ts';
import { stageSummarySchema, summaryVariable, type StageSummary } from './summary.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));

/** Lets a stage run only on what the others leave of the processor; where the system has no such thing, it shares. */
function yieldProcessor(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
    const group = `/proc/${pid}/autogroup`;
    if (existsSync(group)) writeFileSync(group, String(constants.priority.PRIORITY_LOW));
  } catch (error) {
    // Where /proc may not be written, or the stage has ended already: it is not worth a failure.
    console.log(`(runs at normal priority: ${String(error)})`);
  }
}

/** The exit code, or the name of what ended it. */
function run(stage: Stage, summaryFile: string): Promise<number | string> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...stage.command], {
      cwd: repositoryRoot,
      stdio: stage.beside === true ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
      // A session of its own is a scheduling group of its own, whose weight can be lowered.
      detached: stage.beside === true,
      env: { ...process.env, ...stage.environment, [summaryVariable]: summaryFile },
    });
    if (stage.beside === true) yieldProcessor(child.pid);
    const end = (signal: NodeJS.Signals): void => {
      if (stage.beside === true && child.pid !== undefined) process.kill(-child.pid, signal);
      else child.kill(signal);
    };
    const said: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => said.push(chunk));
    let late = false;
    // First kindly, so that it can take its hosts and mounts down.
    const limit = setTimeout(() => {
      late = true;
      end('SIGTERM');
    }, stage.timeLimitMs);
    const lastResort = setTimeout(() => end('SIGKILL'), stage.timeLimitMs + 30_000);
    const interrupt = (): void => end('SIGTERM');
    process.on('SIGTERM', interrupt);
    process.on('SIGINT', interrupt);
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      clearTimeout(lastResort);
      process.off('SIGTERM', interrupt);
      process.off('SIGINT', interrupt);
      if (said.length > 0) process.stdout.write(`\n━━ what ${stage.name} said\n${Buffer.concat(said).toString()}`);
      resolve(late ? `its limit of ${stage.timeLimitMs / 60_000} minutes` : (signal ?? code ?? 1));
    });
  });
}

/** A stage counts what it ran; one that ended badly without counting a failure is itself one. */
function judge(stage: Stage, ending: number | string, summaryFile: string): StageSummary {
  const counted = existsSync(summaryFile)
    ? stageSummarySchema.safeParse(JSON.parse(readFileSync(summaryFile, 'utf8'))).data
    : undefined;
  if (ending !== 0 && (counted === undefined || counted.failed === 0)) {
    console.log(`✘ ${stage.name} ended with ${ending}`);
    return {
      passed: counted?.passed ?? 0,
      failed: 1,
      notRun: counted?.notRun ?? [],
      failures: [`${stage.name} ended with ${ending}`],
    };
  }
  return counted ?? { passed: 1, failed: 0, notRun: [], failures: [] };
}

const wanted = process.argv.slice(2);
const all = stages();
const unknown = wanted.filter((name) => !all.some((stage) => stage.name === name));
if (unknown.length > 0) {
  console.error(`No stage ${unknown.join(', ')}. There are: ${all.map((stage) => stage.name).join(', ')}.`);
  process.exit(2);
}

const total: StageSummary = { passed: 0, failed: 0, notRun: [], failures: [] };
const lines: string[] = [];
async function told(stage: Stage): Promise<void> {
  console.log(`\n━━ ${stage.name}`);
  const startedMs = performance.now();
  const summaryFile = join(folder, `${stage.name}.json`);
  const summary = judge(stage, await run(stage, summaryFile), summaryFile);
  total.passed += summary.passed;
  total.failed += summary.failed;
  total.notRun.push(...summary.notRun);
  total.failures.push(...summary.failures.map((failure) => `${stage.name}: ${failure}`));
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const line = `━━ ${stage.name}: ${summary.passed} passed, ${summary.failed} failed in ${seconds} s`;
  lines.push(line);
  console.log(line);
}

let beside = Promise.resolve();
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interruption.abort());
try {
  for (const stage of all) {
    if (wanted.length > 0 && !wanted.includes(stage.name)) {
      total.notRun.push({ name: stage.name, reason: 'not asked for' });
      continue;
    }
    if (wanted.length === 0 && stage.onlyAsked !== undefined) {
      total.notRun.push({ name: stage.name, reason: stage.onlyAsked });
      continue;
    }
    if (interruption.signal.aborted) {
      total.notRun.push({ name: stage.name, reason: 'interrupted' });
      continue;
    }
    if (stage.obstacle !== undefined) {
      total.notRun.push({ name: stage.name, reason: stage.obstacle });
      continue;
    }
    if (stage.beside === true) {
      beside = beside.then(() => {
        if (!interruption.signal.aborted) return told(stage);
        total.notRun.push({ name: stage.name, reason: 'interrupted' });
        return undefined;
      });
    } else await told(stage);
  }
  await beside;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

const electron = electronObstacle(repositoryRoot);
if (electron !== undefined) total.notRun.push({ name: 'window in Electron', reason: electron });
console.log('');
for (const line of lines) console.log(line);
for (const failure of total.failures) console.log(`failed: ${failure}`);
for (const { name, reason } of total.notRun) console.log(`not run: ${name}: ${reason}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 && total.passed > 0 && !interruption.signal.aborted ? 0 : 1;
