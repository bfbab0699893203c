/**
 * The file: SQLite, shared by every copy of the app on this laptop. Not a record that anybody depends on: when it is damaged it is put aside, when it
 * cannot be written the app goes on without.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import type { ResyncSeen, Sample } from './samples.ts';
import type { Row } from './series.ts';
import { tiers } from './tiers.ts';

/** `user_version` of the file. */
const formatVersion = 1;
/** The screens wait for these calls: rather without a few seconds than with a frozen app. */
const busyTimeoutMs = 250;
export const bytesMaxDefault = 256 * 1024 * 1024;
const pageBytes = 4096;
/** A resync whose last reading is older has ended where nobody looked. */
const resyncSeenWithinMs = 60_000;

const schema = `
CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, cluster TEXT NOT NULL, module TEXT NOT NULL, UNIQUE (cluster, module)) STRICT;
CREATE TABLE IF NOT EXISTS sample (
  series INTEGER NOT NULL, step INTEGER NOT NULL, at INTEGER NOT NULL,
  rate_sum INTEGER NOT NULL, rate_count INTEGER NOT NULL, p50_sum INTEGER NOT NULL, p50_count INTEGER NOT NULL, p99_max INTEGER,
  resync_rate_sum INTEGER NOT NULL, resync_rate_count INTEGER NOT NULL, resync_done INTEGER, resync_eta INTEGER, protected_min INTEGER,
  PRIMARY KEY (series, step, at)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS resyncs (
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL, node TEXT NOT NULL, from_ms INTEGER NOT NULL, to_ms INTEGER, seen_ms INTEGER NOT NULL,
  done_bytes INTEGER NOT NULL, total_bytes INTEGER, sent_bytes INTEGER NOT NULL, finished INTEGER NOT NULL, open INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS resyncs_of_series ON resyncs (series, from_ms);
`;

const upsertSample = `
INSERT INTO sample VALUES (:series, :step, :at, :rate, :rateCount, :p50, :p50Count, :p99, :resyncRate, :resyncRateCount, :done, :eta, :protected)
ON CONFLICT (series, step, at) DO UPDATE SET
  rate_sum = rate_sum + excluded.rate_sum, rate_count = rate_count + excluded.rate_count,
  p50_sum = p50_sum + excluded.p50_sum, p50_count = p50_count + excluded.p50_count,
  p99_max = max(coalesce(p99_max, excluded.p99_max), coalesce(excluded.p99_max, p99_max)),
  resync_rate_sum = resync_rate_sum + excluded.resync_rate_sum, resync_rate_count = resync_rate_count + excluded.resync_rate_count,
  resync_done = coalesce(excluded.resync_done, resync_done), resync_eta = coalesce(excluded.resync_eta, resync_eta),
  protected_min = min(coalesce(protected_min, excluded.protected_min), coalesce(excluded.protected_min, protected_min))`;

/** In the order of `column` in series.ts. */
const selectRows = `
SELECT at, rate_sum, rate_count, p50_sum, p50_count, p99_max, resync_rate_sum, resync_rate_count, resync_done, resync_eta, protected_min
FROM sample WHERE series = ? AND step = ? AND at >= ? AND at < ? ORDER BY at`;

export interface StoredResync {
  readonly node: string;
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly doneBytes: number;
  readonly sentBytes: number;
  readonly finished: boolean;
}

/** SQLITE_CORRUPT, SQLITE_NOTADB: nothing in the file can be trusted. */
export function isDamage(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
  return code === 11 || code === 26;
}

export class HistoryStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #series = new Map<string, number>();

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** A damaged file is renamed and a new one begun. Throws when there can be none, or when a later version of the app has written it. */
  static open(file: string): HistoryStore {
    mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    try {
      return HistoryStore.#openOnce(file);
    } catch (error) {
      if (!isDamage(error)) throw error;
      HistoryStore.putAside(file);
      return HistoryStore.#openOnce(file);
    }
  }

  /** One damaged file is kept, for whoever wants to look at it. */
  static putAside(file: string): void {
    renameSync(file, `${file}.damaged`);
    for (const rest of ['-wal', '-shm']) rmSync(`${file}${rest}`, { force: true });
  }

  static #openOnce(file: string): HistoryStore {
    const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    try {
      const version = Number(Object.values(database.prepare('PRAGMA user_version').get() ?? {})[0]);
      if (version > formatVersion) throw new Error(`${file} was written by a later version of Holdfast.`);
      // What a power cut of the laptop takes away are a few seconds.
      database.exec(
        `PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${schema}`,
      );
      database.exec(`PRAGMA user_version = ${formatVersion}`);
      return new HistoryStore(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#prepare(sql).run(...values);
  }
  #numbers(sql: string, ...values: SQLInputValue[]): Row[] {
    const statement = this.#prepare(sql);
    statement.setReturnArrays(true);
    // Arrays, as just said: the declared type knows only the other way.
    return statement.all(...values) as unknown as Row[];
  }
  #number(sql: string): number {
    return this.#numbers(sql)[0]?.[0] ?? 0;
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.#database.exec('COMMIT');
    } catch (error) {
      // What was read from a transaction that is undone was never there.
      this.#series.clear();
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #seriesOf(cluster: string, module: string): number | null {
    const key = `${cluster}\n${module}`;
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const found = this.#prepare('SELECT id FROM series WHERE cluster = ? AND module = ?').get(cluster, module)?.['id'];
    if (found === undefined) return null;
    this.#series.set(key, Number(found));
    return Number(found);
  }

  // --- writing --------------------------------------------------------------------------------------------------------

  /** In the order of time. */
  write(samples: readonly Sample[]): void {
    if (samples.length === 0) return;
    this.#transaction(() => {
      for (const sample of samples) this.#write(sample);
    });
  }

  #write(sample: Sample): void {
    const { cluster, module } = sample;
    // Another copy of the app may have removed what is remembered here.
    this.#run('INSERT OR IGNORE INTO series (cluster, module) VALUES (?, ?)', cluster, module);
    this.#series.delete(`${cluster}\n${module}`);
    const series = this.#seriesOf(cluster, module);
    if (series === null) return;
    const { values } = sample;
    const finished = this.#writeResyncs(series, sample);
    for (const { stepSeconds } of tiers)
      this.#prepare(upsertSample).run({
        series,
        step: stepSeconds,
        at: Math.floor(sample.at / stepSeconds) * stepSeconds,
        ...summed('rate', values.replicatedBytesPerSecond),
        ...summed('p50', values.p50Microseconds),
        p99: values.p99Microseconds,
        ...summed('resyncRate', values.resyncBytesPerSecond),
        done: finished ? 1_000_000 : values.resyncDoneMillionths,
        eta: values.resyncEtaSeconds,
        protected: values.protected,
      });
  }

  /** Opens, continues or ends the one of each node. True: one has reached its end. */
  #writeResyncs(series: number, sample: Sample): boolean {
    const nowMs = sample.at * 1000;
    let continued = false;
    let anyFinished = false;
    for (const open of this.#prepare('SELECT * FROM resyncs WHERE series = ? AND open = 1').all(series)) {
      const { resync } = sample;
      const id = Number(open['id']);
      const unseen = nowMs - Number(open['seen_ms']) > resyncSeenWithinMs;
      if (resync !== null && resync.node === open['node'] && resync.doneBytes >= Number(open['done_bytes'])) {
        this.#continue(id, resync, nowMs);
        continued = true;
      } else if (resync === null && !unseen && sample.unknown.includes(String(open['node']))) {
        // Whether it goes on is not known yet.
      } else {
        const finished = resync === null && !unseen && sample.upToDate.includes(String(open['node']));
        anyFinished ||= finished;
        // What was done between the last look and the end is known, too: everything.
        this.#run(
          'UPDATE resyncs SET open = 0, finished = ?1, to_ms = ?2, done_bytes = iif(?1, max(done_bytes, coalesce(total_bytes, 0)), done_bytes) WHERE id = ?3',
          finished ? 1 : 0,
          unseen ? null : nowMs,
          id,
        );
      }
    }
    if (sample.resync !== null && !continued)
      this.#run(
        'INSERT INTO resyncs (series, node, from_ms, seen_ms, done_bytes, total_bytes, sent_bytes, finished, open) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 1)',
        series,
        sample.resync.node,
        nowMs,
        nowMs,
        sample.resync.doneBytes,
        sample.resync.totalBytes,
        sample.resync.sentBytes,
      );
    return anyFinished;
  }

  #continue(id: number, { doneBytes, totalBytes, sentBytes }: ResyncSeen, nowMs: number): void {
    this.#run(
      'UPDATE resyncs SET seen_ms = ?, done_bytes = ?, total_bytes = ?, sent_bytes = ? WHERE id = ?',
      nowMs,
      doneBytes,
      totalBytes,
      sentBytes,
      id,
    );
  }

  forget(cluster: string): void {
    const ofCluster = '(SELECT id FROM series WHERE cluster = ?)';
    this.#transaction(() => {
      this.#run(`DELETE FROM sample WHERE series IN ${ofCluster}`, cluster);
      this.#run(`DELETE FROM resyncs WHERE series IN ${ofCluster}`, cluster);
      this.#run('DELETE FROM series WHERE cluster = ?', cluster);
    });
    this.#series.clear();
    this.#database.exec('PRAGMA incremental_vacuum');
  }

  // --- reading --------------------------------------------------------------------------------------------------------

  rows(cluster: string, module: string, stepSeconds: number, from: number, to: number): readonly Row[] {
    const series = this.#seriesOf(cluster, module);
    return series === null ? [] : this.#numbers(selectRows, series, stepSeconds, from, to);
  }

  resyncs(cluster: string, module: string, limit: number): StoredResync[] {
    const series = this.#seriesOf(cluster, module);
    if (series === null) return [];
    const select = 'SELECT * FROM resyncs WHERE series = ? ORDER BY from_ms DESC, id DESC LIMIT ?';
    return this.#prepare(select).all(series, limit).map(toResync);
  }

  // --- size -----------------------------------------------------------------------------------------------------------

  /** What has been kept long enough goes; then the oldest of the finest, until the rest fits. */
  prune(now: number, bytesMax = bytesMaxDefault): void {
    const oldestTier = tiers.at(-1)?.keptSeconds ?? 0;
    this.#transaction(() => {
      for (const { stepSeconds, keptSeconds } of tiers) this.#drop(stepSeconds, now - keptSeconds);
      this.#run('DELETE FROM resyncs WHERE from_ms < ?', (now - oldestTier) * 1000);
    });
    for (const { stepSeconds } of tiers) {
      while (this.usedBytes() > bytesMax) {
        const [range] = this.#numbers('SELECT min(at), max(at) FROM sample WHERE step = ?', stepSeconds);
        const [oldest, newest] = [range?.[0] ?? null, range?.[1] ?? null];
        if (oldest === null || newest === null) break;
        this.#transaction(() => {
          this.#drop(stepSeconds, Math.max(oldest + 1, oldest + (newest - oldest) / 4));
        });
      }
    }
    this.#database.exec('PRAGMA incremental_vacuum');
  }

  #drop(stepSeconds: number, before: number): void {
    for (const [series] of this.#numbers('SELECT id FROM series'))
      this.#run('DELETE FROM sample WHERE series = ? AND step = ? AND at < ?', series ?? 0, stepSeconds, before);
  }

  usedBytes(): number {
    return (this.#number('PRAGMA page_count') - this.#number('PRAGMA freelist_count')) * pageBytes;
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function summed(name: string, value: number | null): Record<string, number> {
  return { [name]: value ?? 0, [`${name}Count`]: value === null ? 0 : 1 };
}

function toResync(row: Record<string, SQLOutputValue>): StoredResync {
  const toMs = row['to_ms'];
  return {
    node: String(row['node']),
    fromMs: Number(row['from_ms']),
    toMs: toMs === null || toMs === undefined ? null : Number(toMs),
    doneBytes: Number(row['done_bytes']),
    sentBytes: Number(row['sent_bytes']),
    finished: row['finished'] === 1,
  };
}
