/** How many bytes of the stream are under way, from cumulative acknowledgements. Nothing is allocated per entry. */
import { reached } from './acknowledgement.ts';

const entriesMax = 8192;

export class SendWindow {
  readonly #sequences = new Float64Array(entriesMax);
  readonly #bytes = new Float64Array(entriesMax);
  #first = 0;
  #next = 0;
  bytes = 0;
  /** Ever; over all links of this role. */
  totalBytes = 0;

  clear(): void {
    this.#first = this.#next = 0;
    this.bytes = 0;
  }

  /** Everything up to `sequence` has been given to the socket, `bytes` more than before. */
  sent(sequence: number, bytes: number): void {
    this.bytes += bytes;
    this.totalBytes += bytes;
    if (this.#next - this.#first === entriesMax) {
      // Coarser rather than larger: the newest entry takes the bytes, and is acknowledged later than it might be.
      const last = (this.#next - 1) % entriesMax;
      this.#sequences[last] = sequence;
      this.#bytes[last] = (this.#bytes[last] ?? 0) + bytes;
      return;
    }
    this.#sequences[this.#next % entriesMax] = sequence;
    this.#bytes[this.#next % entriesMax] = bytes;
    this.#next += 1;
  }

  settle(acknowledged: number): void {
    while (this.#first !== this.#next) {
      const at = this.#first % entriesMax;
      if (!reached(acknowledged, this.#sequences[at] ?? 0)) return;
      this.bytes -= this.#bytes[at] ?? 0;
      this.#first += 1;
    }
  }
}
