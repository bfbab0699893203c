/** The time on all ages on the screen: one tick for all of them, so that they change together. */
class Clock {
  /** Milliseconds since 1970. */
  nowMs = $state(Date.now());

  constructor() {
    const tick = (): void => {
      this.nowMs = Date.now();
    };
    setInterval(tick, 1000);
    // Timers sleep with the laptop; what is seen first afterwards has to be right.
    document.addEventListener('visibilitychange', tick);
  }
}

export const clock = new Clock();
