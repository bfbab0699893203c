import { Memory } from '../sys/linux.ts';
import { tlsWrite } from '../sys/openssl.ts';
import { setBlocking, shutdownSocket } from '../sys/socket.ts';
import { frameBytesMax, FrameWriter } from './change-codec.ts';
import { closeConnection } from './connection.ts';
import type { ControlBlock } from './control-block.ts';
import type { ConnectionHandle } from './lane-messages.ts';
import { SendWindow } from './send-window.ts';
import { SentFrames } from './sent-frames.ts';

/** The data connection as the primary lane owns it: nobody else writes to it, and it is freed here. */
export class DataConnection {
  readonly #control: ControlBlock;
  readonly #memory: Memory;
  readonly writer: FrameWriter;
  readonly window = new SendWindow();
  /** Null: there is no other way to the peer. */
  readonly #sent: SentFrames | null;
  #handle: ConnectionHandle | null = null;
  /** The link may go on over another one: until then what is sent is only kept. */
  #isDead = false;
  broken = false;

  constructor(control: ControlBlock, goesOn: boolean) {
    this.#control = control;
    this.#sent = goesOn ? new SentFrames() : null;
    this.#memory = new Memory(2 * frameBytesMax);
    this.writer = new FrameWriter(this.#memory.bytes);
  }

  take(handle: ConnectionHandle): void {
    this.drop();
    this.#use(handle);
    this.#sent?.begin();
  }

  /** In the middle of the stream. The former one is published no more. */
  replace(handle: ConnectionHandle): void {
    if (this.#handle) closeConnection(this.#handle);
    this.#use(handle);
  }

  #use(handle: ConnectionHandle): void {
    setBlocking(handle.fd, true);
    this.#handle = handle;
    this.#isDead = false;
    this.broken = false;
  }

  flush(): number {
    const { writer } = this;
    this.#sent?.append(writer.bytes, writer.length, writer.sequence, this.#control.acknowledged);
    if (!this.#handle || (!this.#write(this.#memory, 0, writer.length) && !this.#waits(this.#handle))) {
      this.broken = true;
      writer.clear();
      return -1;
    }
    this.window.sent(writer.sequence, writer.length);
    this.#control.sent = writer.sequence;
    writer.clear();
    return 0;
  }

  #write(memory: Memory, start: number, length: number): boolean {
    return this.#handle !== null && !this.#isDead && tlsWrite(this.#handle.ssl, memory.address(start), length) >= 0;
  }

  /** The acknowledgement lane notices that the connection is over, and looks for another one, or tells that there is none. */
  #waits({ fd }: ConnectionHandle): boolean {
    if (this.#sent?.isWhole(this.#control.acknowledged) !== true || !this.#control.mayGoOn) return false;
    if (!this.#isDead) this.#control.shutdownSockets(shutdownSocket, fd);
    this.#isDead = true;
    return true;
  }

  /** What the target has not got. -1: that is not known any more. A connection that is lost again may be followed by a further one. */
  sendAgain(applied: number): number {
    const lacking = this.#sent?.after(applied) ?? null;
    if (this.#sent === null || lacking === null || !this.#handle) return -1;
    if (lacking.length === 0 || this.#write(this.#sent.memory, lacking.start, lacking.length)) return 0;
    return this.#waits(this.#handle) ? 0 : -1;
  }

  /** Both sockets, so that the acknowledgement lane notices; it closes its own. */
  drop(): void {
    if (!this.#handle) return;
    this.#control.shutdownSockets(shutdownSocket);
    this.#control.withdrawSocket('dataSocket');
    closeConnection(this.#handle);
    this.#handle = null;
  }
}
