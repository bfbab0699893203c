/** The other end of `tls.ts`: `tls-peer.ts PORT BLOCKS [CERTIFICATE KEY PEER]`. Prints `listening`, then what it has used. */
import { Memory, POLL, Poll } from '../../agent/sys/linux.ts';
import { acceptTcp, listenTcp } from '../../agent/sys/socket.ts';
import { cpuMs, Line, plan } from './tls-line.ts';

const [port, blocks, certificateFile, keyFile, peerCertificateFile] = process.argv.slice(2);
const listener = listenTcp('127.0.0.1', Number(port));
if (listener < 0) throw new Error(`listen: ${listener}`);
console.log('listening');
new Poll([listener], POLL.IN).wait(10_000);
const guest = acceptTcp(listener);
if (typeof guest === 'number') throw new Error(`accept: ${guest}`);
const keys =
  certificateFile === undefined || keyFile === undefined || peerCertificateFile === undefined
    ? null
    : { certificateFile, keyFile, peerCertificateFile };
using line = new Line(guest.fd, 'server', keys);
const memory = new Memory(plan.blockBytes);
for (let round = 0; round < plan.rounds; round += 1) {
  line.receive(memory, plan.questionBytes);
  line.send(memory, plan.answerBytes);
}
const before = cpuMs();
for (let block = 0; block < Number(blocks); block += 1) line.receive(memory, plan.blockBytes);
line.send(memory, plan.answerBytes);
console.log(JSON.stringify({ cpuMs: cpuMs() - before }));
