/** One TLS connection of a link: handshakes with a deadline, on a non-blocking descriptor, before it becomes the lanes'. */
import type { z } from 'zod';
import { Fault } from '../contract/index.ts';
import { tlsFree, tlsHandshake, tlsHoldsBytes, tlsPeerRefused, tlsRead, tlsWrite } from '../sys/openssl.ts';
import type { TlsContext } from '../sys/openssl.ts';
import { bootTimeMs, close, errorName, Memory, POLL, Poll } from '../sys/linux.ts';
import { beginConnectTcp, endConnectTcp, shutdownSocket, tuneLink } from '../sys/socket.ts';
import { decodeHandshake, encodeHandshake, garbage, handshakeHeaderBytes, handshakeLength } from './handshake.ts';
import type { ConnectionHandle } from './lane-messages.ts';
import { isReady, waitAlone } from './operations.ts';
import type { Operation, Waits } from './operations.ts';

/** Both directions of a link may hold what is under way, so that no lane blocks in a send: windows of changes and of a resync. */
export const sendBufferBytes = 8 * 1024 * 1024;

export function unknownCertificate(peer: string): Fault {
  return new Fault(
    'peer-unknown-certificate',
    {
      message: `${peer} has another certificate than the one this node knows.`,
      remedy: 'Apply the configuration again: it gives both nodes each other’s certificates.',
    },
    { peer },
  );
}

export function connectionLost(peer: string): Fault {
  return new Fault(
    'peer-closed',
    {
      message: `${peer} closed the connection before it was made.`,
      remedy: 'Look at the journal of the other node: it may not know this node’s certificate.',
    },
    { peer },
  );
}

/** A lane is woken for many reasons; only some of them end a conversation. */
export interface Interruption {
  readonly wakeFd: number;
  /** Clears the event; true: give up. */
  readonly requested: () => boolean;
}

/** A part of an operation that waits in between. */
type Conversation<T> = Generator<Operation, T, number>;

const heard = { nothing: 0, bytes: 1, interruption: 2 } as const;

/** An operation that waits for one thing: its result is how much of it came. */
function waitFor(name: string, waits: Waits): Operation {
  return { name, waits, run: () => waitAlone(waits) };
}

/** Non-blocking descriptor, or -errno. */
function* connectedSocket(address: string, port: number, timeoutMs: number): Conversation<number> {
  const fd = beginConnectTcp(address, port);
  if (fd < 0) return fd;
  const poll = new Poll([fd], POLL.OUT);
  const count = yield waitFor('connect', { poll, begin: () => timeoutMs, end: (ready) => ready });
  const status = count < 0 ? count : endConnectTcp(fd, count > 0);
  if (status === 0) return fd;
  close(fd);
  return status;
}

export class Connection {
  readonly fd: number;
  readonly ssl: bigint;
  readonly peer: string;
  readonly #interruption: Interruption;
  readonly #poll: Poll;
  #deadlineMs = 0;
  readonly #wait: Operation;
  /** Nothing is left inside: a poll tells when there is more. Not known at first: the handshake may have read on. */
  drained = false;

  constructor(handle: ConnectionHandle, interruption: Interruption) {
    this.fd = handle.fd;
    this.ssl = handle.ssl;
    this.peer = handle.peer;
    this.#interruption = interruption;
    this.#poll = new Poll([this.fd, interruption.wakeFd]);
    this.#wait = waitFor('wait for the peer', {
      poll: this.#poll,
      begin: () => {
        const leftMs = Math.ceil(this.#deadlineMs - bootTimeMs());
        return leftMs <= 0 ? isReady : leftMs;
      },
      end: (count) => {
        // Past the deadline.
        if (count === isReady) return heard.nothing;
        return count > 0 && this.#poll.ready(1) !== 0 && this.#interruption.requested()
          ? heard.interruption
          : heard.bytes;
      },
    });
  }

  /** Connected, verified, tuned. Throws Fault. */
  static *connect(
    context: TlsContext,
    endpoint: { readonly address: string; readonly port: number },
    options: { readonly timeoutMs: number; readonly interruption: Interruption; readonly linkTimeoutMs: number },
  ): Conversation<Connection> {
    const peer = `${endpoint.address}:${endpoint.port}`;
    const fd = yield* connectedSocket(endpoint.address, endpoint.port, options.timeoutMs);
    if (fd < 0)
      throw new Fault(
        'peer-unreachable',
        { message: `${peer} does not answer (${errorName(fd)}).`, remedy: 'Check the network between the nodes.' },
        { peer, error: errorName(fd) },
      );
    tuneLink(fd, { timeoutMs: options.linkTimeoutMs, sendBufferBytes });
    const connection = new Connection({ fd, ssl: context.open(fd, 'client'), peer }, options.interruption);
    try {
      yield* connection.#secure(context, bootTimeMs() + options.timeoutMs);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  *#secure(context: TlsContext, deadlineMs: number): Conversation<void> {
    for (;;) {
      const status = tlsHandshake(this.ssl);
      if (status === 'done') {
        if (!context.isPinned(this.ssl)) throw unknownCertificate(this.peer);
        return;
      }
      if (status === 'closed') throw connectionLost(this.peer);
      if (status === 'failed') throw tlsPeerRefused(this.ssl) ? unknownCertificate(this.peer) : garbage(this.peer);
      yield* this.#more(deadlineMs);
    }
  }

  *#more(deadlineMs: number): Conversation<void> {
    this.#deadlineMs = deadlineMs;
    const what = yield this.#wait;
    if (what === heard.interruption) throw new Fault('aborted', { message: 'Interrupted.' });
    if (what === heard.nothing)
      throw new Fault('peer-silent', { message: `${this.peer} does not answer.` }, { peer: this.peer });
  }

  say(message: object): void {
    const bytes = encodeHandshake(message);
    if (tlsWrite(this.ssl, Memory.copyOf(bytes).address(), bytes.length) < 0) throw connectionLost(this.peer);
  }

  /** Throws Fault. */
  *hear<T>(schema: z.ZodType<T>, deadlineMs: number, bytesMax?: number): Conversation<T> {
    const header = yield* this.#readExactly(handshakeHeaderBytes, deadlineMs);
    const body = yield* this.#readExactly(handshakeLength(header, this.peer, bytesMax), deadlineMs);
    return decodeHandshake(schema, body, this.peer);
  }

  *#readExactly(length: number, deadlineMs: number): Conversation<Buffer> {
    const memory = new Memory(length);
    for (let done = 0; done < length;) {
      const count = tlsRead(this.ssl, memory.address(done), length - done);
      if (count < 0) throw connectionLost(this.peer);
      done += count;
      if (count === 0) yield* this.#more(deadlineMs);
    }
    return memory.bytes.subarray(0, length);
  }

  /** Whatever one read of the socket brings, to `start` and beyond, at most `length` bytes. -1: the connection is over. */
  receive(into: Memory, start: number, length: number): number {
    let done = 0;
    this.drained = false;
    while (done < length) {
      const count = tlsRead(this.ssl, into.address(start + done), length - done);
      // What came before the end counts; the next call tells the end.
      if (count < 0) return done > 0 ? done : -1;
      done += count;
      this.drained = count === 0 || !tlsHoldsBytes(this.ssl);
      if (this.drained) break;
    }
    return done;
  }

  get handle(): ConnectionHandle {
    return { fd: this.fd, ssl: this.ssl, peer: this.peer };
  }

  close(): void {
    closeConnection(this);
  }
}

export function closeConnection(handle: { readonly fd: number; readonly ssl: bigint }): void {
  shutdownSocket(handle.fd);
  tlsFree(handle.ssl);
  close(handle.fd);
}
