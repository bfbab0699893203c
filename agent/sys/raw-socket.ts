/**
 * Sockets that Node has no name for: AF_PACKET (ARP), AF_NETLINK (nftables), AF_UNIX datagrams (sd_notify), ICMP. Never blocking:
 * what is sent is small and goes to the kernel or a waiting reader; what is received is polled for.
 */
import ffi from 'node:ffi';
import os from 'node:os';
import { lastErrno } from './library.ts';

const { functions: c } = ffi.dlopen('libc.so.6', {
  socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  bind: { arguments: ['int32', 'buffer', 'uint32'], return: 'int32' },
  connect: { arguments: ['int32', 'buffer', 'uint32'], return: 'int32' },
  sendto: { arguments: ['int32', 'buffer', 'uint64', 'int32', 'buffer', 'uint32'], return: 'int64' },
  recv: { arguments: ['int32', 'buffer', 'uint64', 'int32'], return: 'int64' },
  close: { arguments: ['int32'], return: 'int32' },
});

const nonBlocking = 0o4000;
const closeOnExec = 0o2000000;
const dontWait = 0x40;

export class SystemCallError extends Error {
  readonly errno: number;
  /** 'ENOENT' …, or 'E<number>' when the platform has no name for it. */
  readonly code: string;

  constructor(call: string, errno: number) {
    const name = Object.entries(os.constants.errno).find(([, number]) => number === errno)?.[0] ?? `E${errno}`;
    super(`${call}: ${name}`);
    this.errno = errno;
    this.code = name;
  }
}

function failed(call: string): SystemCallError {
  return new SystemCallError(call, lastErrno());
}

/** `using socket = RawSocket.open(…)`. */
export class RawSocket implements Disposable {
  private descriptor: number;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
  }

  static open(family: number, type: number, protocol: number): RawSocket {
    const descriptor = c.socket(family, type | nonBlocking | closeOnExec, protocol);
    if (descriptor < 0) throw failed('socket');
    return new RawSocket(descriptor);
  }

  bind(address: Buffer): void {
    if (c.bind(this.descriptor, address, address.length) !== 0) throw failed('bind');
  }

  /** From here on nothing of anybody else comes in. Throws SystemCallError. */
  connect(address: Buffer): void {
    if (c.connect(this.descriptor, address, address.length) !== 0) throw failed('connect');
  }

  /** Throws SystemCallError (EAGAIN included: the kernel's buffer is full). */
  sendTo(message: Buffer, address: Buffer): void {
    const sent = c.sendto(this.descriptor, message, BigInt(message.length), dontWait, address, address.length);
    if (Number(sent) < 0) throw failed('sendto');
  }

  /** The number of bytes put into `into`, or null when nothing is waiting. */
  receive(into: Buffer): number | null {
    const count = Number(c.recv(this.descriptor, into, BigInt(into.length), dontWait));
    if (count >= 0) return count;
    const error = failed('recv');
    if (error.code === 'EAGAIN') return null;
    throw error;
  }

  [Symbol.dispose](): void {
    if (this.descriptor >= 0) c.close(this.descriptor);
    this.descriptor = -1;
  }
}
