/**
 * A lane is a generator that yields its blocking operations. Production runs each with a blocking call in a worker; the simulator
 * interleaves lanes at every yield, and every yield is a place where the machine may lose its power.
 */
import type { Poll } from '../sys/linux.ts';

export interface Operation {
  readonly name: string;
  /** The result is what the yield gives back; operations take their arguments from fields, so that none is allocated. */
  run(): number;
  /** Of one that does nothing but wait: so that a thread can wait for several lanes at once (`lane-thread.ts`). `run` does the same alone. */
  readonly waits?: Waits;
  /** Of one that waits in between: what `run` does, with its waits as operations. */
  readonly steps?: () => Steps;
}

export type Steps = Generator<Operation, number, number>;

/** From `begin`: there is something already; `end` tells what. */
export const isReady = -2;

export interface Waits {
  readonly poll: Poll;
  /** Sets what `poll` looks for; how many milliseconds at most, -1: for ever, or `isReady`. */
  begin(): number;
  /** `count`: what the wait of `poll` has given, or `isReady`. The result of the operation. */
  end(count: number): number;
}

/** `run` of an operation that waits. */
export function waitAlone(waits: Waits): number {
  const timeoutMs = waits.begin();
  return waits.end(timeoutMs === isReady ? isReady : waits.poll.wait(timeoutMs));
}

/** `run` of an operation that has steps. */
export function runSteps(steps: Steps): number {
  let step = steps.next();
  while (step.done !== true) step = steps.next(step.value.run());
  return step.value;
}

export type Lane = Generator<Operation, void, number>;

/** Until the lane ends. `halt`: sees each operation before it runs (`fault-point.ts`). */
export function runLane(lane: Lane, halt: ((operation: Operation) => void) | null = null): void {
  for (let step = lane.next(); step.done !== true; step = lane.next(step.value.run()))
    if (halt !== null) halt(step.value);
}

/** An operation without arguments. */
export function operation(name: string, run: () => number): Operation {
  return { name, run };
}
