/** Files opened for reading and writing by node id, for callers without an open file of their own. The least recently used closes. */
import { close } from '../sys/linux.ts';
import type { NodeId } from './node-table.ts';

const filesMax = 128;

export class OpenFileCache {
  readonly #open: (id: NodeId) => number;
  /** In order of use: a Map keeps the order of insertion. */
  readonly #files = new Map<NodeId, number>();
  #lastId: NodeId = 0;
  #lastFd = -1;

  constructor(open: (id: NodeId) => number) {
    this.#open = open;
  }

  /** A descriptor that stays open until the next call, or -errno. */
  get(id: NodeId): number {
    if (id === this.#lastId) return this.#lastFd;
    const known = this.#files.get(id);
    if (known !== undefined) this.#files.delete(id);
    const fd = known ?? this.#open(id);
    if (fd < 0) return fd;
    this.#files.set(id, fd);
    this.#lastId = id;
    this.#lastFd = fd;
    for (const [oldest, oldestFd] of this.#files) {
      if (this.#files.size <= filesMax) break;
      this.#files.delete(oldest);
      close(oldestFd);
    }
    return fd;
  }

  close(id: NodeId): void {
    const fd = this.#files.get(id);
    if (fd === undefined) return;
    this.#files.delete(id);
    if (id === this.#lastId) this.#lastId = 0;
    close(fd);
  }

  closeAll(): void {
    for (const id of [...this.#files.keys()]) this.close(id);
  }
}
