/** Who answers on an SSH port: TCP connections side by side, each for a moment, and the first line that a server says by itself. */
import { connect } from 'node:net';
import type { FoundServer } from '../app-api/index.ts';
import { hostAddresses, parseSubnet } from './subnet.ts';

export interface ScanOptions {
  readonly port?: number;
  readonly onFound?: (server: FoundServer) => void;
  readonly signal?: AbortSignal | undefined;
}

/** A server on the same network answers within milliseconds; through a tunnel, within some hundred. */
const connectTimeoutMs = 700;
const bannerTimeoutMs = 1000;
const bannerBytesMax = 255;
/** Sockets at the same time; more make small routers drop packets. */
const parallelMax = 128;

/** `SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3` → `OpenSSH 9.2p1 Debian`. Null: it speaks no SSH. */
export function nameOfBanner(banner: string): string | null {
  const match = /^SSH-[\d.]+-([^\s]+)(?:\s+([^\r\n]*))?/m.exec(banner);
  if (!match?.[1]) return null;
  const system = /^[A-Za-z]+/.exec(match[2] ?? '')?.[0];
  return [match[1].replaceAll('_', ' '), system].filter((word) => word !== undefined && word !== '').join(' ');
}

/** The first line; null: nobody, or nobody who speaks SSH. */
function readBanner(host: string, port: number, signal: AbortSignal | undefined): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = '';
    const finish = (banner: string | null): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.destroy();
      resolve(banner);
    };
    const abort = (): void => finish(null);
    let timer = setTimeout(abort, connectTimeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    socket.setEncoding('latin1');
    socket.once('connect', () => {
      clearTimeout(timer);
      timer = setTimeout(abort, bannerTimeoutMs);
    });
    socket.on('data', (chunk) => {
      text += String(chunk);
      // Lines may come before the banner (RFC 4253, 4.2).
      if (/^SSH-[^\n]*\n/m.test(text)) finish(text);
      else if (text.length > 32 * bannerBytesMax) finish(null);
    });
    socket.once('end', abort);
    socket.once('error', abort);
  });
}

/** In the order of their addresses. Faults: subnet-invalid, subnet-too-large; the reason of the signal. */
export async function scanSubnet(subnet: string, options: ScanOptions = {}): Promise<FoundServer[]> {
  const { port = 22, signal, onFound } = options;
  const addresses = hostAddresses(parseSubnet(subnet));
  const found = new Map<string, FoundServer>();
  let next = 0;
  async function worker(): Promise<void> {
    for (let address = addresses[next++]; address !== undefined; address = addresses[next++]) {
      signal?.throwIfAborted();
      const name = nameOfBanner((await readBanner(address, port, signal)) ?? '');
      signal?.throwIfAborted();
      if (name === null) continue;
      const server: FoundServer = {
        destination: address,
        port: port === 22 ? null : port,
        name,
        source: 'scan',
        answers: true,
      };
      found.set(address, server);
      onFound?.(server);
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallelMax, addresses.length) }, worker));
  signal?.throwIfAborted();
  return addresses.flatMap((address) => found.get(address) ?? []);
}
