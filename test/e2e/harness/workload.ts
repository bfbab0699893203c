/**
 * Transactions against the virtual IP while faults happen. Every returned COMMIT is remembered; afterwards each of its
 * rows must be there.
 */
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Fault } from '../../../agent/contract/fault.ts';
import { nodeCommand, until } from '../../lab/index.ts';
import type { Lab } from '../../lab/index.ts';
import { postgresPort } from './postgres.ts';
import type {
  WorkloadAnswer,
  WorkloadOptions,
  WorkloadReport,
  WorkloadRequest,
  WorkloadVerdict,
} from './workload-protocol.ts';

export const virtualAddress = '10.77.0.50';

type Question = WorkloadRequest extends infer Request ? (Request extends unknown ? Omit<Request, 'id'> : never) : never;

export class Workload implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #errors = '';

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stderr!.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const answer = JSON.parse(line) as WorkloadAnswer;
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('error' in answer) waiting?.reject(new Fault('workload-failed', { message: answer.error }));
      else waiting?.resolve(answer.value);
    });
    child.once('exit', (code) => {
      const error = new Fault('workload-ended', { message: `the workload ended (${String(code)}): ${this.#errors}` });
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** The table exists, and writers and readers run. */
  async ready(timeoutMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<unknown>((resolve, reject) => {
        this.#waiting.set(0, { resolve, reject });
        const late = new Fault('workload-not-ready', { message: `no database answered within ${timeoutMs} ms` });
        timer = setTimeout(() => reject(late), timeoutMs);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #ask(question: Question): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null) {
        reject(new Fault('workload-ended', { message: `the workload ended: ${this.#errors}` }));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#child.stdin!.write(`${JSON.stringify({ id, ...question })}\n`);
    });
  }

  async report(): Promise<WorkloadReport> {
    return (await this.#ask({ ask: 'report' })) as WorkloadReport;
  }

  async waitForCommits(atLeast: number, timeoutMs = 30_000): Promise<void> {
    await until(`${atLeast} transactions`, timeoutMs, async () => (await this.report()).acknowledged >= atLeast, 50);
  }

  /** Milliseconds from `instantMs` (of `nowMs()`) to the first success of a SELECT that began after it. */
  async firstSelectAfter(instantMs: number, timeoutMs = 60_000): Promise<number> {
    return (await this.#ask({ ask: 'select-after', instantMs, timeoutMs })) as number;
  }

  async firstCommitAfter(instantMs: number, timeoutMs = 60_000): Promise<number> {
    return (await this.#ask({ ask: 'commit-after', instantMs, timeoutMs })) as number;
  }

  /** No further transaction; what was sent is waited for. */
  async stop(): Promise<WorkloadReport> {
    return (await this.#ask({ ask: 'stop' })) as WorkloadReport;
  }

  /** Reads the whole table through the virtual IP and compares it with what was acknowledged. */
  async verify(timeoutMs = 60_000): Promise<WorkloadVerdict> {
    return (await this.#ask({ ask: 'verify', timeoutMs })) as WorkloadVerdict;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
  }
}

export async function startWorkload(
  lab: Lab,
  options: Partial<WorkloadOptions> & { readonly readyTimeoutMs?: number } = {},
): Promise<Workload> {
  const { readyTimeoutMs = 60_000, ...given } = options;
  const complete: WorkloadOptions = {
    address: virtualAddress,
    port: postgresPort,
    clients: 4,
    pauseMs: 5,
    connectTimeoutMs: 500,
    statementTimeoutMs: 4000,
    probeIntervalMs: 200,
    ...given,
  };
  const script = path.join(import.meta.dirname, 'workload-process.ts');
  const workload = new Workload(lab.client.spawn(nodeCommand(script, JSON.stringify(complete))));
  try {
    await workload.ready(readyTimeoutMs);
  } catch (error) {
    await workload[Symbol.asyncDispose]();
    throw error;
  }
  return workload;
}

/** Fails with the first rows that are wrong. */
export async function assertNothingLost(workload: Workload): Promise<WorkloadVerdict> {
  const verdict = await workload.verify();
  const lost = `${verdict.missing.length} of ${verdict.acknowledged} acknowledged transactions are missing: `;
  if (verdict.missing.length > 0) {
    throw new Fault('transactions-lost', { message: lost + verdict.missing.slice(0, 20).join(', ') });
  }
  if (verdict.impossible.length > 0) {
    throw new Fault('transactions-impossible', {
      message: `rows that nobody sent, or twice: ${verdict.impossible.slice(0, 20).join(', ')}`,
    });
  }
  return verdict;
}
