/** Objects whose sync was received and has not been made yet; each once. Nothing is allocated. */
import { syncsMax } from './sync-batch.ts';

export class ObjectSyncs {
  count = 0;
  readonly #ids = new Float64Array(syncsMax);
  readonly #dataOnly = new Uint8Array(syncsMax);

  get full(): boolean {
    return this.count === syncsMax;
  }

  add(id: number, dataOnly: boolean): void {
    let place = 0;
    while (place < this.count && this.#ids[place] !== id) place++;
    const isNew = place === this.count;
    if (isNew) this.count += 1;
    this.#ids[place] = id;
    this.#dataOnly[place] = dataOnly && (isNew || this.#dataOnly[place] === 1) ? 1 : 0;
  }

  id(place: number): number {
    return this.#ids[place] ?? 0;
  }
  isDataOnly(place: number): boolean {
    return this.#dataOnly[place] === 1;
  }

  clear(): void {
    this.count = 0;
  }
}
