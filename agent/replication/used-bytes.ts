import { filesystemStatistics } from '../sys/file.ts';

export interface Used {
  readonly bytes: number;
  /** Inodes; 0 where a filesystem does not count them. */
  readonly objects: number;
}

/**
 * An upper bound of what a replicated directory takes on its disk, without looking at a single file: what is used on its filesystem, by whatever. Null: the
 * filesystem does not say.
 */
export function usedOf(directoryFd: number): Used | null {
  const found = filesystemStatistics(directoryFd);
  if (typeof found === 'number' || found.blocks === 0) return null;
  const { blocks, blocksFree, fragmentSize, files, filesFree } = found;
  return { bytes: (blocks - blocksFree) * fragmentSize, objects: Math.max(0, files - filesFree) };
}
