/** One seed: a cluster, faults as planned, judges after every step. */
import { stepMirror, timingFor } from '../../agent/core/index.ts';
import { Breach } from './breach.ts';
import { Simulation } from './cluster.ts';
import { disks, faultNames } from './faults.ts';
import { Random } from './random.ts';
import { faultInWords, planFaults, type PlannedFault } from './schedule.ts';
import type { Seen } from './seen.ts';
import { World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly trace: boolean;
  /** Numbers of the planned faults that happen; all of them unless given. */
  readonly only?: ReadonlySet<number>;
  /** No datagram is lost, late or repeated, and nothing crashes between two actions. */
  readonly calm?: boolean;
}

export interface RunResult {
  readonly seed: number;
  readonly failure: string | null;
  readonly trace: readonly string[];
  readonly planned: readonly PlannedFault[];
  readonly faults: Readonly<Record<string, number>>;
  readonly seen: Seen;
  readonly acknowledgedWrites: number;
  readonly failovers: number;
}

const faultPeriodMs = 60_000;
const healMs = 90_000;
const badMomentsSalt = 0x2e5a1d07;
const volumesSalt = 0x51c3b80f;
const acknowledgeSalt = 0x7d20c4e9;
const pingSalt = 0x6d2f4a91;
const diskSalt = 0x1b9e35d4;

export function run(options: RunOptions): RunResult {
  const random = new Random(options.seed);
  const world = new World(random);
  world.tracing = options.trace;
  world.calm = options.calm ?? false;
  const withWitness = !random.chance(0.2);
  // 10 % off, with the leases computed for it: production assumes 0.1 %.
  const rateError = random.chance(0.5) ? 0.1 : 0.001;
  const action = random.pick(['restart', 'stop-start', 'failover'] as const);
  const simulation = new Simulation(world, {
    witness: withWitness,
    withoutWitness: 'prefer-one-copy',
    // Drawn apart, as below.
    pingWitness: !withWitness && new Random(options.seed ^ pingSalt).chance(0.5),
    timing: timingFor(3000, rateError),
    rateError,
    prefer: random.pick([null, 'n1', 'n2']),
    failback: () => (random.chance(0.3) ? 'automatic' : 'manual'),
    // Drawn apart, as below.
    volumes: new Random(options.seed ^ volumesSalt).chance(0.3) ? 2 : 1,
    acknowledge: new Random(options.seed ^ acknowledgeSalt).chance(0.4) ? 'received' : 'durable',
    checkers: { application: action, surroundings: random.chance(0.3) },
    stepMirror,
  });
  const rough = withWitness && random.chance(0.3);
  for (const node of simulation.nodes) {
    node.record = { ...node.record, wanted: 'started' };
    const crashes = random.chance(0.5);
    node.crashProbability = crashes && !world.calm ? 0.0005 : 0;
  }
  world.lossProbability = random.chance(0.3) ? 0.1 : 0;
  // Drawn apart: the other runs stay what they were before there were such moments.
  const bad = new Random(options.seed ^ badMomentsSalt).chance(0.3);
  const others = planFaults(options.seed, faultNames(rough, bad), faultPeriodMs);
  // Drawn apart, as above.
  const failing = new Random(options.seed ^ diskSalt);
  const count = failing.chance(0.4) ? 1 + Math.floor(failing.between(0, 3)) : 0;
  const ofDisks = planFaults(options.seed ^ diskSalt, Object.keys(disks), faultPeriodMs, count, others.length + 1);
  const planned = [...others, ...ofDisks];
  let failure: string | null = null;
  try {
    play(simulation, random, planned, options.only);
  } catch (error) {
    failure =
      error instanceof Breach ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.log('judge', failure);
  }
  return {
    seed: options.seed,
    failure,
    trace: world.trace,
    planned,
    faults: world.faults,
    seen: simulation.seen,
    acknowledgedWrites: simulation.judges.acknowledgedCount,
    failovers: simulation.judges.failovers,
  };
}

function play(
  simulation: Simulation,
  random: Random,
  planned: readonly PlannedFault[],
  only: ReadonlySet<number> | undefined,
): void {
  const { world, nodes, judges } = simulation;
  for (const node of nodes)
    world.at(random.between(0, 3000), () => {
      node.powerOn();
    });
  const firstFaultMs = random.between(0, 20_000);
  const endMs = firstFaultMs + faultPeriodMs;
  simulation.startClient(endMs + healMs - 8000);
  for (const fault of planned) {
    if (only?.has(fault.number) === false) continue;
    world.at(firstFaultMs + fault.atMs, () => {
      world.count(fault.kind);
      world.log('fault', faultInWords(fault));
      simulation.trouble(fault);
    });
  }
  const judge = (): void => {
    judges.afterStep();
  };
  world.runUntil(endMs, judge);
  simulation.healEverything();
  world.runUntil(endMs + healMs, judge);
  judges.atTheEnd(healMs);
}
