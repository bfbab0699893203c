/** How far a comparison of the two copies is, over all directories of a module, and what may be done now. Pure. */
import type { ClusterStatus, Difference, LastComparison, Verification } from '../../agent/contract/index.ts';
import type { Comparison } from '../../src-main/app-api/index.ts';
import type { ModuleStatus } from '../cluster/findings.ts';

/** Of all directories of the module together. */
export const listedMax = 100;

export const stageKinds = [
  'running',
  'repairing',
  'different',
  'unreadable',
  'interrupted',
  'stopped',
  'repaired',
  'equal',
  'not-compared',
] as const;
export type StageKind = (typeof stageKinds)[number];

/** Why nothing can be compared now. */
export type ComparisonObstacle = 'runs-nowhere' | 'not-connected' | 'resync-runs';

export interface ListedDifference extends Difference {
  /** The replicated directory. */
  readonly under: string;
}

export interface Progress {
  readonly doneBytes: number;
  readonly files: number;
  /** At most; null: one of the filesystems does not say. */
  readonly totalBytes: number | null;
  readonly bytesPerSecond: number | null;
  readonly etaSeconds: number | null;
}

export interface Stage {
  readonly kind: StageKind;
  readonly progress: Progress;
  readonly differing: number;
  /** In times or holes only, or what only the primary could not read. */
  readonly minor: number;
  readonly differences: readonly ListedDifference[];
  /** A repair was ordered, and begins when all is compared. */
  readonly willRepair: boolean;
  readonly last: LastComparison | null;
  /** Null: the copies can be compared now. */
  readonly obstacle: ComparisonObstacle | null;
  /** The secondary's copy may be overwritten by order: compared once more before, or, where it waits for exactly that, at once. */
  readonly mayRepair: boolean;
  /** The secondary's copy is not connected: nothing is compared again before the repair. */
  readonly repairsAtOnce: boolean;
}

const differs = (module: ModuleStatus): boolean => module.nodes.some((on) => on.reason === 'copies-differ');

function kindOf(all: readonly (Verification | null)[], isKnownToDiffer: boolean): StageKind {
  const has = (...states: Verification['state'][]): boolean =>
    all.some((one) => one !== null && states.includes(one.state));
  if (has('running')) return 'running';
  if (has('repairing')) return 'repairing';
  const different = all.filter((one) => one?.state === 'different');
  if (different.some((one) => (one?.differing ?? 0) > 0)) return 'different';
  // The copy that applications see cannot be read: it is not the one to repair from.
  if (different.some((one) => (one?.unreadable ?? 0) > 0)) return 'unreadable';
  if (isKnownToDiffer || different.length > 0) return 'different';
  if (has('interrupted')) return 'interrupted';
  if (has('stopped')) return 'stopped';
  if (all.length === 0 || all.includes(null)) return 'not-compared';
  return has('repaired') ? 'repaired' : 'equal';
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
/** Null when one of them is not known. */
function sumOf(numbers: readonly (number | null | undefined)[]): number | null {
  const known = numbers.filter((one) => typeof one === 'number');
  return known.length < numbers.length || known.length === 0 ? null : sum(known);
}

function progressOf(all: readonly Verification[]): Progress {
  const running = all.filter(({ state }) => state === 'running');
  const ended = sum(all.filter(({ state }) => state !== 'running').map(({ comparedBytes }) => comparedBytes));
  const totalBytes = sumOf(running.map((one) => one.totalBytes));
  const left = running.map((one) => one.etaSeconds);
  return {
    doneBytes: sum(all.map(({ comparedBytes }) => comparedBytes)),
    files: sum(all.map(({ files }) => files)),
    totalBytes: totalBytes === null ? null : totalBytes + ended,
    bytesPerSecond: sumOf(running.map((one) => one.bytesPerSecond)),
    // They are compared side by side.
    etaSeconds: sumOf(left) === null ? null : Math.max(...left.map((one) => one ?? 0)),
  };
}

function obstacleOf(status: ClusterStatus, module: ModuleStatus, primary: string | null): ComparisonObstacle | null {
  const runs = module.nodes.find(({ name }) => name === primary);
  if (runs === undefined || !status.nodes.some(({ name, reachable }) => name === primary && reachable))
    return 'runs-nowhere';
  if (runs.state === 'alone') return 'not-connected';
  if (differs(module)) return null;
  const other = module.nodes.find(({ name }) => name !== primary);
  if (other?.data === 'resynchronising') return 'resync-runs';
  return other?.state === 'secondary' && other.data === 'up-to-date' ? null : 'not-connected';
}

export function stageOf(comparison: Comparison, status: ClusterStatus, module: ModuleStatus): Stage {
  const { primary, volumes } = comparison;
  const verifications = volumes.map(({ verification }) => verification);
  const all = verifications.filter((one) => one !== null);
  const lasts = volumes.flatMap(({ last }) => last ?? []);
  const obstacle = obstacleOf(status, module, primary);
  const kind = kindOf(verifications, differs(module));
  const waits = obstacle === 'not-connected' && differs(module);
  return {
    kind,
    progress: progressOf(all),
    differing: sum(all.map(({ differing }) => differing)),
    minor: sum(all.map(({ minor }) => minor)),
    differences: volumes.flatMap(({ path, verification }) =>
      (verification?.differences ?? []).map((one) => ({ ...one, under: path })),
    ),
    willRepair: all.some(({ state, repair }) => state === 'running' && repair),
    last: lasts.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null,
    obstacle,
    mayRepair: kind === 'different' && (obstacle === null || waits),
    repairsAtOnce: waits,
  };
}
