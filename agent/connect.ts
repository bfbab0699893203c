/** `holdfast connect`: the control socket on standard input and output, for an SSH channel. Bytes only, nothing is interpreted. */
import { pipeline } from 'node:stream/promises';
import { Fault } from './contract/index.ts';
import { connectUnix, controlSocket } from './runtime/index.ts';

/** The exit code. A fault is one JSON line on standard error. */
export async function connectMain(path: string = controlSocket): Promise<number> {
  try {
    const socket = await connectUnix(path);
    socket.on('close', () => process.exit(0));
    await Promise.all([pipeline(process.stdin, socket), pipeline(socket, process.stdout)]);
    return 0;
  } catch (error) {
    process.stderr.write(`${JSON.stringify(Fault.from(error).toRecord())}\n`);
    return 1;
  }
}
