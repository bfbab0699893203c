import { expect, test } from 'vitest';
import type { Handlers, LinePort, ReplicatorApi } from '../contract/index.ts';
import { Fault, replicatorApi, serve } from '../contract/index.ts';
import { replicatorLongStepMs, replicatorSilenceMs } from '../core/index.ts';
import { lineJournal } from './journal.ts';
import type { Silence, Timers } from './ports.ts';
import { replicatorConnection } from './replicator-connection.ts';
import { lookEveryMs } from './silence-watch.ts';

/** A replicator at the other end of a line that stops answering when it is told to, and time that passes when it is told to. */
class Bench {
  nowMs = 1000;
  silent = false;
  /** What was said to it meanwhile; it finds that when it goes on. */
  private unread: string[] = [];
  readonly silences: Silence[] = [];
  readonly connection;
  /** Never answered while it is set. */
  configuring: Promise<null> = Promise.resolve(null);
  private callbacks: (() => void)[] = [];
  private toServer: (line: string) => void = () => undefined;
  private toClient: (line: string) => void = () => undefined;

  constructor(knowsTheQuestion = true) {
    const known: Partial<Handlers<ReplicatorApi>> = {
      configure: () => this.configuring,
      status: async () => [],
      ...(knowsTheQuestion ? { alive: async () => null } : {}),
    };
    const timers: Timers = {
      every: (_, callback) => {
        this.callbacks.push(callback);
        return { [Symbol.dispose]: () => (this.callbacks = this.callbacks.filter((one) => one !== callback)) };
      },
      delay: () => new Promise(() => undefined),
    };
    this.connection = replicatorConnection({
      connect: async () => {
        const end = (send: (line: string) => void, take: (listener: (line: string) => void) => void): LinePort => ({
          send: (line) => void setImmediate(() => send(line)),
          onLine: take,
          onClose: () => undefined,
          close: () => undefined,
        });
        const client = end(
          (line) => this.toServer(line),
          (listener) => (this.toClient = listener),
        );
        const server = end(
          (line) => (this.silent ? undefined : this.toClient(line)),
          (listener) => {
            this.toServer = (line) => {
              if (this.silent) this.unread.push(line);
              else listener(line);
            };
          },
        );
        serve(replicatorApi, known as Handlers<ReplicatorApi>, server, '1.0.0');
        return client;
      },
      timers,
      nowMs: () => this.nowMs,
      journal: lineJournal(() => undefined, false),
      programVersion: '1.0.0',
    });
    this.connection.onSilent((silence) => this.silences.push(silence));
  }

  goOn(): void {
    this.silent = false;
    for (const line of this.unread.splice(0)) this.toServer(line);
  }

  async pass(ms: number): Promise<void> {
    for (const until = this.nowMs + ms; this.nowMs < until;) {
      this.nowMs += lookEveryMs;
      await this.look();
    }
  }
  async look(): Promise<void> {
    for (const callback of this.callbacks) callback();
    for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

test('a replicator that answers nothing any more is silent after its time, until it says something', async () => {
  const bench = new Bench();
  await bench.pass(10 * replicatorSilenceMs);
  expect(bench.silences).toEqual([]);
  bench.silent = true;
  await bench.pass(replicatorSilenceMs - lookEveryMs);
  expect(bench.silences).toEqual([]);
  await bench.pass(2 * lookEveryMs);
  const [silence] = bench.silences;
  expect(new Set(bench.silences).size).toBe(1);
  expect([silence?.lasts(), silence?.ms()]).toEqual([true, replicatorSilenceMs + lookEveryMs]);
  bench.goOn();
  await bench.look();
  expect(silence?.lasts()).toBe(false);
  bench.connection.close();
});

test('one that takes the connection and says no hello is silent too', async () => {
  const bench = new Bench();
  bench.silent = true;
  await bench.look();
  await bench.pass(replicatorSilenceMs);
  expect(bench.silences).toHaveLength(1);
  bench.connection.close();
  await bench.look();
  expect(bench.silences[0]?.lasts()).toBe(false);
});

test('an older version that refuses the question is not', async () => {
  const bench = new Bench(false);
  await bench.pass(10 * replicatorSilenceMs);
  expect(bench.silences).toEqual([]);
  bench.connection.close();
});

test('the time in which this process did not run itself does not count', async () => {
  const bench = new Bench();
  await bench.pass(1000);
  bench.nowMs += 10 * replicatorSilenceMs;
  for (let twice = 0; twice < 2; twice++) await bench.look();
  expect(bench.silences).toEqual([]);
  bench.connection.close();
});

test('an order that the event loop itself carries out may take longer', async () => {
  const bench = new Bench();
  await bench.pass(1000);
  bench.configuring = new Promise(() => undefined);
  void bench.connection.configure({
    node: 'n1',
    volumes: [],
    listen: [],
    peer: { name: 'n2', endpoints: [], certificateFile: '' },
    certificateFile: '',
    keyFile: '',
    acknowledgeTimeoutMs: 3000,
  });
  await bench.look();
  bench.silent = true;
  await bench.pass(replicatorLongStepMs - 2 * lookEveryMs);
  expect(bench.silences).toEqual([]);
  await bench.pass(4 * lookEveryMs);
  expect(bench.silences.length).toBeGreaterThan(0);
  bench.connection.close();
});

test('without a connection a call fails at once', async () => {
  const bench = new Bench();
  await expect(bench.connection.call('status', {})).rejects.toThrow(Fault);
  bench.connection.close();
});
