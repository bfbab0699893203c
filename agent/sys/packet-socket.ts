/** ARP frames in and out of one interface, past the packet filter in both directions (`man 7 packet`). */
import { RawSocket } from './raw-socket.ts';

const afPacket = 17;
const sockRaw = 3;
const etherTypeArp = 0x0806;
const frameBytesMax = 2048;

/** struct sockaddr_ll. */
function linkAddress(interfaceIndex: number): Buffer {
  const address = Buffer.alloc(20);
  address.writeUInt16LE(afPacket, 0);
  address.writeUInt16BE(etherTypeArp, 2);
  address.writeInt32LE(interfaceIndex, 4);
  return address;
}

export class ArpSocket implements Disposable {
  private readonly socket: RawSocket;
  private readonly address: Buffer;
  private readonly buffer = Buffer.allocUnsafeSlow(frameBytesMax);

  constructor(interfaceIndex: number) {
    // Protocol 0 until bound: frames of other interfaces must not get in before `bind` names ours.
    this.socket = RawSocket.open(afPacket, sockRaw, 0);
    this.address = linkAddress(interfaceIndex);
    this.socket.bind(this.address);
  }

  send(frame: Buffer): void {
    this.socket.sendTo(frame, this.address);
  }

  /** Every frame that is waiting. */
  *waiting(): Generator<Buffer> {
    for (let count = this.socket.receive(this.buffer); count !== null; count = this.socket.receive(this.buffer))
      yield Buffer.from(this.buffer.subarray(0, count));
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
  }
}
