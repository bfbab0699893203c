/**
 * `traffic-process.ts OPTIONS`: one client of the practice cluster, in the place in the network from which users come. Writes one row after
 * the other through the virtual address, remembers every COMMIT that was answered and by which server, and checks afterwards that each of
 * these rows is there. Requests on stdin; ends with it.
 */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { PostgresConnection } from './postgres-wire.ts';
import {
  nowMs,
  trafficRequestSchema,
  type Handover,
  type TrafficOptions,
  type TrafficReport,
  type TrafficRequest,
  type TrafficVerdict,
} from './traffic-protocol.ts';

const retryPauseMs = 50;

class TrafficClient {
  readonly #options: TrafficOptions;
  readonly #acknowledged: number[] = [];
  readonly #handovers: Handover[] = [];
  #firstNumber = 0;
  #lastNumber = 0;
  #lastAnswer: { readonly server: string; readonly atMs: number } | null = null;
  #lastError = '';

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  /** Until the process ends. A number is sent once and never again: an unanswered COMMIT must not be hidden by a second one. */
  async run(onReady: () => void): Promise<never> {
    await this.#prepare();
    onReady();
    for (;;) {
      let connection: PostgresConnection | null = null;
      try {
        connection = await this.#connect();
        const server = await this.#serverBehind(connection);
        for (;;) {
          await this.#write(connection, server);
          await delay(this.#options.pauseMs);
        }
      } catch (error) {
        this.#lastError = error instanceof Error ? error.message : String(error);
        connection?.close();
        await delay(retryPauseMs);
      }
    }
  }

  report(): TrafficReport {
    return {
      acknowledged: this.#acknowledged.length,
      undecided: this.#lastNumber - this.#firstNumber + 1 - this.#acknowledged.length,
      server: this.#lastAnswer?.server ?? null,
      lastError: this.#lastError,
    };
  }

  async handover(from: string, timeoutMs: number): Promise<Handover> {
    const deadlineMs = nowMs() + timeoutMs;
    for (;;) {
      const last = this.#handovers.at(-1);
      if (last?.from === from) return last;
      if (nowMs() > deadlineMs) throw new Error(this.#lastError === '' ? 'no other server answered' : this.#lastError);
      await delay(20);
    }
  }

  /** Through the table, not its index: a torn index must not hide or invent rows. */
  async verify(timeoutMs: number): Promise<TrafficVerdict> {
    const deadlineMs = nowMs() + timeoutMs;
    const acknowledged = [...this.#acknowledged];
    for (;;) {
      try {
        const connection = await this.#connect();
        const { rows } = await connection.query(
          `SET enable_indexscan=off; SET enable_indexonlyscan=off; SET enable_bitmapscan=off; SELECT number FROM transactions WHERE number >= ${this.#firstNumber}`,
          timeoutMs,
        );
        connection.close();
        return this.#judge(
          acknowledged,
          rows.map(([number]) => Number(number)),
        );
      } catch (error) {
        if (nowMs() > deadlineMs) throw error;
        await delay(retryPauseMs);
      }
    }
  }

  #judge(acknowledged: readonly number[], found: readonly number[]): TrafficVerdict {
    const present = new Set(found);
    const seen = new Set<number>();
    const impossible = found.filter((number) => {
      const twice = seen.has(number);
      seen.add(number);
      return twice || number > this.#lastNumber;
    });
    const missing = acknowledged.filter((number) => !present.has(number));
    return { acknowledged: acknowledged.length, rows: found.length, missing, impossible };
  }

  #connect(): Promise<PostgresConnection> {
    const { host, port, user, database, connectTimeoutMs } = this.#options;
    return PostgresConnection.open({ host, port, user, database }, connectTimeoutMs);
  }

  /** The address is the same on both servers; the database can read the name of its own. */
  async #serverBehind(connection: PostgresConnection): Promise<string> {
    const { rows } = await connection.query("SELECT pg_read_file('/etc/hostname')", this.#options.statementTimeoutMs);
    return rows[0]?.[0]?.trim() ?? 'unknown';
  }

  async #prepare(): Promise<void> {
    for (;;) {
      try {
        const connection = await this.#connect();
        const limitMs = this.#options.statementTimeoutMs;
        await connection.query('CREATE TABLE IF NOT EXISTS transactions (number bigint PRIMARY KEY)', limitMs);
        const { rows } = await connection.query('SELECT coalesce(max(number), 0) FROM transactions', limitMs);
        connection.close();
        this.#firstNumber = Number(rows[0]?.[0] ?? 0) + 1;
        this.#lastNumber = this.#firstNumber - 1;
        return;
      } catch (error) {
        this.#lastError = error instanceof Error ? error.message : String(error);
        await delay(retryPauseMs);
      }
    }
  }

  async #write(connection: PostgresConnection, server: string): Promise<void> {
    const number = ++this.#lastNumber;
    const sql = `BEGIN; INSERT INTO transactions VALUES (${number}); COMMIT`;
    const { commandTags } = await connection.query(sql, this.#options.statementTimeoutMs);
    if (commandTags.at(-1) !== 'COMMIT') throw new Error(`not committed: ${commandTags.join(', ')}`);
    const atMs = nowMs();
    this.#acknowledged.push(number);
    const before = this.#lastAnswer;
    if (before !== null && before.server !== server)
      this.#handovers.push({ from: before.server, to: server, gapMs: atMs - before.atMs });
    this.#lastAnswer = { server, atMs };
  }
}

function answer(client: TrafficClient, request: TrafficRequest): unknown {
  switch (request.ask) {
    case 'report':
      return client.report();
    case 'handover':
      return client.handover(request.from, request.timeoutMs);
    case 'verify':
      return client.verify(request.timeoutMs);
  }
}

function send(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const client = new TrafficClient(JSON.parse(process.argv[2] ?? '{}') as TrafficOptions);
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const request = trafficRequestSchema.parse(JSON.parse(line));
  Promise.resolve(answer(client, request)).then(
    (value) => send({ id: request.id, value }),
    (error: unknown) => send({ id: request.id, error: error instanceof Error ? error.message : String(error) }),
  );
});
// Whoever asked for the traffic has gone.
lines.on('close', () => process.exit(0));
await client.run(() => send({ id: 0, value: 'ready' }));
