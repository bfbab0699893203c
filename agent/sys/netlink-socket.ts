/** Requests to the kernel's nftables (`man 7 netlink`). The kernel works them off inside `sendto`: the answers wait when it returns. */
import { RawSocket } from './raw-socket.ts';

const afNetlink = 16;
const sockRaw = 3;
const netlinkNetfilter = 12;
const answerBytesMax = 64 * 1024;

export class NetlinkSocket implements Disposable {
  private readonly socket: RawSocket;
  private readonly kernel = Buffer.alloc(12);
  private readonly buffer = Buffer.allocUnsafeSlow(answerBytesMax);

  constructor() {
    this.socket = RawSocket.open(afNetlink, sockRaw, netlinkNetfilter);
    this.kernel.writeUInt16LE(afNetlink, 0);
    this.socket.bind(this.kernel);
  }

  /** Sends one datagram of netlink messages and returns every datagram that came back. */
  exchange(request: Buffer): Buffer[] {
    this.socket.sendTo(request, this.kernel);
    const answers: Buffer[] = [];
    for (let count = this.socket.receive(this.buffer); count !== null; count = this.socket.receive(this.buffer))
      answers.push(Buffer.from(this.buffer.subarray(0, count)));
    return answers;
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
  }
}
