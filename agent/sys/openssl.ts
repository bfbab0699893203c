/**
 * TLS 1.3 through the OpenSSL inside the Node binary, for threads without an event loop. Both sides are verified against one pinned
 * certificate each; no certificate authority, no tickets, and no clock: `X509_V_FLAG_NO_CHECK_TIME`.
 *
 * An SSL* has one user at a time; it may change threads in between.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as ffi from 'node:ffi';
import { Fault } from '../contract/fault.ts';
import { Memory } from './memory.ts';

const P = 'pointer';
const I = 'int32';
const { functions: ssl } = ffi.dlopen(null, {
  TLS_method: { arguments: [], return: P },
  SSL_CTX_new: { arguments: [P], return: P },
  SSL_CTX_free: { arguments: [P], return: 'void' },
  SSL_CTX_ctrl: { arguments: [P, I, 'int64', P], return: 'int64' },
  SSL_CTX_use_certificate_file: { arguments: [P, 'string', I], return: I },
  SSL_CTX_use_PrivateKey_file: { arguments: [P, 'string', I], return: I },
  SSL_CTX_check_private_key: { arguments: [P], return: I },
  SSL_CTX_load_verify_locations: { arguments: [P, 'string', P], return: I },
  SSL_CTX_set_verify: { arguments: [P, I, P], return: 'void' },
  SSL_CTX_set_num_tickets: { arguments: [P, 'uint64'], return: I },
  SSL_CTX_get0_param: { arguments: [P], return: P },
  X509_VERIFY_PARAM_set_flags: { arguments: [P, 'uint64'], return: I },
  SSL_new: { arguments: [P], return: P },
  SSL_free: { arguments: [P], return: 'void' },
  SSL_set_fd: { arguments: [P, I], return: I },
  SSL_set_connect_state: { arguments: [P], return: 'void' },
  SSL_set_accept_state: { arguments: [P], return: 'void' },
  SSL_do_handshake: { arguments: [P], return: I },
  SSL_read: { arguments: [P, P, I], return: I },
  SSL_write: { arguments: [P, P, I], return: I },
  SSL_has_pending: { arguments: [P], return: I },
  SSL_CTX_set_default_read_buffer_len: { arguments: [P, 'uint64'], return: 'void' },
  SSL_get_error: { arguments: [P, I], return: I },
  SSL_get_verify_result: { arguments: [P], return: 'int64' },
  SSL_get1_peer_certificate: { arguments: [P], return: P },
  X509_free: { arguments: [P], return: 'void' },
  i2d_X509: { arguments: [P, P], return: I },
  ERR_peek_error: { arguments: [], return: 'uint64' },
  ERR_clear_error: { arguments: [], return: 'void' },
});

const pem = 1;
const verifyPeerAndRequire = 1 | 2;
const controlReadAhead = 41;
/** Taken from the socket at once, however many records it is. */
const readBufferBytes = 128n * 1024n;
const controlSetMinimum = 123;
const controlSetMaximum = 124;
const tls13 = 0x0304n;
const noCheckTime = 0x200000n;
/** The pinned certificate itself is the anchor, whatever issued it. */
const partialChain = 0x80000n;
const error = { wantRead: 2, wantWrite: 3, systemCall: 5 } as const;
/** SSL_R_UNEXPECTED_EOF_WHILE_READING, in the lower 23 bits of an error. */
const unexpectedEnd = 294n;
const reasonMask = 0x7fffffn;

export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly peerCertificateFile: string;
}

export class TlsContext implements Disposable {
  readonly #context: bigint;
  readonly #pinned: Buffer;

  /** Throws Fault `certificate-unusable`. */
  constructor(files: TlsFiles) {
    this.#pinned = pinnedCertificate(files.peerCertificateFile);
    this.#context = ssl.SSL_CTX_new(ssl.TLS_method());
    const usable =
      this.#context !== 0n &&
      ssl.SSL_CTX_ctrl(this.#context, controlSetMinimum, tls13, 0n) === 1n &&
      ssl.SSL_CTX_ctrl(this.#context, controlSetMaximum, tls13, 0n) === 1n &&
      ssl.SSL_CTX_use_certificate_file(this.#context, files.certificateFile, pem) === 1 &&
      ssl.SSL_CTX_use_PrivateKey_file(this.#context, files.keyFile, pem) === 1 &&
      ssl.SSL_CTX_check_private_key(this.#context) === 1 &&
      ssl.SSL_CTX_load_verify_locations(this.#context, files.peerCertificateFile, 0n) === 1 &&
      ssl.SSL_CTX_set_num_tickets(this.#context, 0n) === 1 &&
      ssl.X509_VERIFY_PARAM_set_flags(ssl.SSL_CTX_get0_param(this.#context), noCheckTime | partialChain) === 1;
    ssl.ERR_clear_error();
    if (!usable) throw unusable(`${files.certificateFile} and ${files.keyFile}`);
    ssl.SSL_CTX_set_verify(this.#context, verifyPeerAndRequire, 0n);
    // Otherwise each record costs two reads, one of them for its five first bytes.
    ssl.SSL_CTX_ctrl(this.#context, controlReadAhead, 1n, 0n);
    ssl.SSL_CTX_set_default_read_buffer_len(this.#context, readBufferBytes);
  }

  /** For a connected socket; the handshake follows with `handshake`. */
  open(fd: number, side: 'client' | 'server'): bigint {
    const connection = ssl.SSL_new(this.#context);
    if (connection === 0n || ssl.SSL_set_fd(connection, fd) !== 1)
      throw new Fault('internal', { message: 'OpenSSL cannot make a connection.' });
    if (side === 'client') ssl.SSL_set_connect_state(connection);
    else ssl.SSL_set_accept_state(connection);
    return connection;
  }

  /** After the handshake: the peer holds exactly the certificate that is pinned. */
  isPinned(connection: bigint): boolean {
    if (ssl.SSL_get_verify_result(connection) !== 0n) return false;
    const certificate = ssl.SSL_get1_peer_certificate(connection);
    if (certificate === 0n) return false;
    const length = ssl.i2d_X509(certificate, 0n);
    if (length !== this.#pinned.length) {
      ssl.X509_free(certificate);
      return false;
    }
    // i2d writes through a pointer to a pointer, and moves the latter.
    const memory = new Memory(length);
    const pointer = new Memory(8);
    pointer.bytes.writeBigUInt64LE(memory.address(), 0);
    ssl.i2d_X509(certificate, pointer.address());
    ssl.X509_free(certificate);
    return memory.bytes.subarray(0, length).equals(this.#pinned);
  }

  [Symbol.dispose](): void {
    ssl.SSL_CTX_free(this.#context);
  }
}

function pinnedCertificate(file: string): Buffer {
  try {
    return new X509Certificate(readFileSync(file)).raw;
  } catch {
    throw unusable(file);
  }
}

function unusable(what: string): Fault {
  return new Fault(
    'certificate-unusable',
    { message: `The certificate or key cannot be used: ${what}.`, remedy: 'Apply the configuration again.' },
    { file: what },
  );
}

/** 'want': non-blocking, and bytes are missing. 'closed': the other side ended it, without having said anything wrong. */
export type TlsStatus = 'done' | 'want' | 'closed' | 'failed';

function statusOf(connection: bigint, result: number): TlsStatus {
  const code = ssl.SSL_get_error(connection, result);
  const reason = ssl.ERR_peek_error() & reasonMask;
  ssl.ERR_clear_error();
  if (code === error.wantRead || code === error.wantWrite) return 'want';
  return code === error.systemCall || reason === unexpectedEnd ? 'closed' : 'failed';
}

export function tlsHandshake(connection: bigint): TlsStatus {
  const result = ssl.SSL_do_handshake(connection);
  return result === 1 ? 'done' : statusOf(connection, result);
}

/** Did the handshake fail because of whom we met, rather than what was said? */
export function tlsPeerRefused(connection: bigint): boolean {
  return ssl.SSL_get_verify_result(connection) !== 0n;
}

/** Bytes read; 0: none yet (non-blocking); -1: the connection is over. */
export function tlsRead(connection: bigint, address: bigint, length: number): number {
  const count = ssl.SSL_read(connection, address, length);
  if (count > 0) return count;
  return statusOf(connection, count) === 'want' ? 0 : -1;
}

/** Everything or -1: for blocking descriptors. */
export function tlsWrite(connection: bigint, address: bigint, length: number): number {
  for (let done = 0; done < length;) {
    const count = ssl.SSL_write(connection, address + BigInt(done), length - done);
    if (count <= 0) {
      ssl.ERR_clear_error();
      return -1;
    }
    done += count;
  }
  return 0;
}

/** Bytes wait inside, where no poll sees them; perhaps only a part of a record, of which `tlsRead` then says 0. */
export function tlsHoldsBytes(connection: bigint): boolean {
  return ssl.SSL_has_pending(connection) === 1;
}

/** The descriptor stays the caller's. */
export function tlsFree(connection: bigint): void {
  ssl.SSL_free(connection);
}
