/** What is known of the request that is being dealt with. */

/** Places of `#instants`. */
const instant = { read: 0, stepBegan: 1 } as const;

export class RequestInHand {
  /** It asked to change something. */
  changes = false;
  /** The lane's clock; an array, because such a number in a field is allocated anew at every change of it. */
  readonly #instants = new Float64Array(2);

  get readAtMs(): number {
    return this.#instants[instant.read] ?? 0;
  }
  set readAtMs(readAtMs: number) {
    this.#instants[instant.read] = readAtMs;
  }

  /** When a step of a resync or a comparison began that nothing has been read after; 0: none. */
  get stepBeganMs(): number {
    return this.#instants[instant.stepBegan] ?? 0;
  }
  set stepBeganMs(beganMs: number) {
    this.#instants[instant.stepBegan] = beganMs;
  }
}
