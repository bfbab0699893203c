import { filesystemStatistics } from '../sys/file.ts';

/**
 * An upper bound of what a replicated directory takes on its disk, without looking at a single file: what is used on its filesystem, by whatever. Null: the
 * filesystem does not say.
 */
export function usedBytesOf(directoryFd: number): number | null {
  const found = filesystemStatistics(directoryFd);
  if (typeof found === 'number' || found.blocks === 0) return null;
  return (found.blocks - found.blocksFree) * found.fragmentSize;
}
