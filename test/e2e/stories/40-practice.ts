/** The README's first command, run as a person runs it: through npm, ended by Ctrl-C. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { clusterStatusSchema } from '../../../agent/contract/index.ts';
import { Lab, nodeCommand, repositoryRoot, run, until } from '../../lab/index.ts';
import { story, type StoryContext } from '../story.ts';

/** Not the one that a person may have on this machine. */
const labName = 'e2e-practice';
const recordFile = `/run/holdfast-practice/${labName}.json`;

class Start {
  readonly #child: ChildProcess;
  readonly lines: string[] = [];

  /** In a process group of its own, as a shell starts it: Ctrl-C reaches all of it at once. */
  constructor(t: StoryContext, environment: NodeJS.ProcessEnv, ...words: readonly string[]) {
    this.#child = spawn('npm', ['start', '--', '--no-open', ...words], {
      cwd: repositoryRoot,
      env: environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        t.step(`| ${line}`);
      });
    }
    t.defer(() => this.kill('SIGKILL'));
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined || this.ended) return;
    process.kill(-this.#child.pid, signal);
  }

  /** The first line that matches, now or later; a start that ends before has failed. */
  async line(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray> {
    return until(`a line like ${String(pattern)}`, timeoutMs, () => {
      for (const line of this.lines) {
        const match = pattern.exec(line);
        if (match) return match;
      }
      if (this.ended) throw new Error(`ended before a line like ${String(pattern)}:\n${this.lines.join('\n')}`);
      return undefined;
    });
  }

  async interrupt(): Promise<void> {
    this.kill('SIGINT');
    if (!this.ended) await once(this.#child, 'exit');
    // npm may be gone before the clean-up is through.
    await until('everything of it has ended', 20_000, () => !this.#groupIsAlive());
  }

  #groupIsAlive(): boolean {
    if (this.#child.pid === undefined) return false;
    try {
      process.kill(-this.#child.pid, 0);
      return true;
    } catch {
      return false;
    }
  }
}

function assert(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

async function labExists(): Promise<boolean> {
  const left = await run(['ip', 'netns', 'list']);
  return existsSync(`/run/holdfast-lab/${labName}`) || left.stdout.includes(`holdfast-${labName}-`);
}

/** The numbers of a line; a line that does not say them is a failure of `line`. */
function numbers(match: RegExpExecArray): number[] {
  return match.slice(1).map(Number);
}

async function openPage(url: string): Promise<Response> {
  const link = await fetch(url, { redirect: 'manual' });
  const cookie = link.headers.get('set-cookie')?.split(';')[0] ?? '';
  return fetch(new URL('/', url), { headers: { cookie } });
}

story(
  'practice: one command makes, protects, pulls the plug, heals, and leaves the app open on a live cluster',
  // Its servers are its own; the story's lab is empty.
  { hosts: { nodes: 0 }, timeoutMs: 180_000 },
  async (t) => {
    const home = mkdtempSync(path.join(tmpdir(), 'holdfast-story-'));
    const environment = { ...process.env, HOLDFAST_PRACTICE_LAB: labName, XDG_STATE_HOME: home };
    t.defer(() => rmSync(home, { recursive: true, force: true }));
    t.defer(async () => {
      await Lab.remove(labName);
      rmSync(recordFile, { force: true });
    });

    t.step('Ctrl-C while the servers boot');
    const cancelled = new Start(t, environment, '--practice');
    await cancelled.line(/Starting n1, n2 and the witness/, 60_000);
    await cancelled.interrupt();
    assert(!(await labExists()), 'half a lab was left');
    assert(!existsSync(recordFile), 'a record of half a lab was left');

    t.step('the whole of it');
    const start = new Start(t, environment, '--practice');
    const [protectedAfterS = 0] = numbers(await start.line(/Protected after ([\d.]+) s/, 90_000));
    t.measured('from two bare servers to protected', protectedAfterS * 1000);
    const [commits = 0] = numbers(await start.line(/(\d+) commits in [\d.]+ s, answered by n1/, 30_000));
    assert(commits > 30, `only ${String(commits)} commits`);
    await start.line(/Pulling the plug of n1/, 10_000);
    const [failoverS = 0] = numbers(await start.line(/First COMMIT answered by n2 after ([\d.]+) s/, 60_000));
    t.measured('from the last COMMIT of n1 to the first of n2', failoverS * 1000);
    assert(failoverS > 2 && failoverS < 20, `a failover of ${String(failoverS)} s cannot be`);
    const rows = /Every acknowledged row is there: (\d+) of (\d+)/;
    const [found = 0, acknowledged = -1] = numbers(await start.line(rows, 30_000));
    assert(found === acknowledged && found > commits, `${String(found)} rows of ${String(acknowledged)}`);
    const [healedS = 0] = numbers(await start.line(/Protected again after ([\d.]+) s/, 90_000));
    t.measured('from the plug to protected again', healedS * 1000);
    const [gapS = 0] = numbers(await start.line(/n1 answers; the gap between two COMMITs was ([\d.]+) s/, 60_000));
    t.measured('gap of a swap', gapS * 1000);
    const url = (await start.line(/^Holdfast is ready: (http:\S+#\/cluster\/\S+)$/, 30_000))[1] ?? '';
    const page = await openPage(url);
    assert(page.ok && (await page.text()).includes('<html'), `the app does not answer at its link: ${page.status}`);
    assert(start.lines.filter((line) => rows.test(line)).length === 2, 'rows were not looked for after the swap');

    t.step('the cluster is live, for the command line too');
    const command = nodeCommand(path.join(repositoryRoot, 'src-main/command-line/main.ts'), 'status', '--json');
    const said = await run(['env', `XDG_STATE_HOME=${home}`, ...command]);
    const status = clusterStatusSchema.parse(JSON.parse(said.stdout));
    const primary = status.modules[0]?.nodes.find((node) => node.state === 'primary')?.name;
    assert(status.protected && primary === 'n1', `not protected, or not on n1: ${said.stdout}`);

    t.step('Ctrl-C: the app ends, the servers stay, and it says how to take them away');
    await start.interrupt();
    await start.line(/servers stay.*npm run lab -- down --name e2e-practice/, 1000);
    assert(
      Lab.open(labName).hosts.every((host) => host.state() === 'running'),
      'a server is gone',
    );

    t.step('a second start is quick');
    const beganMs = performance.now();
    const second = new Start(t, environment);
    await second.line(/^Holdfast is ready: /, 20_000);
    const readyMs = performance.now() - beganMs;
    t.measured('second start, until ready', readyMs);
    assert(readyMs < 5000, 'the second start took 5 s or more');
    await second.interrupt();
  },
);
