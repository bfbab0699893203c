/**
 * `relay.ts LAB-ID HOST PORT`, already inside the client's network namespace: stdin and stdout become a TCP connection.
 * The ProxyCommand of the lab; bare machines have no netcat.
 */
import { connect } from 'node:net';
import { joinGroup, makeGroup } from './cgroups.ts';

const [labId, host, port] = process.argv.slice(2);
if (labId === undefined || host === undefined) throw new Error('usage: relay.ts LAB-ID HOST PORT');
joinGroup(makeGroup(labId, 'client'));

const socket = connect({ host, port: Number(port), noDelay: true });
socket.once('error', (error) => {
  process.stderr.write(`lab: ${host}:${String(port)}: ${error.message}\n`);
  process.exit(1);
});
process.stdin.pipe(socket);
socket.pipe(process.stdout);
socket.once('close', () => process.exit(0));
