/** Tells stories one by one, each on fresh hosts; whatever happens, the hosts are gone afterwards. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Lab, labHome, run } from '../lab/index.ts';
import { journalProblems, journalText } from './harness/inspect.ts';
import type { Story, StoryContext } from './story.ts';

export interface RunOptions {
  readonly labName: string;
  /** Stops at a failure, with the hosts up, until a person presses Enter. */
  readonly sit?: boolean;
  readonly signal?: AbortSignal;
  readonly print?: (line: string) => void;
  readonly logHome?: string;
}

export interface StoryResult {
  readonly name: string;
  readonly durationMs: number;
  /** Undefined when it passed. */
  readonly failure?: string;
  readonly logDir?: string;
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Rejects when the signal fires; the story itself may be stuck in something that does not listen to it. */
function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('interrupted'));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

export async function tellStory(story: Story, options: RunOptions): Promise<StoryResult> {
  const print = options.print ?? ((line: string) => console.log(line));
  const beganMs = performance.now();
  const since = (): number => Math.round(performance.now() - beganMs);
  const say = (text: string): void => print(`${String(since()).padStart(8)} ms  ${text}`);
  print(`\n■ ${story.name}`);

  const limit = new AbortController();
  const timer = setTimeout(
    () => limit.abort(new Error(`not finished within ${story.options.timeoutMs} ms`)),
    story.options.timeoutMs,
  );
  const signal = options.signal === undefined ? limit.signal : AbortSignal.any([limit.signal, options.signal]);
  const deferred: (() => Promise<void> | void)[] = [];
  const allowed: RegExp[] = [];
  let lab: Lab | undefined;
  try {
    lab = await Lab.up({ ...story.options.hosts, name: options.labName });
    const hosts = lab;
    say(`hosts are up: ${lab.hosts.map((host) => host.name).join(', ')}`);
    const context: StoryContext = {
      lab,
      signal,
      host: (name) => hosts.host(name),
      step: say,
      measured: (what, milliseconds) => say(`${what}: ${Math.round(milliseconds)} ms`),
      allowInJournals: (...patterns) => void allowed.push(...patterns),
      defer: (action) => void deferred.push(action),
    };
    const told = story.tell(context);
    // After an interruption nobody waits for it any more, and what it still throws is a consequence.
    told.catch(() => undefined);
    await Promise.race([told, interruption(signal)]);
    await checkJournals(lab, allowed);
    say('passed');
    return { name: story.name, durationMs: since() };
  } catch (error) {
    say(`FAILED: ${textOf(error)}`);
    const logDir = lab === undefined ? undefined : await collectLogs(lab, story, textOf(error), options);
    if (logDir !== undefined) say(`journals: ${logDir}`);
    if (options.sit === true && lab !== undefined && options.signal?.aborted !== true) await sit(lab, print);
    return {
      name: story.name,
      durationMs: since(),
      failure: textOf(error),
      ...(logDir === undefined ? {} : { logDir }),
    };
  } finally {
    clearTimeout(timer);
    for (const action of deferred.reverse()) {
      try {
        await action();
      } catch (error) {
        say(`clean-up: ${textOf(error)}`);
      }
    }
    await Lab.remove(options.labName);
  }
}

async function checkJournals(lab: Lab, allowed: readonly RegExp[]): Promise<void> {
  const problems = (await Promise.all(lab.hosts.map((host) => journalProblems(host, { allow: allowed })))).flat();
  if (problems.length === 0) return;
  const shown = problems.slice(0, 20).map((line) => `\n  ${journalText(line)}`);
  throw new Error(`${problems.length} unexpected lines in the journals:${shown.join('')}`);
}

/** Whole journals of all hosts, and what a person would ask first. */
async function collectLogs(lab: Lab, story: Story, failure: string, options: RunOptions): Promise<string> {
  const stamp = new Date().toISOString().replace(/[:.]/g, '-').slice(0, 19);
  const home = options.logHome ?? process.env['HOLDFAST_E2E_LOGS'] ?? path.join(labHome(), '.logs');
  const dir = path.join(home, `${stamp}-${story.name.replace(/[^a-z0-9]+/gi, '-').slice(0, 60)}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, 'failure.txt'), `${story.name}\n\n${failure}\n`);
  for (const host of lab.hosts) {
    const journal = await run(['journalctl', '-q', '-D', host.journalPath, '--no-pager', '-o', 'short-precise']);
    writeFileSync(path.join(dir, `${host.name}.journal`), journal.stdout);
    if (host.state() !== 'running') continue;
    const questions = 'ip addr; echo; nft list ruleset; echo; mount | grep -v cgroup; echo; ps axf; echo; ss -anp';
    const state = await host.exec(questions, { timeoutMs: 5000 });
    appendFileSync(path.join(dir, `${host.name}.state`), state.stdout + state.stderr);
  }
  return dir;
}

async function sit(lab: Lab, print: (line: string) => void): Promise<void> {
  print(`The hosts are still up: npm run lab -- ssh n1 --name ${lab.name}`);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  await terminal.question('Press Enter to take them down. ');
  terminal.close();
}
