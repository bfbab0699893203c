/**
 * `hearing-process.ts PORT`, in the client's network namespace: who says his name, on connections that others open and in datagrams. One JSON
 * line per name heard.
 */
import dgram from 'node:dgram';
import net from 'node:net';
import { nowMs } from './clock.ts';

const port = Number(process.argv[2]);
const hear = (data: Buffer): void => {
  const name = data.toString().split('\n')[0] ?? '';
  process.stdout.write(`${JSON.stringify({ name, atMs: nowMs() })}\n`);
};
dgram.createSocket('udp4', hear).bind(port);
const server = net.createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', hear);
});
server.listen(port, '0.0.0.0', () => process.stdout.write('{"name":"","atMs":0}\n'));
process.stdin.resume().on('end', () => process.exit(0));
