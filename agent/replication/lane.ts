/** The one entry of every worker thread of the replicator; bundled as lane.mjs. Dying comes first. */
import { parentPort, workerData } from 'node:worker_threads';
import { Fault, invariant } from '../contract/index.ts';
import { describeHolder, removeOrphans, unmountIfUnused } from '../fuse/index.ts';
import { dieNow, installDeath, syncFilesystem } from '../sys/linux.ts';
import { makeAcknowledgementLane } from './acknowledgement-ports.ts';
import { ControlBlock } from './control-block.ts';
import { faultPoint } from './fault-point.ts';
import { Inbox } from './inbox.ts';
import type {
  AcknowledgementLaneData,
  LaneData,
  ListenerLaneData,
  PrimaryLaneData,
  SecondaryLaneData,
  SharedData,
  ToShared,
  UnmountData,
} from './lane-data.ts';
import { LaneThread } from './lane-thread.ts';
import type { FromListener, ToListener } from './lane-messages.ts';
import { Listener } from './listener.ts';
import { runLane } from './operations.ts';
import type { Lane } from './operations.ts';
import { makePrimaryLane } from './primary-ports.ts';
import { makeSecondaryLane } from './secondary-ports.ts';

/** Of the slabs that small buffers are pieces of: one that is kept, a name or a handle, keeps all of its slab. Left to itself Node makes them of 64 KiB. */
Buffer.poolSize = 8 * 1024;

const data = workerData as LaneData | SharedData;
installDeath(data.name);
/** Whose failure it is, where several run. */
let nameOfRunning = (): string => data.name;

function tell(message: unknown): void {
  parentPort?.postMessage(message);
}

function runListener(listener: ListenerLaneData): void {
  const inbox = new Inbox<ToListener>([listener.inbox], listener.wakeFd);
  new Listener(inbox, new ControlBlock(listener.control), (message: FromListener) => {
    tell(message);
  }).run();
}

function runUnmount({ path }: UnmountData): void {
  try {
    tell({ holders: unmountIfUnused(path).map(describeHolder) });
  } catch (error) {
    tell({ fault: Fault.from(error).toRecord() });
  }
}

type VolumeLaneData = PrimaryLaneData | AcknowledgementLaneData | SecondaryLaneData;

/** `lane` null: there is nothing to run. */
function makeLane(
  volume: VolumeLaneData,
  told: (message: unknown) => void,
): { readonly lane: { run(): Lane } | null; readonly close: () => void } {
  switch (volume.lane) {
    case 'primary':
      return makePrimaryLane(volume, told);
    case 'acknowledgement':
      return { lane: makeAcknowledgementLane(volume, told), close: () => undefined };
    case 'secondary':
      removeOrphans(volume.directoryFd);
      return makeSecondaryLane(volume, told);
  }
}

/** A thread that goes on would keep them. */
function closePorts(volume: VolumeLaneData): void {
  volume.inbox.close();
  if (volume.lane === 'primary') volume.link.close();
  if (volume.lane === 'acknowledgement') volume.primary.close();
}

function beginShared(thread: LaneThread, number: number, volume: LaneData): void {
  thread.current = volume.name;
  invariant('inbox' in volume && volume.lane !== 'listener', 'only lanes of volumes share a thread');
  const { lane, close } = makeLane(volume, (message) => {
    tell({ type: 'said', number, message });
  });
  const ended = (): void => {
    close();
    closePorts(volume);
    tell({ type: 'ended', number });
  };
  if (lane) thread.begin({ name: volume.name, lane: lane.run(), halt: faultPoint(volume.lane), ended });
  else ended();
}

function runShared(shared: SharedData): void {
  const inbox = new Inbox<ToShared>([shared.inbox], shared.wakeFd);
  const thread = new LaneThread(shared.wakeFd, () => {
    inbox.woken();
  });
  nameOfRunning = () => thread.current;
  for (;;) {
    for (let message = inbox.receive(); message !== null; message = inbox.receive()) {
      if (message.type === 'end') return;
      beginShared(thread, message.number, message.data);
    }
    thread.round();
  }
}

function run(): void {
  switch (data.lane) {
    case 'shared':
      runShared(data);
      return;
    case 'primary':
    case 'acknowledgement':
    case 'secondary': {
      const { lane, close } = makeLane(data, tell);
      if (lane) runLane(lane.run(), faultPoint(data.lane));
      close();
      return;
    }
    case 'listener':
      runListener(data);
      return;
    case 'unmount':
      runUnmount(data);
      return;
    case 'sync':
      tell({ status: syncFilesystem(data.directoryFd) });
  }
}

invariant(parentPort !== null, 'a lane is a worker thread');
try {
  run();
} catch (error) {
  // Before any other code of this thread: what the lane left behind is not to be trusted.
  dieNow(70, `${nameOfRunning()}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}
