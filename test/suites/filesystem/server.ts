/**
 * Serves one directory over itself until it is unmounted, and repeats every change in a second directory:
 * `node server.ts PATH writeback|none COPY`. Prints `mounted`.
 */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { mountDevice, openBackingDirectory, runFilesystemLane } from '../../../agent/fuse/index.ts';
import type { CacheMode } from '../../../agent/fuse/index.ts';
import { installDeath, watchWorker } from '../../../agent/sys/linux.ts';
import { MirrorSink } from './mirror-sink.ts';

interface LaneData {
  readonly deviceFd: number;
  readonly directoryFd: number;
  readonly copyFd: number;
  readonly cache: CacheMode;
}

if (isMainThread) {
  installDeath('server');
  const [path, cache, copy] = process.argv.slice(2);
  if (path === undefined || copy === undefined || (cache !== 'writeback' && cache !== 'none'))
    throw new Error('PATH writeback|none COPY');
  const directoryFd = openBackingDirectory(path);
  const copyFd = openBackingDirectory(copy);
  const { deviceFd } = mountDevice({ path, directoryFd });
  const data: LaneData = { deviceFd, directoryFd, copyFd, cache };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  watchWorker(worker, 'lane', () => true);
  worker.on('exit', (code) => process.exit(code));
  console.log('mounted');
} else {
  installDeath('lane');
  const { copyFd, ...data } = workerData as LaneData;
  runFilesystemLane({ ...data, sink: new MirrorSink(copyFd) });
}
