/** A stream as the port of an RPC conversation. */
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { Fault } from '../../agent/contract/fault.ts';
import { lineSplitter, type LinePort } from '../../agent/contract/rpc.ts';

export function linePort(stream: Duplex): LinePort {
  const decoder = new StringDecoder('utf8');
  let closed = false;
  let why: Error | undefined;
  return {
    send(line) {
      if (!closed) stream.write(`${line}\n`);
    },
    onLine(listener) {
      const split = lineSplitter(listener);
      stream.on('data', (chunk: Buffer) => {
        try {
          split(decoder.write(chunk));
        } catch (error) {
          stream.destroy(Fault.from(error));
        }
      });
      stream.resume();
    },
    onClose(listener) {
      stream.on('error', (error: Error) => {
        why = error;
      });
      stream.once('close', () => {
        closed = true;
        listener(why);
      });
      // The other side has said all: a conversation has no use for half a connection.
      stream.once('end', () => stream.destroy());
    },
    close() {
      stream.end();
      stream.destroy();
    },
  };
}
