/** What `npm run sim -- --explore` looks at, and how it says so. */
import { explore, type Exploration } from './explore.ts';
import { trace } from './trace.ts';
import { situation, type Situation } from './roots.ts';
import type { Budget, Disorder, Third, World } from './model.ts';

export interface ExplorerRun {
  readonly from: Situation;
  readonly disorder: Disorder;
  readonly ticks: number;
  readonly budget: Partial<Budget>;
  /** A witness that votes unless given. */
  readonly third?: Third;
  /** The level is `received`. */
  readonly received?: boolean;
  /** Of the limit of states; 1 unless given. */
  readonly share?: number;
}

const available = { pings: 'prefer-availability' } as const;
const oneCopy = { pings: 'prefer-one-copy' } as const;

/** The cheapest first. Each is searched to its end, or to the limit of states, breadth first. */
export const explorerRuns: readonly ExplorerRun[] = [
  { from: 'stopped', disorder: 'any', ticks: 2, budget: { orders: 1 } },
  { from: 'protected', disorder: 'any', ticks: 2, budget: {} },
  { from: 'protected', disorder: 'any', ticks: 6, budget: {} },
  { from: 'protected', disorder: 'any', ticks: 2, budget: { crashes: 1 } },
  { from: 'protected', disorder: 'any', ticks: 3, budget: { strays: 1, drifts: 1 } },
  { from: 'protected', disorder: 'any', ticks: 2, budget: { orders: 1, failures: 1 } },
  { from: 'secondary-returns', disorder: 'any', ticks: 2, budget: {} },
  { from: 'primary-returns', disorder: 'any', ticks: 2, budget: {} },
  { from: 'cold-start-after-power-cut', disorder: 'any', ticks: 2, budget: {} },
  { from: 'protected', disorder: 'named', ticks: 8, budget: { cuts: 1 }, share: 6 },
  { from: 'protected', disorder: 'named', ticks: 8, budget: { crashes: 1 } },
  { from: 'protected', disorder: 'named', ticks: 8, budget: { freezes: 1, drifts: 2 } },
  { from: 'protected', disorder: 'named', ticks: 8, budget: { orders: 1, crashes: 1 } },
  { from: 'primary-returns', disorder: 'named', ticks: 8, budget: { crashes: 1, cuts: 1 } },
  { from: 'cold-start-after-power-cut', disorder: 'named', ticks: 8, budget: { strays: 1, cuts: 1 } },
  { from: 'protected', disorder: 'named', ticks: 8, budget: { cuts: 1, crashes: 1 }, third: 'nobody' },
  { from: 'protected', disorder: 'any', ticks: 2, budget: { crashes: 2 }, received: true },
  { from: 'protected', disorder: 'named', ticks: 8, budget: { crashes: 2 }, received: true, share: 2 },
  { from: 'cold-start-after-power-cut', disorder: 'named', ticks: 8, budget: { crashes: 1, cuts: 1 }, received: true },
  { from: 'takeover-begins', disorder: 'any', ticks: 2, budget: {}, share: 4 },
  { from: 'takeover-begins', disorder: 'any', ticks: 1, budget: { crashes: 1 }, share: 2 },
  { from: 'takeover-begins', disorder: 'named', ticks: 6, budget: { cuts: 1 }, share: 3 },
  { from: 'goes-alone', disorder: 'any', ticks: 2, budget: {}, share: 3 },
  { from: 'goes-alone', disorder: 'any', ticks: 1, budget: { crashes: 1 }, share: 2 },
  { from: 'handed-over', disorder: 'any', ticks: 1, budget: {} },
  { from: 'handed-over', disorder: 'any', ticks: 1, budget: { crashes: 1 }, share: 3 },
  { from: 'votes-for-a-former-version', disorder: 'any', ticks: 2, budget: {}, third: 'nobody' },
  { from: 'votes-for-a-former-version', disorder: 'any', ticks: 2, budget: { crashes: 1 }, share: 2 },
  { from: 'votes-for-a-former-version', disorder: 'named', ticks: 8, budget: { cuts: 1, crashes: 1 }, share: 2 },
  { from: 'protected', disorder: 'named', ticks: 8, budget: { cuts: 1 }, third: available, share: 2 },
  { from: 'takeover-begins', disorder: 'named', ticks: 6, budget: { crashes: 1 }, third: available },
  { from: 'protected', disorder: 'named', ticks: 8, budget: { freezes: 1 }, third: available },
  { from: 'goes-alone', disorder: 'any', ticks: 2, budget: {}, third: oneCopy },
  { from: 'protected', disorder: 'named', ticks: 8, budget: { cuts: 1, crashes: 1 }, third: oneCopy, share: 2 },
];

export function rootOf(run: ExplorerRun): World {
  const none: Budget = { crashes: 0, cuts: 0, freezes: 0, strays: 0, drifts: 0, failures: 0, orders: 0 };
  return {
    ...situation(run.from, run.third ?? 'witness', run.received ?? false),
    ticksLeft: run.ticks,
    disorder: run.disorder,
    budget: { ...none, ...run.budget },
  };
}

export function nameOfRun(run: ExplorerRun): string {
  const faults = Object.entries(run.budget).map(([kind, count]) => `${kind} ≤ ${String(count)}`);
  const { third = 'witness' } = run;
  const witness = third === 'witness' ? '' : third === 'nobody' ? ', no witness' : `, ping witness, ${third.pings}`;
  const level = run.received === true ? ', level received' : '';
  return [
    `from ${run.from}${witness}${level}`,
    `${run.disorder} disorder`,
    `${String(run.ticks)} ticks`,
    ...faults,
  ].join(', ');
}

export interface ExplorerReport {
  readonly passed: number;
  readonly failed: number;
}

/** @param statesMax of each run, times its share. @param first ends at the first breach. */
export function runExplorer(statesMax: number, first: boolean, say: (line: string) => void): ExplorerReport {
  const phases = new Set<string>();
  const coreStates = new Set<string>();
  let passed = 0;
  let failed = 0;
  let states = 0;
  let transitions = 0;
  for (const run of explorerRuns) {
    const root = rootOf(run);
    const result = explore(root, { statesMax: statesMax * (run.share ?? 1), depthMax: Number.MAX_SAFE_INTEGER });
    for (const phase of result.phases) phases.add(phase);
    for (const state of result.coreStates) coreStates.add(state);
    states += result.states;
    transitions += result.transitions;
    say(`${nameOfRun(run)}: ${numbersOf(result)}`);
    if (result.breach === null) passed += 1;
    else {
      failed += 1;
      say(`breach: ${result.breach.what}`);
      for (const line of trace(root, result.breach.moves)) say(line);
      if (first) break;
    }
  }
  say(
    `${String(states)} states, ${String(transitions)} transitions; of the core ${String(coreStates.size)} states and ${String(phases.size)} changes between them`,
  );
  say(`core states: ${[...coreStates].sort().join('; ')}`);
  return { passed, failed };
}

function numbersOf({ states, transitions, depth, complete }: Exploration): string {
  const extent = complete
    ? `complete, deepest state after ${String(depth)} moves`
    : `every sequence of up to ${String(depth)} moves, then cut off`;
  return `${String(states)} states, ${String(transitions)} transitions; ${extent}`;
}
