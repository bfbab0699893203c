/** Objects of JSON, one a line, over a unix socket: how QEMU and the agent in its guest speak. */
import net from 'node:net';
import { addAbortSignal } from 'node:stream';

/** More than QEMU says of a hundred disks. */
const lineCharactersMax = 1024 * 1024;
/** Nobody can be asked as long as the answer to somebody else would have to be understood. */
const linesMax = 10_000;

export type JsonObject = Readonly<Record<string, unknown>>;
/** `silent`: the time is over. `closed`: they hung up, or never were there (`found`: why). */
export type Refusal =
  | { readonly kind: 'silent' }
  | { readonly kind: 'closed'; readonly code: string }
  | { readonly kind: 'nonsense'; readonly said: string };
export type Said<T> = { readonly kind: 'said'; readonly value: T } | Refusal;

class Nonsense extends Error {}

async function* linesOf(socket: net.Socket): AsyncGenerator<string, undefined> {
  let rest = '';
  for await (const chunk of socket as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > lineCharactersMax) throw new Nonsense(rest);
    yield* lines.map((line) => line.trim()).filter((line) => line !== '');
  }
}

function objectOf(line: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}

export class JsonSocket {
  private readonly socket: net.Socket;
  private readonly lines: AsyncGenerator<string, undefined>;

  constructor(socket: net.Socket) {
    this.socket = socket;
    this.lines = linesOf(socket);
  }

  /** `before`: bytes that belong to no object. */
  send(object: JsonObject, before: Uint8Array = new Uint8Array()): void {
    this.socket.write(Buffer.concat([before, Buffer.from(`${JSON.stringify(object)}\n`)]));
  }

  /** The first object that is wanted. `lenient`: what makes no sense may have been meant for somebody else. */
  async receive(wanted: (object: JsonObject) => boolean, lenient = false): Promise<JsonObject> {
    for (let count = 0; count < linesMax; count += 1) {
      const { done, value } = await this.lines.next();
      if (done === true) throw Object.assign(new Error('closed'), { code: 'closed' });
      const object = objectOf(value);
      if (object === null && !lenient) throw new Nonsense(value);
      if (object !== null && wanted(object)) return object;
    }
    throw new Nonsense('too many lines');
  }
}

/** Ends by the signal at the latest, and leaves no connection behind. */
export async function converse<T>(
  path: string,
  signal: AbortSignal,
  talk: (socket: JsonSocket) => Promise<T>,
): Promise<Said<T>> {
  const isOver = (): boolean => signal.aborted;
  if (isOver()) return { kind: 'silent' };
  const socket = net.connect({ path });
  // One that breaks while nobody reads tells it at the next reading.
  socket.on('error', () => undefined);
  socket.setEncoding('utf8');
  addAbortSignal(signal, socket);
  try {
    return { kind: 'said', value: await talk(new JsonSocket(socket)) };
  } catch (error) {
    if (isOver()) return { kind: 'silent' };
    const { code, message } = error as NodeJS.ErrnoException;
    return code === undefined ? { kind: 'nonsense', said: message.slice(0, 100) } : { kind: 'closed', code };
  } finally {
    socket.destroy();
  }
}
