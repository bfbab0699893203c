/** Which parts of a file may differ: chunks that were written, and everything from some offset on. Only ever says too much, never too little. */

/** Of the smallest chunk: what a resync compares at least. */
export const chunkBytes = 64 * 1024;
/** More chunks than this, and they become twice as large. */
const chunksMax = 4096;
/** A change over more chunks at once is taken as "from here on". */
const chunksAtOnceMax = 1024;

export class Extents {
  /** Everything at and after it. */
  from = Infinity;
  #unitBytes = chunkBytes;
  #chunks = new Set<number>();

  get size(): number {
    return this.#chunks.size;
  }

  /** Nothing is allocated for what is marked already. */
  add(offset: number, length: number): void {
    if (length <= 0 || offset >= this.from) return;
    const first = Math.floor(offset / this.#unitBytes);
    const last = Math.floor((offset + length - 1) / this.#unitBytes);
    if (last - first >= chunksAtOnceMax) {
      this.addFrom(offset);
      return;
    }
    for (let chunk = first; chunk <= last; chunk++) this.#chunks.add(chunk);
    while (this.#chunks.size > chunksMax) this.#coarsen();
  }

  addFrom(offset: number): void {
    this.from = Math.min(this.from, offset - (offset % chunkBytes));
  }

  #coarsen(): void {
    this.#unitBytes *= 2;
    const finer = this.#chunks;
    this.#chunks = new Set();
    for (const chunk of finer) this.#chunks.add(Math.floor(chunk / 2));
  }

  merge(other: Extents): void {
    this.from = Math.min(this.from, other.from);
    while (this.#unitBytes < other.#unitBytes) this.#coarsen();
    for (const chunk of other.#chunks) this.#chunks.add(Math.floor((chunk * other.#unitBytes) / this.#unitBytes));
    while (this.#chunks.size > chunksMax) this.#coarsen();
  }

  /** Sorted, disjoint [start, end) below `size`, on chunk boundaries but for the end of the file. */
  ranges(size: number): [start: number, end: number][] {
    const ranges: [number, number][] = [];
    const put = (start: number, end: number): void => {
      const last = ranges.at(-1);
      if (last && start <= last[1]) last[1] = Math.max(last[1], end);
      else if (start < end) ranges.push([start, end]);
    };
    for (const chunk of [...this.#chunks].sort((a, b) => a - b)) {
      const start = chunk * this.#unitBytes;
      put(start, Math.min(size, start + this.#unitBytes));
    }
    if (this.from < size) {
      while (ranges.length > 0 && (ranges.at(-1)?.[0] ?? 0) >= this.from) ranges.pop();
      put(this.from, size);
    }
    return ranges;
  }
}
