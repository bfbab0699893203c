/**
 * The smallest honest PostgreSQL client: protocol 3.0, trust authentication, simple queries. Written here because a
 * failover test needs to know exactly which COMMIT came back and when, and must give up on a dead server in time.
 * Source: PostgreSQL 15 documentation, chapter 55, "Frontend/Backend Protocol".
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface PostgresAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
}

export interface QueryResult {
  readonly rows: readonly (readonly (string | null)[])[];
  /** One per statement, as the server confirmed it: "INSERT 0 1", "COMMIT". */
  readonly commandTags: readonly string[];
}

export class PostgresError extends Error {
  /** SQLSTATE, or '' when the connection failed. */
  readonly code: string;
  constructor(message: string, code = '') {
    super(message);
    this.code = code;
  }
}

interface Pending {
  readonly rows: (string | null)[][];
  readonly commandTags: string[];
  error: PostgresError | undefined;
  readonly resolve: (result: QueryResult) => void;
  readonly reject: (error: Error) => void;
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(type.length + 4);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, type.length);
  return Buffer.concat([head, body]);
}

function startupMessage(address: PostgresAddress): Buffer {
  const version = Buffer.alloc(4);
  version.writeInt32BE(196_608);
  const parameters = Buffer.from(`user\0${address.user}\0database\0${address.database}\0\0`);
  return message('', Buffer.concat([version, parameters]));
}

/** Fields of an ErrorResponse: a letter, a text, a zero byte; ends with a zero byte. */
export function parseError(body: Buffer): PostgresError {
  const fields = new Map<string, string>();
  for (const field of body.toString().split('\0')) if (field !== '') fields.set(field.charAt(0), field.slice(1));
  return new PostgresError(fields.get('M') ?? 'unknown error', fields.get('C') ?? '');
}

export function parseDataRow(body: Buffer): (string | null)[] {
  const row: (string | null)[] = [];
  let offset = 2;
  for (let column = body.readInt16BE(0); column > 0; column--) {
    const length = body.readInt32BE(offset);
    offset += 4;
    row.push(length < 0 ? null : body.toString('utf8', offset, offset + length));
    offset += Math.max(length, 0);
  }
  return row;
}

export class PostgresConnection {
  readonly #socket: Socket;
  #buffer: Buffer = Buffer.alloc(0);
  #pending: Pending | undefined;
  #broken: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new PostgresError('the connection was closed')));
  }

  /** Connected and ready for a query, or an error within the time given. */
  static async open(address: PostgresAddress, timeoutMs: number): Promise<PostgresConnection> {
    const socket = connect({ host: address.host, port: address.port, noDelay: true });
    const connection = new PostgresConnection(socket);
    socket.once('connect', () => socket.write(startupMessage(address)));
    await connection.#untilReady(timeoutMs, 'connect');
    return connection;
  }

  async query(sql: string, timeoutMs: number): Promise<QueryResult> {
    const result = this.#untilReady(timeoutMs, sql);
    this.#socket.write(message('Q', Buffer.from(`${sql}\0`)));
    return result;
  }

  /** At once and without a farewell: the other end may be dead. */
  close(): void {
    this.#fail(new PostgresError('closed'));
    this.#socket.destroy();
  }

  #untilReady(timeoutMs: number, what: string): Promise<QueryResult> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) {
        reject(this.#broken);
        return;
      }
      const timer = setTimeout(() => {
        this.#fail(new PostgresError(`no answer within ${timeoutMs} ms: ${what}`));
        this.#socket.destroy();
      }, timeoutMs);
      this.#pending = {
        rows: [],
        commandTags: [],
        error: undefined,
        resolve: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
  }

  #fail(error: Error): void {
    this.#broken ??= error;
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(error);
  }

  #received(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    let offset = 0;
    while (this.#buffer.length >= offset + 5) {
      const length = this.#buffer.readInt32BE(offset + 1);
      const end = offset + 1 + length;
      if (this.#buffer.length < end) break;
      this.#handle(String.fromCharCode(this.#buffer[offset] ?? 0), this.#buffer.subarray(offset + 5, end));
      offset = end;
    }
    this.#buffer = this.#buffer.subarray(offset);
  }

  #handle(type: string, body: Buffer): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    switch (type) {
      case 'R':
        if (body.readInt32BE(0) !== 0) this.#fail(new PostgresError('the server wants a password'));
        return;
      case 'D':
        pending.rows.push(parseDataRow(body));
        return;
      case 'C':
        pending.commandTags.push(body.toString('utf8', 0, body.length - 1));
        return;
      case 'E':
        pending.error = parseError(body);
        // A fatal error is not followed by "ready".
        if (body.includes('FATAL')) this.#fail(pending.error);
        return;
      case 'Z':
        this.#pending = undefined;
        if (pending.error === undefined) pending.resolve(pending);
        else pending.reject(pending.error);
        return;
      default:
      // Notices, parameters and row descriptions carry nothing that is needed here.
    }
  }
}
