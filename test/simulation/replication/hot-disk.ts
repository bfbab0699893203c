/** The hot log's file in memory: what is not synced when the power goes is there or not or torn, sector by sector, in any order. */
import type { HotDisk } from '../../../agent/replication/hot-log.ts';
import type { Random } from './application.ts';

/** The largest that disks have. */
const sectorBytes = 4096;

export class MemoryHotDisk implements HotDisk {
  #content: Buffer | null = null;
  #durable: Buffer | null = null;
  /** Sectors that are not synced. */
  readonly #dirty = new Set<number>();
  /** Calls of `sync`. */
  syncs = 0;
  /** The next calls fail, as on a disk that dies. */
  fails = false;
  /** There is no room, say for the copy that a snapshot below makes of it. */
  isFull = false;

  read(): Buffer | null {
    return this.#content && Buffer.from(this.#content);
  }
  prepare(bytes: number): number {
    if (this.fails) return -5;
    if (this.isFull) return -28;
    this.#content = Buffer.alloc(bytes);
    this.#durable = Buffer.alloc(bytes);
    this.#dirty.clear();
    return 0;
  }
  write(offset: number, content: Buffer): number {
    if (this.fails || !this.#content) return -5;
    if (this.isFull) return -28;
    content.copy(this.#content, offset);
    const last = Math.floor((offset + content.length - 1) / sectorBytes);
    for (let sector = Math.floor(offset / sectorBytes); sector <= last; sector++) this.#dirty.add(sector);
    return 0;
  }
  sync(): number {
    if (this.fails || !this.#content || !this.#durable) return -5;
    this.syncs += 1;
    this.#content.copy(this.#durable);
    this.#dirty.clear();
    return 0;
  }

  powerCut(random: Random): void {
    for (const sector of this.#dirty) {
      const [start, end] = [sector * sectorBytes, (sector + 1) * sectorBytes];
      const became = random(4);
      if (became < 2 && this.#content && this.#durable) this.#content.copy(this.#durable, start, start, end);
      // Neither what it was nor what it was to become.
      if (became === 2) this.#durable?.fill(0xa5, start, end);
    }
    this.#dirty.clear();
    this.#content = this.#durable && Buffer.from(this.#durable);
  }

  /** What is durable. */
  image(): Buffer | null {
    return this.#durable && Buffer.from(this.#durable);
  }
  restore(image: Buffer | null): void {
    this.#dirty.clear();
    this.#durable = image && Buffer.from(image);
    this.#content = image && Buffer.from(image);
  }
}
