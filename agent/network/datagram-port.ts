/** What carries datagrams: UDP here, memory in tests. Nothing is promised: a datagram may be lost, repeated, delayed or reordered. */
import dgram from 'node:dgram';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}
export interface DatagramPort extends Disposable {
  /** False while the address is not (yet) there. */
  readonly bound: boolean;
  /** Errors are losses. */
  send(datagram: Buffer, to: Endpoint): void;
  /** Tries to get the address when it was not there; called regularly. */
  ensureBound(): void;
}
export type DatagramListener = (datagram: Buffer, from: Endpoint) => void;
export type OpenDatagramPort = (local: Endpoint, listener: DatagramListener) => DatagramPort;

export const openUdpPort: OpenDatagramPort = (local, listener) => new UdpPort(local, listener);

class UdpPort implements DatagramPort {
  private readonly local: Endpoint;
  private readonly listener: DatagramListener;
  private socket: dgram.Socket | null = null;
  private closed = false;
  bound = false;

  constructor(local: Endpoint, listener: DatagramListener) {
    this.local = local;
    this.listener = listener;
    this.ensureBound();
  }

  ensureBound(): void {
    if (this.socket !== null || this.closed) return;
    const socket = dgram.createSocket({ type: 'udp4' });
    this.socket = socket;
    socket.on('message', (datagram, from) => {
      this.listener(datagram, { address: from.address, port: from.port });
    });
    // The interface is down or the address not there yet: ask again at the next tick.
    socket.on('error', () => {
      this.bound = false;
      this.socket = null;
      socket.close();
    });
    socket.bind({ address: this.local.address, port: this.local.port, exclusive: true }, () => {
      this.bound = this.socket === socket;
    });
  }

  send(datagram: Buffer, to: Endpoint): void {
    if (!this.bound || this.socket === null) return;
    this.socket.send(datagram, to.port, to.address, () => undefined);
  }

  [Symbol.dispose](): void {
    this.closed = true;
    this.bound = false;
    const socket = this.socket;
    this.socket = null;
    socket?.removeAllListeners('error').on('error', () => undefined);
    if (socket !== null) socket.close();
  }
}
