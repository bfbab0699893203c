/** Datagrams in memory: same guarantees as UDP, that is none, and cables that can be pulled in one direction. */
import type {
  DatagramListener,
  DatagramPort,
  EchoPort,
  Endpoint,
  OpenDatagramPort,
} from '../../../agent/network/index.ts';

export class MemoryNetwork {
  private readonly ports = new Map<string, DatagramListener>();
  /** 'from address>to address'. */
  private readonly cut = new Set<string>();
  readonly recorded: { readonly datagram: Buffer; readonly to: string }[] = [];

  readonly open: OpenDatagramPort = (local, listener): DatagramPort => {
    const key = keyOf(local);
    this.ports.set(key, listener);
    return {
      bound: true,
      ensureBound: () => undefined,
      send: (datagram, to) => {
        if (this.ports.get(key) === listener) this.deliver(local, datagram, to);
      },
      [Symbol.dispose]: () => {
        if (this.ports.get(key) === listener) this.ports.delete(key);
      },
    };
  };

  /** Whoever has this address answers pings, as long as frames get there and back. */
  openEcho(from: string, to: string): EchoPort {
    const packets: Buffer[] = [];
    return {
      send: (message) => {
        if (!this.reaches(from, to) || !this.reaches(to, from)) return;
        const packet = Buffer.concat([Buffer.from([0x45, ...new Array<number>(19).fill(0)]), message]);
        packet.writeUInt8(0, 20);
        packets.push(packet);
      },
      waiting: () => packets.splice(0),
      [Symbol.dispose]: () => undefined,
    };
  }

  unplug(address: string): void {
    for (const key of [...this.ports.keys()]) if (key.startsWith(`${address}:`)) this.ports.delete(key);
  }
  setCut(from: string, to: string, cut: boolean): void {
    if (cut) this.cut.add(`${from}>${to}`);
    else this.cut.delete(`${from}>${to}`);
  }
  reaches(from: string, to: string): boolean {
    return !this.cut.has(`${from}>${to}`);
  }

  /** As whoever listens on the wire would play it. */
  inject(datagram: Buffer, from: Endpoint, to: string): void {
    this.ports.get(to)?.(datagram, from);
  }

  private deliver(from: Endpoint, datagram: Buffer, to: Endpoint): void {
    this.recorded.push({ datagram, to: keyOf(to) });
    if (this.recorded.length > 1000) this.recorded.shift();
    if (this.reaches(from.address, to.address)) setImmediate(() => this.ports.get(keyOf(to))?.(datagram, from));
  }
}

function keyOf(endpoint: Endpoint): string {
  return `${endpoint.address}:${endpoint.port}`;
}
