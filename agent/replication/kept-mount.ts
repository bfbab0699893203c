/**
 * What the service manager holds of each mount while no replicator is there: the FUSE connection, which would end with its last descriptor; the directory below, through
 * which the kernel still tells of errors that nobody has heard; the same directory, opened once more and not asked, for a successor of one that was killed while it asked; and the memory that says where the predecessor ended.
 */
import { createHash } from 'node:crypto';
import { close, forgetDescriptor, storeDescriptor } from '../sys/linux.ts';

const parts = ['device', 'directory', 'unasked', 'memory'] as const;

export type KeptMount = Readonly<Record<(typeof parts)[number], number>>;

/** Names in the store may not be what volumes may be called. */
function nameOf(volume: string, part: string): string {
  return `${createHash('sha256').update(volume).digest('hex').slice(0, 32)}.${part}`;
}

/** False: nobody holds descriptors here, or not all of them could be given away. */
export function storeMount(volume: string, mount: KeptMount): boolean {
  return parts.every((part) => storeDescriptor(nameOf(volume, part), mount[part]) === 0);
}

export function forgetMount(volume: string): void {
  for (const part of parts) forgetDescriptor(nameOf(volume, part));
}

/** Whether anybody would hold them. */
export function holdsDescriptors(environment: NodeJS.ProcessEnv = process.env): boolean {
  return (environment['NOTIFY_SOCKET'] ?? '') !== '';
}

/** What was handed to this process when it started. */
export class HandedMounts {
  readonly #descriptors: Map<string, number>;

  constructor(descriptors: ReadonlyMap<string, number>) {
    this.#descriptors = new Map(descriptors);
  }

  /** Once; null when any part of it is missing. */
  take(volume: string): KeptMount | null {
    const found: Record<string, number> = {};
    for (const part of parts) {
      const name = nameOf(volume, part);
      const fd = this.#descriptors.get(name);
      if (fd === undefined) return null;
      found[part] = fd;
    }
    for (const part of parts) this.#descriptors.delete(nameOf(volume, part));
    const of = (part: string): number => found[part] ?? -1;
    return { device: of('device'), directory: of('directory'), unasked: of('unasked'), memory: of('memory') };
  }

  /** Whatever nobody has taken: connections end, and their mounts are dead. */
  closeAll(): void {
    for (const [name, fd] of this.#descriptors) {
      forgetDescriptor(name);
      close(fd);
    }
    this.#descriptors.clear();
  }
}

export function closeMount(volume: string, mount: KeptMount): void {
  forgetMount(volume);
  for (const part of parts) close(mount[part]);
}
