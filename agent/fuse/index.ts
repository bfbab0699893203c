/**
 * The primary's filesystem and the access to what lies below it. Replication imports only this file.
 *
 * To come in the same shape:
 * - `openBackingDirectory(path: string): number` (supervisor: private detached clone; throws Fault) and
 *   `openBacking(directoryFd: number, options: { allocatesIds: boolean }): Backing`; descriptors are numbers that every thread can use.
 * - `mountDevice({ path, volume, deviceFd? }): MountedDevice { deviceFd, connection }`, `readRequest(deviceFd, memory): number` (bytes or
 *   -errno: -ENODEV unmounted, -ENOENT/-EINTR/-EAGAIN: again), `writeReply(deviceFd, memory, length): Errno`,
 *   `abortConnection(connection)`, `unmount(path)`.
 * - `new Filesystem({ backing, sink, cache })` with `handle(request: Memory, length: number): Outcome`,
 *   Outcome = 'reply' (send `filesystem.reply.bytes[0, filesystem.replyLength)`) | 'none' | 'deferred' (keep `Memory.copyOf(...)`, call handle again
 *   later) | 'parked' (the sink answers later) | 'destroyed'.
 * - `emptyReply(memory, unique, errno)`: the 16 bytes that answer a parked request.
 */
export type { ChangeSink, Sequence } from './change-sink.ts';
export { passthroughSink } from './change-sink.ts';
export type { Name, Node, NodeId } from './node-table.ts';
export { rootId } from './node-table.ts';
export type { Backing, DirectoryEntry, Errno } from './backing.ts';
