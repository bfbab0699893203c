/** `sd_notify` without libsystemd: one datagram to $NOTIFY_SOCKET. */
import { RawSocket } from './raw-socket.ts';

const afUnix = 1;
const sockDgram = 2;

export function unixAddress(path: string): Buffer {
  const address = Buffer.alloc(2 + Buffer.byteLength(path) + (path.startsWith('@') ? 0 : 1));
  address.writeUInt16LE(afUnix, 0);
  address.write(path, 2);
  // A leading '@' stands for the NUL of the abstract namespace.
  if (path.startsWith('@')) address[2] = 0;
  return address;
}

/** 'READY=1', 'STOPPING=1', 'WATCHDOG=1', 'STATUS=…'; nothing happens when no service manager listens. */
export function notifyServiceManager(state: string, environment: NodeJS.ProcessEnv = process.env): void {
  const path = environment['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return;
  using socket = RawSocket.open(afUnix, sockDgram, 0);
  try {
    socket.sendTo(Buffer.from(state), unixAddress(path));
  } catch {
    // The service manager restarts, or its queue is full: the next notification says it again.
  }
}

/** How often WATCHDOG=1 has to come at the latest; null without a watchdog. */
export function watchdogIntervalMs(environment: NodeJS.ProcessEnv = process.env): number | null {
  const microseconds = Number(environment['WATCHDOG_USEC'] ?? '0');
  return microseconds > 0 ? microseconds / 1000 : null;
}
