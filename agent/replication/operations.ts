/**
 * A lane is a generator that yields its blocking operations. Production runs each with a blocking call in a worker; the simulator
 * interleaves lanes at every yield, and every yield is a place where the machine may lose its power.
 */
export interface Operation {
  readonly name: string;
  /** The result is what the yield gives back; operations take their arguments from fields, so that none is allocated. */
  run(): number;
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
