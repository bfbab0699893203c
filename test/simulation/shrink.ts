/** Fewer faults that break the same: halves, then quarters, then one by one are left out, as long as the failure stays. */
import { run, type RunResult } from './run.ts';

const runsMax = 300;

export interface Shrunk {
  readonly planned: RunResult['planned'];
  readonly only: ReadonlySet<number>;
  readonly calm: boolean;
  readonly failure: string;
  readonly trace: readonly string[];
}

/** Which rule was broken; what follows the colon differs from run to run. */
function ruleOf(failure: string | null): string | null {
  return failure === null ? null : (failure.split(':')[0] ?? failure);
}

/** @param failed a run with a failure. */
export function shrink(failed: RunResult, again: typeof run = run): Shrunk {
  const { seed, planned } = failed;
  const rule = ruleOf(failed.failure);
  let runs = 0;
  const fails = (numbers: readonly number[], calm: boolean): boolean => {
    runs += 1;
    return ruleOf(again({ seed, trace: false, only: new Set(numbers), calm }).failure) === rule;
  };
  let kept = planned.map((fault) => fault.number);
  let calm = fails(kept, true);
  for (let size = Math.ceil(kept.length / 2); size >= 1 && runs < runsMax;) {
    const before = kept.length;
    for (let from = 0; from < kept.length && runs < runsMax;) {
      const fewer = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (fails(fewer, calm)) kept = fewer;
      else from += size;
    }
    if (size === 1 && kept.length === before) break;
    size = Math.max(1, Math.floor(size / 2));
  }
  // What needed many faults in a storm may need few in a calm.
  if (!calm && fails(kept, true)) calm = true;
  const only = new Set(kept);
  const result = again({ seed, trace: true, only, calm });
  return { planned, only, calm, failure: result.failure ?? '', trace: result.trace };
}
