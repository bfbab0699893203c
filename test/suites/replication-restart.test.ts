/** The replicator is killed under a running application, at any instant and in every mode: the application sees a pause and nothing else. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isCovered, isMounted, openBackingDirectory } from '../../agent/fuse/index.ts';
import type { AcknowledgeLevel } from '../../agent/contract/index.ts';
import type { CacheMode } from '../../agent/fuse/index.ts';
import { close } from '../../agent/sys/linux.ts';
import { Random } from './filesystem/random-operations.ts';
import { missingForFilesystemTests } from './filesystem/loop-disk.ts';
import { makePair, nextGeneration, until, volume } from './replication/pair.ts';
import type { ReplicatorNode } from './replication/pair.ts';

const missing = missingForFilesystemTests();
const program = fileURLToPath(new URL('./replication/restart-application.ts', import.meta.url));
const syncers = fileURLToPath(new URL('./replication/restart-syncers.ts', import.meta.url));

class Application {
  output = '';
  readonly #child;
  readonly #ended: Promise<number | null>;

  constructor(what: string, served: string, plain: string, seed: number) {
    const args = ['--disable-warning=ExperimentalWarning', what, served, plain, String(seed)];
    const env = { ...process.env, UV_THREADPOOL_SIZE: '10' };
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env });
    const hear = (text: Buffer): void => {
      this.output += text.toString();
    };
    this.#child.stdout.on('data', hear);
    this.#child.stderr.on('data', hear);
    this.#ended = new Promise((resolve) => this.#child.once('close', (code) => resolve(code)));
  }

  get rounds(): number {
    return Number(/^round (\d+)$/m.exec(this.output.slice(this.output.lastIndexOf('round')))?.[1] ?? -1);
  }
  get longestPauseMs(): number {
    return Math.max(0, ...[...this.output.matchAll(/^pause (\d+)$/gm)].map(([, ms]) => Number(ms)));
  }
  get failed(): boolean {
    return this.#child.exitCode !== null;
  }

  async goesOn(): Promise<void> {
    const before = this.rounds;
    await until(`the application goes on after round ${before}: ${this.output.slice(-2000)}`, () => {
      if (this.failed) throw new Error(this.output.slice(-4000));
      return this.rounds > before + 1;
    });
  }

  async end(): Promise<void> {
    this.#child.stdin.end();
    expect([await this.#ended, this.output.slice(-3000)]).toEqual([0, expect.stringContaining('ended well')]);
  }
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** As the control plane does it: the mount is still there, so the right to go on is asked for again. */
async function goOn(node: ReplicatorNode): Promise<void> {
  await node.configure();
  expect(await node.status(), node.output).toMatchObject({ role: 'primary', fault: null });
  node.keepLease();
  await node.call('goAlone', { volume, generation: nextGeneration() });
}

/** Served for a second, it counts as taken over well: only so many attempts in a row are made. */
const settledMs = 1100;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('the replicator is killed under a running application', () => {
  let n1: ReplicatorNode;
  let n2: ReplicatorNode;
  const seed = Number(process.env['SEED'] ?? '7');
  const random = new Random(seed);
  let application: Application | null = null;

  beforeEach((context) => {
    if (missing !== '') context.skip(missing);
  });

  /** Until the primary serves. */
  async function beginPair(options: Parameters<typeof makePair>[1], haltAt: string | null = null): Promise<void> {
    [n1, n2] = await makePair('restart', options);
    await n1.startKept(haltAt === null ? {} : { HOLDFAST_HALT_AT: haltAt });
    await n2.start();
    for (const node of [n1, n2]) await node.configure();
    const common = { volume, keepAside: true, replaceRecord: false };
    await n1.call('initialise', { ...common, as: 'good', generation: { number: 1, id: 'generation-1' } });
    await n2.call('initialise', { ...common, as: 'blank', generation: null });
    await n1.servePrimary(nextGeneration());
  }
  async function begin(cache: CacheMode): Promise<void> {
    await beginPair({ cache });
    application = new Application(program, n1.path, n1.disk.directory('plain'), seed);
    await application.goesOn();
  }

  afterEach(async () => {
    if (missing !== '') return;
    application?.kill();
    await n1.endKept();
    await n1.dispose();
    await n2.dispose();
  });

  /** Killed at some instant; the next ones may follow before anybody has decided. */
  async function kill(times: number, withinMs: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await pause(random.below(withinMs));
      await n1.killKept();
    }
  }
  async function killAndGoOn(withinMs: number): Promise<void> {
    const told = takeovers().length;
    await kill(1, withinMs);
    await goOn(n1);
    await application!.goesOn();
    // Whoever goes on has told it; one that was killed before it could has not.
    expect(takeovers().length).toBeGreaterThan(told);
  }

  it.each<{ cache: CacheMode; often: number }>([
    { cache: 'none', often: 2 },
    { cache: 'writeback', often: 1 },
  ])(
    'goes on in every mode, with the same files, and the copies become equal, cache: $cache',
    { timeout: 120_000 },
    async ({ cache, often }) => {
      await begin(cache);
      // Alone, and then again before anybody has decided, without and with a lease.
      for (let time = 0; time < often; time++) await killAndGoOn(200);
      await kill(2, 100);
      n1.keepLease();
      await killAndGoOn(100);
      await pause(settledMs);
      // From the peer's contact on, through the resync.
      await n2.call('serveSecondary', { volume });
      for (let time = 0; time < often; time++) {
        await until('there is a link', async () => (await n1.status()).link === 'up');
        await killAndGoOn(60);
      }
      for (let time = 0; time <= often; time++) {
        await n1.mode('in-sync');
        await pause(settledMs);
        await killAndGoOn(300);
      }
      await application!.end();
      await n1.mode('in-sync');
      expectTakenOver(4 + 3 * often);
      await until('both copies are equal', () => n1.tree().join('\n') === n2.tree().join('\n'), 5000).catch(
        () => undefined,
      );
      expect(n2.tree()).toEqual(n1.tree());
    },
  );

  const takeovers = (): RegExpMatchArray[] => [
    ...n1.output.matchAll(/(\d+) open files and (\d+) unanswered requests/g),
  ];

  /** Of the kills that follow one another at once, the first two may hit a successor that has told nothing yet. */
  function expectTakenOver(times: number): void {
    const taken = takeovers();
    const [files, requests] = [taken.map(([, count]) => Number(count)), taken.map(([, , count]) => Number(count))];
    console.log(
      `unanswered: ${requests.join(' ')}; ${application!.rounds} rounds, longest pause ${application!.longestPauseMs} ms`,
    );
    expect(taken.length).toBeLessThanOrEqual(times);
    expect(taken.length).toBeGreaterThanOrEqual(times - 2);
    expect(Math.min(...files)).toBeGreaterThanOrEqual(2);
    // The application sits in a request nearly all the time.
    expect(requests.some((count) => count > 0)).toBe(true);
  }

  async function isHalted(): Promise<void> {
    const { keptPid } = n1;
    await until('the replicator has halted', () => readFileSync(`/proc/${keptPid}/stat`, 'utf8').includes(' T '));
  }

  it.each<{ acknowledge: AcknowledgeLevel; operation: string; what: string }>([
    { acknowledge: 'durable', operation: 'sync files,60', what: syncers },
    { acknowledge: 'durable', operation: 'apply,300', what: syncers },
    { acknowledge: 'write-through', operation: 'sync touched,150', what: program },
    { acknowledge: 'write-through', operation: 'wait,600', what: program },
    { acknowledge: 'received', operation: 'wait,600', what: program },
  ])(
    'at level $acknowledge nothing is lost that waits for a disk or the peer, killed before: $operation',
    { timeout: 120_000 },
    async ({ acknowledge, operation, what }) => {
      await beginPair({ acknowledge }, `primary,${operation}`);
      await n2.call('serveSecondary', { volume });
      await n1.mode('in-sync');
      application = new Application(what, n1.path, n1.disk.directory('plain'), seed);
      await isHalted();
      await killAndGoOn(1);
      for (let time = 0; time < 2; time++) {
        await n1.mode('in-sync');
        await pause(settledMs);
        await killAndGoOn(200);
      }
      await n1.mode('in-sync');
      await application.end();
      const counts = [...n1.output.matchAll(/ and (\d+) unanswered requests/g)].map(([, count]) => Number(count));
      console.log(`unanswered: ${counts.join(' ')}; ${application.rounds} rounds`);
      expect(counts).toHaveLength(3);
      if (operation.startsWith('sync ')) expect(counts[0]).toBeGreaterThan(0);
      await until('both copies are equal', () => n1.tree().join('\n') === n2.tree().join('\n'), 5000).catch(
        () => undefined,
      );
      expect(n2.tree()).toEqual(n1.tree());
    },
  );

  it('ends as before what it cannot go on with: the application gets errors, and never the directory below', async () => {
    await begin('none');
    await n2.call('serveSecondary', { volume });
    await n1.mode('in-sync');
    const fd = openBackingDirectory(n1.path);
    const orphans = `/proc/self/fd/${fd}/.holdfast/orphans`;
    // What only the dead process had cannot be found: a file that is open and has no name any more.
    process.kill(n1.keptPid, 'SIGSTOP');
    for (const name of readdirSync(orphans)) rmSync(`${orphans}/${name}`);
    close(fd);
    await n1.killKept();
    expect(await n1.status()).toMatchObject({ role: 'idle' });
    // No contact has made it stale: the other server can go on.
    expect((await n2.status()).record).toMatchObject({ copy: 'up-to-date' });
    expect(n1.output).toContain('cannot be gone on with: a file without a name is not there any more');
    await until('the application has failed', () => application!.failed);
    expect(isCovered(n1.path) && !isMounted(n1.path)).toBe(true);
    await n1.configure();
    await n1.servePrimary(nextGeneration());
    expect(readdirSync(n1.path)).toContain('..log');
  });
});
