/** `holdfast connect`: the control socket on standard input and output, for an SSH channel. Bytes only, nothing is interpreted. */
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { Fault } from './contract/index.ts';
import { controlSocket } from './runtime/places.ts';

/** The exit code. A fault is one JSON line on standard error. */
export async function connectMain(path: string = controlSocket): Promise<number> {
  try {
    const socket = createConnection(path);
    await once(socket, 'connect');
    socket.on('close', () => process.exit(0));
    await Promise.all([pipeline(process.stdin, socket), pipeline(socket, process.stdout)]);
    return 0;
  } catch (error) {
    const fault = new Fault(
      'agent-down',
      {
        message: `The agent of this server does not answer on ${path} (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`,
        remedy: 'Look at the service: systemctl status holdfastd, journalctl -u holdfastd.',
      },
      { path },
    );
    process.stderr.write(`${JSON.stringify(fault.toRecord())}\n`);
    return 1;
  }
}
