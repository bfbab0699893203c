/**
 * The crash matrix: one life of a pair, from the first sync to a swap, is told step by step; then again for each step and each fault, with the fault
 * in the place of that step. What was acknowledged is there afterwards, no stale copy is used, and both copies become equal.
 */
import { randomOf } from './application.ts';
import { change, giveRoles, goAlone, run, settle } from './run.ts';
import { World } from './world.ts';
import type { Mutant } from './mutants.ts';
import type { SimMachine } from './machine.ts';

export const faults = [
  'kill the primary’s replicator',
  'kill the secondary’s replicator',
  'power off the primary',
  'power off the secondary',
  'power off both',
  'cut the link',
] as const;
export type CrashFault = (typeof faults)[number];

/** One place of the protocol where a fault may come. */
export interface Place {
  readonly step: number;
  /** `primary lane: send while resynchronising`. */
  readonly what: string;
}

/** Until there is no more to tell, or the fault has come. */
function live(world: World, over: () => boolean): void {
  const [n1, n2] = world.machines;
  const primaryIs = (machine: SimMachine, mode: string): boolean =>
    machine.primary?.mode === mode && machine.control.acknowledged === machine.control.sent;
  const steps: (() => void)[] = [
    // A copy that is made, then kept equal.
    () => {
      world.servePrimary(n1);
      goAlone(world, n1);
      change(world, 12);
    },
    () => {
      run(world, 20_000, () => over() || primaryIs(n1, 'in-sync'));
    },
    () => {
      change(world, 12);
    },
    // A checkpoint, and what is compared by its marks after an absence.
    () => {
      const marks = n1.stream?.marks;
      run(world, 3000, () => over() || (marks?.size === 0 && !marks.settling));
    },
    () => {
      change(world, 6);
      world.connected = false;
      world.breakLink();
      run(world, 60, () => over() || n1.primary?.mode === 'undecided');
    },
    () => {
      goAlone(world, n1);
      change(world, 10);
      world.connected = true;
      run(world, 20_000, () => over() || primaryIs(n1, 'in-sync'));
    },
    () => {
      world.verify(n1, false);
      run(world, 3000, () => over() || world.foundEqual > 0);
    },
    // A planned handover, and changes on the other side.
    () => {
      world.stopPrimary(n1, 1_000_000);
    },
    () => {
      if (n2.role === 'secondary') world.stopSecondary(n2);
    },
    () => {
      if (world.mayServe(n2)) world.servePrimary(n2);
      for (let n = 0; n < 6; n++) n2.requests.push({ kind: 'append', log: 'log1' });
      run(world, 20_000, () => over() || (n2.requests.length === 0 && primaryIs(n2, 'in-sync')));
    },
  ];
  for (const step of steps) {
    if (over()) return;
    step();
  }
}

function modeOf(world: World): string {
  const primary = world.machines.find((machine) => machine.role === 'primary');
  if (!primary?.primary) return 'nobody serves';
  if (primary.unmounted) return 'stopping';
  return primary.primary.mode;
}

/** All of them, in the order of one life. */
export function placesOf(seed: number, mutant: Mutant | null = null): Place[] {
  const world = new World(randomOf(seed), mutant);
  const places: Place[] = [];
  world.beforeStep = (_, lane, operation) => {
    places.push({ step: world.steps, what: `${lane} lane: ${operation} while ${modeOf(world)}` });
    return false;
  };
  live(world, () => false);
  return places;
}

function strike(world: World, fault: CrashFault): void {
  const primary = world.machines.find((machine) => machine.role === 'primary') ?? world.machines[0];
  const secondary = world.other(primary);
  const power = fault.startsWith('power');
  if (fault === 'cut the link') world.breakLink();
  if (fault.endsWith('primary’s replicator') || fault.endsWith('the primary') || fault.endsWith('both'))
    world.crash(primary, power);
  if (fault.endsWith('secondary’s replicator') || fault.endsWith('the secondary') || fault.endsWith('both'))
    world.crash(secondary, power);
}

/** The same life up to that step, then the fault; the survivors go on, and at last everything converges. Throws what a judge says. */
export function crashAt(seed: number, step: number, fault: CrashFault, mutant: Mutant | null = null): void {
  const world = new World(randomOf(seed), mutant);
  let struckAt = 0;
  world.beforeStep = () => {
    if (struckAt > 0 || world.steps !== step) return false;
    struckAt = step;
    strike(world, fault);
    return true;
  };
  live(world, () => struckAt > 0);
  if (struckAt === 0) throw new Error(`there is no step ${String(step)}`);
  world.connected = true;
  const person = randomOf(seed + step);
  for (let n = 0; n < 40; n++) {
    giveRoles(world);
    const primary = world.machines.find((machine) => machine.role === 'primary');
    if (primary?.primary?.mode === 'undecided' && person(4) === 0) goAlone(world, primary);
    if (primary && !primary.unmounted && primary.requests.length < 2)
      primary.requests.push(
        person(2) === 0 ? { kind: 'append', log: `log${person(3)}` } : { kind: 'random', seed: person(1 << 30) },
      );
    for (let burst = 20; burst > 0; burst--) world.step();
  }
  settle(world);
}

/** The first and the last step of each kind: each place of the protocol twice. */
export function representatives(places: readonly Place[]): Place[] {
  const first = new Map<string, Place>();
  const last = new Map<string, Place>();
  for (const place of places) {
    if (!first.has(place.what)) first.set(place.what, place);
    last.set(place.what, place);
  }
  return [...new Set([...first.values(), ...last.values()])];
}

/** Every step of one life with every fault. */
export function runMatrix(seed: number, say: (line: string) => void): { passed: number; failed: number } {
  const places = placesOf(seed);
  let failed = 0;
  for (const fault of faults) {
    let failedNow = 0;
    for (const { step, what } of places) {
      try {
        crashAt(seed, step, fault);
      } catch (error) {
        failedNow += 1;
        say(`step ${String(step)}, ${what}, ${fault}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    say(`${fault}: ${String(places.length)} steps, ${String(failedNow)} failed`);
    failed += failedNow;
  }
  return { passed: places.length * faults.length - failed, failed };
}
