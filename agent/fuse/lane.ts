/** The plain loop of one mounted directory without a peer, with blocking calls: read, handle, answer. For a worker thread. */
import { becomeIoFlusher, Memory, ThreadIdentity } from '../sys/linux.ts';
import { openBacking } from './backing.ts';
import type { ChangeSink } from './change-sink.ts';
import type { CacheMode } from './codec.ts';
import { isTransient, readRequest, writeReply } from './device.ts';
import { Filesystem } from './filesystem.ts';
import { requestBytesMax } from './protocol.ts';

export interface FilesystemLaneOptions {
  readonly deviceFd: number;
  /** Open on the directory below the mount. */
  readonly directoryFd: number;
  readonly cache: CacheMode;
  readonly sink: ChangeSink;
}

/**
 * Serves until the mount is gone. A sink that answers `changesAllowed` with false or parks must answer those requests itself: this loop keeps
 * deferred ones only until the next request arrives.
 */
export function runFilesystemLane(options: FilesystemLaneOptions): void {
  // Before the right to it is given away. Refused on kernels before 5.6; then memory pressure is only less well handled.
  becomeIoFlusher();
  const identity = ThreadIdentity.enter();
  const backing = openBacking(options.directoryFd, { idsAreGiven: false });
  const filesystem = new Filesystem({ backing, sink: options.sink, cache: options.cache, identity });
  const request = new Memory(requestBytesMax);
  let deferred: Memory[] = [];
  const serve = (memory: Memory, length: number): void => {
    const outcome = filesystem.handle(memory, length);
    if (outcome === 'deferred') deferred.push(Memory.copyOf(memory.bytes.subarray(0, length)));
    else if (outcome === 'reply' || outcome === 'destroyed')
      writeReply(options.deviceFd, filesystem.reply, filesystem.replyLength);
  };
  for (;;) {
    const length = readRequest(options.deviceFd, request);
    if (length < 0 && !isTransient(length)) break;
    if (length <= 0) continue;
    const waiting = deferred;
    deferred = [];
    for (const copy of waiting) serve(copy, copy.bytes.readUInt32LE(0));
    serve(request, length);
  }
  backing.close();
}
