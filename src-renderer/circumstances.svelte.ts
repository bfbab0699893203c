/** What a sentence about a cluster depends on besides the cluster. */
import type { Circumstances } from './cluster/findings.ts';
import { clock } from './ui/clock.svelte.ts';

export function circumstancesNow(interruptedDraft: string | null = null): Circumstances {
  return { nowMs: clock.nowMs, interruptedDraft };
}
