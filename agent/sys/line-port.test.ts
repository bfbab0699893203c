import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lineBytesMax } from '../contract/index.ts';
import type { LinePort } from '../contract/index.ts';
import { connectLines, listenLines } from './line-port.ts';

let directory: string;
let socket: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), 'holdfast-lines-'));
  socket = path.join(directory, 'test.sock');
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

function nextLine(port: LinePort): Promise<string> {
  return new Promise((resolve) => port.onLine(resolve));
}

test('lines arrive whole, in both directions, on a socket for root alone', async () => {
  using _server = await listenLines(socket, (port) => port.onLine((line) => port.send(`answer to ${line}`)));
  expect((await stat(socket)).mode & 0o777).toBe(0o600);
  const client = await connectLines(socket);
  const line = 'ü'.repeat(50_000);
  const answer = nextLine(client);
  client.send(line);
  expect(await answer).toBe(`answer to ${line}`);
  client.close();
});

test('an oversized line ends the connection', async () => {
  const closed = Promise.withResolvers<Error | undefined>();
  using _server = await listenLines(socket, (port) => port.onClose(closed.resolve));
  const client = await connectLines(socket);
  client.send('x'.repeat(lineBytesMax + 1_000_000));
  expect(await closed.promise).toMatchObject({ code: 'message-too-long' });
});

test('nobody there is a fault that says what to do; a leftover socket is replaced, a living one is not', async () => {
  await expect(connectLines(socket)).rejects.toMatchObject({ code: 'not-running' });
  await writeFile(socket, '');
  using _server = await listenLines(socket, () => undefined);
  await expect(listenLines(socket, () => undefined)).rejects.toMatchObject({ code: 'already-running' });
});
