/** Asks one address again and again whether it can be reached, and says when the newest question that was answered was sent. */
import { randomBytes, randomInt } from 'node:crypto';
import { encodeEchoRequest, parseEchoReply, tokenBytes } from './echo.ts';

export interface EchoPort extends Disposable {
  /** Throws where there is no way. */
  send(message: Buffer): void;
  /** Packets with their IP headers. Throws where there is no way. */
  waiting(): Iterable<Buffer>;
}
/** Throws where there is no way, or no right to such a port. */
export type OpenEchoPort = (address: string) => EchoPort;

/** An answer that took longer says nothing about now. */
const openMax = 16;

interface Asked {
  readonly sequence: number;
  readonly token: Buffer;
  readonly sentMs: number;
}

export class Pings implements Disposable {
  private readonly open: OpenEchoPort;
  private readonly address: string;
  private readonly nowMs: () => number;
  private readonly silenceMsMax: number;
  private readonly identifier = randomInt(0x10000);
  private port: EchoPort | null = null;
  private openedMs = 0;
  private sequence = 0;
  private asked: readonly Asked[] = [];
  private newestMs: number | null = null;
  /** Why the last question could not be sent; null: it was. */
  obstacle: string | null = null;

  /** @param silenceMsMax after it the port is opened anew: the address or the route of before may be gone. */
  constructor(open: OpenEchoPort, address: string, nowMs: () => number, silenceMsMax: number) {
    this.open = open;
    this.address = address;
    this.nowMs = nowMs;
    this.silenceMsMax = silenceMsMax;
  }

  ask(): void {
    const sentMs = this.nowMs();
    if (sentMs - Math.max(this.openedMs, this.newestMs ?? 0) > this.silenceMsMax) this.close();
    this.sequence = (this.sequence + 1) & 0xffff;
    const one = { sequence: this.sequence, token: randomBytes(tokenBytes), sentMs };
    try {
      if (this.port === null) {
        this.port = this.open(this.address);
        this.openedMs = sentMs;
      }
      this.port.send(encodeEchoRequest({ identifier: this.identifier, ...one }));
      this.asked = [...this.asked.slice(1 - openMax), one];
      this.obstacle = null;
    } catch (error) {
      this.obstacle = error instanceof Error ? error.message : String(error);
    }
  }

  /** When the newest question that was answered was sent; null: none was. */
  answeredMs(): number | null {
    try {
      for (const packet of this.port?.waiting() ?? []) this.take(packet);
    } catch (error) {
      this.obstacle = error instanceof Error ? error.message : String(error);
    }
    return this.newestMs;
  }

  private take(packet: Buffer): void {
    const echo = parseEchoReply(packet);
    if (echo?.identifier !== this.identifier) return;
    const one = this.asked.find(({ sequence, token }) => sequence === echo.sequence && token.equals(echo.token));
    if (one !== undefined) this.newestMs = Math.max(this.newestMs ?? 0, one.sentMs);
  }

  private close(): void {
    this.port?.[Symbol.dispose]();
    this.port = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
