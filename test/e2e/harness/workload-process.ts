/** `workload-process.ts OPTIONS`: writes and reads against the virtual IP from where users come. See workload.ts. */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from './clock.ts';
import { PostgresConnection } from '../../../src-main/practice/postgres-wire.ts';
import type { WorkloadOptions, WorkloadReport, WorkloadRequest, WorkloadVerdict } from './workload-protocol.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as WorkloadOptions;
const address = { host: options.address, port: options.port, user: 'postgres', database: 'postgres' };

interface Success {
  readonly beganMs: number;
  readonly endedMs: number;
}

/** Number of each returned COMMIT, by client; a number is sent once and never again. */
const acknowledged: number[][] = Array.from({ length: options.clients }, () => []);
const lastSent: number[] = Array.from({ length: options.clients }, () => 0);
const commits: Success[] = [];
const selects: Success[] = [];
let stopped = false;
let stoppedMs: number | undefined;
let lastError = '';

function failed(error: unknown): void {
  lastError = error instanceof Error ? error.message : String(error);
}

async function createTable(): Promise<void> {
  for (;;) {
    try {
      const connection = await PostgresConnection.open(address, options.connectTimeoutMs);
      await connection.query(
        'CREATE TABLE IF NOT EXISTS transactions (client int, number int, PRIMARY KEY (client, number))',
        options.statementTimeoutMs,
      );
      connection.close();
      return;
    } catch (error) {
      failed(error);
      await delay(100);
    }
  }
}

async function write(client: number): Promise<void> {
  let connection: PostgresConnection | undefined;
  while (!stopped) {
    try {
      connection ??= await PostgresConnection.open(address, options.connectTimeoutMs);
      const number = ++lastSent[client]!;
      const beganMs = nowMs();
      const sql = `BEGIN; INSERT INTO transactions VALUES (${client}, ${number}); COMMIT`;
      const { commandTags } = await connection.query(sql, options.statementTimeoutMs);
      if (commandTags.at(-1) !== 'COMMIT') throw new Error(`not committed: ${commandTags.join(', ')}`);
      acknowledged[client]!.push(number);
      commits.push({ beganMs, endedMs: nowMs() });
      await delay(options.pauseMs);
    } catch (error) {
      failed(error);
      connection?.close();
      connection = undefined;
      await delay(50);
    }
  }
  connection?.close();
}

async function probe(): Promise<void> {
  const beganMs = nowMs();
  try {
    const connection = await PostgresConnection.open(address, options.connectTimeoutMs);
    try {
      await connection.query('SELECT max(number) FROM transactions WHERE client = 0', options.connectTimeoutMs);
      selects.push({ beganMs, endedMs: nowMs() });
    } finally {
      connection.close();
    }
  } catch (error) {
    failed(error);
  }
}

/** Probes do not wait for each other: one that hangs on a dead server must not hide that the next would succeed. */
async function read(): Promise<void> {
  while (!stopped) {
    void probe();
    await delay(options.probeIntervalMs);
  }
}

function report(): WorkloadReport {
  let longestGapMs = 0;
  let longestGapBeganMs = 0;
  const ends = [...commits.map((commit) => commit.endedMs), ...(commits.length > 0 ? [stoppedMs ?? nowMs()] : [])];
  for (let index = 1; index < ends.length; index++) {
    const gap = ends[index]! - ends[index - 1]!;
    if (gap > longestGapMs) [longestGapMs, longestGapBeganMs] = [gap, ends[index - 1]!];
  }
  const sent = lastSent.reduce((sum, count) => sum + count, 0);
  return { acknowledged: commits.length, undecided: sent - commits.length, longestGapMs, longestGapBeganMs, lastError };
}

async function firstAfter(successes: readonly Success[], instantMs: number, timeoutMs: number): Promise<number> {
  const deadline = nowMs() + timeoutMs;
  for (;;) {
    const ends = successes.filter((success) => success.beganMs >= instantMs).map((success) => success.endedMs);
    if (ends.length > 0) return Math.min(...ends) - instantMs;
    if (nowMs() > deadline) throw new Error(`nothing succeeded within ${timeoutMs} ms (last error: ${lastError})`);
    await delay(10);
  }
}

async function verify(timeoutMs: number): Promise<WorkloadVerdict> {
  const deadline = nowMs() + timeoutMs;
  for (;;) {
    try {
      const connection = await PostgresConnection.open(address, options.connectTimeoutMs);
      // Through the table, not its index: a torn index must not hide or invent rows.
      const before = acknowledged.map((numbers) => numbers.length);
      const { rows } = await connection.query(
        'SET enable_indexscan=off; SET enable_indexonlyscan=off; SET enable_bitmapscan=off; SELECT client, number FROM transactions',
        30_000,
      );
      connection.close();
      return judge(
        rows.map(([client, number]) => `${client ?? ''}/${number ?? ''}`),
        before,
      );
    } catch (error) {
      failed(error);
      if (nowMs() > deadline) throw error;
      await delay(100);
    }
  }
}

/** @param before how many of each client were acknowledged when the table was read: the others may have come since. */
function judge(found: readonly string[], before: readonly number[]): WorkloadVerdict {
  const present = new Set(found);
  const missing: string[] = [];
  acknowledged.forEach((numbers, client) => {
    for (const number of numbers.slice(0, before[client]))
      if (!present.has(`${client}/${number}`)) missing.push(`${client}/${number}`);
  });
  const seen = new Set<string>();
  const impossible = found.filter((row) => {
    const [client, number] = row.split('/').map(Number);
    const twice = seen.has(row);
    seen.add(row);
    return twice || number! > (lastSent[client!] ?? 0);
  });
  return { rows: found.length, acknowledged: commits.length, missing, impossible };
}

await createTable();
const running = [read(), ...acknowledged.map((_, client) => write(client))];

async function answer(request: WorkloadRequest): Promise<unknown> {
  switch (request.ask) {
    case 'report':
      return report();
    case 'stop':
      stopped = true;
      await Promise.all(running);
      stoppedMs ??= nowMs();
      return report();
    case 'verify':
      return verify(request.timeoutMs);
    case 'select-after':
      return firstAfter(selects, request.instantMs, request.timeoutMs);
    case 'commit-after':
      return firstAfter(commits, request.instantMs, request.timeoutMs);
  }
}

process.stdout.write(`${JSON.stringify({ id: 0, value: 'ready' })}\n`);
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const request = JSON.parse(line) as WorkloadRequest;
  answer(request).then(
    (value) => process.stdout.write(`${JSON.stringify({ id: request.id, value })}\n`),
    (error: unknown) => process.stdout.write(`${JSON.stringify({ id: request.id, error: String(error) })}\n`),
  );
});
// The test ended, however: nobody is left to ask.
lines.on('close', () => process.exit(0));
