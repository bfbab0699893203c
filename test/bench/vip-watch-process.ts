/**
 * `vip-watch-process.ts PORT ADDRESS…`, in the client's network namespace: opens a connection to each address all the time and hears every frame that comes
 * from one of them. One JSON object per line on stdout (`Seen`), until stdin ends.
 */
import net from 'node:net';
import { RawSocket } from '../../agent/sys/raw-socket.ts';
import { nowMs } from '../e2e/harness/clock.ts';
import type { Seen } from './vip-watch.ts';

const probeEveryMs = 20;
/** Before the kernel would send its SYN again: each probe asks once. */
const probePatienceMs = 400;
const listenEveryMs = 5;
const afPacket = 17;
const sockRaw = 3;
/** ETH_P_ALL in network byte order. */
const everyProtocol = 0x0300;
const etherTypeIpv4 = 0x0800;
const etherTypeArp = 0x0806;

const [port, ...addresses] = process.argv.slice(2);
const tell = (seen: Seen): void => void process.stdout.write(`${JSON.stringify(seen)}\n`);

function probe(address: string): void {
  const beganMs = nowMs();
  const socket = net.connect({ host: address, port: Number(port) });
  const patience = setTimeout(() => socket.destroy(), probePatienceMs);
  socket.on('error', () => undefined);
  socket.on('close', () => clearTimeout(patience));
  socket.on('connect', () => tell({ kind: 'connected', address, beganMs, atMs: nowMs() }));
  socket.on('data', (data) => {
    tell({ kind: 'answered', address, beganMs, atMs: nowMs(), by: data.toString().trim() });
    socket.destroy();
  });
}

/** Who sent the frame, if its sender address is one of those that are watched. */
function senderOf(frame: Buffer): { address: string; mac: string } | null {
  const type = frame.readUInt16BE(12);
  const at = type === etherTypeIpv4 ? 26 : type === etherTypeArp ? 28 : null;
  if (at === null || frame.length < at + 4) return null;
  const address = frame.subarray(at, at + 4).join('.');
  const mac = frame
    .subarray(6, 12)
    .toString('hex')
    .replace(/..(?=.)/g, '$&:');
  return addresses.includes(address) ? { address, mac } : null;
}

using packets = RawSocket.open(afPacket, sockRaw, everyProtocol);
const buffer = Buffer.alloc(2048);
function listen(): void {
  const heard = new Map<string, Seen>();
  for (let count = packets.receive(buffer); count !== null; count = packets.receive(buffer)) {
    if (count < 42) continue;
    const sender = senderOf(buffer.subarray(0, count));
    if (sender !== null) heard.set(`${sender.address} ${sender.mac}`, { kind: 'frame', ...sender, atMs: nowMs() });
  }
  for (const one of heard.values()) tell(one);
}

const timers = [setInterval(() => addresses.forEach(probe), probeEveryMs), setInterval(listen, listenEveryMs)];
process.stdin.resume();
await new Promise<void>((resolve) => process.stdin.on('end', resolve));
for (const timer of timers) clearInterval(timer);
process.exit(0);
