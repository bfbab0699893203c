/** A client at work on the practice cluster, as a process in the lab's own network. */
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Fault } from '../../agent/contract/index.ts';
import type { z } from 'zod';
import { virtualAddress } from './configuration.ts';
import type { PracticeLab, RunningCommand } from './lab.ts';
import { database } from './postgres.ts';
import {
  handoverSchema,
  trafficAnswerSchema,
  trafficReportSchema,
  trafficVerdictSchema,
  type Handover,
  type TrafficOptions,
  type TrafficReport,
  type TrafficRequest,
  type TrafficVerdict,
} from './traffic-protocol.ts';

type Question = TrafficRequest extends infer Request ? (Request extends unknown ? Omit<Request, 'id'> : never) : never;

const options: TrafficOptions = {
  host: virtualAddress,
  port: database.port,
  user: database.user,
  database: database.name,
  pauseMs: 5,
  connectTimeoutMs: 500,
  // A COMMIT waits for both disks; on a busy machine that has taken a second, and a client that gives up earlier would call it an outage.
  statementTimeoutMs: 2000,
};

export class Traffic implements AsyncDisposable {
  readonly #running: RunningCommand;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #ended = false;

  private constructor(running: RunningCommand) {
    this.#running = running;
    createInterface({ input: running.stdout }).on('line', (line) => this.#received(line));
    void running.ended.then(() => {
      this.#ended = true;
      for (const { reject } of this.#waiting.values()) reject(this.#goneFault());
      this.#waiting.clear();
    });
  }

  /** Returns when it writes. Faults: practice-traffic-ended, practice-traffic-not-ready. */
  static async start(lab: PracticeLab, signal: AbortSignal, readyTimeoutMs = 30_000): Promise<Traffic> {
    const script = path.join(import.meta.dirname, 'traffic-process.ts');
    const words = [process.execPath, '--disable-warning=ExperimentalWarning', script, JSON.stringify(options)];
    const traffic = new Traffic(lab.start(['client', '--', ...words], { signal }));
    const limit = AbortSignal.timeout(readyTimeoutMs);
    try {
      await traffic.#answerTo(0, AbortSignal.any([signal, limit]));
      return traffic;
    } catch (error) {
      await traffic[Symbol.asyncDispose]();
      signal.throwIfAborted();
      if (!limit.aborted) throw error;
      throw new Fault('practice-traffic-not-ready', {
        message: `The database did not answer at ${virtualAddress} within ${readyTimeoutMs / 1000} s.`,
        remedy: 'Look at the cluster in the app, or: sudo npm run holdfast -- status',
      });
    }
  }

  async report(): Promise<TrafficReport> {
    return trafficReportSchema.parse(await this.#ask({ ask: 'report' }));
  }

  /** When another server than `from` answers. */
  async handover(from: string, timeoutMs: number): Promise<Handover> {
    return this.#asked({ ask: 'handover', from, timeoutMs }, handoverSchema, () => ({
      code: 'practice-no-failover',
      message: `No other server than ${from} answered within ${timeoutMs / 1000} s`,
    }));
  }

  async verify(timeoutMs: number): Promise<TrafficVerdict> {
    return this.#asked({ ask: 'verify', timeoutMs }, trafficVerdictSchema, () => ({
      code: 'practice-not-verified',
      message: 'The rows could not be read back',
    }));
  }

  /** No further transaction. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#running.stdin.end();
    this.#running.kill();
    await this.#running.ended;
  }

  async #asked<T>(
    question: Question,
    schema: z.ZodType<T>,
    words: () => { code: string; message: string },
  ): Promise<T> {
    try {
      return schema.parse(await this.#ask(question));
    } catch (error) {
      if (error instanceof Fault) throw error;
      const { code, message } = words();
      const cause = error instanceof Error ? error.message : String(error);
      throw new Fault(code, {
        message: `${message} (${cause}).`,
        remedy: 'Look at the cluster in the app, or: sudo npm run holdfast -- events',
      });
    }
  }

  #ask(question: Question): Promise<unknown> {
    const id = ++this.#lastId;
    this.#running.stdin.write(`${JSON.stringify({ id, ...question })}\n`);
    return this.#answerTo(id);
  }

  #answerTo(id: number, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#goneFault());
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      signal?.addEventListener('abort', () => reject(Fault.from(signal.reason)), { once: true });
    });
  }

  #received(line: string): void {
    const answer = trafficAnswerSchema.parse(JSON.parse(line));
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ('error' in answer) waiting?.reject(new Error(answer.error));
    else waiting?.resolve(answer.value);
  }

  #goneFault(): Fault {
    const said = this.#running.stderr().trim().split('\n').at(-1) ?? '';
    return new Fault('practice-traffic-ended', {
      message: `The client of the practice cluster has ended${said === '' ? '' : `: ${said}`}.`,
      remedy: 'Start it again: npm start -- --practice',
    });
  }
}
