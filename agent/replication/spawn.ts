/** Starting and ending lanes: each runs in a worker, its own or one that it shares, with an inbox of its own. */
import { fstatSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { dieNow, makeEvent } from '../sys/linux.ts';
import { outbox } from './inbox.ts';
import type { Outbox } from './inbox.ts';
import type { FromShared, LaneData, SharedData, ToShared } from './lane-data.ts';
import { LanePool, ownThreadsMax } from './lane-pool.ts';
import type { SharedThread } from './lane-pool.ts';

/** From source: lane.ts beside this file. From the bundle: lane.mjs beside holdfast.mjs. */
const laneFile = new URL(import.meta.url.endsWith('.ts') ? './lane.ts' : './lane.mjs', import.meta.url);

/** Limits, so that what grows for ever ends. Those that keep nodes and marks have as much of them as docs/replication.md says. */
const heapMb = 64;
const heapWithNodesMb = 256;
/** What those that share may have together: two dozen of them that each have all of it. */
const sharedHeapMb = 24 * heapWithNodesMb;
/** Left to itself this grows to 64 MB in each thread that has once been busy. */
const youngHeapMb = 8;

const sharedThreadsAtLeast = 2;
const sharedThreadsAtMost = 4;

function heapOf({ lane }: LaneData | SharedData): number {
  if (lane === 'shared') return sharedHeapMb;
  return lane === 'primary' || lane === 'secondary' ? heapWithNodesMb : heapMb;
}

/** A lane that fails takes the process with it; one that returns has been asked to. */
function startWorker(
  name: string,
  data: LaneData | SharedData,
  ports: readonly MessagePort[],
  onMessage: (message: unknown) => void,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const worker = new Worker(laneFile, {
    workerData: data,
    transferList: [...ports],
    name,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: { maxOldGenerationSizeMb: heapOf(data), maxYoungGenerationSizeMb: youngHeapMb },
  });
  worker.on('message', onMessage);
  worker.on('error', (error) => dieNow(70, `${name}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`));
  worker.on('exit', (code) => {
    if (code !== 0) dieNow(70, `${name}: ended with code ${code}`);
    resolve(undefined);
  });
  return promise;
}

/** A worker for several lanes, until it is told that its last one has ended. */
class SharedWorker implements SharedThread {
  lanes = 0;
  readonly #inbox = makeInbox<ToShared>();
  readonly #guests = new Map<number, { readonly onMessage: (message: never) => void; readonly ended: () => void }>();
  #lastNumber = 0;

  constructor(name: string) {
    const { port, wakeFd } = this.#inbox;
    const ended = startWorker(name, { lane: 'shared', name, inbox: port, wakeFd }, [port], (message) => {
      this.#hear(message as FromShared);
    });
    void ended.then(() => {
      closeInbox(this.#inbox);
    });
  }

  #hear(heard: FromShared): void {
    const guest = this.#guests.get(heard.number);
    if (heard.type === 'said') {
      // From our own code, in the shape that the lane of this kind speaks.
      guest?.onMessage(heard.message as never);
      return;
    }
    this.#guests.delete(heard.number);
    guest?.ended();
  }

  begin(data: LaneData, ports: readonly MessagePort[], onMessage: (message: never) => void): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const number = ++this.#lastNumber;
    this.#guests.set(number, {
      onMessage,
      ended: () => {
        resolve(undefined);
      },
    });
    this.#inbox.outbox.post({ type: 'begin', number, data }, ports);
    return promise;
  }

  end(): void {
    this.#inbox.outbox.post({ type: 'end' });
  }
}

function filesystemOf(directoryFd: number): number | null {
  try {
    return fstatSync(directoryFd).dev;
  } catch {
    return null;
  }
}

const pool = new LanePool<SharedWorker>(
  {
    // A test has few volumes, and wants them to share.
    ownThreadsMax: Number(process.env['HOLDFAST_OWN_LANES'] ?? ownThreadsMax),
    sharedThreadsMax: Math.min(sharedThreadsAtMost, Math.max(sharedThreadsAtLeast, availableParallelism())),
  },
  filesystemOf,
);

/** Resolves when the lane has ended. */
export async function spawnLane(
  name: string,
  data: LaneData,
  ports: readonly MessagePort[],
  onMessage: (message: never) => void,
): Promise<void> {
  const shared = pool.place(data, (sharing) => new SharedWorker(`shared ${sharing}`));
  if (shared) await shared.begin(data, ports, onMessage);
  // From our own code, in the shape that the lane of this kind speaks.
  else await startWorker(name, data, ports, onMessage as (message: unknown) => void);
  pool.ended(data, shared);
}

/** The two ends of an inbox: ours to post to, the lane's to transfer. */
export function makeInbox<To>(): { readonly outbox: Outbox<To>; readonly port: MessagePort; readonly wakeFd: number } {
  const { port1, port2 } = new MessageChannel();
  const wakeFd = makeEvent();
  port1.unref();
  return { outbox: outbox(port1, wakeFd), port: port2, wakeFd };
}

export function closeInbox(inbox: { readonly outbox: Outbox<never> }): void {
  inbox.outbox.close();
}
