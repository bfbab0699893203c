/** What a copy's disk can still take of the volume. */
import type { Room } from '../fuse/index.ts';
import { filesystemStatistics } from '../sys/file.ts';
import type { FilesystemStatistics } from '../sys/file.ts';

export type { Room };

/** As many as nobody counts: a file system that makes inodes as they are needed. */
export const uncounted = Number.MAX_SAFE_INTEGER;

/**
 * Kept for what is not counted: the record, the growth of directories, metadata that the other file system did not need, and what other volumes on the same disk have under way
 * (each at most its window, `primary-requests.ts`).
 */
const reserveBytesMax = 64 * 1024 * 1024;
const reserveBytesMin = 4 * 1024 * 1024;
const reserveNamesMax = 1024;

/** Root's own reserve is no room: a copy is written without that right. */
export function roomIn(found: FilesystemStatistics): Room | null {
  const { blocks, blocksAvailable, fragmentSize, files, filesFree } = found;
  if (blocks === 0) return null;
  const totalBytes = Math.min(uncounted, blocks * fragmentSize);
  // Where more is used than may be, some file systems count below nothing.
  const freeBytes = blocksAvailable > blocks ? 0 : Math.min(uncounted, blocksAvailable * fragmentSize);
  const reserveBytes = Math.min(reserveBytesMax, Math.max(reserveBytesMin, Math.floor(totalBytes / 100)));
  const reserveNames = Math.min(reserveNamesMax, Math.floor(files / 100));
  return {
    bytes: Math.max(0, freeBytes - reserveBytes),
    names: files === 0 ? uncounted : Math.min(uncounted, Math.max(0, filesFree - reserveNames)),
    totalBytes,
    totalNames: files === 0 ? uncounted : Math.min(uncounted, files),
  };
}

/** Null: the file system does not say. */
export function roomOf(directoryFd: number): Room | null {
  const found = filesystemStatistics(directoryFd);
  return typeof found === 'number' ? null : roomIn(found);
}
