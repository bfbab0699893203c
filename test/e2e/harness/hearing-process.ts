/** `hearing-process.ts PORT`, in the client's network namespace: who says his name on connections that others open. One JSON line per name heard. */
import net from 'node:net';
import { nowMs } from './clock.ts';

const server = net.createServer((socket) => {
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    const name = data.toString().split('\n')[0] ?? '';
    process.stdout.write(`${JSON.stringify({ name, atMs: nowMs() })}\n`);
  });
});
server.listen(Number(process.argv[2]), '0.0.0.0', () => process.stdout.write('{"name":"","atMs":0}\n'));
process.stdin.resume().on('end', () => process.exit(0));
