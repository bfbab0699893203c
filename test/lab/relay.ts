/**
 * `relay.ts LAB-ID HOST PORT`, already inside the client's network namespace: stdin and stdout become a TCP connection.
 * The ProxyCommand of the lab; bare machines have no netcat.
 */
import { connect } from 'node:net';
import { groupFiles, joinGroup } from './cgroups.ts';

const [labId, host, port] = process.argv.slice(2);
if (labId === undefined || host === undefined) throw new Error('usage: relay.ts LAB-ID HOST PORT');
// Joins, never creates: a group made while the lab goes down would outlive it.
joinGroup(groupFiles(labId, 'client'));

const socket = connect({ host, port: Number(port), noDelay: true });
socket.once('error', (error) => {
  process.stderr.write(`lab: ${host}:${String(port)}: ${error.message}\n`);
  process.exit(1);
});
process.stdin.pipe(socket);
// Without its ssh the connection has no purpose, and a frozen host would never close it.
process.stdin.once('end', () => setTimeout(() => process.exit(0), 500));
socket.pipe(process.stdout);
socket.once('close', () => process.exit(0));
