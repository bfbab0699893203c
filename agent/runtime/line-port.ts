/** Lines of text over unix sockets: one socket, one LinePort. */
import { chmodSync, existsSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import type { LinePort } from '../contract/index.ts';
import { Fault, lineSplitter } from '../contract/index.ts';

export function linePort(stream: Duplex): LinePort {
  const lines: ((line: string) => void)[] = [];
  const closes: ((reason?: Error) => void)[] = [];
  let reason: Error | undefined;
  let closed = false;
  const split = lineSplitter((line) => {
    for (const listener of lines) listener(line);
  });
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    try {
      split(chunk);
    } catch (error) {
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  stream.on('error', (error) => {
    reason = error;
  });
  stream.on('end', () => stream.destroy());
  stream.on('close', () => {
    closed = true;
    for (const listener of closes) listener(reason);
  });
  return {
    send(line) {
      if (!closed) stream.write(`${line}\n`);
    },
    onLine(listener) {
      lines.push(listener);
    },
    onClose(listener) {
      if (closed) listener(reason);
      else closes.push(listener);
    },
    close() {
      stream.end();
    },
  };
}

/** Fault: agent-down. */
export async function connectUnix(path: string): Promise<net.Socket> {
  const socket = net.createConnection(path);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  socket.once('connect', () => resolve(undefined));
  socket.once('error', reject);
  try {
    await promise;
    return socket;
  } catch (error) {
    throw new Fault(
      'agent-down',
      {
        message: `Nobody answers on ${path} (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`,
        remedy: 'Look at the service: systemctl status holdfastd holdfast-replicator.',
      },
      { path },
      error,
    );
  } finally {
    socket.removeListener('error', reject);
  }
}

/** For root only. A socket file that nobody answers on is a leftover and is replaced; a living one is a fault. */
export async function listenUnix(path: string, accept: (port: LinePort) => void): Promise<Disposable> {
  if (existsSync(path)) {
    const other = await connectUnix(path).catch(() => null);
    if (other !== null) {
      other.destroy();
      throw new Fault('already-running', { message: `Another process already listens on ${path}.` });
    }
    rmSync(path, { force: true });
  }
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: false }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    accept(linePort(socket));
  });
  // Between `listen` and `chmod` the umask guards it.
  const former = process.umask(0o177);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    server.once('error', reject);
    server.listen(path, () => resolve(undefined));
    await promise;
  } finally {
    process.umask(former);
  }
  chmodSync(path, 0o600);
  return {
    [Symbol.dispose]: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
