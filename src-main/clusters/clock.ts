/** Time, as a parameter, so that tests need not wait for it. */
export interface Clock {
  /** Never goes back, and knows nothing of the time of day. */
  nowMs(): number;
  wallMs(): number;
  /** Returns how to give it up. */
  after(delayMs: number, then: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, then) {
    const timer = setTimeout(then, delayMs);
    return () => clearTimeout(timer);
  },
};
