/** ICMP messages to one address and from it (`man 7 raw`). Needs CAP_NET_RAW. */
import { RawSocket } from './raw-socket.ts';

const afInet = 2;
const sockRaw = 3;
const protocolIcmp = 1;
const packetBytesMax = 2048;

/** struct sockaddr_in; a raw socket has no port. */
function internetAddress(text: string): Buffer {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(afInet, 0);
  for (const [index, part] of text.split('.').entries()) address.writeUInt8(Number(part), 4 + index);
  return address;
}

export class EchoSocket implements Disposable {
  private readonly socket: RawSocket;
  private readonly address: Buffer;
  private readonly buffer = Buffer.allocUnsafeSlow(packetBytesMax);

  /** Throws SystemCallError: without a route there is no such socket. */
  constructor(address: string) {
    this.address = internetAddress(address);
    this.socket = RawSocket.open(afInet, sockRaw, protocolIcmp);
    try {
      // Others' messages must not fill the buffer while nobody looks.
      this.socket.connect(this.address);
    } catch (error) {
      this.socket[Symbol.dispose]();
      throw error;
    }
  }

  /** Throws SystemCallError. */
  send(message: Buffer): void {
    this.socket.sendTo(message, this.address);
  }

  /** Every packet that is waiting, with its IP header. Throws SystemCallError: a router said that there is no way. */
  *waiting(): Generator<Buffer> {
    for (let count = this.socket.receive(this.buffer); count !== null; count = this.socket.receive(this.buffer))
      yield Buffer.from(this.buffer.subarray(0, count));
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
  }
}
