/**
 * What systemd does for the replicator, for machines without it: keeps the descriptors that the program gives away (sd_notify FDSTORE), starts it again when it has
 * ended, and hands them over. `node descriptor-keeper.ts SOCKET PROGRAM ARGUMENTS…`; prints `started PID` each time. Ends with its standard input.
 */
import ffi from 'node:ffi';
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { close, Memory } from '../../../agent/sys/linux.ts';
import { unixAddress } from '../../../agent/sys/service-manager.ts';

const { functions: c } = ffi.dlopen('libc.so.6', {
  socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  bind: { arguments: ['int32', 'buffer', 'uint32'], return: 'int32' },
  recvmsg: { arguments: ['int32', 'pointer', 'int32'], return: 'int64' },
});

/** As in the unit. */
const restartMs = 200;
const lookMs = 5;
const [path = '', program = '', ...programArguments] = process.argv.slice(2);

const datagramNonBlocking = 2 | 0o4000 | 0o2000000;
const dontWait = 0x40;
const receivedCloseOnExec = 0x40000000;
rmSync(path, { force: true });
const socket = c.socket(1, datagramNonBlocking, 0);
const address = unixAddress(path);
if (socket < 0 || c.bind(socket, address, address.length) !== 0) throw new Error(`${path} cannot be bound`);

const memory = new Memory(8192);
const place = { message: 0, vector: 64, control: 96, text: 256 } as const;

/** One notification; null: none waits. */
function receive(): { text: string; fd: number } | null {
  const { bytes } = memory;
  const at = memory.address();
  bytes.fill(0, 0, place.text);
  bytes.writeBigUInt64LE(at + BigInt(place.vector), place.message + 16);
  bytes.writeBigUInt64LE(1n, place.message + 24);
  bytes.writeBigUInt64LE(at + BigInt(place.control), place.message + 32);
  bytes.writeBigUInt64LE(64n, place.message + 40);
  bytes.writeBigUInt64LE(at + BigInt(place.text), place.vector);
  bytes.writeBigUInt64LE(4096n, place.vector + 8);
  const count = Number(c.recvmsg(socket, at, dontWait | receivedCloseOnExec));
  if (count < 0) return null;
  const hasDescriptor = bytes.readBigUInt64LE(place.message + 40) >= 20n;
  const text = bytes.toString('utf8', place.text, place.text + count);
  return { text, fd: hasDescriptor ? bytes.readInt32LE(place.control + 16) : -1 };
}

const store = new Map<string, number>();

function takeNotifications(): void {
  for (let one = receive(); one !== null; one = receive()) {
    const name = /^FDNAME=(.*)$/m.exec(one.text)?.[1];
    if (name === undefined) continue;
    const former = store.get(name);
    if (former !== undefined) close(former);
    store.delete(name);
    if (/^FDSTORE=1$/m.test(one.text)) store.set(name, one.fd);
  }
}

function start(): void {
  takeNotifications();
  const names = [...store.keys()];
  const environment = {
    ...process.env,
    NOTIFY_SOCKET: path,
    LISTEN_FDS: String(names.length),
    LISTEN_FDNAMES: names.join(':'),
  };
  // The number of a process is known to itself only before it becomes another program.
  const words = ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', program, ...programArguments];
  const child = spawn('/bin/sh', words, {
    stdio: ['ignore', 'inherit', 'inherit', ...store.values()],
    env: environment,
  });
  console.log(`started ${child.pid}`);
  // A halt that a test wants is one of the first process.
  delete process.env['HOLDFAST_HALT_AT'];
  child.on('exit', () => setTimeout(start, restartMs));
}

setInterval(takeNotifications, lookMs);
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
start();
