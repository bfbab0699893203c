/** The one entry of every worker thread of the replicator; bundled as lane.mjs. Dying comes first. */
import { parentPort, workerData } from 'node:worker_threads';
import { Fault, invariant } from '../contract/index.ts';
import { describeHolder, removeOrphans, unmountIfUnused } from '../fuse/index.ts';
import { becomeIoFlusher, dieNow, installDeath, sync, syncFilesystem } from '../sys/linux.ts';
import { makeAcknowledgementLane } from './acknowledgement-ports.ts';
import { ControlBlock } from './control-block.ts';
import { faultPoint } from './fault-point.ts';
import { Inbox } from './inbox.ts';
import type { LaneData, ListenerLaneData, PrimaryLaneData, UnmountData } from './lane-data.ts';
import type { FromListener, ToListener } from './lane-messages.ts';
import { Listener } from './listener.ts';
import { runLane } from './operations.ts';
import { makePrimaryLane } from './primary-ports.ts';
import { makeSecondaryLane } from './secondary-ports.ts';
import { SyncOffers } from './sync-pool.ts';

const data = workerData as LaneData;
installDeath(data.name);

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

function runPrimary(primary: PrimaryLaneData): void {
  const { lane, close } = makePrimaryLane(primary, tell);
  if (lane) runLane(lane.run(), faultPoint(primary.lane));
  close();
}

function run(): void {
  switch (data.lane) {
    case 'primary':
      runPrimary(data);
      return;
    case 'acknowledgement':
      runLane(makeAcknowledgementLane(data, tell).run(), faultPoint(data.lane));
      return;
    case 'secondary':
      removeOrphans(data.directoryFd);
      runLane(makeSecondaryLane(data, tell).run(), faultPoint(data.lane));
      return;
    case 'listener':
      runListener(data);
      return;
    case 'unmount':
      runUnmount(data);
      return;
    case 'sync':
      tell({ status: syncFilesystem(data.directoryFd) });
      return;
    case 'sync-helper':
      // Like the lane that waits for it: memory must not be sought in pages that only that lane could write.
      becomeIoFlusher();
      new SyncOffers(data.syncOffers).work(sync);
  }
}

invariant(parentPort !== null, 'a lane is a worker thread');
try {
  run();
} catch (error) {
  // Before any other code of this thread: what the lane left behind is not to be trusted.
  dieNow(70, `${data.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}
