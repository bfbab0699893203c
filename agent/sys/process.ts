/** The process as a whole: how it ends, what it promises the kernel, and the clock that leases are measured with. */
import { isMainThread } from 'node:worker_threads';
import type { Worker } from 'node:worker_threads';
import { library, result, systemCall, systemCallNumber } from './library.ts';
import { Memory } from './memory.ts';

const lastWords = new Memory(16384);

/**
 * Ends the process at once, whatever other threads are blocked in. `process.exit`, `worker.terminate` and uncaught exceptions all
 * wait for a worker that sits in a system call, and while they wait it swallows the next request.
 */
export function dieNow(code: number, message = ''): never {
  if (message !== '') {
    const length = lastWords.bytes.write(message.endsWith('\n') ? message : `${message}\n`);
    library.write(2, lastWords.address(), BigInt(length));
  }
  library._exit(code);
  throw new Error('_exit returned');
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** First statement of the main thread and of every worker: any error that nobody handles ends the process. */
export function installDeath(name: string): void {
  process.on('uncaughtException', (error) => dieNow(70, `${name}: ${describe(error)}`));
  process.on('unhandledRejection', (reason) => dieNow(70, `${name}: unhandled rejection: ${describe(reason)}`));
  if (isMainThread) process.on('exit', (code) => dieNow(code));
}

/** A worker that ends without having been asked to takes the process with it (an out-of-memory worker runs no handler of its own). */
export function watchWorker(worker: Worker, name: string, mayEnd: () => boolean = () => false): void {
  worker.on('error', (error) => dieNow(70, `${name}: ${describe(error)}`));
  worker.on('exit', (code) => {
    if (!mayEnd()) dieNow(70, `${name}: ended with code ${code}`);
  });
}

const clockBoottime = 7;
const timespec = new Memory(16);
const timespecAddress = timespec.address();

/** CLOCK_BOOTTIME in milliseconds: runs through suspend, is never set, and is the same in all processes of the machine. */
export function bootTimeMs(): number {
  library.clock_gettime(clockBoottime, timespecAddress);
  const seconds = timespec.bytes.readUInt32LE(0) + timespec.bytes.readUInt32LE(4) * 4294967296;
  return seconds * 1000 + timespec.bytes.readUInt32LE(8) / 1e6;
}

const MCL = { CURRENT: 1, FUTURE: 2, ONFAULT: 4 } as const;

/** Pages that are in use stay in memory: serving a page fault of ours must not need memory that only we could free. */
export function lockMemory(): number {
  return result(library.mlockall(MCL.CURRENT | MCL.FUTURE | MCL.ONFAULT));
}

const mallocMmapThreshold = -3;

/**
 * Large memory comes from the kernel and goes back to it, for good: the C library would raise its threshold, clear what it hands out from then on itself, and so have all of
 * every buffer in memory, used or not.
 */
export function keepLargeMemoryApart(): void {
  library.mallopt(mallocMmapThreshold, 128 * 1024);
}

const prSetIoFlusher = 57;

/** This thread may use the memory reserves for writing back (Linux 5.6; -EINVAL before). */
export function becomeIoFlusher(): number {
  return result(library.prctl(prSetIoFlusher, 1n, 0n, 0n, 0n));
}

export function threadId(): number {
  return systemCall(systemCallNumber.gettid);
}

export const SIGKILL = 9;

export function signal(pid: number, number: number): number {
  return result(library.kill(pid, number));
}

const notification = new Memory(4096);
const notificationAddress = new Memory(4096);
const afUnix = 1;
const sockDgramCloexec = 2 | 0o2000000;

/** sd_notify(3): `READY=1`, `WATCHDOG=1`, `STATUS=…`. Returns 0 when systemd does not listen. */
export function notifySystemd(state: string, socketPath = process.env['NOTIFY_SOCKET']): number {
  if (socketPath === undefined || socketPath === '') return 0;
  notificationAddress.bytes.fill(0, 0, 110);
  notificationAddress.bytes.writeUInt16LE(afUnix, 0);
  const pathLength = notificationAddress.bytes.write(socketPath, 2, 107);
  // `@name` is the abstract namespace: its first byte is NUL and its length counts.
  if (socketPath.startsWith('@')) notificationAddress.bytes[2] = 0;
  const length = notification.bytes.write(state);
  const fd = result(library.socket(afUnix, sockDgramCloexec, 0));
  if (fd < 0) return fd;
  const sent = library.sendto(
    fd,
    notification.address(),
    BigInt(length),
    0,
    notificationAddress.address(),
    2 + pathLength,
  );
  const status = sent < 0n ? result(-1) : 0;
  library.close(fd);
  return status;
}
