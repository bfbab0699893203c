/**
 * The listener thread of a node: accepts, shakes hands and hears hello on many connections at once without blocking in any, pairs the two connections of a
 * link by their token, and gives the pair to the supervisor. Whoever is not the peer is refused and named.
 */
import { Fault } from '../contract/index.ts';
import { bootTimeMs, close, errorName, Memory, POLL, Poll } from '../sys/linux.ts';
import { TlsContext, tlsHandshake, tlsPeerRefused, tlsRead, tlsWrite } from '../sys/openssl.ts';
import { acceptTcp, listenTcp, tuneLink } from '../sys/socket.ts';
import { closeConnection, sendBufferBytes, unknownCertificate } from './connection.ts';
import {
  decodeHandshake,
  encodeHandshake,
  garbage,
  handshakeHeaderBytes,
  handshakeLength,
  helloSchema,
} from './handshake.ts';
import type { LinkHello } from './handshake.ts';
import type { Inbox } from './inbox.ts';
import type { ControlBlock } from './control-block.ts';
import type { ConnectionHandle, FromListener, ListenerConfiguration, ToListener } from './lane-messages.ts';

const guestsMax = 64;
const guestTimeMs = 5000;
const listenAgainMs = 1000;

interface Guest extends ConnectionHandle {
  readonly deadlineMs: number;
  readonly memory: Memory;
  secured: boolean;
  length: number;
  hello: LinkHello | null;
}

export class Listener {
  readonly #inbox: Inbox<ToListener>;
  readonly #control: ControlBlock;
  readonly #tell: (message: FromListener) => void;
  #configuration: ListenerConfiguration | null = null;
  #context: TlsContext | null = null;
  #listening: number[] = [];
  #listenAgainAtMs = 0;
  #guests: Guest[] = [];

  constructor(inbox: Inbox<ToListener>, control: ControlBlock, tell: (message: FromListener) => void) {
    this.#inbox = inbox;
    this.#control = control;
    this.#tell = tell;
  }

  run(): void {
    for (;;) {
      for (let message = this.#inbox.receive(); message !== null; message = this.#inbox.receive())
        this.#configure(message.configuration);
      if (this.#listening.length === 0 && bootTimeMs() >= this.#listenAgainAtMs) this.#listen();
      this.#inbox.watchSupervisor(this.#control);
      this.#round();
    }
  }

  #configure(configuration: ListenerConfiguration): void {
    // What has begun under certificates that were retired since makes no link.
    if (this.#configuration?.certificates !== configuration.certificates)
      for (const guest of this.#guests) this.#dismiss(guest);
    this.#configuration = configuration;
    for (const fd of this.#listening.splice(0)) close(fd);
    this.#context?.[Symbol.dispose]();
    this.#context = null;
    this.#listenAgainAtMs = 0;
  }

  /** All addresses or none: one that is not there yet (a network that comes up late) is tried again. */
  #listen(): void {
    if (!this.#configuration) return;
    this.#listenAgainAtMs = bootTimeMs() + listenAgainMs;
    try {
      this.#context ??= new TlsContext(this.#configuration.tls);
    } catch (error) {
      this.#fault(Fault.from(error));
      return;
    }
    for (const { address, port } of this.#configuration.addresses) {
      const fd = listenTcp(address, port);
      if (fd >= 0) {
        this.#listening.push(fd);
        continue;
      }
      for (const other of this.#listening.splice(0)) close(other);
      this.#fault(
        new Fault(
          'cannot-listen',
          {
            message: `This node cannot listen on ${address}:${port} (${errorName(fd)}).`,
            remedy: 'Check that the address is up and that no other program uses the port.',
          },
          { address, port },
        ),
      );
      return;
    }
  }

  #fault(fault: Fault): void {
    this.#tell({ type: 'fault', fault: fault.toRecord() });
  }

  #round(): void {
    const descriptors = [this.#inbox.wakeFd, ...this.#listening, ...this.#guests.map((guest) => guest.fd)];
    const poll = new Poll(descriptors, POLL.IN);
    if (poll.wait(1000) > 0) {
      if (poll.ready(0) !== 0) this.#inbox.woken();
      const guests = [...this.#guests];
      guests.forEach((guest, index) => {
        if (poll.ready(1 + this.#listening.length + index) !== 0) this.#advance(guest);
      });
      this.#listening.forEach((fd, index) => {
        if (poll.ready(1 + index) !== 0) this.#accept(fd);
      });
    }
    const now = bootTimeMs();
    for (const guest of this.#guests.filter((one) => one.deadlineMs < now)) this.#dismiss(guest);
  }

  #accept(listener: number): void {
    const accepted = acceptTcp(listener);
    if (typeof accepted === 'number' || !this.#context || !this.#configuration) return;
    if (this.#guests.length >= guestsMax) {
      close(accepted.fd);
      return;
    }
    tuneLink(accepted.fd, { timeoutMs: this.#configuration.linkTimeoutMs, sendBufferBytes });
    this.#guests.push({
      ...accepted,
      ssl: this.#context.open(accepted.fd, 'server'),
      deadlineMs: bootTimeMs() + guestTimeMs,
      memory: new Memory(160 * 1024),
      secured: false,
      length: 0,
      hello: null,
    });
  }

  #dismiss(guest: Guest): void {
    this.#guests = this.#guests.filter((one) => one !== guest);
    closeConnection(guest);
  }

  #advance(guest: Guest): void {
    try {
      if (!guest.secured && !this.#secure(guest)) return;
      if (guest.hello === null) this.#hear(guest);
      // Silence is what is expected of one that waits for its other half: bytes or an end mean that it is over.
      else if (tlsRead(guest.ssl, guest.memory.address(), 1) !== 0) this.#dismiss(guest);
    } catch (error) {
      const fault = Fault.from(error);
      this.#refuse(guest, fault);
      this.#fault(fault);
    }
  }

  /** The peer's server may have been replaced: its certificate file is read again before the next attempt. */
  #renewContext(): void {
    if (!this.#configuration) return;
    const former = this.#context;
    this.#context = new TlsContext(this.#configuration.tls);
    former?.[Symbol.dispose]();
  }

  #secure(guest: Guest): boolean {
    const status = tlsHandshake(guest.ssl);
    if (status === 'want') return false;
    if (status === 'closed') {
      this.#dismiss(guest);
      return false;
    }
    if (status === 'failed') {
      this.#renewContext();
      throw tlsPeerRefused(guest.ssl) ? unknownCertificate(guest.peer) : garbage(guest.peer);
    }
    if (this.#context?.isPinned(guest.ssl) !== true) {
      this.#renewContext();
      throw unknownCertificate(guest.peer);
    }
    guest.secured = true;
    return true;
  }

  #refuse(guest: Guest, fault: Fault): void {
    if (guest.secured) {
      const message = encodeHandshake({ say: 'refused', fault: fault.toRecord() });
      tlsWrite(guest.ssl, Memory.copyOf(message).address(), message.length);
    }
    this.#dismiss(guest);
  }

  #hear(guest: Guest): void {
    const { memory } = guest;
    for (;;) {
      const header = guest.length >= handshakeHeaderBytes ? memory.bytes.subarray(0, handshakeHeaderBytes) : null;
      const wanted = handshakeHeaderBytes + (header ? handshakeLength(header, guest.peer) : 0);
      if (header && guest.length === wanted) break;
      const count = tlsRead(guest.ssl, memory.address(guest.length), wanted - guest.length);
      if (count < 0) {
        this.#dismiss(guest);
        return;
      }
      if (count === 0) return;
      guest.length += count;
    }
    const body = memory.bytes.subarray(handshakeHeaderBytes, guest.length);
    guest.hello = decodeHandshake(helloSchema, body, guest.peer);
    this.#pair(guest, guest.hello);
  }

  #pair(guest: Guest, hello: LinkHello): void {
    const other = this.#guests.find(
      (one) =>
        one !== guest &&
        one.hello?.token === hello.token &&
        one.hello.purpose !== hello.purpose &&
        one.hello.volume === hello.volume,
    );
    if (!other) return;
    this.#guests = this.#guests.filter((one) => one !== guest && one !== other);
    const [data, answers] = hello.purpose === 'data' ? [guest, other] : [other, guest];
    const handle = (one: Guest): ConnectionHandle => ({ fd: one.fd, ssl: one.ssl, peer: one.peer });
    this.#tell({
      type: 'link',
      certificates: this.#configuration?.certificates ?? null,
      volume: hello.volume,
      node: hello.node,
      data: handle(data),
      acknowledgements: handle(answers),
      record: (data.hello ?? hello).record,
      minor: hello.minor,
      asksHot: hello.asksHot === true,
      token: hello.token,
      continues: hello.continues ?? null,
    });
  }
}
