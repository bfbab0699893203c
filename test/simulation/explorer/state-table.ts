/** The states seen, by 64 bits of hash: 16 bytes each, where the states themselves would need kilobytes. */
import type { Hash } from './key.ts';

export class StateTable {
  private capacity = 1 << 16;
  private slots = new Int32Array(this.capacity).fill(-1);
  private high = new Uint32Array(this.capacity);
  private low = new Uint32Array(this.capacity);
  private parents = new Int32Array(this.capacity);
  private count = 0;

  get size(): number {
    return this.count;
  }

  /** @returns the new state's number; null: known already. */
  add(hash: Hash, parent: number): number | null {
    if (this.count * 2 >= this.capacity) this.grow();
    const slot = this.slotOf(hash);
    if (this.slots[slot] !== -1) return null;
    const id = this.count++;
    this.slots[slot] = id;
    this.high[id] = hash.high;
    this.low[id] = hash.low;
    this.parents[id] = parent;
    return id;
  }

  find(hash: Hash): number | null {
    const id = this.slots[this.slotOf(hash)] ?? -1;
    return id === -1 ? null : id;
  }

  parentOf(id: number): number {
    return this.parents[id] ?? -1;
  }

  private slotOf(hash: Hash): number {
    const mask = this.capacity - 1;
    for (let slot = (hash.low ^ (hash.high >>> 7)) & mask; ; slot = (slot + 1) & mask) {
      const id = this.slots[slot] ?? -1;
      if (id === -1 || (this.high[id] === hash.high && this.low[id] === hash.low)) return slot;
    }
  }

  private grow(): void {
    const { high, low, parents } = this;
    this.capacity *= 2;
    this.slots = new Int32Array(this.capacity).fill(-1);
    this.high = new Uint32Array(this.capacity);
    this.low = new Uint32Array(this.capacity);
    this.parents = new Int32Array(this.capacity);
    this.high.set(high);
    this.low.set(low);
    this.parents.set(parents);
    for (let id = 0; id < this.count; id += 1) this.slots[this.slotOf({ high: high[id] ?? 0, low: low[id] ?? 0 })] = id;
  }
}
