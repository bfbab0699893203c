/**
 * One mechanism for every typed conversation: app ↔ agent (over SSH), renderer ↔ main, holdfastd ↔ replicator.
 * An interface is a table of methods and of events, each with its schema; client and server are made from that table and
 * any port that carries lines of text. Both directions are validated: a peer that speaks garbage gets a fault, not trust.
 */
import * as z from 'zod';
import { Fault, faultRecordSchema } from './fault.ts';
import { compatible, helloSchema, protocolMagic, protocolVersion } from './protocol.ts';

export interface MethodSchema {
  readonly params: z.ZodType;
  readonly result: z.ZodType;
}
export interface RpcInterface {
  readonly name: string;
  readonly methods: Readonly<Record<string, MethodSchema>>;
  /** Pushed by the server without being asked; clients subscribe by having a listener. */
  readonly events: Readonly<Record<string, z.ZodType>>;
}
export function defineInterface<const I extends RpcInterface>(definition: I): I {
  return definition;
}

export type Params<I extends RpcInterface, M extends keyof I['methods']> = z.input<I['methods'][M]['params']>;
export type Result<I extends RpcInterface, M extends keyof I['methods']> = z.output<I['methods'][M]['result']>;
export type EventOf<I extends RpcInterface, E extends keyof I['events']> = z.output<I['events'][E]>;
export type EventInput<I extends RpcInterface, E extends keyof I['events']> = z.input<I['events'][E]>;

export type Handlers<I extends RpcInterface> = {
  readonly [M in keyof I['methods']]: (
    params: z.output<I['methods'][M]['params']>,
    signal: AbortSignal,
  ) => Promise<z.input<I['methods'][M]['result']>>;
};

/** Whatever carries whole lines both ways: a socket, an SSH channel, a WebSocket, a MessagePort. */
export interface LinePort {
  send(line: string): void;
  onLine(listener: (line: string) => void): void;
  /** Called once, with the reason when there is one. */
  onClose(listener: (reason?: Error) => void): void;
  close(): void;
}

/** A longer line is refused before it is parsed. */
export const lineBytesMax = 4 * 1024 * 1024;

const requestSchema = z.object({ id: z.number().int(), method: z.string(), params: z.unknown() });
const cancelSchema = z.object({ cancel: z.number().int() });
const resultSchema = z.object({ id: z.number().int(), result: z.unknown() });
const faultSchema = z.object({ id: z.number().int(), fault: faultRecordSchema });
const eventSchema = z.object({ event: z.string(), data: z.unknown() });
const fromClientSchema = z.union([requestSchema, cancelSchema]);
const fromServerSchema = z.union([faultSchema, resultSchema, eventSchema]);

function parseLine<T>(schema: z.ZodType<T>, line: string): T {
  if (line.length > lineBytesMax)
    throw new Fault('message-too-long', { message: 'The other side sent an oversized message.' });
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    throw new Fault('not-holdfast', {
      message: 'The other side does not speak the Holdfast protocol.',
      remedy: 'Check that the agent is installed and that the login shell prints nothing of its own.',
    });
  }
  const parsed = schema.safeParse(json);
  if (!parsed.success)
    throw new Fault('message-invalid', {
      message: `The other side sent a message of another shape: ${z.prettifyError(parsed.error)}`,
    });
  return parsed.data;
}

function helloLine(interfaceName: string, programVersion: string): string {
  return JSON.stringify({ magic: protocolMagic, interfaceName, ...protocolVersion, programVersion });
}

function checkHello(line: string, interfaceName: string): z.infer<typeof helloSchema> {
  const hello = parseLine(helloSchema, line);
  if (hello.interfaceName !== interfaceName) {
    throw new Fault('wrong-interface', {
      message: `Expected ${interfaceName}, the other side offers ${hello.interfaceName}.`,
    });
  }
  if (!compatible(hello)) {
    throw new Fault(
      'version-skew',
      {
        message: `The other side runs Holdfast ${hello.programVersion} (protocol ${String(hello.major)}.${String(hello.minor)}), this side speaks ${String(protocolVersion.major)}.${String(protocolVersion.minor)}.`,
        remedy: 'Apply the configuration again with this version: it brings both servers to the same one.',
      },
      { theirs: hello.programVersion },
    );
  }
  return hello;
}

export interface RpcClient<I extends RpcInterface> {
  /** Resolves when the other side has said hello. Faults: version-skew, not-holdfast, connection-lost. */
  readonly ready: Promise<{ programVersion: string }>;
  call<M extends keyof I['methods'] & string>(
    method: M,
    params: Params<I, M>,
    signal?: AbortSignal,
  ): Promise<Result<I, M>>;
  on<E extends keyof I['events'] & string>(event: E, listener: (data: EventOf<I, E>) => void): () => void;
  onClose(listener: (reason?: Error) => void): void;
  close(): void;
}

export function createClient<I extends RpcInterface>(
  definition: I,
  port: LinePort,
  programVersion: string,
): RpcClient<I> {
  interface Waiting {
    readonly method: string;
    readonly resolve: (value: never) => void;
    readonly reject: (error: Error) => void;
  }
  const waiting = new Map<number, Waiting>();
  const listeners = new Map<string, Set<(data: never) => void>>();
  const closeListeners: ((reason?: Error) => void)[] = [];
  let nextId = 1;
  let closed: Error | undefined;
  let hello = false;
  const ready = Promise.withResolvers<{ programVersion: string }>();
  ready.promise.catch(() => undefined);

  function fail(error: Error): void {
    if (closed) return;
    closed = error;
    ready.reject(error);
    for (const one of waiting.values()) one.reject(error);
    waiting.clear();
    for (const listener of closeListeners) listener(error);
  }
  port.onClose((reason) => {
    fail(
      reason instanceof Fault
        ? reason
        : new Fault('connection-lost', { message: 'The connection was lost.' }, {}, reason),
    );
  });
  function receive(line: string): void {
    if (!hello) {
      ready.resolve({ programVersion: checkHello(line, definition.name).programVersion });
      hello = true;
      return;
    }
    const message = parseLine(fromServerSchema, line);
    if ('event' in message) {
      const schema = definition.events[message.event];
      if (!schema) return; // a newer server may know more events
      const data = schema.parse(message.data) as never;
      for (const listener of listeners.get(message.event) ?? []) listener(data);
      return;
    }
    const one = waiting.get(message.id);
    if (!one) return;
    waiting.delete(message.id);
    if ('fault' in message) {
      one.reject(Fault.fromRecord(message.fault));
      return;
    }
    const parsed = definition.methods[one.method]?.result.safeParse(message.result);
    if (parsed?.success) one.resolve(parsed.data as never);
    else
      one.reject(
        new Fault('message-invalid', { message: `The answer to ${one.method} has another shape than expected.` }),
      );
  }
  port.onLine((line) => {
    if (closed) return;
    try {
      receive(line);
    } catch (error) {
      fail(Fault.from(error));
      port.close();
    }
  });
  port.send(helloLine(definition.name, programVersion));

  return {
    ready: ready.promise,
    async call(method, params, signal) {
      await ready.promise;
      signal?.throwIfAborted();
      if (closed) throw closed;
      const id = nextId++;
      const { promise, resolve, reject } = Promise.withResolvers<never>();
      waiting.set(id, { method, resolve, reject });
      const abort = (): void => {
        if (!waiting.delete(id)) return;
        port.send(JSON.stringify({ cancel: id }));
        reject(signal?.reason instanceof Error ? signal.reason : new Fault('aborted', { message: 'Cancelled.' }));
      };
      signal?.addEventListener('abort', abort, { once: true });
      port.send(JSON.stringify({ id, method, params }));
      try {
        return await promise;
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    },
    on(event, listener) {
      const set = listeners.get(event) ?? new Set();
      listeners.set(event, set);
      set.add(listener);
      return () => set.delete(listener);
    },
    onClose(listener) {
      closeListeners.push(listener);
    },
    close() {
      fail(new Fault('connection-closed', { message: 'The connection was closed.' }));
      port.close();
    },
  };
}

export interface RpcServer<I extends RpcInterface> {
  emit<E extends keyof I['events'] & string>(event: E, data: z.input<I['events'][E]>): void;
  close(): void;
}

/** Serves one connection. A handler's Fault travels as it is; any other error becomes `internal` with its message. */
export function serve<I extends RpcInterface>(
  definition: I,
  handlers: Handlers<I>,
  port: LinePort,
  programVersion: string,
): RpcServer<I> {
  const running = new Map<number, AbortController>();
  let hello = false;
  let open = true;
  port.onClose(() => {
    open = false;
    for (const controller of running.values())
      controller.abort(new Fault('connection-lost', { message: 'The caller went away.' }));
  });
  const send = (message: unknown): void => {
    if (open) port.send(JSON.stringify(message));
  };
  async function answer(id: number, method: string, params: unknown): Promise<void> {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const schema = Object.hasOwn(definition.methods, method) ? definition.methods[method] : undefined;
      const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
      if (!schema || !handler)
        throw new Fault('unknown-method', {
          message: `This version does not know ${method}.`,
          remedy: 'Bring both sides to the same version.',
        });
      const parsed = schema.params.safeParse(params);
      if (!parsed.success) throw new Fault('bad-parameters', { message: z.prettifyError(parsed.error) });
      send({ id, result: (await handler(parsed.data as never, controller.signal)) ?? null });
    } catch (error) {
      send({ id, fault: Fault.from(error).toRecord() });
    } finally {
      running.delete(id);
    }
  }
  port.onLine((line) => {
    try {
      if (!hello) {
        checkHello(line, definition.name);
        hello = true;
        return;
      }
      const message = parseLine(fromClientSchema, line);
      if ('cancel' in message)
        running.get(message.cancel)?.abort(new Fault('aborted', { message: 'Cancelled by the caller.' }));
      else void answer(message.id, message.method, message.params);
    } catch (error) {
      send({ id: 0, fault: Fault.from(error).toRecord() });
      port.close();
    }
  });
  send(JSON.parse(helloLine(definition.name, programVersion)));
  return {
    emit(event, data) {
      send({ event, data });
    },
    close() {
      port.close();
    },
  };
}

/** Cuts a stream of text into lines; one per connection. Throws `message-too-long` past `lineBytesMax`. */
export function lineSplitter(listener: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    rest += chunk;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      const line = rest.slice(0, end);
      rest = rest.slice(end + 1);
      if (line.length > 0) listener(line);
    }
    if (rest.length > lineBytesMax)
      throw new Fault('message-too-long', { message: 'The other side sent an oversized message.' });
  };
}
