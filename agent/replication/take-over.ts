/** Whether the mount that a predecessor has left is the one that its descriptors lead to, and was left in a state that can be gone on from. */
import { canonicalPath, connectionAt, isCovered, KeptMemory, openBackingDirectory } from '../fuse/index.ts';
import type { CacheMode } from '../fuse/index.ts';
import { close, handleOf } from '../sys/linux.ts';
import type { KeptMount } from './kept-mount.ts';
import type { VolumeConfiguration } from './volume.ts';
import type { TakenMount } from './volume-lanes.ts';

const itself = Buffer.alloc(0);

function refuse(reason: string): never {
  throw new Error(reason);
}

/** The same object; a directory may have been replaced while nobody looked. */
function isSame(path: string, fd: number): boolean {
  const found = openBackingDirectory(path);
  const [one, other] = [handleOf(found, itself), handleOf(fd, itself)];
  close(found);
  return typeof one !== 'number' && typeof other !== 'number' && one.equals(other);
}

/** Throws an Error that says why not. From here on it counts as tried. */
export function takeMount(
  volume: Pick<VolumeConfiguration, 'id' | 'path' | 'volumeUuid' | 'acknowledge'>,
  mount: KeptMount,
): TakenMount & { readonly cache: CacheMode } {
  const path = canonicalPath(volume.path);
  const memory = new KeptMemory(mount.memory);
  try {
    const reason = memory.refusal({ volumeUuid: volume.volumeUuid, volume: volume.id, path });
    if (reason !== null) refuse(reason);
    const { connection, cache } = memory;
    if (volume.acknowledge === 'write-through' && cache === 'writeback')
      refuse('its kernel keeps writes back, which its level does not allow any more');
    if (connectionAt(path) !== connection) refuse('its mount is gone');
    if (!isCovered(path)) refuse('the directory was not covered');
    if (!isSame(path, mount.directory)) refuse('another directory stands below');
    memory.askedFd = mount.directory;
    memory.unaskedFd = mount.unasked;
    memory.countAdoption();
    return { device: { deviceFd: mount.device, connection }, memoryFd: mount.memory, cache };
  } finally {
    memory.close();
  }
}
