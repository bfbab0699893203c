/** One way to look at an application or its surroundings. A checker only looks: what follows is decided in the core. */
import type { Finding } from '../contract/index.ts';

export interface Checker {
  /**
   * Ends by the signal at the latest, with `no-answer`. A rejection means that it could not look. What hangs in the kernel (a dead disk) is left behind and hinders
   * neither this process nor the checks of others: such looks are programs of their own, and none is begun while the former one hangs.
   */
  look(signal: AbortSignal): Promise<Finding>;
}

export const good: Finding = { code: 'good', found: '' };
export const noAnswer: Finding = { code: 'no-answer', found: '' };

export function notChecked(why: string): Finding {
  return { code: 'not-checked', found: why };
}

/** Resolves when the signal aborts; `using` takes the listener away. */
export function aborted(signal: AbortSignal): { readonly promise: Promise<Finding>; [Symbol.dispose](): void } {
  const { promise, resolve } = Promise.withResolvers<Finding>();
  const abort = (): void => resolve(noAnswer);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  return { promise, [Symbol.dispose]: () => signal.removeEventListener('abort', abort) };
}
