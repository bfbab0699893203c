/** Runs inside a namespace: the product's network drivers, and an observer of what another host answers. One order per line. */
import net from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault } from '../../../agent/contract/index.ts';
import { parseArp, probeFrame } from '../../../agent/network/arp.ts';
import { commandRunner, createFence, createVipDriver } from '../../../agent/network/index.ts';
import { ArpSocket } from '../../../agent/sys/packet-socket.ts';
import { bootTimeMs } from '../../../agent/sys/process.ts';

const run = commandRunner();
let fence = createFence(run, bootTimeMs);
const vips = createVipDriver(run);
let held = true;

/** Instants (boot time) of the last answers until `untilMs`. */
async function observe(address: string, port: number, ownMac: string, interfaceIndex: number, untilMs: number) {
  using socket = new ArpSocket(interfaceIndex);
  const seen = { arpMs: 0, tcpMs: 0, announcements: 0 };
  while (bootTimeMs() < untilMs) {
    socket.send(probeFrame(ownMac, address));
    const connection = net.connect({ host: address, port });
    connection.on('error', () => undefined);
    connection.on('connect', () => {
      seen.tcpMs = bootTimeMs();
    });
    await delay(8);
    connection.destroy();
    for (const frame of socket.waiting()) {
      const packet = parseArp(frame);
      if (packet?.senderAddress !== address) continue;
      if (packet.targetAddress === address) seen.announcements++;
      else seen.arpMs = bootTimeMs();
    }
  }
  return seen;
}

let stream: net.Socket | null = null;
let echoedMs = 0;

const orders: Record<string, (...args: never[]) => Promise<unknown>> = {
  manage: (addresses: string[]) => fence.manage(addresses),
  extend: async (addresses: string[], forMs: number) => {
    const deadlineMs = bootTimeMs() + forMs;
    await fence.extend(addresses, deadlineMs);
    return deadlineMs;
  },
  cut: async (addresses: string[]) => {
    await fence.cut(addresses);
    return bootTimeMs();
  },
  guard: async (module: string, groups: string[], forMs: number | null) => {
    const deadlineMs = forMs === null ? null : bootTimeMs() + forMs;
    await fence.guard(module, groups.map(BigInt), deadlineMs);
    return deadlineMs;
  },
  condemn: (module: string) => fence.condemn(module),
  settle: () => fence.settle(),
  /** The agent was restarted: its memory is gone, what the kernel has is not. */
  forget: async () => {
    fence = createFence(run, bootTimeMs);
  },
  guardObstacle: async () => fence.guardObstacle(),
  check: () => fence.check(),
  remove: () => fence.remove(),
  raise: (address: string, interfaceName: string | null) => {
    held = true;
    return vips.raise(
      { address, prefixLength: 24, interface: interfaceName },
      () => held,
      new AbortController().signal,
    );
  },
  lose: async () => {
    held = false;
  },
  drop: (address: string) => vips.drop(address),
  present: (address: string) => vips.present(address),
  listen: (address: string, port: number) =>
    new Promise((resolve) => {
      net
        .createServer((socket) => socket.on('error', () => undefined).pipe(socket))
        .listen(port, address, () => resolve(null));
    }),
  observe,
  /** Keeps one connection busy, sending every 5 ms; `echoed` says when something last came back. */
  converse: (address: string, port: number) =>
    new Promise((resolve) => {
      stream = net.connect({ host: address, port }, () => resolve(null));
      stream.on('error', () => undefined);
      stream.on('data', () => {
        echoedMs = bootTimeMs();
      });
      setInterval(() => stream?.write('x'), 5);
    }),
  echoed: async () => echoedMs,
  bootMs: async () => bootTimeMs(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line) as [string, ...never[]];
  try {
    process.stdout.write(`${JSON.stringify({ value: (await orders[name]?.(...args)) ?? null })}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ fault: Fault.from(error).toRecord() })}\n`);
  }
}
process.exit(0);
