/** TCP with blocking and non-blocking descriptors, for the threads that have no event loop. Results are zero or more, or -errno. */
import * as ffi from 'node:ffi';
import { E } from './errno.ts';
import { POLL, Poll } from './file.ts';
import { close } from './filesystem.ts';
import { result } from './library.ts';
import { Memory } from './memory.ts';

const { functions: c } = ffi.dlopen('libc.so.6', {
  socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  bind: { arguments: ['int32', 'pointer', 'uint32'], return: 'int32' },
  listen: { arguments: ['int32', 'int32'], return: 'int32' },
  accept4: { arguments: ['int32', 'pointer', 'pointer', 'int32'], return: 'int32' },
  connect: { arguments: ['int32', 'pointer', 'uint32'], return: 'int32' },
  shutdown: { arguments: ['int32', 'int32'], return: 'int32' },
  setsockopt: { arguments: ['int32', 'int32', 'int32', 'pointer', 'uint32'], return: 'int32' },
  getsockopt: { arguments: ['int32', 'int32', 'int32', 'pointer', 'pointer'], return: 'int32' },
  getpeername: { arguments: ['int32', 'pointer', 'pointer'], return: 'int32' },
  fcntl: { arguments: ['int32', 'int32', 'int64'], return: 'int32' },
});

const afInet = 2;
const sockStream = 1;
const closeOnExec = 0o2000000;
const nonBlocking = 0o4000;
const solSocket = 1;
const ipprotoTcp = 6;
const so = { reuseAddress: 2, error: 4, keepAlive: 9, sendBufferForce: 32, receiveBufferForce: 33 } as const;
const tcp = { noDelay: 1, keepIdle: 4, keepInterval: 5, keepCount: 6, info: 11, userTimeout: 18 } as const;
const inProgress = 115;
const addressFamilyBytes = 16;

const address = new Memory(64);
const value = new Memory(16);

function putAddress(ip: string, port: number): boolean {
  const parts = ip.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return false;
  address.bytes.fill(0, 0, addressFamilyBytes);
  address.bytes.writeUInt16LE(afInet, 0);
  address.bytes.writeUInt16BE(port, 2);
  parts.forEach((part, index) => (address.bytes[4 + index] = part));
  return true;
}

function setOption(fd: number, level: number, option: number, number: number): number {
  value.bytes.writeInt32LE(number, 0);
  return result(c.setsockopt(fd, level, option, value.address(), 4));
}

export interface LinkOptions {
  /** Sent data that nobody acknowledges, and silence that keepalives find out, end the connection after about this long. */
  readonly timeoutMs: number;
  /** What one send may put in without blocking. */
  readonly sendBufferBytes: number;
}

/** Never a small packet held back; a dead peer noticed; room for what may be under way. */
export function tuneLink(fd: number, options: LinkOptions): void {
  setOption(fd, ipprotoTcp, tcp.noDelay, 1);
  setOption(fd, ipprotoTcp, tcp.userTimeout, options.timeoutMs);
  setOption(fd, solSocket, so.keepAlive, 1);
  setOption(fd, ipprotoTcp, tcp.keepIdle, Math.max(1, Math.ceil(options.timeoutMs / 1000)));
  setOption(fd, ipprotoTcp, tcp.keepInterval, 1);
  setOption(fd, ipprotoTcp, tcp.keepCount, 3);
  setOption(fd, solSocket, so.sendBufferForce, options.sendBufferBytes);
  setOption(fd, solSocket, so.receiveBufferForce, options.sendBufferBytes);
}

/** Non-blocking descriptor, or -errno. */
export function connectTcp(ip: string, port: number, timeoutMs: number): number {
  const fd = beginConnectTcp(ip, port);
  if (fd < 0) return fd;
  const count = new Poll([fd], POLL.OUT).wait(timeoutMs);
  const outcome = count < 0 ? count : endConnectTcp(fd, count > 0);
  if (outcome === 0) return fd;
  close(fd);
  return outcome;
}

/** Non-blocking descriptor that can be written to when the connection is there or refused, or -errno. */
export function beginConnectTcp(ip: string, port: number): number {
  if (!putAddress(ip, port)) return -E.INVAL;
  const fd = result(c.socket(afInet, sockStream | closeOnExec | nonBlocking, 0));
  if (fd < 0) return fd;
  const status = result(c.connect(fd, address.address(), addressFamilyBytes));
  if (status === 0 || status === -inProgress) return fd;
  close(fd);
  return status;
}

const timedOut = 110;

/** What became of it: 0 or -errno. The descriptor stays open. */
export function endConnectTcp(fd: number, isReady: boolean): number {
  if (!isReady) return -timedOut;
  value.bytes.writeUInt32LE(4, 8);
  const status = result(c.getsockopt(fd, solSocket, so.error, value.address(), value.address(8)));
  return status < 0 ? status : -value.bytes.readInt32LE(0);
}

/** Non-blocking. Only on this one address. */
export function listenTcp(ip: string, port: number): number {
  if (!putAddress(ip, port)) return -E.INVAL;
  const fd = result(c.socket(afInet, sockStream | closeOnExec | nonBlocking, 0));
  if (fd < 0) return fd;
  setOption(fd, solSocket, so.reuseAddress, 1);
  putAddress(ip, port);
  let status = result(c.bind(fd, address.address(), addressFamilyBytes));
  if (status === 0) status = result(c.listen(fd, 64));
  if (status === 0) return fd;
  close(fd);
  return status;
}

/** Non-blocking descriptor and who it is, or -errno. */
export function acceptTcp(listener: number): { readonly fd: number; readonly peer: string } | number {
  value.bytes.writeUInt32LE(addressFamilyBytes, 8);
  const fd = result(c.accept4(listener, address.address(), value.address(8), closeOnExec | nonBlocking));
  if (fd < 0) return fd;
  return { fd, peer: `${[...address.bytes.subarray(4, 8)].join('.')}:${address.bytes.readUInt16BE(2)}` };
}

/** `struct tcp_info` of linux/tcp.h; `tcpi_min_rtt` since Linux 4.6, microseconds, all ones: no measurement yet. */
const infoBytes = 232;
const minRoundTripAt = 148;
const info = new Memory(256);

/**
 * Where the other side is, and the shortest round trip of the last minutes in milliseconds: that of the network, without what a busy receiver
 * holds its acknowledgements back. Null: not a connected socket.
 */
export function describeConnection(
  fd: number,
): { readonly address: string; readonly roundTripMs: number | null } | null {
  value.bytes.writeUInt32LE(addressFamilyBytes, 8);
  if (c.getpeername(fd, address.address(), value.address(8)) < 0) return null;
  const ip = [...address.bytes.subarray(4, 8)].join('.');
  value.bytes.writeUInt32LE(infoBytes, 8);
  if (c.getsockopt(fd, ipprotoTcp, tcp.info, info.address(), value.address(8)) < 0) return null;
  const known = value.bytes.readUInt32LE(8) >= minRoundTripAt + 4;
  const microseconds = known ? info.bytes.readUInt32LE(minRoundTripAt) : 0;
  return { address: ip, roundTripMs: microseconds === 0 || microseconds === 0xffffffff ? null : microseconds / 1000 };
}

const fGetFlags = 3;
const fSetFlags = 4;

export function setBlocking(fd: number, blocking: boolean): void {
  const flags = c.fcntl(fd, fGetFlags, 0n);
  c.fcntl(fd, fSetFlags, BigInt(blocking ? flags & ~nonBlocking : flags | nonBlocking));
}

/** Ends both directions; whoever is blocked in a send or waits for bytes of it returns. Any thread. */
export function shutdownSocket(fd: number): void {
  c.shutdown(fd, 2);
}
