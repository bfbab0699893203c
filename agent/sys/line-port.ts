/** Lines of text over unix sockets, for root alone: the carrier of the typed conversations between the processes of one node. */
import { chmodSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { LinePort } from '../contract/index.ts';
import { Fault, lineSplitter } from '../contract/index.ts';

function linePort(socket: Socket): LinePort {
  const lineListeners: ((line: string) => void)[] = [];
  const closeListeners: ((reason?: Error) => void)[] = [];
  let failure: Error | undefined;
  let closed = false;
  const split = lineSplitter((line) => {
    for (const listener of lineListeners) listener(line);
  });
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    try {
      split(chunk);
    } catch (error) {
      socket.destroy(Fault.from(error));
    }
  });
  socket.on('error', (error) => {
    failure = error;
  });
  socket.on('close', () => {
    closed = true;
    for (const listener of closeListeners) listener(failure);
  });
  return {
    send(line) {
      if (!closed) socket.write(`${line}\n`);
    },
    onLine(listener) {
      lineListeners.push(listener);
    },
    onClose(listener) {
      if (closed) listener(failure);
      else closeListeners.push(listener);
    },
    close() {
      socket.end();
    },
  };
}

async function connectSocket(path: string): Promise<Socket> {
  const socket = createConnection(path);
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  socket.once('connect', () => {
    resolve(undefined);
  });
  socket.once('error', reject);
  await promise;
  socket.removeListener('error', reject);
  return socket;
}

/** Throws Fault `not-running` when nobody listens there. */
export async function connectLines(path: string): Promise<LinePort> {
  try {
    return linePort(await connectSocket(path));
  } catch (error) {
    throw new Fault(
      'not-running',
      { message: `Nobody answers on ${path}.`, remedy: 'Look at the Holdfast services of this node.' },
      { path },
      error,
    );
  }
}

/** A socket file that nobody answers on is left over from a process that died: it is replaced. Throws Fault `already-running`. */
export async function listenLines(path: string, onPort: (port: LinePort) => void): Promise<Disposable> {
  const other = await connectSocket(path).catch(() => null);
  if (other) {
    other.destroy();
    throw new Fault('already-running', { message: `Another process answers on ${path} already.` }, { path });
  }
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    onPort(linePort(socket));
  });
  // Between `listen` and `chmod` the umask keeps others out.
  const umask = process.umask(0o177);
  try {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    server.once('error', reject);
    server.listen(path, () => {
      resolve(undefined);
    });
    await promise;
    chmodSync(path, 0o600);
  } finally {
    process.umask(umask);
  }
  return {
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
