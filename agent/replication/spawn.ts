/** Starting and ending lanes: each is a worker with an inbox of its own. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { dieNow, makeEvent } from '../sys/linux.ts';
import { outbox } from './inbox.ts';
import type { Outbox } from './inbox.ts';
import type { LaneData } from './lane-data.ts';

/** From source: lane.ts beside this file. From the bundle: lane.mjs beside holdfast.mjs. */
const laneFile = new URL(import.meta.url.endsWith('.ts') ? './lane.ts' : './lane.mjs', import.meta.url);

/** Limits, so that what grows for ever ends. Those that keep nodes and marks have as much of them as docs/replication.md says. */
const heapMb = 64;
const heapWithNodesMb = 256;
/** Left to itself this grows to 64 MB in each thread that has once been busy. */
const youngHeapMb = 16;

/** A lane that fails takes the process with it; one that returns has been asked to. */
export function spawnLane(
  name: string,
  data: LaneData,
  ports: readonly MessagePort[],
  onMessage: (message: never) => void,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const worker = new Worker(laneFile, {
    workerData: data,
    transferList: [...ports],
    name,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    resourceLimits: {
      maxOldGenerationSizeMb: data.lane === 'primary' || data.lane === 'secondary' ? heapWithNodesMb : heapMb,
      maxYoungGenerationSizeMb: youngHeapMb,
    },
  });
  worker.on('message', (message: unknown) => {
    // From our own code, in the shape that the lane of this kind speaks.
    onMessage(message as never);
  });
  worker.on('error', (error) => dieNow(70, `${name}: ${error instanceof Error ? (error.stack ?? '') : String(error)}`));
  worker.on('exit', (code) => {
    if (code !== 0) dieNow(70, `${name}: ended with code ${code}`);
    resolve(undefined);
  });
  return promise;
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
