import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { close } from './linux.ts';
import { connectTcp, describeConnection } from './socket.ts';

test('the kernel tells where a connection goes and how long its network takes', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fd = connectTcp('127.0.0.1', (server.address() as AddressInfo).port, 5000);
  try {
    expect(fd).toBeGreaterThan(0);
    const connection = describeConnection(fd);
    expect(connection?.address).toBe('127.0.0.1');
    expect(connection?.roundTripMs).toBeGreaterThan(0);
    expect(connection?.roundTripMs).toBeLessThan(1000);
  } finally {
    close(fd);
    server.close();
  }
});

test('what is no connection is nothing', () => {
  expect(describeConnection(0)).toBeNull();
});
