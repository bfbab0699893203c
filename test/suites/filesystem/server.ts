/** Serves one directory over itself, without a peer, until it is unmounted: `node server.ts PATH writeback|none`. Prints `mounted`. */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { mountDevice, openBackingDirectory, passthroughSink, runFilesystemLane } from '../../../agent/fuse/index.ts';
import type { CacheMode } from '../../../agent/fuse/index.ts';
import { installDeath, watchWorker } from '../../../agent/sys/linux.ts';

interface LaneData {
  readonly deviceFd: number;
  readonly directoryFd: number;
  readonly cache: CacheMode;
}

if (isMainThread) {
  installDeath('server');
  const [path, cache] = process.argv.slice(2);
  if (path === undefined || (cache !== 'writeback' && cache !== 'none')) throw new Error('PATH writeback|none');
  const directoryFd = openBackingDirectory(path);
  const { deviceFd } = mountDevice({ path });
  const data: LaneData = { deviceFd, directoryFd, cache };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  watchWorker(worker, 'lane', () => true);
  worker.on('exit', (code) => process.exit(code));
  console.log('mounted');
} else {
  installDeath('lane');
  runFilesystemLane({ ...(workerData as LaneData), sink: passthroughSink });
}
