/**
 * When systemd's watchdog is to be fed: after so much time, not after so many ticks. On a busy host ticks come late, and a replicator that only is slow would be
 * ended, with the files of every application. Well within the time after which systemd ends a process that has fallen silent.
 */
export const feedEveryMs = 5000;

export class WatchdogPace {
  #fedMs = -Infinity;

  /** True: to be fed now. */
  isDue(nowMs: number): boolean {
    if (nowMs - this.#fedMs < feedEveryMs) return false;
    this.#fedMs = nowMs;
    return true;
  }
}
