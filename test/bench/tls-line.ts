/** One connection over loopback, with TLS or without it, as the lanes use theirs: blocking, tuned, through foreign calls. */
import { TlsContext, tlsHandshake, tlsRead, tlsWrite } from '../../agent/sys/openssl.ts';
import { close, POLL, Poll, read, write } from '../../agent/sys/linux.ts';
import type { Memory } from '../../agent/sys/linux.ts';
import { setBlocking, shutdownSocket, tuneLink } from '../../agent/sys/socket.ts';

export interface Keys {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly peerCertificateFile: string;
}

export class Line implements Disposable {
  readonly #fd: number;
  readonly #ssl: bigint | null;
  readonly #context: TlsContext | null;

  constructor(fd: number, side: 'client' | 'server', keys: Keys | null) {
    this.#fd = fd;
    tuneLink(fd, { timeoutMs: 10_000, sendBufferBytes: 8 * 1024 * 1024 });
    this.#context = keys === null ? null : new TlsContext(keys);
    this.#ssl = this.#context?.open(fd, side) ?? null;
    const poll = new Poll([fd], POLL.IN);
    if (this.#ssl !== null)
      for (let status = tlsHandshake(this.#ssl); status !== 'done'; status = tlsHandshake(this.#ssl)) {
        if (status !== 'want') throw new Error(`the handshake ${status}`);
        poll.wait(5000);
      }
    setBlocking(fd, true);
  }

  send(memory: Memory, length: number): void {
    if (this.#ssl !== null) {
      if (tlsWrite(this.#ssl, memory.address(), length) < 0) throw new Error('the line is cut');
      return;
    }
    for (let done = 0; done < length;) {
      const count = write(this.#fd, memory.address(done), length - done);
      if (count <= 0) throw new Error(`write: ${count}`);
      done += count;
    }
  }

  receive(memory: Memory, length: number): void {
    for (let done = 0; done < length;) {
      const [address, left] = [memory.address(done), length - done];
      const count = this.#ssl === null ? read(this.#fd, address, left) : tlsRead(this.#ssl, address, left);
      if (count <= 0) throw new Error(`read: ${count}`);
      done += count;
    }
  }

  [Symbol.dispose](): void {
    shutdownSocket(this.#fd);
    close(this.#fd);
    this.#context?.[Symbol.dispose]();
  }
}

/** What both sides do, in this order. */
export const plan = { rounds: 3000, questionBytes: 4096 + 64, answerBytes: 64, blockBytes: 64 * 1024 } as const;

export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
