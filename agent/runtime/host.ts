/** The machine this process runs on: its boot, its timers, whether it is going down. */
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandRunner } from '../network/index.ts';
import type { Journal, Timers } from './ports.ts';

/** For the journal to take in the reason. Longer would leave a node running that has said it is a danger. */
const lastWordsMs = 500;

export async function resetHost(journal: Journal, because: string): Promise<void> {
  journal.error(because);
  await delay(lastWordsMs);
  const { resetMachine } = await import('../sys/reset.ts');
  journal.error(`The reset was refused: ${resetMachine()}`);
}

export const processTimers: Timers = {
  every(intervalMs, callback) {
    const timer = setInterval(callback, intervalMs);
    return { [Symbol.dispose]: () => clearInterval(timer) };
  },
  delay: (ms, signal) => delay(ms, undefined, signal === undefined ? {} : { signal }),
};

/** The service manager is stopping everything, and not this service alone. */
export async function hostGoesDown(run: CommandRunner): Promise<boolean> {
  try {
    const result = await run(['systemctl', 'is-system-running'], { timeoutMs: 2000 });
    return result.stdout.trim() === 'stopping';
  } catch {
    return false;
  }
}
