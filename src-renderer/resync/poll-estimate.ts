import type { Estimate } from '../../src-main/app-api/index.ts';
import { app } from '../app.svelte.ts';

const intervalMs = 10_000;

/** Asks until the returned function is called. Null: it cannot be asked now, or is of a version that does not tell. */
export function pollEstimate(cluster: string, module: string, tell: (estimate: Estimate | null) => void): () => void {
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const ask = async (): Promise<void> => {
    const estimate = await app.call('estimate', { cluster, module }).catch(() => null);
    if (over) return;
    tell(estimate);
    timer = setTimeout(() => void ask(), intervalMs);
  };
  void ask();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
